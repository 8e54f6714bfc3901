"""The stored books for people who look: which run, what it holds and what that is worth, one position in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from solders.pubkey import Pubkey

from pumpswap.chain.networks import network_of
from pumpswap.clock import Clock
from pumpswap.errors import NotFound, UsageError, WrongNetwork
from pumpswap.execution.exit_distances import ExitDistances, exit_distances
from pumpswap.execution.live_books import LIVE
from pumpswap.model import SOL, Adoption, ExitState, LedgerEntry, Mark, Position
from pumpswap.portfolio.lots import TaxLot, tax_lots_of
from pumpswap.sdk.coin_entries import entries_about
from pumpswap.sdk.connection import ChainConnection
from pumpswap.sdk.marking import store_marks
from pumpswap.settings import ExitRules, Settings
from pumpswap.storage.database import Database, open_database
from pumpswap.storage.history import StoredTrade
from pumpswap.storage.run import Run
from pumpswap.storage.run_header import RunHeader

__all__ = [
    "Books",
    "Held",
    "Story",
    "chosen_books",
    "entries_about",
    "held_in",
    "held_positions",
    "held_rounds",
    "open_books",
    "open_store",
    "position_of",
    "position_story",
    "refresh_marks",
    "stored_positions",
    "unassigned_units",
]

PAPER = "paper"  # on the market of this moment; demos, replays, simulated and recorded markets are kinds of their own
_MARKS_IN_STORY = 10
_TRIES = 5
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Books:
    """One run of an open database, chosen by its number or by default."""

    database: Database
    run: Run
    header: RunHeader

    @property
    def goes_on(self) -> bool:
        """Whether these are the books of a wallet that may be traded with at this moment."""
        return self.header.kind == LIVE and self.header.finished_ns is None

    @property
    def is_of_now(self) -> bool:
        """Whether these books live in the market of this moment, or could at the next start: live, or paper on it."""
        return self.header.kind in (LIVE, PAPER) and self.header.finished_ns is None

    @property
    def network(self) -> str | None:
        """``mainnet``, ``devnet``, ``localnet``; None for what was on no chain."""
        return None if self.header.network is None else network_of(self.header.network)

    def as_of_ns(self, clock: Clock) -> int:
        """Now, or the last moment of a run that is over: a simulation has a clock of its own."""
        if self.is_of_now:
            return clock.now_ns()
        last, point = self.run.books.last(), self.run.equity.latest()
        return max((each.at_ns for each in (last, point) if each is not None), default=self.header.started_ns)

    def exit_rules(self, settings: Settings) -> ExitRules:
        """The rules in force: the settings' for books that go on, those that it was run with for anything else."""
        stored = self.header.settings.get("exits")
        if self.is_of_now or not isinstance(stored, dict):
            return settings.exits
        known = {name: value for name, value in stored.items() if name in ExitRules.model_fields}
        return ExitRules(**known)


@dataclass(frozen=True, slots=True)
class Held:
    """A round and what is known about its worth. ``mark`` is the newest one of exactly these units, if there is one."""

    position: Position
    decimals: int | None
    mark: Mark | None
    exits: ExitDistances | None

    @property
    def value_lamports(self) -> int | None:
        """What it would bring; None where nothing has been quoted."""
        return None if self.mark is None or self.mark.obstacle else self.mark.value_lamports

    @property
    def unrealised_lamports(self) -> int | None:
        """Value over cost."""
        return None if self.value_lamports is None else self.value_lamports - self.position.cost_lamports


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that is stored about one pool. ``entries`` are what moved its coin and what moved with that; ``lots``
    are the coin's, over all its pools, first in, first out; the newest marks come first.
    """

    held: Held
    rounds: tuple[Position, ...]
    trades: tuple[StoredTrade, ...]
    entries: tuple[LedgerEntry, ...]
    lots: tuple[TaxLot, ...]
    marks: tuple[Mark, ...]
    adoptions: tuple[Adoption, ...]


# ---------------------------------------------------------------------------------------------- which books


@contextmanager
def open_store(settings: Settings) -> Iterator[Database | None]:
    """The settings' database, brought forward where it is older; None where there is no file: looking makes none."""
    target = settings.database_target
    if isinstance(target, Path) and not target.exists():
        yield None
        return
    with open_database(target) as database:
        yield database


