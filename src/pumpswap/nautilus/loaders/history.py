"""The past of one instrument out of the lake, for the requests of a strategy."""

from __future__ import annotations

from collections import deque
from typing import Any

from nautilus_trader.core.data import Data
from nautilus_trader.core.datetime import dt_to_unix_nanos
from nautilus_trader.model.data import CustomData, QuoteTick, TradeTick
from nautilus_trader.model.instruments import CurrencyPair

from pumpswap.amm import FeeSchedule, schedule_at
from pumpswap.app.lake_place import lake_for_chain
from pumpswap.errors import BadInput, NotFound
from pumpswap.market.lake import is_lake
from pumpswap.nautilus.data_types import PumpSwapPoolState, PumpSwapSwap
from pumpswap.nautilus.loaders.recording import Translator
from pumpswap.nautilus.ticks import Tape
from pumpswap.settings import Settings

__all__ = ["MOST", "past_data"]

MOST = 1_000_000  # without a limit no more is kept: the newest
_KINDS = (QuoteTick, TradeTick, PumpSwapSwap, PumpSwapPoolState)
_MAINNET = "mainnet"


def past_data(
    settings: Settings,
    schedule: FeeSchedule,
    instrument: CurrencyPair,
    wanted: tuple[type[Data], int, int],
    span: tuple[Any, Any],
) -> list[Data]:
    """Data of one type, oldest first. ``wanted``: the type, the reference size in lamports, the limit (0: ``MOST``), of
    which the newest are given. ``span`` is from a time until before another, None where it is open.

    On mainnet fees are those of the time, on other networks ``schedule``. Raises NotFound without a lake.
    """
    from pumpswap.market.lake.replay import LakeRecording  # polars

    kind, lamports, limit = wanted
    if kind not in _KINDS:
        raise BadInput(
            f"PumpSwap has no past {kind.__name__}", hint=f"there is {', '.join(one.__name__ for one in _KINDS)}"
        )
    folder = settings.lake_folder
    if not is_lake(folder):
        raise NotFound(
            f"there is no lake in {folder}", hint="`pumpswap data download` or `pumpswap data record` makes one"
        )
    start, end = (None if at is None else int(dt_to_unix_nanos(at)) for at in span)
    pool: str = instrument.raw_symbol.value
    recording = LakeRecording(lake_for_chain(settings), pool, start, end)
    is_dated = (settings.chain.network or _MAINNET) == _MAINNET
    tape = Tape(lamports, custom=kind in (PumpSwapSwap, PumpSwapPoolState))
    translator = Translator(tape, schedule_at if is_dated else lambda _: schedule)
    translator.instruments[pool] = instrument  # trades are told also where no state was recorded
    found: deque[Data] = deque(maxlen=limit or MOST)
    for update in recording.updates():
        for made in translator.take(update):
            one = made.data if isinstance(made, CustomData) else made
            if type(one) is kind:
                found.append(one)
    return list(found)
