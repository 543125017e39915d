"""Where a request came from, believing only the proxies that are ours."""

from collections.abc import Mapping, Sequence
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network


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


def is_within(address: str, networks: Sequence[str]) -> bool:
    """Whether `address` lies in one of `networks` ("10.1.0.0/16", "2001:db8::/32", "10.1.2.3").

    Raises ValueError for what is no network.
    """
    known = _parse_networks(tuple(networks))
    if not address:
        return False
    here = ip_address(address)
    # A socket that serves both families names IPv4 clients ::ffff:10.1.2.3.
    here = getattr(here, "ipv4_mapped", None) or here
    return any(here in network for network in known)


@cache
def _parse_networks(networks: tuple[str, ...]) -> list[IPv4Network | IPv6Network]:
    return [ip_network(network.strip()) for network in networks]