def chosen_books(database: Database | None, run_id: int | None = None) -> Books | None:
    """The run with this number; without one the newest live run that goes on, else the newest (``shown_run``).

    None when there is no run at all. Raises NotFound for a number that no run has.
    """
    if database is None:
        if run_id is not None:
            raise NotFound(f"there is no run {run_id}: there is no database yet", hint="is --data-dir the right one?")
        return None
    if run_id is not None:
        run = database.run(run_id)
        return Books(database, run, run.header())
    shown = database.shown_run()
    return None if shown is None else Books(database, shown, shown.header())


@contextmanager
def open_books(settings: Settings, run_id: int | None = None) -> Iterator[Books]:
    """As ``chosen_books``, where there must be a run. Raises NotFound."""
    with open_store(settings) as database:
        books = chosen_books(database, run_id)
        if books is None:
            where = settings.data_dir if database is None else database.location
            raise NotFound(
                f"there are no books in {where}", hint="is --data-dir the right one? `pumpswap demo` makes some"
            )
        yield books


async def stored_positions(connection: ChainConnection, wallet: Pubkey | None) -> list[Position]:
    """Open positions of a wallet on the connection's network, as they are stored."""
    if wallet is None:
        return []
    with open_store(connection.settings) as database:
        run = database and database.open_live(str(wallet), await connection.node.genesis_hash())
        return list(run.open_positions()) if run else []


def position_of(positions: Sequence[Position], address: str) -> Position | None:
    """The one in this pool, or of this coin. Raises UsageError for a coin that is held in several pools."""
    found = [position for position in positions if address in (position.pool, position.mint)]
    if len(found) > 1:
        pools = ", ".join(position.pool for position in found)
        raise UsageError(f"{address} is held in {len(found)} pools", hint=f"name one of them: {pools}")
    return found[0] if found else None


def unassigned_units(books: Books) -> dict[str, int]:
    """Raw units by mint that are in the wallet and in no position, ignored tokens left out."""
    run, ignored = books.run, books.run.owned.ignored()
    left: dict[str, int] = {}
    for _ in range(_TRIES):
        before = run.books.last()
        left = {asset: units for asset, units in run.balances().items() if asset != SOL}
        for position in run.open_positions():
            left[position.mint] = left.get(position.mint, 0) - position.base_units
        if run.books.last() == before:
            break  # else somebody has traded meanwhile, and the two are not of one moment
    return {mint: units for mint, units in left.items() if units > 0 and mint not in ignored}


# ---------------------------------------------------------------------------------------------- what it holds


def held_positions(books: Books, rules: ExitRules, at_ns: int) -> tuple[Held, ...]:
    """Open positions, oldest first; one without a name has what signals call its coin."""
    return tuple(_held_at_once(books, books.run.open_positions(), rules, at_ns))


def held_in(books: Books, pool: str, rules: ExitRules, at_ns: int) -> Held | None:
    """The open position in one pool; None where nothing of it is held."""
    position = books.run.latest_position(pool)
    if position is None or not position.is_open:
        return None
    return _held(books, position, rules, at_ns, {state.pool: state for state in books.run.states.exits_of([pool])})


def held_rounds(books: Books, rules: ExitRules, at_ns: int) -> Iterator[Held]:
    """All rounds, open and closed, in the order in which they were opened."""
    return _held_at_once(books, books.run.positions(), rules, at_ns)


