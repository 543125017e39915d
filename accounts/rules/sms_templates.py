"""Templates at an SMS operator: which of theirs stands for which of ours."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from accounts.rules.message_texts import TEMPLATES


@dataclass(frozen=True)
class SmsTemplate:
    """The operator's id, and the names of our values in the order of its places."""

    id: str
    values: tuple[str, ...]


def read_templates(text: str) -> Mapping[str, SmsTemplate]:
    """Read "code_login=1001:code,password_changed=1002,…" with values joined by +.

    Raises ValueError for what has another form and for names that are not ours.
    """
    templates: dict[str, SmsTemplate] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, _, rest = part.partition("=")
        template_id, _, values = rest.partition(":")
        if name not in TEMPLATES or not template_id.isalnum():
            raise ValueError(f"not a template: {part}")
        names = tuple(filter(None, values.split("+")))
        templates[name] = SmsTemplate(template_id, names)
    return templates


def list_missing(templates: Iterable[str]) -> list[str]:
    """Those of our templates that an operator has no counterpart of, mails left out."""
    known = set(templates)
    return [
        name
        for name, text in TEMPLATES.items()
        if not text.subject and name not in known
    ]
