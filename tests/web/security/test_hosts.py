"""Hosts: only under our own names; a stranger's name that points here is refused."""

from __future__ import annotations

import pytest

from pumpswap.errors import ConfigError
from pumpswap.web.security.hosts import Hosts, is_loopback, shown_address


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8765", "127.0.0.1:8765", "127.9.9.9", "[::1]:8765", "localhost."]
)
def test_this_machine_may_be_asked_for_under_its_own_names(host: str) -> None:
    assert Hosts("127.0.0.1").may_ask(host)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:8765", "", " localhost",
     "localhost:8765:1", "user@localhost", "localhost/", "192.168.1.5", "[::1",
     "127.0.0.1\r\nX: y", "localhost:999999"],
)  # fmt: skip
def test_no_other_name_is_served_on_loopback(host: str) -> None:
    assert not Hosts("127.0.0.1").may_ask(host)


def test_what_its_owner_has_named_is_served_too() -> None:
    hosts = Hosts("127.0.0.1", ("desk.example",))
    assert hosts.may_ask("desk.example:8765") and hosts.may_ask("DESK.example")
    assert not hosts.may_ask("other.example")


def test_off_loopback_addresses_are_served_and_names_only_when_they_were_named() -> None:
    hosts = Hosts("0.0.0.0", ("desk.example",))
    assert hosts.may_ask("192.168.1.5:8765") and hosts.may_ask("[2001:db8::1]:8765") and hosts.may_ask("desk.example")
    assert not hosts.may_ask("evil.example")


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("127.1.2.3", True), ("0.0.0.0", False), ("::", False),
     ("192.168.1.5", False), ("example.com", False)],
)  # fmt: skip
def test_loopback_is_what_nobody_else_reaches(host: str, local: bool) -> None:
    assert is_loopback(host) is local


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "http://127.0.0.1:5/"), ("0.0.0.0", "http://127.0.0.1:5/"), ("::1", "http://[::1]:5/"),
     ("::", "http://[::1]:5/"), ("desk", "http://desk:5/")],
)  # fmt: skip
def test_the_address_that_is_shown_can_be_opened(host: str, address: str) -> None:
    assert shown_address(host, 5) == address


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"dashboard\.host"):
        shown_address("no address", 5)
