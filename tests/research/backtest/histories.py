"""Histories made by hand or by chance: acts applied one after the other, with a register of who holds what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm import FeeSchedule, PoolState, current_schedule
from pumpswap.amm.acting import Acted, act_on
from pumpswap.amm.acts import (
    ALL_FEES,
    BoostBurn,
    BuyBase,
    BuyQuote,
    Charged,
    Deposit,
    HopBuy,
    HopSell,
    PoolAct,
    PoolChange,
    Route,
    Sell,
    SweepFees,
    Told,
    VaultGift,
    Withdraw,
)
from pumpswap.amm.events.fees import FeeBucket
from pumpswap.amm.events.made import SeenTrader, TradeAct, event_of
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import TradeRefused
from pumpswap.model import PoolSnapshot, Swap
from pumpswap.research.chronicle.chronicle import BaseChronicle
from pumpswap.research.chronicle.slots import EvenSlots
from pumpswap.research.chronicle.step import Exactness, Range, ScheduleFor, Step
from tests.support.market import SOL, START_NS, graduate, snapshot

__all__ = ["TRADERS", "History", "hop", "random_history"]

TRADERS = tuple(str(Pubkey(bytes([number]) * 32)) for number in range(200, 206))


class _Written(BaseChronicle):
    def __init__(self, steps: list[Step], schedule_for: ScheduleFor) -> None:
        super().__init__("by hand", {"kind": "hand"}, EvenSlots(1, START_NS), schedule_for=schedule_for)
        self._steps = steps

    @property
    def assumptions(self) -> tuple[str, ...]:
        return ()

    @property
    def complete(self) -> Mapping[str, tuple[Range, ...]]:
        return {step.pool: ((START_NS, START_NS + 10**6 * NS_PER_SECOND),) for step in self._steps}

    def _weave(self, tally: object) -> Iterator[Step]:
        return iter(self._steps)


class History:
    """Acts on pools, a slot each. ``held`` are base units by trader; ``got`` what each got in the record."""

    def __init__(self, *pools: PoolState, schedule_for: ScheduleFor | None = None) -> None:
        self.schedule_for: ScheduleFor = schedule_for or (lambda _: current_schedule())
        self.states: dict[str, PoolState] = {}
        self.held: dict[str, int] = dict.fromkeys(TRADERS, 0)
        self.opening_held: dict[str, int] = {}
        self.steps: list[Step] = []
        self.swaps = 0
        for pool in pools:
            self._write(str(pool.address), Told(pool), pool, None)

    def does(self, act: PoolAct, trader: str = "", *, pool: str = "", exactness: Exactness = Exactness.EXACT) -> Step:
        """Raises TradeRefused where the program would refuse."""
        name = pool or next(iter(self.states))
        before = self.states[name]
        acted = act_on(before, self._schedule(), act)
        swap = None
        if acted.quote is not None:
            assert isinstance(act, BuyBase | BuyQuote | Sell | HopBuy | HopSell)
            held = self.held.get(trader, 0)
            swap = self._swap(name, before, act, acted, trader)
            self.held[trader] = held + acted.transfers.user_base_change
            return self._write(name, act, acted.state, swap, exactness, held if trader else None)
        return self._write(name, act, acted.state, None, exactness)

    def trades(self, act: PoolAct, trader: str = "", *, pool: str = "") -> Swap:
        """The trade of an act."""
        swap = self.does(act, trader, pool=pool).swap
        assert swap is not None
        return swap

    def swap_of(self, number: int) -> Swap:
        """The recorded trade of a step."""
        swap = self.steps[number].swap
        assert swap is not None
        return swap

    def sees(self, pool: str = "") -> Step:
        """Somebody takes a snapshot."""
        name = pool or next(iter(self.states))
        seen: PoolSnapshot = snapshot(self.states[name], (self._now() - START_NS) / NS_PER_SECOND)
        step = Step(self._now(), self._slot(), 0, name, None, self.states[name], self.states[name], snapshot=seen)
        self.steps.append(step)
        return step

    def chronicle(self) -> BaseChronicle:
        """All of it."""
        return _Written(list(self.steps), self.schedule_for)

    def _swap(self, name: str, before: PoolState, act: TradeAct, acted: Acted, trader: str) -> Swap:
        self.swaps += 1
        assert acted.quote is not None
        moved, seen = acted.transfers, SeenTrader(Pubkey.from_string(trader or TRADERS[0]), self.held.get(trader, 0))
        event = event_of(before, acted.quote, act, seen, self._now() // NS_PER_SECOND)
        base, quote = abs(moved.user_base_change), abs(moved.user_quote_change)
        is_buy = isinstance(act, BuyBase | BuyQuote | HopBuy)
        signature = act.route.signature if isinstance(act, HopBuy | HopSell) else f"s{self.swaps}"
        return Swap(name, self._now(), is_buy, base, quote, trader, signature, self._slot(), 0, event)

    def _write(
        self, name: str, act: PoolAct, after: PoolState, swap: Swap | None,
        exactness: Exactness = Exactness.EXACT, held: int | None = None,
    ) -> Step:  # fmt: skip
        after = msgspec.structs.replace(after, slot=self._slot())
        act = Told(after) if isinstance(act, Told) else act
        before = self.states.get(name)
        step = Step(self._now(), self._slot(), 0, name, act, before, after, swap, exactness=exactness, trader_base=held)
        self.states[name] = after
        self.steps.append(step)
        return step

    def _slot(self) -> int:
        return len(self.steps) + 1

    def _now(self) -> int:
        return START_NS + len(self.steps) * 400_000_000

    def _schedule(self) -> FeeSchedule:
        return self.schedule_for(self._now() // NS_PER_SECOND)


def random_history(rng: Random, pool: PoolState | None = None, acts: int = 30) -> History:
    """Everything that may happen to a pool, with limits as tight as people set them."""
    history = History(pool or graduate())
    for trader in TRADERS[:3]:
        history.held[trader] = rng.randrange(10**12, 10**13)
    history.opening_held = dict(history.held)
    while len(history.steps) < acts:
        try:
            _random_act(rng, history)
        except TradeRefused:
            continue
    return history


def _random_act(rng: Random, history: History) -> None:
    state = next(iter(history.states.values()))
    generation = 1 if state.pool.is_cashback_coin else rng.choice((1, 2))
    trader, slack = rng.choice(TRADERS), rng.choice((0, 1, 100, 10**4))
    quote = rng.randrange(10**6, 5 * SOL)
    kind = rng.randrange(16)
    if kind < 3:
        out = act_on(state, history._schedule(), BuyQuote(quote, 1, generation)).transfers.user_base_change
        history.does(BuyQuote(quote, max(out * (10**4 - slack) // 10**4, 1), generation), trader)
    elif kind < 5:
        units = max(state.base_reserve * quote // (state.effective_quote_reserve * 2), 1)
        cost = -act_on(state, history._schedule(), BuyBase(units, 2**63, generation)).transfers.user_quote_change
        history.does(BuyBase(units, cost * (10**4 + slack) // 10**4, generation), trader)
    elif kind < 9:
        held = history.held[trader]
        units = held if rng.random() < 0.4 else rng.randrange(held + 1)
        if not units:
            return
        out = act_on(state, history._schedule(), Sell(units, 0, generation)).transfers.user_quote_change
        history.does(Sell(units, out * (10**4 - slack) // 10**4, generation), trader)
    elif kind == 9:
        history.does(SweepFees(rng.choice((FeeBucket.PROTOCOL, FeeBucket.CREATOR))))
    elif kind == 10:
        history.does(BoostBurn(rng.randrange(1, 10**8)))
    elif kind == 11:
        history.does(rng.choice((Deposit, Withdraw))(rng.randrange(1, state.pool.lp_supply // 10)))
    elif kind == 12:
        gift = VaultGift(rng.randrange(-(10**6), 10**9), rng.randrange(-(10**6), 10**6))
        history.does(gift, exactness=Exactness.ADJUSTED)
    elif kind == 13:
        charged = Charged(lp=rng.random() < 0.5, protocol=rng.random() < 0.5, creator=rng.random() < 0.5)
        route = Route(f"r{len(history.steps)}", 0, 1)
        units = rng.randrange(history.held[trader] + 1)
        history.does(HopSell(units, charged, route) if units else HopBuy(quote, charged, route), trader)
    elif kind == 14:
        history.does(HopBuy(quote, ALL_FEES, Route(f"r{len(history.steps)}", 0, 1)), trader)
    else:
        history.does(PoolChange(creator_fee_bps=rng.choice((0, 50, 100)), supply_change=-rng.randrange(10**6)))


def hop(amount: int, signature: str = "r1", at: int = 0, of: int = 1, *, is_buy: bool = True) -> HopBuy | HopSell:
    """A hop that is charged everything."""
    return (HopBuy if is_buy else HopSell)(amount, ALL_FEES, Route(signature, at, of))
