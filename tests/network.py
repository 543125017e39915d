"""The guard that keeps tests off the network: sockets reach this machine and nothing else."""

import ipaddress
import os
import socket
from typing import Any
from urllib.parse import urlsplit

_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex


class NetworkUseError(RuntimeError):
    """A test tried to reach another machine."""


def named_hosts() -> frozenset[str]:
    """The database and Redis of the run may live on another host: they are named by address."""
    urls = (os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL"))
    names = {urlsplit(url).hostname or "" for url in urls if url}
    found = {
        str(info[4][0])
        for name in names
        if name and not name.startswith("/")
        for info in socket.getaddrinfo(name, None)
    }
    return frozenset(found | names)


def is_allowed(address: Any, hosts: frozenset[str]) -> bool:
    """Is `address` a local socket, a loopback address or one of `hosts`?"""
    if not isinstance(address, tuple):
        return True
    host = str(address[0])
    if host in hosts or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def allow_loopback_only() -> None:
    """Make every connection to another machine fail in this process."""
    hosts = named_hosts()

    def connect(self: socket.socket, address: Any) -> None:
        if not is_allowed(address, hosts):
            raise NetworkUseError(f"tests must not use the network: {address!r}")
        _connect(self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        if not is_allowed(address, hosts):
            raise NetworkUseError(f"tests must not use the network: {address!r}")
        return _connect_ex(self, address)

    socket.socket.connect = connect  # type: ignore[method-assign]
    socket.socket.connect_ex = connect_ex  # type: ignore[method-assign]
