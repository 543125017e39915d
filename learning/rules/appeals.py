"""Which refused time a learner may appeal, and until when."""

from datetime import datetime, timedelta

from learning.rules.credit import Refusal

# Watching again adds nothing, so there is nothing to lose and nothing to give back. Time that
# another device earned, or that had no open plan, holds nothing to give either; but somebody
# else may have used the account, or the plan have been closed by mistake, and that is heard.
NOT_APPEALED = frozenset({Refusal.REPEATED})


def find_obstacle_to_appeal(
    reason: str, last_at: datetime, *, days: int, now: datetime
) -> str:
    """Why a refused stretch that ended at `last_at` cannot be appealed, in words for the
    learner; empty if it can, until so many days have passed."""
    if reason in NOT_APPEALED:
        return "重复观看的内容已计入过，无需申诉。"
    if now - last_at > timedelta(days=days):
        return f"已超过{days}天的申诉期限。"
    return ""
