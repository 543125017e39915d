"""How the questions of the pools fare, so that staff find the bad ones."""

from django.db.models import F

from learning.models import Prompt, QuestionTally

_COUNTED = (Prompt.Outcome.RIGHT, Prompt.Outcome.WRONG, Prompt.Outcome.EXPIRED)


def count_prompt(prompt: Prompt, *, answer_ms: int) -> None:
    """Add a prompt that was just closed to its question; generated ones have none.

    `answer_ms` is the time to the answer; a missed deadline adds none. The caller holds the
    person's clock and locks no other tally in its transaction.
    """
    if prompt.question_id is None or prompt.outcome not in _COUNTED:
        return
    is_answered = prompt.outcome != Prompt.Outcome.EXPIRED
    tally = QuestionTally.objects.filter(question=prompt.question_id)
    sums = {
        prompt.outcome: F(prompt.outcome) + 1,
        "answer_ms": F("answer_ms") + (answer_ms if is_answered else 0),
    }
    if tally.update(**sums) == 0:
        # Two people may be the first to be asked at the same moment.
        QuestionTally.objects.bulk_create(
            [QuestionTally(question_id=prompt.question_id)], ignore_conflicts=True
        )
        tally.update(**sums)
