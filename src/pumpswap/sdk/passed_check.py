"""PassedCheck: that `pumpswap live check` has passed for a wallet, and whether it still counts."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from pumpswap.clock import NS_PER_SECOND, format_utc
from pumpswap.errors import ConfigError
from pumpswap.settings import Settings
from pumpswap.storage.run import Run

__all__ = [
    "PassedCheck",
    "check_obstacle",
    "fingerprint",
    "is_in_care",
    "passed_check",
    "require_check",
    "store_check",
]

_CHECK = "live check"
_HOUR_NS = 3_600 * NS_PER_SECOND
_SKEW_NS = 60 * NS_PER_SECOND
_GIVES_CHECK = "pumpswap live check"


@dataclass(frozen=True, slots=True)
class PassedCheck:
    """When `pumpswap live check` has passed, and with which settings of chain and sending."""

    at_ns: int
    fingerprint: str


def fingerprint(settings: Settings) -> str:
    """Of everything that decides whether a transaction arrives: another one needs another check."""
    told: dict[str, Any] = {
        "chain": settings.chain.model_dump(mode="json", exclude={"endpoints"}),
        "endpoints": [
            [one.url.get_secret_value(), None if one.ws_url is None else one.ws_url.get_secret_value()]
            for one in settings.chain.endpoints
        ],
        "sending": settings.sending.model_dump(mode="json", exclude={"jito_url"}),
        "jito": None if settings.sending.jito_url is None else settings.sending.jito_url.get_secret_value(),
    }
    # A hash: URLs carry access tokens, which belong into no database.
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def store_check(run: Run, settings: Settings, at_ns: int) -> None:
    """Remember in the books of the wallet that a check has passed."""
    run.states.save(_CHECK, {"at_ns": str(at_ns), "fingerprint": fingerprint(settings)}, at_ns)


def passed_check(run: Run) -> PassedCheck | None:
    """The newest check that has passed for this wallet on this network."""
    known = run.states.load(_CHECK)
    return None if known is None else PassedCheck(int(str(known["at_ns"])), str(known["fingerprint"]))


def check_obstacle(run: Run, settings: Settings, now_ns: int) -> str:
    """Why the stored check does not count; empty when it does."""
    found, hours = passed_check(run), settings.run.live_check_hours
    if found is None:
        return "no `live check` of this wallet has passed on this network"
    if found.at_ns - now_ns > _SKEW_NS:
        return f"the last `live check` is stamped later than now, {format_utc(found.at_ns)} UTC: is the clock right?"
    if now_ns - found.at_ns > hours * _HOUR_NS:
        return f"the last `live check` passed at {format_utc(found.at_ns)} UTC, more than {hours} h ago"
    if found.fingerprint != fingerprint(settings):
        return "the settings of chain or sending have changed since the last `live check`"
    return ""


def is_in_care(run: Run) -> bool:
    """Whether something is held, or an order has no final outcome: somebody must look after it, checked or not."""
    return any(True for _ in run.open_positions()) or any(True for _ in run.orders(unresolved=True))


def require_check(run: Run, settings: Settings, now_ns: int) -> None:
    """Raises ConfigError when no passed check counts and nothing is in care: what is held must be sold all the same."""
    obstacle = check_obstacle(run, settings, now_ns)
    if obstacle and not is_in_care(run):
        raise ConfigError(f"not ready to trade with money: {obstacle}", hint=f"run it: {_GIVES_CHECK}")
