"""Appeals filed and decided in short words, and the pages of staff about them."""

from datetime import datetime
from typing import Any

from django.test import Client

from accounts.models import User
from learning.models import Appeal, RefusedTime
from learning.services.appeals import approve_appeal, file_appeal
from tests.learning.learner import Learner

APPEALS = "/staff/learning/appeal/"
FLAGS = "/staff/learning/studyflag/"


def appeal(learner: Learner, stretch: RefusedTime, **values: Any) -> Appeal:
    given = {"text": "小区断网", "proofs": [], "now": learner.clock.now}
    return file_appeal(person=learner.person, stretch_id=stretch.pk, **given | values)


def approve(row: Appeal, actor: User, now: datetime) -> Appeal:
    return approve_appeal(
        appeal_id=row.pk, seen_version=row.version, actor=actor, now=now
    )


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def decide(client: Client, row: Appeal, decision: str, **values: Any) -> Any:
    given = {"decision": decision, "version": row.version}
    return client.post(f"{APPEALS}{row.pk}/change/", given | values)
