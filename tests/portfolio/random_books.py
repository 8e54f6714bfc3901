"""Random lives of a wallet, booked by the package and by the reference, with crashes and repetitions in between."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from solders.pubkey import Pubkey
from sqlalchemy import event

from pumpswap.amm import BuyQuote, Quote, SellQuote
from pumpswap.clock import ManualClock
from pumpswap.errors import AmountOutOfRange, LedgerMismatch, PumpSwapError, StorageError, UsageError
from pumpswap.execution.live_books import LiveBooks
from pumpswap.model import (
    SOL,
    Adoption,
    Chore,
    ChoreResult,
    Costs,
    Denied,
    EntryKind,
    Filled,
    ForeignEvent,
    ForeignKind,
    Order,
    Outcome,
    PlanKind,
    Rejected,
    TradeSide,
    Unknown,
)
from pumpswap.storage.database import Database
from tests.portfolio.compare import check_audit, check_derived, check_portfolio, check_stored, same
from tests.portfolio.reference import Reference
from tests.support.market import START_NS

MINTS = ("mint-a", "mint-b", "mint-c")
POOLS = {"pool-1": "mint-a", "pool-2": "mint-a", "pool-3": "mint-b", "pool-4": "mint-c", "pool-0": "mint-c"}
FEES = ("lp_fee", "protocol_fee", "creator_fee", "cashback")
MAGNITUDES = (3, 50, 10**4, 10**9, 10**13)
_AIRDROPS = (ForeignKind.AIRDROP, ForeignKind.MANUAL_BUY, ForeignKind.OTHER)
_LOSSES = (ForeignKind.TRANSFER_OUT, ForeignKind.BURN, ForeignKind.OTHER, ForeignKind.UNEXPLAINED)


class Killed(BaseException):
    """The process is gone."""


class Life:
    """One wallet. ``live`` takes random steps and compares after each; an AssertionError tells the first difference."""

    def __init__(self, database: Database, seed: int) -> None:
        self.rng = random.Random(seed)
        self.database = database
        self.reference = Reference()
        self.counts: Counter[str] = Counter()
        self.orders: dict[str, tuple[str, str, str]] = {}
        self.wallet = Pubkey.from_bytes(self.rng.randbytes(32))
        self.clock = ManualClock()
        self.clock.advance_to(START_NS)
        run = database.start_run("live", START_NS, seed, wallet=str(self.wallet), network="random")
        self.books = LiveBooks(run, self.wallet, self.clock)
        self.steps = 0
        self._signatures = 0

    @property
    def run(self) -> Any:
        return self.books.run

    def live(self, steps: int) -> None:
        actions = (
            (self.buy, 8), (self.sell, 8), (self.fail, 2), (self.nothing, 1), (self.money_in, 2), (self.money_out, 1),
            (self.tokens_in, 3), (self.tokens_out, 4), (self.sold_by_hand, 4), (self.accounts, 1), (self.adopt, 3),
            (self.upkeep, 2), (self.refused, 2),
        )  # fmt: skip
        names, weights = [action for action, _ in actions], [weight for _, weight in actions]
        self.money_in()
        for step in range(steps):
            (action,) = self.rng.choices(names, weights)
            action()
            self.steps += 1
            self.counts[action.__name__] += 1
            self.compare(fully=step == steps - 1 or self.rng.random() < 0.08)

    def compare(self, *, fully: bool) -> None:
        check_portfolio(self.books.portfolio, self.reference)
        entries = list(self.run.ledger())
        check_derived(entries, self.orders, list(self.run.owned.adoptions()), self.reference)
        if fully:
            check_stored(self.run, self.reference)
            check_audit(self.run, self.reference)
            put_in = self.books.portfolio.put_in_lamports
            self.reopen()
            same("put in", self.books.portfolio.put_in_lamports, put_in)
            check_portfolio(self.books.portfolio, self.reference)

    # ------------------------------------------------------------------------------------------ orders

    def buy(self) -> None:
        pool = self.rng.choice(list(POOLS))
        gross, base = self.size(), self.size()
        told = self.told(pool, base, gross, is_buy=True)
        needed = gross + sum(told["fees"].values()) + sum(told["costs"].values())
        if needed > self.reference.held(SOL):
            return self.money_in(at_least=needed)
        return self.settle(told)

    def sell(self) -> None:
        held = self.reference.open_rounds()
        if not held:
            return self.buy()
        one = self.rng.choice(held)
        base = one["units"] if self.rng.random() < 0.4 else self.rng.randint(1, one["units"])
        told = self.told(one["pool"], base, self.size(), is_buy=False)
        told["costs"]["rent_returned"] = self.rent()
        if self.reference.held(SOL) < sum(told["costs"].values()):
            return self.money_in(at_least=10**7)
        return self.settle(told)

    def told(self, pool: str, base: int, gross: int, *, is_buy: bool) -> dict[str, Any]:
        """A fill in plain numbers. ``tax`` and ``stray`` are what its transaction moved besides."""
        fees = {kind: self.rng.randint(0, gross // 5) for kind in FEES}
        tax = self.rng.randint(1, max(base // 3, 1)) if self.rng.random() < 0.1 else 0
        return {
            "pool": pool, "mint": POOLS[pool], "order": "", "at": self.tick(), "is_buy": is_buy, "base": base,
            "gross": gross, "fees": fees, "costs": self.costs(), "tax": tax if is_buy else 0,
            "stray": self.rng.randint(1, 9) if self.rng.random() < 0.1 else 0,
        }  # fmt: skip

    def settle(self, told: dict[str, Any]) -> None:
        order = self.admitted(told["pool"], _quote(told), told["base"])
        told["order"] = order.order_id
        costs = Costs(**told["costs"])
        outcome = Filled(order.order_id, told["at"], 7, _quote(told), costs, self.signature())
        if self.rng.random() < 0.1:
            self.books.settle(order, Unknown(order.order_id, told["at"], "s", 300), {})
        foreign = {asset: units for asset, units in ((SOL, told["stray"]), (told["mint"], -told["tax"])) if units}
        self.do(lambda: self.books.settle(order, outcome, foreign), repeatable=True)
        self.reference.trade(told)
        self.reference.move(SOL, told["stray"], "foreign")
        self.reference.move(told["mint"], -told["tax"], "foreign")
        if told["tax"]:
            self.reference.leave(told["mint"], told["tax"], told["at"], order=order.order_id)
        self.counts["fills"] += 1

    def fail(self) -> None:
        """The program refuses: its costs are paid."""
        pool, costs = self.rng.choice(list(POOLS)), self.costs()
        if sum(costs.values()) > self.reference.held(SOL):
            return self.money_in(at_least=10**7)
        told = self.told(pool, self.size(), self.size(), is_buy=self.rng.random() < 0.5)
        order = self.admitted(pool, _quote(told), told["base"])
        name = (6004, "ExceededSlippage", "moved")
        outcome = Rejected(order.order_id, self.tick(), 7, *name, Costs(**costs), self.signature())
        self.do(lambda: self.books.settle(order, outcome, {}), repeatable=True)
        return self.reference.pay_costs(costs)

    def nothing(self) -> None:
        """An order that was denied, and a chore that was."""
        pool = self.rng.choice(list(POOLS))
        order = self.admitted(pool, _quote(self.told(pool, 5, 5, is_buy=True)), 5)
        outcome: Outcome = Denied(order.order_id, self.tick(), "expired", "gone")
        self.do(lambda: self.books.settle(order, outcome, {}), repeatable=True)

    def admitted(self, pool: str, quote: Quote, base: int) -> Order:
        order_id, is_buy = self.books.next_order_id(), isinstance(quote, BuyQuote)
        side = TradeSide.BUY if is_buy else TradeSide.SELL
        lamports, units = (quote.gross_quote, 0) if is_buy else (0, base)
        decision_id = self.books.next_decision_id()
        order = Order(order_id, decision_id, side, pool, POOLS[pool], self.tick(), 1, quote, lamports, units)
        self.books.admit(order)
        self.orders[order_id] = (pool, POOLS[pool], "")
        return order

    # ------------------------------------------------------------------------------------------ others

    def money_in(self, at_least: int = 0) -> None:
        lamports = at_least + self.rng.choice((10**6, 10**10, 10**14))
        self.foreign(ForeignKind.DEPOSIT, [(SOL, lamports, EntryKind.DEPOSIT)])

    def money_out(self) -> None:
        if self.reference.held(SOL):
            lamports = self.rng.randint(1, self.reference.held(SOL))
            self.foreign(ForeignKind.WITHDRAWAL, [(SOL, -lamports, EntryKind.WITHDRAWAL)])

    def tokens_in(self) -> None:
        mints = self.rng.sample(MINTS, self.rng.choice((1, 1, 2)))
        moves = [(mint, self.size(), EntryKind.FOREIGN) for mint in mints]
        paid = self.rng.randint(0, min(self.reference.held(SOL), 10**9))
        self.foreign(self.rng.choice(_AIRDROPS), [(SOL, -paid, EntryKind.FOREIGN), *moves])

    def tokens_out(self) -> None:
        held = [mint for mint in MINTS if self.reference.held(mint)]
        mints = self.rng.sample(held, min(len(held), self.rng.choice((1, 1, 2))))
        if mints:
            moves = [(mint, -self.part_of(mint), EntryKind.FOREIGN) for mint in mints]
            self.foreign(self.rng.choice(_LOSSES), moves)

    def sold_by_hand(self) -> None:
        held = [mint for mint in MINTS if self.reference.held(mint)]
        if held:
            mint = self.rng.choice(held)
            lamports = self.rng.choice((0, 1, self.size(), -self.rng.randint(0, min(self.reference.held(SOL), 99))))
            moves = [(SOL, lamports, EntryKind.FOREIGN), (mint, -self.part_of(mint), EntryKind.FOREIGN)]
            fee = min(self.reference.held(SOL) + min(lamports, 0), 5_000)
            self.foreign(ForeignKind.MANUAL_SELL, [*moves, (SOL, -fee, EntryKind.NETWORK_FEE)])

    def accounts(self) -> None:
        """Accounts that the owner opens or closes by hand."""
        rent = min(self.reference.held(SOL), 2_039_280)
        if self.rng.random() < 0.5 and self.reference.rent > rent:
            self.foreign(ForeignKind.ACCOUNT_CLOSED, [(SOL, rent, EntryKind.RENT_RETURNED)])
        else:
            self.foreign(ForeignKind.ACCOUNT_OPENED, [(SOL, -rent, EntryKind.RENT_PAID)])

    def foreign(self, kind: ForeignKind, moves: list[tuple[str, int, EntryKind]]) -> None:
        signature = "" if kind is ForeignKind.UNEXPLAINED else self.signature()
        at_ns, before = self.tick(), self.reference.entries
        happened = ForeignEvent(kind, signature, 7, at_ns, tuple(moves))

        def attempt() -> None:
            with self.books._storing():
                self.books._book_event(happened)

        self.do(attempt, is_done=lambda: self.books.portfolio.ledger.last_sequence > before)
        reference = self.reference
        for asset, units, entry in moves:
            reference.move(asset, units, entry.value)
            if entry in (EntryKind.RENT_PAID, EntryKind.RENT_RETURNED):
                reference.rent -= units
        proceeds = None
        if kind is ForeignKind.MANUAL_SELL:
            proceeds = max(sum(units for asset, units, entry in moves if (asset, entry.value) == (SOL, "foreign")), 0)
        for asset, units, _ in moves:
            if asset != SOL and units < 0:
                reference.leave(asset, -units, at_ns, proceeds=proceeds)

    def part_of(self, mint: str) -> int:
        """All, what no position holds, or anything between."""
        held, free = self.reference.held(mint), self.reference.free(mint)
        return self.rng.choice((held, free or held, self.rng.randint(1, held)))

    def adopt(self) -> None:
        pool = self.rng.choice(list(POOLS))
        mint = POOLS[pool]
        free = self.reference.free(mint)
        if not free or self.reference.open_in(pool) is not None:
            return self.tokens_in()
        units, cost, at_ns = self.rng.randint(1, free), self.rng.choice((0, self.size())), self.tick()
        adoption = Adoption(at_ns, self.reference.entries, pool, mint, units, cost, "by hand")
        known = len(list(self.run.owned.adoptions()))
        self.do(lambda: self.books.adopt(adoption), is_done=lambda: len(list(self.run.owned.adoptions())) > known)
        return self.reference.adopt(pool, mint, units, cost, at_ns)

    def upkeep(self) -> None:
        kind, costs = self.rng.choice((PlanKind.WRAP, PlanKind.UNWRAP, PlanKind.CLOSE_EMPTY)), self.costs()
        if sum(costs.values()) > self.reference.held(SOL):
            return self.money_in(at_least=10**7)
        turned = self.rng.randint(0, self.reference.held(SOL)) if kind is not PlanKind.CLOSE_EMPTY else 0
        costs["rent_returned"] = self.rent()
        order_id = f"w{self.counts['upkeep']:06d}"
        chore = Chore(order_id, kind, self.tick(), turned)
        self.run.chores.add(chore)
        result = ChoreResult("done", self.tick(), "", self.signature(), 7, Costs(**costs), turned_lamports=turned)
        stray = self.rng.choice((0, 0, 3))
        self.do(
            lambda: self.books.settle_chore(chore, result, stray),
            is_done=lambda: all(one.order_id != order_id for one in self.run.chores.unresolved()),
        )
        if kind is not PlanKind.CLOSE_EMPTY:
            self.reference.move(SOL, -turned, kind.value)
            self.reference.move(SOL, turned, kind.value)
        self.reference.pay_costs(costs)
        return self.reference.move(SOL, stray, "foreign")

    def refused(self) -> None:
        """What no books may take leaves them as they are."""
        mint, pool = self.rng.choice(MINTS), self.rng.choice(list(POOLS))
        too_many = self.reference.free(POOLS[pool]) + 1
        adoption = Adoption(self.tick(), self.reference.entries, pool, POOLS[pool], too_many, 5)
        spent = (SOL, -self.reference.held(SOL) - 1, EntryKind.FOREIGN)
        for moves, error in (
            (((SOL, 5, EntryKind.DEPOSIT), (mint, -self.reference.held(mint) - 1, EntryKind.FOREIGN)), LedgerMismatch),
            (((mint, 5, EntryKind.FOREIGN), spent), LedgerMismatch),
            (((mint, 5, EntryKind.FOREIGN), (SOL, 2**63, EntryKind.DEPOSIT)), AmountOutOfRange),
        ):
            event_ = ForeignEvent(ForeignKind.OTHER, self.signature(), 7, self.tick(), moves)
            with pytest.raises(error):
                self.books.portfolio.book_foreign(event_)
            check_portfolio(self.books.portfolio, self.reference)
        with pytest.raises(UsageError):
            self.books.adopt(adoption)

    # ------------------------------------------------------------------------------------------ trouble

    def do(
        self, attempt: Callable[[], Any], *, is_done: Callable[[], bool] | None = None, repeatable: bool = False
    ) -> None:
        """Book it: smoothly, or over a failing disk, a death in the middle, a death afterwards, or twice."""
        trouble = self.rng.choices(("none", "disk", "death", "death after", "twice"), (70, 8, 8, 7, 7))[0]
        if trouble in ("disk", "death"):
            self._broken(attempt, trouble)
            if is_done is not None and is_done():
                return
            attempt()
            return
        attempt()
        if trouble == "death after":
            self.reopen()
        if repeatable and trouble != "none":
            attempt()
        self.counts[trouble] += 1

    def _broken(self, attempt: Callable[[], Any], trouble: str) -> None:
        error = Killed() if trouble == "death" else sqlite3.OperationalError("disk I/O error")
        try:
            with failing(self.database, self.rng.randrange(1, 12), error):
                attempt()
        except Killed:
            self.counts["killed in the middle"] += 1
            self.reopen()
        except StorageError:
            self.counts["disk failed"] += 1

    def reopen(self) -> None:
        """Another process: nothing is known but what is stored."""
        self.books = LiveBooks(self.database.run(self.run.run_id), self.wallet, self.clock)
        self.counts["restarts"] += 1

    # ------------------------------------------------------------------------------------------ numbers

    def size(self) -> int:
        return self.rng.randint(1, self.rng.choice(MAGNITUDES))

    def costs(self) -> dict[str, int]:
        rng = self.rng
        return {
            "network_fee": rng.choice((0, 5_000)), "priority_fee": rng.randint(0, 10**5),
            "tip": rng.choice((0, 0, 10**4)), "rent_paid": rng.choice((0, 2_039_280)),
        }  # fmt: skip

    def rent(self) -> int:
        return 2_039_280 if self.reference.rent >= 2_039_280 and self.rng.random() < 0.5 else 0

    def tick(self) -> int:
        """Time stands still, goes on, or is told a little too early by a block."""
        self.clock.advance_to(self.clock.now_ns() + self.rng.choice((0, 0, 1, 10**9, 3 * 10**12)))
        return self.clock.now_ns() - self.rng.choice((0, 0, 0, 5))

    def signature(self) -> str:
        self._signatures += 1
        return f"signature-{self._signatures}"


@contextmanager
def failing(database: Database, statements: int, error: BaseException) -> Iterator[None]:
    """The database fails at one of its next statements."""
    engine, left = database._connections.engine, statements

    def execute(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise error

    event.listen(engine, "before_cursor_execute", execute)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", execute)


def _quote(told: dict[str, Any]) -> Quote:
    gross, fees, base = told["gross"], told["fees"], told["base"]
    terms = (gross, *(fees[kind] for kind in FEES), 0, 20, 5, 95, 10**15, 10**12)
    total = sum(fees.values())
    return BuyQuote(*terms, base, gross + total) if told["is_buy"] else SellQuote(*terms, base, gross - total)


def lives(database: Database, seeds: range, *, most_steps: int = 20) -> Iterator[tuple[int, Life]]:
    """Lives of these seeds, lived. Raises AssertionError that names the seed of the one that differs."""
    for seed in seeds:
        life = Life(database, seed)
        try:
            life.live(1 + random.Random(seed).randrange(most_steps))
        except (AssertionError, PumpSwapError) as broken:
            raise AssertionError(f"seed {seed}: {type(broken).__name__}: {broken}") from broken
        yield seed, life
