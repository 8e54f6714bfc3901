"""What must be there before an engine trades with money: each missing thing with the command that gives it."""

from __future__ import annotations

from pathlib import Path

from pumpswap.errors import ConfigError, NotFound, PumpSwapError
from pumpswap.sdk.passed_check import PassedCheck, check_obstacle, fingerprint, passed_check, require_check, store_check
from pumpswap.settings import Settings
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
