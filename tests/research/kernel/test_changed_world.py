"""Pools that we have changed: every kind of act is done again to them, by the kernel as by the engine."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import msgspec

from pumpswap.amm import PoolState, current_schedule
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
    Rates,
    Route,
    Sell,
    SweepFees,
    Told,
    VaultGift,
    Withdraw,
)
from pumpswap.amm.events.fees import FeeBucket
from pumpswap.errors import TradeRefused
from pumpswap.model import Swap
from pumpswap.research.chronicle.step import Step
from pumpswap.research.kernel.acting import replay
from pumpswap.research.kernel.layout import columns_of
from pumpswap.research.kernel.trials import KernelRunner
from pumpswap.research.tuning.engine_runner import EngineFactory
from pumpswap.research.tuning.history import HeldHistory
from pumpswap.research.tuning.trials import Params, Split, Window
from pumpswap.settings import Settings
from tests.research.kernel.test_layout import Written
from tests.research.kernel.test_trials import Nobody, spec
from tests.research.tuning.played import MomentumCaster
from tests.support.market import SOL, at, graduate

GREEDY: Params = (
    ("strategy.full_size", "1"), ("strategy.window_seconds", "20"), ("strategy.burst_bps", "30"),
    ("strategy.min_buyers", "1"), ("strategy.turn_bps", "60"), ("risk.cooldown_seconds", "5"),
    ("risk.max_position_sol", "6"), ("risk.base_position_fraction", "0.4"), ("risk.max_impact_bps", "900"),
    ("risk.max_cost_bps", "1500"), ("risk.max_round_trip_loss_bps", "1500"), ("risk.max_pool_share_bps", "900"),
    ("risk.max_token_sol", "20"), ("risk.max_losses_in_a_row", "1000"), ("risk.max_drawdown_fraction", "1"),
    ("risk.max_daily_loss_fraction", "1"), ("risk.breaker_failures", "1000"), ("exits.max_hold_seconds", "25"),
    ("exits.rug_bps", "0"), ("exits.liquidity_flight_bps", "0"),
)  # fmt: skip
ONE = Route("signature", 0, 1)


class Crowd:
    """Traders with tight limits, and everything else that can happen to a pool."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.held: Counter[str] = Counter()

    def act(self, state: PoolState) -> tuple[PoolAct, str, Rates | None]:
        """(act, trader, rates that no schedule explains)."""
        dice, trader = self.dice, f"trader {self.dice.randrange(12)}"
        generation, way = dice.choice((1, 2)), dice.random()
        spend, rates = dice.randrange(SOL // 50, 2 * SOL), Rates(20, 93, 5, 2_000) if dice.random() < 0.1 else None
        if way < 0.35:
            out = act_on(state, current_schedule(), BuyQuote(spend, 1, generation), rates=rates)
            least = -(-abs(out.transfers.user_base_change) * dice.choice((90, 99, 100)) // 100)
            return BuyQuote(spend, least, generation), trader, rates
        if way < 0.45:
            wanted = state.base_reserve // dice.randrange(100, 2_000)
            paid = abs(act_on(state, current_schedule(), BuyBase(wanted, 1 << 62, 1)).transfers.user_quote_change)
            return BuyBase(wanted, paid * dice.choice((100, 101, 120)) // 100, generation), trader, None
        if way < 0.75 and self.held[trader]:
            units = self.held[trader] if dice.random() < 0.5 else max(self.held[trader] // 3, 1)
            paid = act_on(state, current_schedule(), Sell(units, 0, 1), rates=rates).transfers.user_quote_change
            return Sell(units, paid * dice.choice((0, 90, 99, 100)) // 100, generation), trader, rates
        if way < 0.80:
            return (
                HopBuy(spend, dice.choice((ALL_FEES, Charged(lp=False, protocol=True, creator=False))), ONE),
                trader,
                None,
            )
        if way < 0.85 and self.held[trader]:
            return HopSell(self.held[trader], Charged(lp=True, protocol=False, creator=True), ONE), trader, None
        return self._other(state), "", None

    def _other(self, state: PoolState) -> PoolAct:
        dice = self.dice
        lp = state.pool.lp_supply
        return dice.choice(
            (
                Deposit(lp // 500), Withdraw(lp // 700), SweepFees(FeeBucket.PROTOCOL), SweepFees(FeeBucket.CREATOR),
                VaultGift(dice.randrange(-1_000, 1_000), dice.randrange(-1_000, 1_000)),
                PoolChange(creator_fee_bps=dice.choice((0, 30, 77)), supply_change=-dice.randrange(1_000)),
            )
        )  # fmt: skip


def steps(seed: int, boosted: bool) -> Iterator[Step]:
    """Ten minutes of one pool. ``boosted``: with virtual liquidity, and without deposits."""
    crowd, state = Crowd(seed), graduate()
    name, now = str(state.address), 0.0
    yield Step(at(0), 0, 0, name, Told(state), None, state)
    for number in range(1, 500):
        now += crowd.dice.random() * 2.4
        if boosted and number == 40:
            act: PoolAct = PoolChange(virtual_quote_change=3 * SOL)
            trader, rates = "", None
        elif boosted and number % 50 == 0:
            act, trader, rates = BoostBurn(SOL // 3), "", None
        else:
            act, trader, rates = crowd.act(state)
        try:
            done = act_on(state, current_schedule(), act, rates=rates)
        except TradeRefused:
            continue
        had = crowd.held[trader]
        swap = _swap(done, name, at(now), trader, number)
        if swap is not None:
            crowd.held[trader] += swap.base_units if swap.is_buy else -swap.base_units
        known = None if swap is None or crowd.dice.random() < 0.1 else had
        yield Step(at(now), number, 0, name, act, state, done.state, swap=swap, rates=rates, trader_base=known)
        state = done.state


def _swap(done: Acted, pool: str, at_ns: int, trader: str, slot: int) -> Swap | None:
    if done.quote is None:
        return None
    base, quote = done.transfers.user_base_change, done.transfers.user_quote_change
    return Swap(pool, at_ns, base > 0, abs(base), abs(quote), trader, f"signature {slot}", slot)


def changed_world(seed: int) -> Counter[str]:
    """What others did again in pools that we have changed, once kernel and engine have the same figures."""
    history = HeldHistory(Written(*steps(seed, boosted=seed % 2 == 1)))
    columns = columns_of(history)
    assert replay(columns).differing == 0
    settings = Settings.model_validate({"paper": {"failed_bps": 0, "priority": "fixed", "latency_slots": 1}})
    used = spec(history, settings, impact="counterfactual", landing="first")
    engine = EngineFactory(used, settings, MomentumCaster(), history=history).open()
    split = Split(Window(history.span_ns[0], history.span_ns[1] + 1))
    found = KernelRunner(used, settings, columns, history.slots, Nobody()).run(0, GREEDY, split)
    assert msgspec.structs.replace(found, path="engine") == engine.run(0, GREEDY, split), seed
    world = engine.backtest(GREEDY, split).result.world
    met = Counter({name: int(world[name]) for name in ("reapplied", "changed", "capped")}, fills=found.fills)
    met["failed"] = sum(world["failed"].values())
    return met


def test_every_kind_of_act_is_done_again_as_by_the_engine() -> None:
    met: Counter[str] = Counter()
    for seed in range(4):
        met.update(changed_world(seed))
    assert met["fills"] > 40
    assert met["reapplied"] > 400
    assert min(met["changed"], met["capped"], met["failed"]) > 20, met
