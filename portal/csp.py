"""The content security policy: pages get everything from this site, nothing inline."""

from typing import Any

from csp.constants import NONE, SELF


def build_policy(media_origin: str) -> dict[str, Any]:
    """The policy; videos, their parts and posters may also come from `media_origin`, if any."""
    media = [SELF, media_origin] if media_origin else [SELF]
    return {
        "DIRECTIVES": {
            "default-src": [SELF],
            "script-src": [SELF],
            "style-src": [SELF],
            "img-src": [*media, "data:", "blob:"],
            "font-src": [SELF, "data:"],
            "media-src": [*media, "blob:"],
            "worker-src": [SELF, "blob:"],
            "connect-src": media,
            "object-src": [SELF],
            "base-uri": [NONE],
            "frame-ancestors": [SELF],
            # Payment forms are redirects to the configured gateways; browsers apply
            # form-action to the redirect that answers a form as well.
            "form-action": [SELF],
        }
    }
