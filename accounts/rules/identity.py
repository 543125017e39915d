"""Which kind of account an ID number makes."""

from datetime import date

from portal.lib.identity import Kind, PersonNumber, parse_person_number

ID_CARD = "id_card"
FOREIGN_PR = "foreign_pr"


def read_id_number(text: str, *, today: date) -> tuple[PersonNumber, str]:
    """Return the number and its kind as `User.IdKind` has it.

    Residence permits of people from Hong Kong, Macau and Taiwan (81, 82, 83) count as ID
    cards. Raises `portal.lib.identity.PersonNumberError`.
    """
    number = parse_person_number(text, today=today)
    return number, FOREIGN_PR if number.kind is Kind.FOREIGN else ID_CARD
