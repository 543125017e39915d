"""What learners see: their training, the player, and the record of what counted."""

from learning.views.courses import course_list, player, training
from learning.views.history import appeal, appeal_new, proof, records

__all__ = [
    "appeal",
    "appeal_new",
    "course_list",
    "player",
    "proof",
    "records",
    "training",
]
