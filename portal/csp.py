"""The content security policy: pages get everything from this site, nothing inline."""

from csp.constants import NONE, SELF

POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF, "data:"],
        "media-src": [SELF, "blob:"],
        "worker-src": [SELF, "blob:"],
        "connect-src": [SELF],
        "object-src": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [SELF],
        # Payment forms are redirects to the configured gateways; browsers apply
        # form-action to the redirect that answers a form as well.
        "form-action": [SELF],
    }
}
