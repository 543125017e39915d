"""Pure decisions about plans and courses."""


def plan_price_fen(*, per_hour: bool, unit_price_fen: int, hours: int) -> int:
    """Price of a whole plan in fen: the unit price is one hour's or the plan's."""
    return unit_price_fen * hours if per_hour else unit_price_fen
