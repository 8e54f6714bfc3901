"""What a run needs before it can begin: everything that is missing is named at once, each with what to do."""

from __future__ import annotations

from pumpswap.alerts.delivery.channels import open_channels
from pumpswap.engine.strategies.q50 import Q50Strategy
from pumpswap.errors import ConfigError, PumpSwapError
from pumpswap.market.snapshot_tail import SnapshotTail
from pumpswap.settings import Settings
from pumpswap.settings.nearest import shown_path
from pumpswap.settings.trading import SignalSource, StrategyName

__all__ = [
    "collector_of",
    "listens_to_all",
    "needs_frame",
    "needs_rows",
    "needs_swaps",
    "require_chain",
    "require_channels",
    "require_signals",
]

MOMENTUM: StrategyName = "momentum"  # the strategy that heeds no signals: it listens to the trades of others
_ROW_SIGNALS: frozenset[SignalSource] = frozenset({"analyser", "q50"})
_TRY = "`pumpswap run --market simulated --fast` tries all of it without a chain"


def require_signals(settings: Settings) -> None:
    """Raises ConfigError where what gives the signals is not there, whatever the market."""
    if missing := _missing_signals(settings):
        raise ConfigError(
            "; ".join(missing), hint="`pumpswap config set KEY VALUE` sets a key; `pumpswap config show` lists them"
        )


def require_channels(settings: Settings) -> None:
    """Raises ConfigError naming the channel for alerts that cannot be used: nobody would hear that it is so."""
    open_channels(settings.alerts)


def require_chain(settings: Settings) -> None:
    """Raises ConfigError naming everything that is missing to trade on a chain."""
    missing = _missing_signals(settings)
    if not settings.chain.endpoints and settings.run.mode != "analysis":
        missing.append("no endpoint to ask for states of pools: set chain.endpoints and chain.network, or pass --url")
    if needs_rows(settings) and (why := _no_rows(settings)):
        missing.append(f"no rows of a collector to score: {why}")
    if needs_swaps(settings) and not settings.chain.endpoints:
        missing.append("no endpoint to hear trades from: set chain.endpoints and chain.network, or pass --url")
    if missing:
        # Whoever has settings already is not sent back to make some.
        has_settings = bool(settings.model_fields_set - {"data_dir", "run"})
        first = "`pumpswap config edit` changes your settings" if has_settings else "`pumpswap init` makes settings"
        raise ConfigError("; ".join(missing), hint=f"{first}; {_TRY}")


def needs_rows(settings: Settings) -> bool:
    """Whether rows of a collector are scored. A strategy that heeds no signals needs none, unless somebody has asked
    for some: their best pools are watched then.
    """
    is_asked = "signals" in settings.run.model_fields_set
    return bool(_ROW_SIGNALS & set(settings.run.signals)) and (is_asked or settings.run.strategy != MOMENTUM)


def needs_swaps(settings: Settings) -> bool:
    """Whether the trades of others are heard."""
    return "follow" in settings.run.signals or listens_to_all(settings)


def listens_to_all(settings: Settings) -> bool:
    """Whether the trades of everybody are heard, not only those of followed wallets."""
    return settings.run.strategy == MOMENTUM


def needs_frame(settings: Settings) -> bool:
    """Whether a Q50 frame is read, for its signals or for the strategy that trades it."""
    return "q50" in settings.run.signals or settings.run.strategy == Q50Strategy.name


def collector_of(settings: Settings) -> str:
    """The database with the rows."""
    named = settings.run.collector
    return str(settings.database_target) if named is None else named.get_secret_value()


def _missing_signals(settings: Settings) -> list[str]:
    missing: list[str] = []
    run = settings.run
    if not run.signals and run.strategy != MOMENTUM:
        missing.append(
            f"run.signals names none, and the strategy {run.strategy} waits for them: name some, or choose "
            "--strategy momentum, which listens to trades"
        )
    if needs_frame(settings):
        path = settings.q50.path
        else_ = "leave q50 out of run.signals" if "q50" in run.signals else "choose another run.strategy than q50"
        if path is None:
            missing.append(f"no Q50 frame: set q50.path, or {else_}")
        elif not path.expanduser().exists():
            missing.append(f"the Q50 frame {shown_path(path)} does not exist: put it there, set q50.path, or {else_}")
    if "follow" in run.signals and not settings.follow.wallets:
        missing.append("nobody to follow: name wallets under follow.wallets")
    return missing


def _no_rows(settings: Settings) -> str:
    """Why there are no rows to score; empty when there are, or may come."""
    try:
        SnapshotTail(collector_of(settings)).newest()
    except PumpSwapError as refused:
        return f"{refused.what} ({refused.hint})"
    return ""
