"""What the strategy is made of: its configuration in all its forms, its time, and amounts that Nautilus can hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Quantity
from nautilus_trader.trading.strategy import Strategy

from pumpswap.clock import SystemClock
from pumpswap.errors import ConfigError
from pumpswap.nautilus.compat import FIXED
from pumpswap.nautilus.config import Q50PumpSwapStrategyConfig
from pumpswap.nautilus.constants import PUMPSWAP_VENUE, SOL_DECIMALS
from pumpswap.sdk.executor.config import settings_of_config
from pumpswap.settings import Settings, load_settings

__all__ = ["TraderClock", "budget", "configured", "instruments_here"]


class TraderClock:
    """The time of the trader as a Clock of ours; before the strategy belongs to a trader, the machine's."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy
        self._machine = SystemClock()

    def now_ns(self) -> int:
        clock = self._strategy.clock
        return self._machine.now_ns() if clock is None else int(clock.timestamp_ns())


def configured(
    config: Q50PumpSwapStrategyConfig | Mapping[str, Any] | None, settings: Settings | None
) -> tuple[Q50PumpSwapStrategyConfig, Settings]:
    """The strategy's configuration, and the settings that count. Raises ConfigError, also where two files are named."""
    if isinstance(config, Q50PumpSwapStrategyConfig):
        used, rest = config, None
    else:
        told = dict(config or {})
        fields = set(Q50PumpSwapStrategyConfig.__struct_fields__)
        own = {name: told.pop(name) for name in list(told) if name in fields}
        try:
            used = Q50PumpSwapStrategyConfig.parse(msgspec.json.encode(own, enc_hook=str))
        except msgspec.MsgspecError as wrong:
            raise ConfigError(f"the strategy's configuration: {wrong}", hint="see Q50PumpSwapStrategyConfig") from None
        rest = told or None
    if settings is not None:
        if rest or used.settings_path is not None:
            raise ConfigError("settings are given twice", hint="pass settings, or name a file, or give sections")
        return used, settings
    if used.settings_path is None:
        return used, settings_of_config(rest)
    if rest:
        raise ConfigError(
            f"settings are given twice: sections beside {used.settings_path}", hint="keep them in one file"
        )
    return used, load_settings(Path(used.settings_path))


def budget(lamports: int, instrument: CurrencyPair) -> Quantity:
    """Lamports as a quote quantity, cut to the instrument's decimals; ``params`` carry the exact amount."""
    precision = instrument.size_precision
    step = 10 ** max(SOL_DECIMALS - precision, 0)
    shown = max(lamports // step, 1) * step
    return Quantity.from_raw(shown * 10 ** (FIXED - SOL_DECIMALS), precision)


def instruments_here(cache: Any, ids: Sequence[InstrumentId], tell: Callable[[str], None]) -> list[CurrencyPair]:
    """Those of ``ids`` that are known, all of this venue where none is named; the others are told."""
    if not ids:
        return list(cache.instruments(venue=PUMPSWAP_VENUE))
    found: list[CurrencyPair] = []
    for one in ids:
        instrument = cache.instrument(one)
        if instrument is None:
            tell(f"{one} is no instrument here: it is not traded")
        else:
            found.append(instrument)
    return found
