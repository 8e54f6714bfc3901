"""Decisions: accepted and refused, each with its reasons; and one of them in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pumpswap.app.views.page import Page, PageWish, page_of, place_text
from pumpswap.app.views.sight import RunFacts, Sight, shown_name
from pumpswap.app.why import Tale, why
from pumpswap.errors import NotFound, UsageError
from pumpswap.model import Decision, TradeSide, Verdict
from pumpswap.storage.browse import DecisionWish, Place
from pumpswap.storage.decided import StoredDecision

__all__ = ["DecisionFilter", "DecisionRow", "Decisions", "decision", "decisions"]

_MOST_READ = 1_000  # to find refusals by one policy: then the page ends, however many were found
_LATELY = 500
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """Which ones; what is None or empty does not matter. ``policy``: refused by it."""

    accepted: bool | None = None
    side: TradeSide | None = None
    address: str = ""
    policy: str = ""

    def __post_init__(self) -> None:
        """Raises UsageError for what cannot be the name of anything."""
        for text in (self.address, self.policy):
            if len(text) > _LONGEST or not text.isprintable():
                raise UsageError("that is no address, or no name of a policy", hint="the lists have both")


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """``repeats``: refused again exactly so, so often, the last time at ``last_ns``. ``name`` is empty where nobody
    has told one. ``refusals`` are the verdicts that refused.
    """

    decision_id: str
    at_ns: int
    last_ns: int
    repeats: int
    side: TradeSide
    accepted: bool
    pool: str
    mint: str
    name: str
    reason: str
    strategy: str
    score: float | None
    strength: float | None
    source: str
    q50: float | None
    regime: str
    quote_lamports: int
    base_units: int
    refusals: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Decisions:
    """``refused_by`` counts, by policy, the refusals of the newest 500 that were refused, repeated ones included."""

    run: RunFacts
    as_of_ns: int
    filter: DecisionFilter
    refused_by: Mapping[str, int]
    rows: Page[DecisionRow]


def decisions(sight: Sight, chosen: DecisionFilter | None = None, wish: PageWish | None = None) -> Decisions:
    """One page, the newest first."""
    chosen, wish = chosen or DecisionFilter(), wish or PageWish()
    rows = _by_policy(sight, chosen, wish) if chosen.policy else _plain(sight, chosen, wish)
    return Decisions(sight.facts, sight.as_of_ns, chosen, _refused_by(sight), rows)


def decision(sight: Sight, text: str) -> Tale:
    """One decision by its own id or that of its order, from its signal to the end of its round. Raises NotFound."""
    run = sight.books.run
    if run.decided.get(text) is None and run.decided.order(text) is None:
        raise NotFound(f"run {run.run_id} has no such decision and no such order", hint="the list has their ids")
    found = why(sight.books, text, sight.settings, sight.clock).tale
    if found is None:
        raise NotFound(f"run {run.run_id} has an order without its decision", hint="`pumpswap db check` looks closer")
    return _printable(found)


def _printable(tale: Tale) -> Tale:
    """Every name in it on one line."""
    made, about, result = tale.decision, tale.proposal, tale.round
    signal = made.intent.signal
    if signal is not None:
        intent = replace(made.intent, signal=replace(signal, name=shown_name(signal.name)))
        made = replace(made, intent=intent)
    if result is not None:
        position = replace(result.position, name=shown_name(result.position.name))
        result = replace(result, position=position)
    return replace(
        tale,
        stored=replace(tale.stored, decision=made),
        name=shown_name(tale.name),
        proposal=None if about is None else replace(about, name=shown_name(about.name)),
        round=result,
    )


def row_of(stored: StoredDecision, names: Mapping[str, str]) -> DecisionRow:
    """As a list shows it."""
    made = stored.decision
    intent, signal = made.intent, made.intent.signal
    return DecisionRow(
        decision_id=made.decision_id,
        at_ns=intent.at_ns,
        last_ns=stored.repeated_ns or intent.at_ns,
        repeats=stored.repeats,
        side=intent.side,
        accepted=made.accepted,
        pool=intent.pool,
        mint=intent.mint,
        name=shown_name(signal.name) if signal is not None and signal.name else names.get(intent.pool, ""),
        reason=intent.reason,
        strategy=intent.strategy,
        score=None if signal is None else signal.score,
        strength=None if signal is None else signal.strength,
        source="" if signal is None else signal.source,
        q50=None if signal is None else signal.q50,
        regime="" if signal is None else signal.regime,
        quote_lamports=made.quote_lamports,
        base_units=made.base_units,
        refusals=made.refusals,
    )


def _wish_of(chosen: DecisionFilter) -> DecisionWish:
    accepted = False if chosen.policy else chosen.accepted
    return DecisionWish(accepted, chosen.side, chosen.address)


def _plain(sight: Sight, chosen: DecisionFilter, wish: PageWish) -> Page[DecisionRow]:
    found = sight.browse.decisions(_wish_of(chosen), wish.size + 1, wish.before)
    names = sight.names(_nameless(found))
    return page_of(found, wish, lambda row: row[0], lambda row: row_of(row[1], names))


def _by_policy(sight: Sight, chosen: DecisionFilter, wish: PageWish) -> Page[DecisionRow]:
    """Policies stand in documents only: so many are read, and the page may be shorter than it could be."""
    hits, following = sight.browse.refusals_by(chosen.policy, _wish_of(chosen), _MOST_READ, wish.before)
    names = sight.names(_nameless(hits[: wish.size]))
    page = page_of(hits, wish, lambda row: row[0], lambda row: row_of(row[1], names))
    if page.next is None and following is not None:
        return Page(page.items, place_text(following))
    return page


def _nameless(found: list[tuple[Place, StoredDecision]]) -> set[str]:
    return {stored.decision.intent.pool for _, stored in found if not _signal_name(stored.decision)}


def _signal_name(made: Decision) -> str:
    return "" if made.intent.signal is None else made.intent.signal.name


def _refused_by(sight: Sight) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for policies, repeats in sight.browse.refusing_policies(_LATELY):
        for policy in policies:
            counted[policy] += 1 + repeats
    return dict(counted.most_common())
