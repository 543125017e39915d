"""Logs: one JSON object a line (or readable text while developing), never with personal data.

Every record of the process passes `mask_personal_data`, those of libraries too: an ID number
or a phone that slips into a message or a traceback is replaced before anything is written.
"""

import logging
import logging.config
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from portal.lib.masks import ID_NUMBER, PHONE

SECRET_NAMES = frozenset(
    {
        "authorization",
        "code",
        "cookie",
        "csrfmiddlewaretoken",
        "id_number",
        "password",
        "phone",
        "secret",
        "token",
    }
)
HIDDEN = "[hidden]"


def mask_text(text: str) -> str:
    """Return `text` with every ID number and every phone replaced by a word."""
    return PHONE.sub("[phone]", ID_NUMBER.sub("[id-number]", text))


def mask_value(value: Any) -> Any:
    """Return `value` with personal data masked, through mappings and sequences."""
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        text = str(value)
        masked = mask_text(text)
        return value if masked == text else masked
    if isinstance(value, Mapping):
        return {
            key: HIDDEN if str(key).lower() in SECRET_NAMES else mask_value(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [mask_value(item) for item in value]
    return mask_text(repr(value))


def mask_personal_data(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Mask the whole event; a structlog processor, to stand right before the renderer."""
    masked: dict[str, Any] = mask_value(event)
    return masked


def leave_path_out(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Cut the path from what Django says of a failed request; it may hold a token.

    The line of the middleware with the same number names the route.
    """
    if event.get("logger") == "django.request":
        event["event"] = str(event["event"]).partition(":")[0]
        event.pop("request", None)
    return event


def tell_breakdown_once(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop what Celery adds to a failed task's line: the traceback again, and its arguments."""
    if event.get("logger") == "celery.app.trace":
        event.pop("data", None)
    return event


def logging_config(*, level: str, readable: bool) -> None:
    """Configure the process's logging: `readable` text, else JSON lines, on stderr."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=False)
        if readable
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": shared,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            leave_path_out,
            tell_breakdown_once,
            mask_personal_data,
            renderer,
        ],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"structured": formatter},
            "handlers": {
                "stderr": {"class": "logging.StreamHandler", "formatter": "structured"}
            },
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                # Answers of 4xx are in the request line of the middleware, by route. Django's
                # own line would repeat them with the whole path, tokens included.
                "django.request": {"level": "ERROR"},
                "django.server": {"level": "WARNING"},
                # Every sweep says twice that it was handed out and once that it is over.
                "celery.beat": {"level": "WARNING"},
                "celery.worker.strategy": {"level": "WARNING"},
                "celery.app.trace": {"level": "WARNING"},
                # Chatter of libraries while a certificate is made.
                "fontTools": {"level": "WARNING"},
                "pikepdf": {"level": "WARNING"},
                "weasyprint": {"level": "WARNING"},
                "pyhanko": {"level": "WARNING"},
            },
        }
    )
