"""Recordings as Nautilus' own catalog, and back.

A catalog forgets how many decimals a token has: a process that reads it without knowing the token takes 8, for SOL
too. So ``write_catalog`` leaves a list of the tokens beside the data, and ``register_catalog`` reads it. It must be
called in each process before anything is read, also before a ``BacktestNode`` runs on the catalog.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from nautilus_trader.core.data import Data
from nautilus_trader.model.data import CustomData
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.persistence.catalog import ParquetDataCatalog

from pumpswap.amm import FeeSchedule, schedule_at
from pumpswap.errors import BadInput, Conflict, NotFound
from pumpswap.market.tape import open_recording
from pumpswap.model import MarketUpdate
from pumpswap.nautilus.constants import register
from pumpswap.nautilus.data_types import PumpSwapPoolState, PumpSwapSwap, wrapped
from pumpswap.nautilus.instruments import currency_of
from pumpswap.nautilus.loaders.recording import Translator
from pumpswap.nautilus.ticks import Tape

__all__ = ["TOKENS_FILE", "WrittenCatalog", "read_back", "register_catalog", "write_catalog", "write_updates"]

TOKENS_FILE = "pumpswap-tokens.json"
_ROWS_AT_ONCE = 250_000
_TOLD_EVERY = 1_000

Tell = Callable[[int], None]  # how many updates are done; of how many nobody knows before


class _Token(msgspec.Struct, frozen=True):
    mint: str
    decimals: int
    pool: str
    name: str = ""


class _Tokens(msgspec.Struct, frozen=True):
    version: int
    source: str
    tokens: tuple[_Token, ...]


@dataclass(frozen=True, slots=True)
class WrittenCatalog:
    """``rows`` by the name of the type; ``left_out`` are pools that are no instruments, with the reason."""

    folder: Path
    instruments: int
    rows: dict[str, int]
    updates: int
    first_ns: int
    last_ns: int
    left_out: dict[str, str]


def _nobody(_done: int) -> None:
    """Nobody wants to know."""


def write_catalog(
    source: str | Path,
    folder: Path,
    tape: Tape,
    *,
    schedule_for: Callable[[int], FeeSchedule] = schedule_at,
    tell: Tell = _nobody,
) -> WrittenCatalog:
    """A recording as a catalog in ``folder``. Raises Conflict when there is one already, NotFound or BadInput for what
    is no recording, or has nothing to replay.
    """
    recording = open_recording(source)
    return write_updates(
        recording.updates(), folder, tape, location=recording.location, schedule_for=schedule_for, tell=tell
    )


def write_updates(
    updates: Iterable[MarketUpdate],
    folder: Path,
    tape: Tape,
    *,
    location: str = "updates",
    schedule_for: Callable[[int], FeeSchedule] = schedule_at,
    tell: Tell = _nobody,
) -> WrittenCatalog:
    """Updates as a catalog, in pieces: memory does not grow with their number. Raises as ``write_catalog``."""
    if (folder / "data").exists() or (folder / TOKENS_FILE).exists():
        raise Conflict(f"{folder} holds a catalog already", hint="name a new folder, or delete that one")
    folder.mkdir(parents=True, exist_ok=True)
    catalog = ParquetDataCatalog(str(folder))
    translator, writer = Translator(tape, schedule_for), _Writer(catalog)
    first_ns = 0
    for update in updates:
        # A piece ends between two moments: files of one type must not overlap in time.
        if writer.waiting >= _ROWS_AT_ONCE and update.at_ns > translator.last_ns:
            writer.flush()
        made = translator.take(update)
        first_ns = first_ns or (update.at_ns if made else 0)
        writer.add(made)
        if translator.taken % _TOLD_EVERY == 0:
            tell(translator.taken)
    tell(translator.taken)
    writer.flush()
    instruments = list(translator.instruments.values())
    if not instruments:
        reasons = "; ".join(sorted(set(translator.left_out.values()))) or "it is empty"
        raise BadInput(f"{location} holds nothing to replay: {reasons}", hint="it needs a pool against SOL")
    catalog.write_data(instruments)
    _write_tokens(folder, location, instruments)
    return WrittenCatalog(
        folder=folder,
        instruments=len(instruments),
        rows=dict(sorted(writer.rows.items())),
        updates=translator.taken,
        first_ns=first_ns,
        last_ns=translator.last_ns,
        left_out=dict(translator.left_out),
    )


def register_catalog(folder: Path) -> int:
    """Make SOL and the tokens of a catalog known with their decimals, in this process; how many tokens there are.

    Raises NotFound for a folder without our list, BadInput for a list that cannot be read.
    """
    register()
    path = folder / TOKENS_FILE
    try:
        listed = msgspec.json.decode(path.read_bytes(), type=_Tokens)
    except FileNotFoundError:
        raise NotFound(
            f"{folder} has no {TOKENS_FILE}: it is no catalog of pumpswap", hint="write_catalog makes one"
        ) from None
    except msgspec.MsgspecError as broken:
        raise BadInput(f"{path.name} cannot be read: {broken}", hint="write the catalog again") from None
    if listed.version != 1:
        raise BadInput(f"{path.name} has version {listed.version}, known is 1", hint="upgrade pumpswap")
    for token in listed.tokens:
        currency_of(token.mint, token.decimals)
    return len(listed.tokens)


def read_back(folder: Path) -> tuple[list[CurrencyPair], list[Data]]:
    """Instruments and data of a catalog, in memory, by time: what ``load_recording`` makes of the recording, without
    closing quotes. At one moment a catalog keeps the order only within an instrument and a type; types come as
    ``ticks_of`` makes them.
    """
    register_catalog(folder)
    catalog = ParquetDataCatalog(str(folder))
    instruments: list[CurrencyPair] = catalog.instruments()
    every: list[tuple[int, int, Data]] = []
    for rank, read in enumerate((catalog.instrument_status, catalog.quote_ticks, catalog.trade_ticks)):
        every += [(one.ts_init, rank, one) for one in read()]
    for rank, kind in enumerate((PumpSwapSwap, PumpSwapPoolState), start=3):
        every += [(one.ts_init, rank, wrapped(_bare(one))) for one in catalog.custom_data(kind)]
    every.sort(key=lambda entry: entry[:2])
    return instruments, [one for _, _, one in every]


class _Writer:
    """Collects data by type and writes it in pieces."""

    def __init__(self, catalog: ParquetDataCatalog) -> None:
        self._catalog = catalog
        self._kept: dict[str, list[Data]] = defaultdict(list)
        self.waiting = 0
        self.rows: dict[str, int] = {}

    def add(self, made: Iterable[Data]) -> None:
        for one in made:
            self._kept[type(_bare(one)).__name__].append(one)
            self.waiting += 1

    def flush(self) -> None:
        for name, kept in sorted(self._kept.items()):
            self._catalog.write_data(kept)
            self.rows[name] = self.rows.get(name, 0) + len(kept)
        self._kept.clear()
        self.waiting = 0


def _bare(one: Any) -> Any:
    return one.data if isinstance(one, CustomData) else one


def _write_tokens(folder: Path, source: str, instruments: Iterable[CurrencyPair]) -> None:
    tokens = tuple(
        _Token(one.base_currency.code, one.base_currency.precision, one.raw_symbol.value, str(one.info["name"]))
        for one in instruments
    )
    written = msgspec.json.format(msgspec.json.encode(_Tokens(1, source, tokens)), indent=1)
    (folder / TOKENS_FILE).write_bytes(written)
