"""What one key of the plan becomes: one of ours, or why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from pumpswap.errors import ConfigError
from pumpswap.settings.token_lists import read_tokens

__all__ = ["Fate", "PlanRow", "becomes", "decided", "not_needed", "without_password"]


class Fate(StrEnum):
    """What became of a key."""

    TAKEN = "taken"
    DECIDED = "decided otherwise"
    NOT_NEEDED = "not needed"
    EMPTY = "empty"  # nothing was set: our default holds


@dataclass(frozen=True, slots=True)
class PlanRow:
    """``keys``: ours; ``convert`` raises ValueError. ``decision``: the plan's own default is replaced by this decision,
    a value of the user's own is kept. ``implies``: keys of ours that come with it.
    """

    plan: str
    keys: tuple[str, ...] = ()
    convert: Callable[[Any], Any] | None = None
    how: str = ""
    decision: str = ""
    plan_default: Any = None
    why: str = ""
    implies: tuple[tuple[str, Any], ...] = ()
    yields: bool = False  # another key of the plan that says otherwise wins, as the decision says


def becomes(plan: str, *keys: str, convert: str = "same", **more: Any) -> PlanRow:
    """A key of the plan that is one or several of ours."""
    function, how = CONVERSIONS[convert]
    return PlanRow(plan, keys, function, how, **more)


def decided(plan: str, decision: str, why: str) -> PlanRow:
    """A key of the plan that a decision has replaced."""
    return PlanRow(plan, decision=decision, why=why)


def not_needed(plan: str, why: str) -> PlanRow:
    """A key of the plan for which there is nothing to set."""
    return PlanRow(plan, why=why)


def _number(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise ValueError("is no number")
    try:
        number = Decimal(str(value))
    except DecimalException:
        raise ValueError("is no number") from None
    if not number.is_finite():
        raise ValueError("is no number")
    return number


def _plain(number: Decimal) -> int | float:
    """As YAML writes it: an integer without a point."""
    return int(number) if number == number.to_integral_value() else float(number)


def _times(factor: int | Decimal) -> Callable[[Any], Any]:
    return lambda value: _plain(_number(value) * factor)


def _truth(value: Any) -> bool:
    if isinstance(value, str):
        value = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}.get(value.lower())
    if not isinstance(value, bool):
        raise ValueError("is neither true nor false")
    return value


def _network(value: Any) -> str:
    name = str(value).lower()
    return {"testnet": "devnet", "mainnet-beta": "mainnet"}.get(name, name)


def _endpoint(value: Any) -> list[dict[str, str]]:
    return [{"url": str(value).replace("//api.testnet.solana.com", "//api.devnet.solana.com")}]


def without_password(value: Any) -> str:
    """The URL of a database, as a file may hold it. Raises ValueError when a password is in it."""
    url = str(value)
    place, _, query = url.partition("?")
    login, at, _ = place.partition("://")[2].rpartition("@")
    # libpq has more names of this kind: sslpassword, passfile.
    names = [name.lower() for name, _ in parse_qsl(query.replace(";", "&"), keep_blank_values=True)]
    has_login = bool(at) and ":" in login and not place.startswith("sqlite")  # its path may have both signs
    if has_login or any("pass" in name or name == "pwd" for name in names):
        raise ValueError("has a password in it: set PUMPSWAP_DATABASE__URL instead, outside of files")
    return url


def _token_list(usual: str) -> Callable[[Any], list[str] | None]:
    """The mints in the file that a key of the plan names; None where it is the plan's own one, and was never made."""

    def read(value: Any) -> list[str] | None:
        if not isinstance(value, str):
            raise ValueError("is no path of a file")
        if value == usual and not Path(value).exists():
            return None
        try:
            return list(read_tokens(value))
        except ConfigError as wrong:
            raise ValueError(f"{wrong.what}; {wrong.hint}") from None

    return read


def _allowed(value: Any) -> list[str] | None:
    tokens = _token_list("security/token_whitelist.json")(value)
    if tokens == []:
        raise ValueError("names no token, and an empty risk.allow_tokens allows all: list some, or remove the key")
    return tokens


CONVERSIONS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "same": (lambda value: value, ""),
    "number": (lambda value: _plain(_number(value)), ""),
    "percent": (_times(100), "percent × 100"),
    "minutes": (_times(60), "minutes × 60"),
    "hours": (_times(3_600), "hours × 3600"),
    "kelly": (_times(Decimal("0.25")), "a quarter of it: theirs is a multiple of quarter Kelly"),
    "fee": (lambda value: int(_number(value) * 1_000_000 // 300_000), "of 300,000 compute units, in micro-lamports"),
    "auto": (lambda value: "auto" if _truth(value) else None, "true: auto, which needs --live at every start"),
    "enabled": (lambda value: None if _truth(value) else "analysis", "false: analysis"),
    "q50": (lambda value: ["analyser", "q50"] if _truth(value) else ["analyser"], "true: analyser and q50"),
    "network": (_network, "testnet means devnet"),
    "profile": (_network, "testnet means devnet"),
    "endpoint": (_endpoint, "the only endpoint; testnet's becomes devnet's"),
    "database": (without_password, "without a password"),
    "denied": (_token_list("security/token_blacklist.json"), "the mints in the file"),
    "allowed": (_allowed, "the mints in the file"),
}
