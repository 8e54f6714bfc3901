"""What must be there before an engine trades with money: each missing thing with the command that gives it."""

from __future__ import annotations

from pathlib import Path

from pumpswap.chain.networks import network_of
from pumpswap.clock import SystemClock
from pumpswap.errors import ConfigError, NotFound, PumpSwapError
from pumpswap.execution.live_books import LIVE
from pumpswap.sdk.passed_check import (
    PassedCheck,
    check_obstacle,
    fingerprint,
    is_in_care,
    passed_check,
    require_check,
    store_check,
)
from pumpswap.settings import Settings
from pumpswap.storage.database import open_database
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
    hint = "`pumpswap live --help`; in the documentation: Going live, safely"
    if obstacle := _check(settings, keystore):
        if not missing:
            hint = "run it: pumpswap live check"
        missing.append(f"{obstacle}: pumpswap live check, once the rest is there" if missing else obstacle)
    if missing:
        first = missing[0] if len(missing) == 1 else f"{len(missing)} things are missing: " + "; ".join(missing)
        raise ConfigError(f"not ready to trade with money: {first}", hint=hint, problems=tuple(missing))


def _check(settings: Settings, keystore: Path) -> str:
    """Why no passed check counts, as far as the books tell without asking the chain which one it is. What is in care is
    looked after without one: see ``check_watch``.
    """
    none = "no `live check` of this wallet has passed on this network"
    try:
        wallet = str(read_keystore(keystore).public_key)
    except PumpSwapError:
        return none
    target = settings.database_target
    if isinstance(target, Path) and not target.exists():
        return none
    with open_database(target) as database:
        obstacles = [
            "" if is_in_care(run) else check_obstacle(run, settings, SystemClock().now_ns())
            for header in database.runs()
            if header.kind == LIVE and header.wallet == wallet and header.finished_ns is None
            if header.network is not None and network_of(header.network) == settings.chain.network
            for run in [database.run(header.run_id)]
        ]
    return none if not obstacles else "" if "" in obstacles else obstacles[-1]


def _wallet(file: Path) -> list[str]:
    try:
        keystore = read_keystore(file)
    except NotFound:
        return ["there is no wallet: pumpswap wallet create, or import"]
    except PumpSwapError as damaged:
        return [f"{damaged.what}: {damaged.hint}"]
    if keystore.limits is None:
        return ["the wallet has no limits: pumpswap wallet limits --max-order SOL --max-day SOL --min-reserve SOL"]
    return []
