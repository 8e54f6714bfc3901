"""What must be there before an engine trades with money: each missing thing with the command that gives it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pumpswap.clock import NS_PER_SECOND, format_utc
from pumpswap.errors import ConfigError, NotFound, PumpSwapError
from pumpswap.settings import Settings
from pumpswap.storage.run import Run
from pumpswap.wallet.keystore import read_keystore

__all__ = [
    "PassedCheck",
    "check_obstacle",
    "fingerprint",
    "passed_check",
    "require_check",
    "require_ready",
    "store_check",
]

_CHECK = "live check"
_HOUR_NS = 3_600 * NS_PER_SECOND
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
    if now_ns - found.at_ns > hours * _HOUR_NS:
        return f"the last `live check` passed at {format_utc(found.at_ns)} UTC, more than {hours} h ago"
    if found.fingerprint != fingerprint(settings):
        return "the settings of chain or sending have changed since the last `live check`"
    return ""


def require_ready(settings: Settings, keystore: Path, *, is_live: bool) -> None:
    """What can be told without the key and without the chain. ``keystore`` is the file of the wallet.

    Raises ConfigError naming everything that is missing, each with the command that gives it.
    """
    missing = []
    if settings.run.mode not in ("approve", "auto"):
        missing.append(f"the mode {settings.run.mode} orders nothing live: --mode approve, or auto")
    if not is_live:
        missing.append("--live is missing: it is an option of each call, never a setting")
    chain = settings.chain
    if chain.network is None or not chain.endpoints:
        missing.append("no network or no endpoint: pumpswap init, or set chain.network and chain.endpoints")
    elif chain.network == "mainnet" and not chain.allow_mainnet:
        missing.append("mainnet has a switch of its own: pumpswap config set chain.allow_mainnet true")
    missing += _wallet(keystore)
    if missing:
        first = missing[0] if len(missing) == 1 else f"{len(missing)} things are missing: " + "; ".join(missing)
        raise ConfigError(f"not ready to trade with money: {first}", hint="docs/live.md", problems=tuple(missing))


def _wallet(file: Path) -> list[str]:
    try:
        keystore = read_keystore(file)
    except NotFound:
        return ["there is no wallet: pumpswap wallet create, or import"]
    except PumpSwapError as damaged:
        return [f"{damaged.what}: {damaged.hint}"]
    if keystore.limits is None:
        return ["the wallet has no limits: pumpswap wallet limits --max-order SOL --max-day SOL --reserve SOL"]
    return []


def require_check(run: Run, settings: Settings, now_ns: int) -> None:
    """Raises ConfigError when no passed check counts."""
    obstacle = check_obstacle(run, settings, now_ns)
    if obstacle:
        raise ConfigError(f"not ready to trade with money: {obstacle}", hint=f"run it: {_GIVES_CHECK}")
