"""The served portal without its middleware: the least that a view of Django's can cost."""

from benchmarks.served import *  # noqa: F403 - that one, and no middleware

MIDDLEWARE: list[str] = []
