"""How many bytes of a video went to a person, where the portal or its nginx sends them.

A counter in the cache: a row would cost each segment a write. It is evidence for staff and
nothing more, so one that is lost costs nobody anything.
"""

from django.core.cache import cache

from catalog.queries.served import KEEP_SECONDS, name_served


def note_served(*, person_id: int, video_id: int, size: int) -> None:
    """Add `size` bytes asked for by a person; aborted answers count as if they were whole."""
    key = name_served(person_id, video_id)
    if cache.add(key, size, KEEP_SECONDS):
        return
    try:
        cache.incr(key, size)
    except ValueError:
        # It ended this moment.
        cache.set(key, size, KEEP_SECONDS)
    else:
        # Some caches begin their own default time with each change.
        cache.touch(key, KEEP_SECONDS)
