"""KernelRunner: trials of a sweep as machine code, with the engine's numbers; what it cannot play the engine does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import UsageError
from pumpswap.execution.costs import rents_at
from pumpswap.execution.observed_network import FAILED_BPS, PRIORITY_LAMPORTS
from pumpswap.research.backtest.landing import SlotLanding
from pumpswap.research.backtest.spec import BacktestSpec, latency_slots
from pumpswap.research.chronicle.step import StepTimes
from pumpswap.research.kernel.acting import FIELDS
from pumpswap.research.kernel.layout import Columns
from pumpswap.research.kernel.support import momentum_arguments, unsupported
from pumpswap.research.kernel.trial.flows import Flows, flows_of
from pumpswap.research.kernel.trial.momentum import REASONS, play
from pumpswap.research.kernel.trial.terms import (
    CLOSED_NS,
    COST,
    DAY,
    FILLS,
    FIRST,
    HEAD,
    IS_HELD,
    LOWER_RENT_SINCE,
    MARK,
    MONEY,
    OPENED_NS,
    POINTS,
    ROUND_BOUGHT,
    SINCE,
    STAMP,
    TERMS,
    WATCH,
    WIDTH,
    WINDOW_NS,
    WISHED_NS,
    terms_row,
)
from pumpswap.research.kernel.trial.venue import FILL_NAMES, NO_FUNDS, NO_ROOM, STALE
from pumpswap.research.kernel.u128 import frozen
from pumpswap.research.tuning.space import settings_with, strategy_arguments
from pumpswap.research.tuning.trials import Params, Round, Split, TrialResult, TrialRunner
from pumpswap.settings import LandingPlace, Settings
from pumpswap.units import BPS

__all__ = ["KernelRunner", "Played"]

_ORDERS, _ENTRIES, _FILLS, _POINTS, _DRAWS = 256, 4_096, 4_096, 4_096, 4_096
_MOST_ROOM = 1 << 24
_KEPT_WINDOWS = 8  # eight bytes a step each; a sweep that keeps equal windows together needs one


@dataclass(frozen=True, slots=True)
class Played:
    """A trial as the kernel has played it. ``fills`` are rows of ``venue.FILL_NAMES``, ``points`` (time, equity) as the
    engine measures it, ``books`` what is left; ``handed_over`` says why none of it counts.
    """

    fills: NDArray[np.int64]
    points: NDArray[np.int64]
    books: NDArray[np.int64]
    handed_over: str = ""

    def column(self, name: str) -> NDArray[np.int64]:
        """One column of the fills."""
        return self.fills[:, FILL_NAMES.index(name)]


class KernelRunner:
    """As of ``TrialRunner``. ``spec`` is the back-test that every trial is a variation of, ``settings`` those before
    the params; ``engine`` plays what the kernel hands over, and everything where ``unsupported`` gives a reason.

    Not for several threads at once: what a trial writes into is used again by the next.
    """

    def __init__(
        self, spec: BacktestSpec, settings: Settings, columns: Columns, slots: StepTimes, engine: TrialRunner
    ) -> None:
        self._spec, self._settings, self._columns, self._slots, self._engine = spec, settings, columns, slots, engine
        self._flows: dict[tuple[int, int], Flows] = {}
        self._landings: dict[tuple[int, str], NDArray[np.int64]] = {}
        self._tape: tuple[Any, ...] | None = None
        self._room = {"orders": _ORDERS, "entries": _ENTRIES, "fills": _FILLS, "points": _POINTS, "draws": _DRAWS}
        self._scratch: tuple[NDArray[np.int64], ...] | None = None
        self._known_facts: tuple[Any, tuple[NDArray[Any], ...]] | None = None
        self._known_chance: tuple[Any, tuple[NDArray[np.int64], NDArray[np.uint8]]] | None = None
        self._stamp = 0
        self.handed_over: dict[str, int] = {}  # by reason, how many trials

    def run(self, number: int, params: Params, split: Split) -> TrialResult:
        """One trial. Raises ConfigError for params that the settings refuse."""
        settings = settings_with(self._settings, params)
        reasons = unsupported(
            settings, self._spec.strategy.name, self._arguments(params), landing=self._spec.landing
        ) or ((f"a split for {split.role}",) if split.role not in ("whole", "test") else ())
        if not reasons:
            played = self.play(settings, params, split)
            if not played.handed_over:
                return self._result(number, params, split, played)
            reasons = (played.handed_over,)
        told = "; ".join(reasons)
        self.handed_over[told] = self.handed_over.get(told, 0) + 1
        return msgspec.structs.replace(self._engine.run(number, params, split), handed_over=told)

    def play(self, settings: Settings, params: Params, split: Split) -> Played:
        """Play a trial of what is supported; with all of its fills."""
        while True:
            reason, played = self._attempt(settings, params, split)
            if reason != NO_ROOM:
                return played if reason == 0 else replace(played, handed_over=REASONS[reason])
            if max(self._room.values()) >= _MOST_ROOM:
                raise UsageError("a trial with more than 16 million events", hint="use the engine")
            self._room = {name: size * 4 for name, size in self._room.items()}

    def _attempt(self, settings: Settings, params: Params, split: Split) -> tuple[int, Played]:
        columns = self._columns
        first = int(np.searchsorted(columns.at_ns, split.replay_since_ns))
        last = int(np.searchsorted(columns.at_ns, split.window.until_ns))
        books = self._books(settings, params, split, first)
        fills = np.zeros((self._room["fills"], len(FILL_NAMES)), np.int64)
        points = np.zeros((self._room["points"], 2), np.int64)
        if last <= first:
            raise UsageError("a split without a step", hint="choose times in which something has happened")
        window_ns = int(books[TERMS, WINDOW_NS])
        flows = self._flows_of(window_ns, first)
        changed, stamps, differences = self._memory()
        mints = np.zeros((len(columns.mints), 2), np.int64)
        orders = np.zeros((self._room["orders"], 6), np.int64)
        entries = np.zeros(self._room["entries"], np.int64)
        plan = (first, last, self._landing(settings), flows.burst_bps, flows.buyers, *self._chance(settings))
        world = np.zeros((len(columns.pools), FIELDS), np.uint64)
        memory = books, world, mints, orders, entries, changed, stamps, differences
        words, since = frozen(columns.tables.words), frozen(columns.tables.since)
        reason = int(play(words, since, self._steps(settings, books), plan, memory, (fills, points)))
        self._stamp = int(books[MONEY, STAMP])
        told = Played(fills[: books[MONEY, FILLS]], points[: books[MONEY, POINTS]], books)
        return reason, told

    # ---------------------------------------------------------------------------------------------- what is played

    def _arguments(self, params: Params) -> dict[str, str]:
        return {**dict(self._spec.strategy.params), **strategy_arguments(params)}

    def _books(self, settings: Settings, params: Params, split: Split, first: int) -> NDArray[np.int64]:
        run = {
            "since_ns": split.window.since_ns if split.warm_ns else int(self._columns.at_ns[first]),
            "start_ns": max(int(self._columns.at_ns[0]), split.replay_since_ns),
            "until_ns": split.window.until_ns,
            "start_lamports": self._spec.start_lamports,
            "period_seconds": self._spec.period_seconds,
            "is_naive": int(self._spec.impact == "naive"),
        }
        books = np.zeros((len(self._columns.pools) + FIRST, WIDTH), np.int64)
        books[TERMS] = terms_row(settings, momentum_arguments(self._arguments(params)), run)
        books[MONEY, STAMP], books[MONEY, DAY] = self._stamp, 0
        for place in (CLOSED_NS, WISHED_NS, HEAD):
            books[FIRST:, place] = -1
        books[FIRST:, SINCE] = len(self._columns)
        return books

    def _memory(self) -> tuple[NDArray[np.int64], ...]:
        if self._scratch is None:
            columns = self._columns
            self._scratch = (
                np.zeros(len(columns), np.int64),
                np.zeros(columns.traders, np.int64),
                np.zeros(columns.holders, np.int64),
            )
        self._scratch[2].fill(0)  # what holders have more or less; the others are never read before they are written
        return self._scratch

    def _steps(self, settings: Settings, books: NDArray[np.int64]) -> tuple[Any, ...]:
        """The columns as ``play`` takes them; what may be traded follows from the settings."""
        one = self._columns
        if self._tape is None:
            signed = one.swap_quote.astype(np.int64)
            signed = np.where(one.swap == 2, -signed, np.where(one.swap == 1, signed, 0))
            told: tuple[Any, ...] = (
                one.at_ns, one.pool,
                (one.kind, one.generation, one.amount, one.limit, one.second, one.charged, one.rates),
                (one.swap, one.swap_at_ns, one.swap_base, one.swap_quote, signed),
                (one.trader, one.holder, one.trader_base, one.has_base),
                (one.has_state, one.until_ns, one.schedule, one.flags, one.creator_bps),
                (one.base, one.reserve, one.boost, one.protocol, one.creator, one.supply, one.lp),
                (one.places, one.starts, one.swaps, one.swap_starts, one.rank),
            )  # fmt: skip
            self._tape = tuple(tuple(map(frozen, part)) if isinstance(part, tuple) else frozen(part) for part in told)
        return (*self._tape, self._facts(settings, int(books[TERMS, LOWER_RENT_SINCE])))

    def _facts(self, settings: Settings, lower_since: int) -> tuple[NDArray[Any], ...]:
        risk = settings.risk
        key = risk.allow_tokens, risk.deny_tokens, risk.allow_permissionless_pools
        if self._known_facts is None or self._known_facts[0] != key:
            self._known_facts = key, self._new_facts(settings, lower_since)
        return self._known_facts[1]

    def _new_facts(self, settings: Settings, lower_since: int) -> tuple[NDArray[Any], ...]:
        risk, pools, mints = settings.risk, self._columns.pools, self._columns.mints

        def is_tradeable(at: int) -> bool:
            pool, mint = pools[at], mints[pools[at].mint]
            is_listed = mint not in risk.deny_tokens and (not risk.allow_tokens or mint in risk.allow_tokens)
            return is_listed and pool.is_sol and (pool.is_canonical or risk.allow_permissionless_pools)

        eras = [rents_at(lower_since - 1), rents_at(lower_since)]
        rents = [[era.token_account, era.token_2022_account, era.user_volume_accumulator] for era in eras]
        return (
            np.array([pool.mint for pool in pools], np.int64),
            np.array([pool.is_token_2022 for pool in pools], np.uint8),
            np.array(rents, np.int64),
            np.array([is_tradeable(at) for at in range(len(pools))], np.uint8),
            np.array([pool.is_sol for pool in pools], np.uint8),
        )

    def _flows_of(self, window_ns: int, first: int) -> Flows:
        key = window_ns, first
        if key not in self._flows:
            if len(self._flows) >= _KEPT_WINDOWS:
                self._flows.pop(next(iter(self._flows)))
            self._flows[key] = flows_of(self._columns, window_ns, first)
        return self._flows[key]

    def _landing(self, settings: Settings) -> NDArray[np.int64]:
        """When an order lands that is sent at a step, for every step."""
        key = latency_slots(settings), self._spec.landing
        if key not in self._landings:
            place: LandingPlace = "first" if self._spec.landing == "first" else "last"
            landing = SlotLanding(self._slots, key[0], place, Random(0))
            moments, back = np.unique(self._columns.at_ns, return_inverse=True)
            nobody: Any = None  # of no order: only a drawn place asks
            lands = np.array([landing.landing_ns(int(at_ns), nobody) for at_ns in moments], np.int64)
            self._landings[key] = lands[back]
        return self._landings[key]

    def _chance(self, settings: Settings) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Priority fees and failures of the transactions to come, as ``PaperModel`` draws them."""
        paper = settings.paper
        key = paper.failed_bps, paper.priority, self._room["draws"]
        if self._known_chance is None or self._known_chance[0] != key:
            self._known_chance = key, self._drawn(settings)
        return self._known_chance[1]

    def _drawn(self, settings: Settings) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        paper, random = settings.paper, Random(self._spec.seed)
        failed_bps = FAILED_BPS if paper.failed_bps is None else paper.failed_bps
        fees = PRIORITY_LAMPORTS if (paper.priority or "observed") == "observed" else ()
        priorities, fails = [], []
        for _ in range(self._room["draws"] if fees or failed_bps else 0):
            if fees:
                priorities.append(random.choice(fees))
            if failed_bps:
                fails.append(random.randrange(BPS) < failed_bps)
        return np.array(priorities, np.int64), np.array(fails, np.uint8)

    # ---------------------------------------------------------------------------------------------- what came of it

    def _result(self, number: int, params: Params, split: Split, played: Played) -> TrialResult:
        status, points = played.column("status"), played.points
        step = self._spec.period_seconds * NS_PER_SECOND
        times = np.array([*range(split.window.since_ns, split.window.until_ns, step), split.window.until_ns], np.int64)
        measured = points[np.maximum(np.searchsorted(points[:, 0], times, side="right") - 1, 0), 1]
        measured[-1] = points[-1, 1]
        falls = np.maximum.accumulate(points[:, 1]) - points[:, 1]
        return TrialResult(
            number=number,
            params=params,
            split=split,
            start_lamports=self._spec.start_lamports,
            net_lamports=int(points[-1, 1]) - self._spec.start_lamports,
            fills=int(np.count_nonzero(status == 0)),
            failed=int(np.count_nonzero((status != 0) & (status != STALE) & (status != NO_FUNDS))),
            max_drawdown_lamports=int(falls.max()),
            period_seconds=self._spec.period_seconds,
            equity=tuple(measured.tolist()),
            rounds=self._rounds(split, played),
            path="kernel",
        )

    def _rounds(self, split: Split, played: Played) -> tuple[Round, ...]:
        pools, found = self._columns.pools, list[Round]()
        for row in played.fills.tolist():
            fill: Mapping[str, int] = dict(zip(FILL_NAMES, row, strict=True))
            pool, at_ns, spent = pools[fill["pool"]].address, fill["at_ns"], fill["network"] + fill["priority"]
            if fill["status"] == 0 and not fill["is_buy"]:
                found.append(Round(pool, fill["opened_ns"], at_ns, fill["bought"], fill["realised"]))
            elif fill["status"] not in (0, STALE, NO_FUNDS):
                found.append(Round(pool, at_ns, at_ns, 0, -spent, "failed"))
        for at, row in enumerate(played.books[FIRST:].tolist()):
            if row[WATCH] & IS_HELD:
                net, until = row[MARK] - row[COST], split.window.until_ns
                found.append(Round(pools[at].address, row[OPENED_NS], until, row[ROUND_BOUGHT], net, "open"))
        return tuple(sorted(found, key=lambda one: (one.opened_ns, one.pool, one.closed_ns, one.kind)))
