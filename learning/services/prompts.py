"""Anti-idle questions (防挂机答题): issued, delivered, answered or missed."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from accounts.models import User
from learning.errors import (
    InvalidInputError,
    LearningError,
    PromptNotFoundError,
)
from learning.locks import find_locked_clock
from learning.models import ChapterProgress, Enrolment, Prompt
from learning.queries import (
    count_lost_in_a_row,
    find_open_prompt,
    find_question_text,
    list_recent_stems,
    read_question_pools,
    read_shown,
)
from learning.rules.credit import Refusal
from learning.rules.generated_prompts import generate_question
from learning.rules.prompts import (
    QuestionText,
    Watched,
    choose_from_pools,
    draft_prompt,
    draw_prompt_delay_ms,
    rank_pools,
)
from learning.services.completion import confirm_pending
from learning.services.stretches import add_credited_time, add_dropped_time
from learning.services.study import (
    Clock,
    Receipt,
    Study,
    StudyAnswer,
    build_answer,
    load_study,
    milliseconds_between,
    read_now,
    refuse_stale_session,
)
from learning.services.tallies import count_prompt
from learning.services.terms import read_terms

RANDOM = secrets.SystemRandom()


@dataclass(frozen=True)
class PromptAnswer:
    """How an answer was judged, and how the learner stands after it."""

    outcome: Prompt.Outcome
    answer: StudyAnswer


def settle_open_prompt(study: Study) -> Prompt | None:
    """The question that waits for an answer, at a contact with the learner.

    Past its deadline it costs the pending time, but only if it had reached the learner: the
    first contact after the issue is the sign of that. One that did not is asked anew.
    """
    if not study.is_prompt_due:
        return None
    prompt = find_open_prompt(study.person_id)
    if prompt is None:
        return None
    if study.now <= prompt.deadline_at:
        if prompt.delivered_at is None:
            prompt.delivered_at = study.now
            prompt.save(update_fields=["delivered_at"])
        return prompt
    if prompt.delivered_at is None:
        _close_prompt(study, prompt, Prompt.Outcome.UNDELIVERED)
        return issue_prompt(study, try_number=prompt.try_number)
    _expire_prompt(study, prompt)
    return None


def is_credit_stopped(study: Study, prompt: Prompt | None) -> bool:
    """Does what was played until this contact come to nothing, for a question stands against it?

    `prompt` is the open one (`settle_open_prompt`). While it can be answered, what is played
    waits for the answer. A line may swallow a question; but who lets one after the other pass
    in silence would be paid a gap each time without ever being asked.
    """
    if not study.is_prompt_due:
        return False
    if prompt is None:
        return True
    is_replaced = prompt.issued_at == study.now
    return is_replaced and count_lost_in_a_row(study.person_id) > 1


def issue_due_prompt(study: Study) -> Prompt | None:
    """Put a question if one is due and no wait stands against it."""
    hold = study.clock.hold_until
    if not study.is_prompt_due or (hold and study.now < hold):
        return None
    study.clock.hold_until = None
    return issue_prompt(study)


def issue_prompt(study: Study, *, try_number: int = 1) -> Prompt:
    """Put a question about what the learner watches."""
    draft = draft_prompt(_choose_question(study), RANDOM)
    # A slow line may take as long as the tolerance to carry the question and its answer.
    time = timedelta(
        milliseconds=study.terms.prompt_answer_ms + study.terms.tolerance_ms
    )
    return Prompt.objects.create(
        person_id=study.person_id,
        enrolment_id=study.progress.enrolment_id,
        chapter=study.progress.chapter,
        question_id=draft.question_id,
        stem=draft.stem,
        options=draft.options,
        correct_option=draft.correct_option,
        try_number=try_number,
        issued_at=study.now,
        deadline_at=study.now + time,
    )


def _choose_question(study: Study) -> QuestionText:
    progress = study.progress
    recent = list_recent_stems(study.person_id)
    pools = rank_pools(
        *read_question_pools(progress.chapter),
        Watched(lately=progress.pending, before=progress.covered),
    )
    chosen = choose_from_pools(pools, recent, RANDOM)
    pooled = find_question_text(chosen.question_id) if chosen else None
    # Captions and titles are read only when they are needed.
    return pooled or generate_question(read_shown(progress), recent, RANDOM)


@transaction.atomic
def _judge(
    person: User, login: str, session: str, code: str, option: str, clock: Clock
) -> PromptAnswer | LearningError:
    terms = read_terms()
    row = find_locked_clock(person.pk)
    now = read_now(clock, row) if row else clock()
    if row is None or row.session != session or row.login != login:
        return refuse_stale_session(person, session, terms, now)
    study = load_study(row, terms, now)
    prompt = Prompt.objects.filter(person=person, code=code).first()
    if prompt is None:
        return PromptNotFoundError()
    if prompt.closed_at is None:
        if option not in {each for each, _ in prompt.options}:
            return InvalidInputError()
        _judge_option(study, prompt, option)
        row.save(update_fields=["until_prompt_ms", "hold_until"])
    answer = build_answer(study, _receipt_of(study), find_open_prompt(person.pk))
    return PromptAnswer(Prompt.Outcome(prompt.outcome), answer)


def answer_prompt(
    *, person: User, login: str, session: str, code: str, option: str, clock: Clock
) -> PromptAnswer:
    """Judge the learner's answer to a question.

    Right: the pending time of every chapter becomes credit. Wrong: another question; after
    the last try the pending time is dropped and a wait follows. Too late: dropped as well. A
    repeated answer is told the first judgement.

    Raises TakenOverError, SessionEndedError, SessionNotFoundError or NotEntitledError for a
    session that is not the live one, PromptNotFoundError for another's question and
    InvalidInputError for an option that was not offered.
    """
    judged = _judge(person, login, session, code, option, clock)
    if isinstance(judged, LearningError):
        raise judged
    return judged


def _judge_option(study: Study, prompt: Prompt, option: str) -> None:
    if study.now > prompt.deadline_at:
        _expire_prompt(study, prompt)
    elif secrets.compare_digest(option, prompt.correct_option):
        _close_prompt(study, prompt, Prompt.Outcome.RIGHT)
        _confirm_all_pending(study)
        study.clock.until_prompt_ms = draw_prompt_delay_ms(
            study.terms.prompt_after_ms, RANDOM
        )
    elif prompt.try_number < study.terms.prompt_tries:
        _close_prompt(study, prompt, Prompt.Outcome.WRONG)
        issue_prompt(study, try_number=prompt.try_number + 1)
    else:
        prompt.dropped_ms = _drop_all_pending(study)
        _close_prompt(study, prompt, Prompt.Outcome.WRONG)
        study.clock.hold_until = study.now + timedelta(
            milliseconds=study.terms.prompt_hold_ms
        )


def _expire_prompt(study: Study, prompt: Prompt) -> None:
    prompt.dropped_ms = _drop_all_pending(study)
    _close_prompt(study, prompt, Prompt.Outcome.EXPIRED)


def _close_prompt(study: Study, prompt: Prompt, outcome: Prompt.Outcome) -> None:
    prompt.outcome = outcome
    prompt.closed_at = study.now
    prompt.save(update_fields=["outcome", "closed_at", "dropped_ms"])
    count_prompt(prompt, answer_ms=milliseconds_between(prompt.issued_at, study.now))


def _list_pending(study: Study) -> list[ChapterProgress]:
    """The person's chapters with pending time; the studied one as the working set has it.

    What waits in a revoked enrolment stays as it is.
    """
    rows = (
        ChapterProgress.objects.filter(
            enrolment__person_id=study.person_id, pending_ms__gt=0
        )
        .exclude(enrolment__state=Enrolment.State.REVOKED)
        .select_related("enrolment__plan", "chapter__video", "chapter__course")
        # Completing locks the enrolment: in the order of `learning.locks`.
        .order_by("enrolment_id", "pk")
    )
    return [study.progress if row.pk == study.progress.pk else row for row in rows]


def _confirm_all_pending(study: Study) -> None:
    for progress in _list_pending(study):
        add_credited_time(study.clock, progress, study.now)
        study.completed |= confirm_pending(progress, study.now)
    if study.completed:
        # Another chapter of the same plan may have been the one.
        study.enrolment.refresh_from_db(
            fields=["state", "percent", "compulsory_earned", "elective_earned"]
        )


def _drop_all_pending(study: Study) -> int:
    """Forget the pending time; returns how many milliseconds that were."""
    dropped = 0
    for progress in _list_pending(study):
        dropped += progress.pending_ms
        add_dropped_time(study.clock, progress, study.now)
        progress.pending = []
        progress.pending_ms = 0
        progress.save(update_fields=["pending", "pending_ms"])
    if dropped:
        study.refused[Refusal.PROMPT] += dropped
    return dropped


def _receipt_of(study: Study) -> Receipt:
    return Receipt(
        refused_ms=study.refused.total(),
        refusal=Refusal.PROMPT if study.refused else "",
        course_completed="course" in study.completed,
        plan_completed="plan" in study.completed,
    )