def position_story(books: Books, text: str, rules: ExitRules, at_ns: int) -> Story:
    """The newest round of a pool, a coin or a name, and all that is stored about it.

    Raises NotFound for what the books do not know, UsageError for what is more than one pool.
    """
    run = books.run
    rounds = tuple(run.history.rounds(text))
    pools = list(dict.fromkeys(position.pool for position in rounds))
    if not rounds:
        hint = "`pumpswap positions list --all` lists what there was"
        raise NotFound(f"run {run.run_id} has no position {text!r}", hint=hint)
    if len(pools) > 1:
        raise UsageError(f"{text!r} was traded in {len(pools)} pools", hint=f"name one of them: {', '.join(pools)}")
    last, pool = rounds[-1], pools[0]
    entries = entries_about(run, last.mint)  # before the trades: each fill in it has its trade then
    trades = tuple(run.history.trades_of(last.mint))
    orders = {trade.order.order_id: (trade.order.pool, last.mint, "") for trade in trades}
    adoptions = [adoption for adoption in run.owned.adoptions() if adoption.mint == last.mint]
    return Story(
        held=_held(books, last, rules, at_ns, _known_exits(books)),
        rounds=rounds,
        trades=tuple(trade for trade in trades if trade.order.pool == pool),
        entries=entries,
        lots=tuple(lot for lot in tax_lots_of(entries, orders.get, adoptions) if lot.mint == last.mint),
        marks=tuple(run.history.marks_of(pool, _MARKS_IN_STORY)),
        adoptions=tuple(adoption for adoption in adoptions if adoption.pool == pool),
    )


def _known_exits(books: Books) -> dict[str, ExitState]:
    """What the engine remembers of the exits of open rounds, by pool."""
    return {state.pool: state for state in books.run.states.exits()}


def _held_at_once(books: Books, positions: Iterator[Position], rules: ExitRules, at_ns: int) -> Iterator[Held]:
    """Marks and decimals of many in few questions; what these do not tell is asked for one by one."""
    known = _known_exits(books)
    browse, history = books.database.browse(books.run.run_id), books.run.history
    while part := list(islice(positions, _AT_ONCE)):
        pools = {position.pool for position in part if position.is_open}
        marks, decimals = browse.marks(pools), browse.held_decimals(pools)
        for position in part:
            if not position.name:
                position = replace(position, name=history.called(position.mint))
            if not position.is_open:
                yield Held(position, None, None, None)
                continue
            told = decimals.get(position.pool)
            told = history.decimals(position.mint) if told is None else told
            yield _held_of(position, marks.get(position.pool), told, rules, at_ns, known.get(position.pool))


def _held(books: Books, position: Position, rules: ExitRules, at_ns: int, known: Mapping[str, ExitState]) -> Held:
    history = books.run.history
    if not position.name:
        position = replace(position, name=history.called(position.mint))
    if not position.is_open:
        return Held(position, None, None, None)
    newest = next(iter(history.marks_of(position.pool, 1)), None)
    decimals = history.decimals(position.mint)
    return _held_of(position, newest, decimals, rules, at_ns, known.get(position.pool))


def _held_of(
    position: Position, newest: Mark | None, decimals: int | None, rules: ExitRules, at_ns: int, state: ExitState | None
) -> Held:
    """An open one. Its newest mark counts where it is of exactly these units."""
    mark = newest if newest is not None and newest.base_units == position.base_units else None
    return Held(position, decimals, mark, exit_distances(position, mark, rules, at_ns, state))


# ---------------------------------------------------------------------------------------------- new marks


async def refresh_marks(books: Books, settings: Settings) -> Sequence[Mark]:
    """Ask the settings' chain for the pools of all open positions, and store what these would bring now.

    The equity is stored beside them. A pool that cannot be read is marked as that, with the reason. Raises UsageError
    for a run that was on no chain, WrongNetwork for another chain than the run's, and what the chain raises.
    """
    if books.header.network is None:
        raise UsageError(
            f"run {books.run.run_id} is a {books.header.kind} run: its pools are on no chain",
            hint="leave --refresh out, or name a live run with --run",
        )
    async with ChainConnection(settings) as connection:
        genesis = await connection.node.genesis_hash()
        if genesis != books.header.network:
            raise WrongNetwork(
                f"run {books.run.run_id} is of {books.network} {books.header.network}, the endpoint serves {genesis}",
                hint="name the run's own chain with --url and --network, or another run with --run",
            )
        return await store_marks(connection, books.run, settings.exits)
