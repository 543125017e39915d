"""Learners in the middle of a chapter, written straight into the tables, and their beats.

    python -m benchmarks.learners COUNT ROWS FILE

Fills the empty database that `DATABASE_URL` names with so many learners and rows of progress
(on SQLite 0: theirs alone), and writes to FILE what a player needs to send a beat for each.
"""

import json
import os
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from itertools import cycle
from pathlib import Path
from typing import Any

# A beat moves the position so far: less than the time that passes between two of one learner.
STEP_MS = 10
PLAYED_MS = 10_000
FAR_MS = 2_000_000
COOKIES = 200
CSRF = "b" * 32


@dataclass
class Player:
    """One open player: its session, its token and, for some, the headers of its login."""

    session: str
    token: str
    headers: dict[str, str] = field(default_factory=dict)
    sequence: int = 1
    position_ms: int = PLAYED_MS

    def beat(self, headers: dict[str, str]) -> dict[str, Any]:
        self.sequence += 1
        self.position_ms += STEP_MS
        body = {
            "session": self.session,
            "sequence": self.sequence,
            "position_ms": self.position_ms,
            "playing": True,
            "hidden": False,
        }
        return {
            "headers": {"Content-Type": "application/json", **headers},
            "body": json.dumps(body),
        }


def write_logins(count: int) -> list[dict[str, Any]]:
    """Tries to log in, each by somebody else from somewhere else; all of them are hashed."""
    return [
        {
            "headers": {
                "Content-Type": "application/x-www-form-urlencoded",
                "Cookie": f"csrftoken={CSRF}",
                "X-Forwarded-For": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
            },
            "body": f"csrfmiddlewaretoken={CSRF}&account=nobody{number}&password=guess",
        }
        for number in random.sample(range(1 << 24), count)
    ]


class Crowd:
    """The players in turn, as beats arrive from all of them."""

    def __init__(self, file: Path) -> None:
        players = [Player(**each) for each in json.loads(file.read_text())]
        self._all: Iterator[Player] = cycle(players)
        self._logged_in: Iterator[Player] = cycle(
            [each for each in players if each.headers]
        )

    def steady(self, count: int) -> list[dict[str, Any]]:
        """Beats with the token, as the player sends them nearly always."""
        players = [next(self._all) for _ in range(count)]
        return [each.beat({"X-Beat-Token": each.token}) for each in players]

    def full(self, count: int) -> list[dict[str, Any]]:
        """Beats without it: through Django's view and the full ledger."""
        players = [next(self._logged_in) for _ in range(count)]
        return [each.beat(each.headers) for each in players]


def main() -> None:
    count, rows, file = sys.argv[1:]
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    players = gather(int(count))
    if int(rows):
        fill_progress(int(rows))
    Path(file).write_text(json.dumps(players))


def gather(count: int) -> list[dict[str, Any]]:
    """So many learners ten seconds into a chapter; the first of them have a cookie."""
    from django.utils import timezone

    from accounts.models import PersonSession, User
    from benchmarks.population import catalogue_courses, catalogue_plans
    from catalog.models import Chapter
    from learning.models import ChapterProgress, Enrolment, PersonClock, PlaySession
    from learning.rules.beat_tokens import BeatClaim
    from learning.services.steady_beats import issue_beat_token
    from portal.lib.codes import random_code

    plan = catalogue_plans(catalogue_courses())[0]
    chapter = Chapter.objects.order_by("pk")[0]
    now = timezone.now()
    people = User.objects.bulk_create(
        User(username=f"learner-{i}", name=f"学员{i}", date_joined=now)
        for i in range(count)
    )
    logins = PersonSession.objects.bulk_create(
        PersonSession(person=each, device="", started_at=now, last_seen_at=now)
        for each in people
    )
    enrolments = Enrolment.objects.bulk_create(
        Enrolment(person=each, plan=plan, source="order", opened_at=now)
        for each in people
    )
    ChapterProgress.objects.bulk_create(
        ChapterProgress(
            enrolment=each,
            chapter=chapter,
            pending=[[0, PLAYED_MS]],
            pending_ms=PLAYED_MS,
            position_ms=PLAYED_MS,
            updated_at=now,
        )
        for each in enrolments
    )
    sessions = PlaySession.objects.bulk_create(
        PlaySession(
            code=random_code(26),
            person=each.person,
            enrolment=each,
            chapter=chapter,
            opened_at=now,
        )
        for each in enrolments
    )
    PersonClock.objects.bulk_create(
        PersonClock(
            person=play.person,
            session=play.code,
            login=login.code,
            enrolment=play.enrolment,
            chapter=chapter,
            sequence=1,
            opened_at=now,
            last_beat_at=now,
            last_position_ms=PLAYED_MS,
            credited_ms=PLAYED_MS,
            until_prompt_ms=FAR_MS,
            beats=1,
            run_from_ms=PLAYED_MS,
            run_limit_ms=FAR_MS,
        )
        for play, login in zip(sessions, logins, strict=True)
    )
    # Good for as long as the benchmark may take.
    later = now + timedelta(hours=3)
    return [
        {
            "session": play.code,
            "token": issue_beat_token(
                BeatClaim(play.person_id, play.code, login.code), now=later
            ),
            "headers": log_in(login) if number < COOKIES else {},
        }
        for number, (play, login) in enumerate(zip(sessions, logins, strict=True))
    ]


def log_in(login: Any) -> dict[str, str]:
    """The headers of a browser with this login."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from accounts.middleware import mark_session

    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(login.person_id)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = login.person.get_session_auth_hash()
    mark_session(store, login)
    store.create()
    return {
        "Cookie": f"{settings.SESSION_COOKIE_NAME}={store.session_key};"
        f" {settings.CSRF_COOKIE_NAME}={CSRF}",
        "X-CSRFToken": CSRF,
    }


def fill_progress(rows: int) -> None:
    """Progress of all learners in further chapters, until the table has so many rows."""
    from django.db import connection

    with connection.cursor() as cursor:
        # Foreign keys hold by construction; checking them would take most of the time.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            """
            INSERT INTO learning_chapterprogress (enrolment_id, chapter_id, covered,
                covered_ms, pending, pending_ms, position_ms, updated_at)
            SELECT enrolment.id, chapter.id, '[[0, 2700000]]', 2700000, '[]', 0, 0, now()
            FROM catalog_chapter chapter CROSS JOIN learning_enrolment enrolment
            WHERE chapter.id > (SELECT min(id) FROM catalog_chapter)
            LIMIT greatest(0, %s - (SELECT count(*) FROM learning_chapterprogress))
            """,
            [rows],
        )
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    main()
