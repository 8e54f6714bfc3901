"""What ``pumpswap nautilus check`` says: can this installation trade PumpSwap in NautilusTrader?

Importable without NautilusTrader, since that is the first question.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Final

from pumpswap.app.checks import Check, CheckStatus, failed
from pumpswap.errors import ConfigError, PumpSwapError
from pumpswap.settings import Settings

__all__ = ["CAPABILITIES", "examine", "installed_version"]

_INSTALL = "pip install 'pumpswap[nautilus]', in an environment of its own: it pins versions that others need newer"
_TESTED = frozenset({(1, 221), (1, 231)})
_SUPPORTED = "1.221 (Python 3.11) and 1.231 (3.12 and later) are; version 2 is another system"

CAPABILITIES: Final[Mapping[str, str]] = {
    "orders": "MARKET; buys by quote quantity (SOL) or exact base quantity, sales by base quantity",
    "time in force": "GTC, IOC, FOK: on the chain all three are all or nothing",
    "not": "limit, stop and trailing orders, lists with contingencies, modify, cancel, shorting, margin",
    "reduce only": "sales always are; a reduce-only buy is denied",
    "data": "quote ticks, trade ticks, instrument status, PumpSwapSwap, PumpSwapPoolState; bars are aggregated",
    "modes": "back-test on the exact curve, paper (sandbox), live",
}


def installed_version() -> str | None:
    """Version of NautilusTrader in this environment, None where there is none."""
    try:
        version: str = import_module("nautilus_trader").__version__
    except ModuleNotFoundError:
        return None
    return version


def examine(settings: Settings) -> Iterator[Check]:
    """One answer after the other. What builds on a failed one is not asked."""
    version = installed_version()
    if version is None:
        missing = ConfigError("NautilusTrader is not installed here", hint=_INSTALL)
        yield failed("nautilus_trader", missing)
        return
    try:
        compat = import_module("pumpswap.nautilus.compat")
    except (ConfigError, ImportError) as broken:
        unsupported = ConfigError(f"NautilusTrader {version} is not supported", hint=_SUPPORTED)
        yield failed("nautilus_trader", broken if isinstance(broken, ConfigError) else unsupported)
        return
    yield _version(version, compat.VERSION)
    yield _precision(import_module("pumpswap.nautilus.constants").PRICE_PRECISION, compat.FIXED)
    yield _currency()
    yield _names()
    ours = settings.nautilus
    yield Check("trader", CheckStatus.OK, f"{ours.trader_id}; bid and ask are for {ours.quote_sol} SOL")
    yield _chain(settings)


def _version(told: str, numbers: tuple[int, int, int]) -> Check:
    text = f"{told} on Python {platform.python_version()}"
    if numbers[:2] in _TESTED:
        return Check("nautilus_trader", CheckStatus.OK, text)
    hint = "1.221 (Python 3.11) and 1.231 (3.12 and later) are tested: install that one before money moves"
    return Check("nautilus_trader", CheckStatus.WARNING, f"{text}: accepted, not tested", hint)


def _precision(of_prices: int, digits: int) -> Check:
    text = f"prices have {of_prices} decimals, sizes up to {digits}"
    if digits >= 16:
        return Check("precision", CheckStatus.OK, text)
    return Check(
        "precision",
        CheckStatus.WARNING,
        f"{text}: this is a standard-precision build",
        "prices of cheap tokens are rounded coarsely; the wheels for Linux and macOS have 16",
    )


def _currency() -> Check:
    constants = import_module("pumpswap.nautilus.constants")
    known = import_module("nautilus_trader.model.objects").Currency.from_str(constants.SOL.code)
    if known.precision != constants.SOL_DECIMALS:
        text = f"is registered with {known.precision} decimals"
        return Check("SOL", CheckStatus.FAILED, text, "import pumpswap.nautilus after other venues")
    return Check("SOL", CheckStatus.OK, f"is registered with {known.precision} decimals, tokens by their mint")


def _names() -> Check:
    adapter = import_module("pumpswap.nautilus")
    try:
        for name in adapter.__all__:
            getattr(adapter, name)
    except (PumpSwapError, ImportError) as broken:
        return Check("adapter", CheckStatus.FAILED, f"cannot be loaded: {broken}", "install pumpswap again")
    return Check("adapter", CheckStatus.OK, f"{len(adapter.__all__)} names load")


def _chain(settings: Settings) -> Check:
    chain = settings.chain
    if not chain.endpoints or chain.network is None:
        return Check(
            "chain",
            CheckStatus.WARNING,
            "no endpoint and network: back-tests only",
            "set chain.endpoints and chain.network for paper and live; `pumpswap doctor` tries them",
        )
    text = f"{chain.network} through {len(chain.endpoints)} endpoints; `pumpswap live check` before money moves"
    return Check("chain", CheckStatus.OK, text)
