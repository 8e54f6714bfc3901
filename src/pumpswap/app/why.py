"""Why: everything that is stored about a decision, an order, a coin or a pool: what was wished, what every policy said
with its numbers, what was ordered, what came of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pumpswap.analytics.explain import parts_of
from pumpswap.app.books import Books
from pumpswap.app.standing import Standing, standing_of
from pumpswap.clock import Clock
from pumpswap.errors import NotFound
from pumpswap.model import AttemptState, Decision, Filled, LedgerEntry, Order, Outcome, Position, Proposal, TradeSide
from pumpswap.settings import Settings
from pumpswap.storage.decided import NAMED_AMONG, StoredDecision
from pumpswap.storage.fills import execution_ns
from pumpswap.storage.run import Run

__all__ = ["Fate", "Line", "RoundResult", "Tale", "Why", "why"]

_MOST_READ = 2_000  # of the newest decisions about a coin
_MOST_POOLS = 20
_MOST_EXITS = 50


@dataclass(frozen=True, slots=True)
class Fate:
    """An order and how it went. ``outcome`` None: it is on its way. ``entries`` are what it moved. ``seen_ns``: when
    we saw that it had landed, by our own clock; the chain's times are whole seconds of another one.
    """

    order: Order
    outcome: Outcome | None
    entries: tuple[LedgerEntry, ...]
    decimals: int | None
    seen_ns: int | None = None

    def took_ns(self, filled: Filled) -> int:
        """From the decision to its confirmation, as everywhere that tells of execution."""
        return execution_ns(self.order.created_ns, filled.at_ns, self.seen_ns)

    @property
    def filled(self) -> Filled | None:
        """The fill; None when it did not trade."""
        return self.outcome if isinstance(self.outcome, Filled) else None


@dataclass(frozen=True, slots=True)
class RoundResult:
    """The round that a fill belongs to. The three parts add up to what all its fills have changed: the realised result
    once it is closed. ``exits`` are its sales so far, the newest 50.
    """

    position: Position
    price_lamports: int
    venue_fees_lamports: int
    network_lamports: int
    exits: tuple[Fate, ...]

    @property
    def result_lamports(self) -> int:
        """What its fills have changed, rent apart."""
        return self.price_lamports + self.venue_fees_lamports + self.network_lamports


@dataclass(frozen=True, slots=True)
class Tale:
    """One decision, from its signal to the end of the round that it opened or closed."""

    stored: StoredDecision
    name: str
    proposal: Proposal | None
    fate: Fate | None
    round: RoundResult | None

    @property
    def decision(self) -> Decision:
        """The decision itself."""
        return self.stored.decision


@dataclass(frozen=True, slots=True)
class Line:
    """Decisions in a row that said the same: refusals by the same policies, or a single other one.

    ``count`` counts all of them, those included that have no row of their own; ``tale`` is the newest stored one.
    """

    tale: Tale
    count: int
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class Why:
    """``tale`` for an order or a decision; ``lines`` (oldest first) and ``standings`` for a coin or a pool.
    ``left_out``: there are older decisions.
    """

    books: Books
    as_of_ns: int
    tale: Tale | None = None
    lines: tuple[Line, ...] = ()
    standings: tuple[Standing, ...] = ()
    left_out: bool = False


def why(books: Books, text: str, settings: Settings, clock: Clock, *, last: int = 10) -> Why:
    """Explain an order (by our id or by that of the system that wished it), a decision, a mint, a pool, or the name of
    a coin; of the last three the newest ``last`` lines.

    Raises NotFound for what the run does not know.
    """
    run, as_of_ns = books.run, books.as_of_ns(clock)
    order = run.decided.order(text) or run.ids.order_of_client(text)
    stored = run.decided.get(text if order is None else order.decision_id)
    if stored is not None:
        return Why(books, as_of_ns, tale=_tale(run, stored))
    pools = _pools(run, text)
    if not pools:
        raise NotFound(
            f"run {run.run_id} knows no order, decision, pool, mint or name {text!r}",
            hint=f"names are those of positions and of the newest {NAMED_AMONG:,} accepted and refused decisions: an "
            "older coin is found by its address, another run (`pumpswap runs list`) with --run",
        )
    decisions = _decisions(run, pools, text)
    lines, left_out = _collapsed(run, decisions, last)
    standings = tuple(standing_of(books, pool, mint, settings, clock) for pool, mint in _shown(run, pools, decisions))
    as_of_ns = max([as_of_ns, *(line.last_ns for line in lines)])
    return Why(books, as_of_ns, lines=lines, standings=standings, left_out=left_out or len(decisions) == _MOST_READ)


# ---------------------------------------------------------------------------------------------- which decisions


def _pools(run: Run, text: str) -> list[tuple[str, str]]:
    """(pool, mint) of all that ``text`` may mean: quick ways first."""
    held = {(position.pool, position.mint) for position in run.history.rounds(text)}
    return sorted({*run.decided.pools_of(text), *held} or run.decided.pools_called(text))


def _decisions(run: Run, pools: Sequence[tuple[str, str]], text: str) -> list[StoredDecision]:
    mints = {mint for _, mint in pools}
    if len(mints) == 1 and text not in dict(pools):
        return list(run.decided.of_mint(mints.pop(), _MOST_READ))
    found = [stored for pool, _ in pools[:_MOST_POOLS] for stored in run.decided.of_pool(pool, _MOST_READ)]
    return sorted(found, key=lambda stored: stored.decision.intent.at_ns)[-_MOST_READ:]


def _shown(run: Run, pools: Sequence[tuple[str, str]], decisions: Sequence[StoredDecision]) -> list[tuple[str, str]]:
    """The pools whose standing is told: those that hold something, else that of the newest decision."""
    held = [(pool, mint) for pool, mint in pools if (one := run.latest_position(pool)) is not None and one.is_open]
    if held:
        return held
    newest = decisions[-1].decision.intent.pool if decisions else pools[0][0]
    return [(pool, mint) for pool, mint in pools if pool == newest][:1] or [pools[0]]


def _collapsed(run: Run, decisions: Sequence[StoredDecision], last: int) -> tuple[tuple[Line, ...], bool]:
    groups: list[list[StoredDecision]] = []
    for stored in decisions:
        if groups and _says_the_same(groups[-1][-1].decision, stored.decision):
            groups[-1].append(stored)
        else:
            groups.append([stored])
    return tuple(_line(run, group) for group in groups[-last:]), len(groups) > last


def _says_the_same(before: Decision, after: Decision) -> bool:
    if before.accepted or after.accepted:
        return False
    one, two = before.intent, after.intent
    same = (one.pool, one.side, one.strategy, one.exit) == (two.pool, two.side, two.strategy, two.exit)
    return same and [v.policy for v in before.refusals] == [v.policy for v in after.refusals]


def _line(run: Run, group: Sequence[StoredDecision]) -> Line:
    first, newest = group[0], group[-1]
    last_ns = max(stored.repeated_ns or stored.decision.intent.at_ns for stored in group)
    count = sum(1 + stored.repeats for stored in group)
    return Line(_tale(run, newest), count, first.decision.intent.at_ns, last_ns)


# ---------------------------------------------------------------------------------------------- one decision


def _tale(run: Run, stored: StoredDecision) -> Tale:
    decision = stored.decision
    proposal = run.proposals.about(decision.decision_id)
    order = run.decided.order_of(decision.decision_id)
    if order is None and proposal is not None and proposal.follow_up:
        order = run.decided.order_of(proposal.follow_up)
    fate = None if order is None else _fate(run, order)
    result = None if fate is None or fate.filled is None else _round(run, fate)
    return Tale(stored, _name(run, decision, result), proposal, fate, result)


def _fate(run: Run, order: Order) -> Fate:
    outcome = run.decided.outcome(order.order_id)
    entries = tuple(run.books.of_order(order.order_id))
    landed = [each for each in run.attempts.of_order(order.order_id) if each.state is AttemptState.LANDED]
    seen_ns = landed[-1].resolved_ns if landed else None
    return Fate(order, outcome, entries, run.history.decimals(order.mint), seen_ns)


def _round(run: Run, fate: Fate) -> RoundResult | None:
    """The round that this fill belongs to, with all its trades."""
    filled = fate.filled
    position = None if filled is None else run.history.round_at(fate.order.pool, filled.at_ns)
    if position is None:
        return None
    of_round = run.history.trades_between(position.pool, position.opened_ns, position.closed_ns)
    sales = [trade.order for trade in of_round if trade.order.side is TradeSide.SELL]
    others = [order for order in sales if order.order_id != fate.order.order_id][-_MOST_EXITS:]
    price, venue, network = parts_of(trade.filled for trade in of_round)
    exits = tuple(replace(_fate(run, order), entries=()) for order in others)
    return RoundResult(position, price, venue, network, exits)


def _name(run: Run, decision: Decision, result: RoundResult | None) -> str:
    if result is not None and result.position.name:
        return result.position.name
    signal = decision.intent.signal
    if signal is not None and signal.name:
        return signal.name
    latest = run.latest_position(decision.intent.pool)
    return "" if latest is None else latest.name
