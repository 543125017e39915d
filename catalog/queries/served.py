"""How many bytes of a video a person was sent."""

from django.conf import settings
from django.core.cache import cache

# Longer than staff take to look at a flag.
KEEP_SECONDS = 30 * 24 * 3600


def name_served(person_id: int, video_id: int) -> str:
    return f"catalog.served.{person_id}.{video_id}"


def read_served_bytes(person_id: int, video_id: int) -> int | None:
    """Bytes that a person asked for within thirty days of the last, without posters and captions.

    An upper bound: a player asks for more than it plays, and a browser may play twice what it
    was sent once. `None` where the store sends them and nobody counts.
    """
    if settings.STORAGE_ORIGIN:
        return None
    return int(cache.get(name_served(person_id, video_id), 0))
