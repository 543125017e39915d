"""Where a request came from, believing only the proxies that are ours."""

from collections.abc import Mapping
from ipaddress import ip_address


def client_address(meta: Mapping[str, str], *, trusted_proxies: int) -> str:
    """Return the client's address, empty when it is none.

    Every proxy in front appends the address it was called from to X-Forwarded-For, so the
    last `trusted_proxies` entries are true and what stands before them is the client's own
    claim. With 0 the header is ignored.
    """
    header = meta.get("HTTP_X_FORWARDED_FOR", "")
    chain = [part.strip() for part in header.split(",") if part.strip()]
    if trusted_proxies and len(chain) >= trusted_proxies:
        address = chain[-trusted_proxies]
    else:
        address = meta.get("REMOTE_ADDR", "")
    try:
        return str(ip_address(address))
    except ValueError:
        return ""
