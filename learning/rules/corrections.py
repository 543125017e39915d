"""Which credited stretch staff may take back."""


def find_obstacle_to_correction(*, is_taken: bool, is_completed: bool) -> str:
    """Why a stretch cannot be taken back, in words for staff; empty if it can.

    `is_completed` says that the plan was completed: it may have a certificate by now.
    """
    if is_taken:
        return "该时段已扣减。"
    if is_completed:
        return "该计划已结业，不能扣减。经查实弄虚作假的，请另行撤销证书。"
    return ""
