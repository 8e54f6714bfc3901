"""A history as columns: nothing is lost, and every act leads to its state again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import numpy as np
import pytest

from pumpswap.amm import FeeSchedule, PoolState, current_schedule
from pumpswap.amm.acting import act_on
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
from pumpswap.errors import TradeRefused, UsageError
from pumpswap.research.chronicle.slots import EvenSlots
from pumpswap.research.chronicle.step import ChronicleIdentity, Range, Step, StepTimes
from pumpswap.research.kernel.acting import replay
from pumpswap.research.kernel.layout import Columns, columns_of
from tests.research.tuning.played import history
from tests.support.market import SOL, at, graduate


class Written:
    """A chronicle that a test has written down."""

    location, assumptions = "here", ()

    def __init__(self, *steps: Step) -> None:
        self._steps = steps
        self.counts: Mapping[str, int] = {}
        self.complete: Mapping[str, tuple[Range, ...]] = {}
        self.slots: StepTimes = EvenSlots()
        self.identity = ChronicleIdentity("digest", len(steps), 1)
        self.span_ns = (steps[0].at_ns, steps[-1].at_ns) if steps else (0, 0)

    def schedule_for(self, _unix_seconds: int) -> FeeSchedule:
        return current_schedule()

    def steps(self) -> Iterator[Step]:
        return iter(self._steps)


def story(state: PoolState, *acts: tuple[PoolAct, Rates | None]) -> Written:
    """Each act on what the one before has left; what is refused is left out."""
    name = str(state.address)
    steps = [Step(at(0), 0, 0, name, Told(state), None, state)]
    for number, (act, rates) in enumerate(acts, 1):
        after = act_on(state, current_schedule(), act, rates=rates).state
        steps.append(Step(at(number), number, 0, name, act, state, after, rates=rates))
        state = after
    return Written(*steps)


ONE = Route("signature", 0, 1)
EVERY_ACT: tuple[tuple[PoolAct, Rates | None], ...] = (
    (BuyQuote(SOL, 1, 2), None),
    (BuyBase(10**9, 10 * SOL, 1), None),
    (Sell(10**9, 1, 2), None),
    (Sell(10**8, 0, 1), Rates(20, 93, 5, 1_000)),
    (BuyQuote(SOL // 3, 1, 2), Rates(2, 93, 30, 10_000)),
    (HopBuy(SOL, Charged(lp=False, protocol=True, creator=False), ONE), None),
    (HopSell(10**10, ALL_FEES, ONE), None),
    (Deposit(10**6), None),
    (Withdraw(10**5), None),
    (SweepFees(FeeBucket.PROTOCOL), None),
    (VaultGift(-5, 1_000), None),
    (PoolChange(creator_fee_bps=77, supply_change=-(10**9)), None),
    (PoolChange(virtual_quote_change=SOL), None),
    (BoostBurn(SOL // 2), None),
    (BuyQuote(2 * SOL, 1, 2), None),
    (Sell(3 * 10**10, 1, 2), None),
    (SweepFees(FeeBucket.CREATOR), None),
)


def test_every_act_leads_to_its_state_again() -> None:
    columns = columns_of(story(graduate(), *EVERY_ACT))
    found = replay(columns)
    assert (found.acts, found.differing, found.first) == (len(EVERY_ACT), 0, -1)


def test_a_state_that_does_not_follow_is_found() -> None:
    told = story(graduate(), *EVERY_ACT)
    steps = list(told.steps())
    after = steps[5].after
    assert after is not None
    wrong = msgspec.structs.replace(after, quote_vault=after.quote_vault + 1)
    steps[5] = msgspec.structs.replace(steps[5], after=wrong)
    assert replay(columns_of(Written(*steps))).first == 5


def test_the_simulated_market_is_computed_again_to_the_unit() -> None:
    columns = columns_of(history())
    found = replay(columns)
    assert found.differing == 0
    assert found.acts == np.count_nonzero(columns.kind != 13)
    assert found.acts > 1_000


def test_columns_survive_the_disk(tmp_path: Path) -> None:
    columns = columns_of(history())
    columns.save(tmp_path)
    again = Columns.open(tmp_path)
    for name in ("at_ns", "amount", "reserve", "places", "swaps", "rank"):
        assert np.array_equal(getattr(again, name), getattr(columns, name))
    assert (again.pools, again.mints, again.traders, again.sha256) == (
        columns.pools, columns.mints, columns.traders, history().identity.sha256,
    )  # fmt: skip
    assert np.array_equal(again.tables.words, columns.tables.words)
    assert replay(again).differing == 0
    with pytest.raises(UsageError, match="holds no columns"):
        Columns.open(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"quote_vault": 1 << 63}, "holds more than 63 bits"),
        ({"base_supply": 1 << 63}, "holds more than 63 bits"),
    ],
)
def test_what_has_no_room_is_refused_by_name(changes: dict[str, int], what: str) -> None:
    state = msgspec.structs.replace(graduate(), **changes)
    with pytest.raises(UsageError, match=what):
        columns_of(story(state))


def test_a_layout_that_nobody_knows_is_refused() -> None:
    state = graduate()
    strange = msgspec.structs.replace(state, pool=state.pool.with_changes(tail=b"\1" * 14))
    with pytest.raises(UsageError, match="has a layout that this version does not know"):
        columns_of(story(strange))


def test_refused_acts_are_refused_alike() -> None:
    """An act of the record that is refused on its own pool is a difference, whatever its state says."""
    state = graduate()
    act = BuyQuote(SOL, 10**18, 2)
    with pytest.raises(TradeRefused):
        act_on(state, current_schedule(), act)
    steps = [*story(state).steps(), Step(at(1), 1, 0, str(state.address), act, state, state)]
    assert replay(columns_of(Written(*steps))).differing == 1
