"""Hosts: under which names the dashboard may be asked for.

A page of a stranger can let its own name point to this machine, and then read what we answer (DNS rebinding). The
browser still says the stranger's name in ``Host``; an address in it cannot be a stranger's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from pumpswap.errors import ConfigError

__all__ = ["Hosts", "is_loopback", "shown_address"]

_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?", re.ASCII)


class Hosts:
    """``bound`` is the address that is listened on, ``allowed`` what its owner has named beside it."""

    def __init__(self, bound: str, allowed: Iterable[str] = ()) -> None:
        self._is_local = is_loopback(bound)
        self._names = {"localhost", _plain(bound), *map(_plain, allowed)}

    def may_ask(self, host: str) -> bool:
        """Whether this ``Host`` header is one of ours."""
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = _plain(found["name"])
        if name in self._names:
            return True
        address = _address(name)
        return address is not None and (address.is_loopback or not self._is_local)


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches it."""
    address = _address(_plain(host))
    return _plain(host) == "localhost" if address is None else address.is_loopback


def shown_address(host: str, port: int) -> str:
    """The address for a browser on this machine. Raises ConfigError for a host that is none."""
    if not _HOST.fullmatch(f"[{host}]" if ":" in host else host):
        raise ConfigError("dashboard.host is no address", hint="127.0.0.1, 0.0.0.0, or an address of this machine")
    shown = "127.0.0.1" if host == "0.0.0.0" else "[::1]" if host == "::" else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/"


def _plain(name: str) -> str:
    return name.strip("[]").rstrip(".").lower()


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None
