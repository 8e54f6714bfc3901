"""The simulated market: it obeys the curve, loses nothing, is the same for the same seed, and reacts to our trades."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpswap.amm import PoolState, current_schedule, execute_buy_exact_quote_in, execute_sell, preferred_generation
from pumpswap.amm.addresses import TOKEN_2022_PROGRAM
from pumpswap.clock import NS_PER_SECOND, parse_utc
from pumpswap.errors import NotFound, UsageError
from pumpswap.market.book import PoolBook
from pumpswap.market.simulated_cast import PoolKind, Story
from pumpswap.market.simulated_floor import Dice, Floor
from pumpswap.market.simulator import SOL_USD, MarketSimulator, SimulatedTruth
from pumpswap.model import MarketUpdate
from pumpswap.model.snapshot import METRIC_KEYS
from pumpswap.signals import NewPoolsSignalAnalyzer
from pumpswap.units import LAMPORTS_PER_SOL

START_NS = parse_utc("2026-11-02T00:00:00")
SCHEDULE = current_schedule()
SEEDS = range(8)


class Run:
    """One simulation; every update is applied to its book before the test sees it, as the engine does."""

    def __init__(self, seed: int, *, duration_s: int = 1_800, pools: int = 6) -> None:
        self.book = PoolBook()
        self.market = MarketSimulator(self.book, seed=seed, start_ns=START_NS, duration_s=duration_s, pools=pools)
        self.bought: dict[str, int] = defaultdict(int)
        self.before: PoolState | None = None  # what the last update found

    def updates(self, before: Callable[[int], None] | None = None) -> Iterator[MarketUpdate]:
        for update in self.market.updates(before):
            self.before = self.book.state(update.pool)
            self.book.apply(update)
            yield update

    def buy(self, pool: str, lamports: int) -> None:
        """A paper trade of ours."""
        state = self.state(pool)
        done = execute_buy_exact_quote_in(state, SCHEDULE, lamports, 1, generation=preferred_generation(state))
        self.bought[pool] += done.transfers.user_base_change
        self.book.put(pool, done.state)

    def sell_all(self, pool: str) -> None:
        state = self.state(pool)
        done = execute_sell(state, SCHEDULE, self.bought.pop(pool), 1, generation=preferred_generation(state))
        self.book.put(pool, done.state)

    def state(self, pool: str) -> PoolState:
        state = self.book.state(pool)
        assert state is not None
        return state

    def truth(self, story: Story) -> SimulatedTruth:
        return next(one for one in self.market.truth() if one.story is story)

    def check_base_is_conserved(self) -> None:
        for truth in self.market.truth():
            state = self.book.state(truth.pool) or truth.opening
            held = sum(truth.holdings.values()) + self.bought[truth.pool]
            assert held + state.base_reserve == state.base_supply, truth.name


def line(update: MarketUpdate) -> str:
    """Everything an update says, as text."""
    state, snapshot = update.state, update.snapshot
    assert state is not None
    figures: list[object] = [update.at_ns, update.pool, state.slot, state.base_reserve, state.quote_vault]
    figures += [state.base_supply, state.pool.encode().hex(), state.base_token_program, update.swap]
    if snapshot is not None:
        figures += [snapshot.pool_id, snapshot.name, snapshot.created_ns, snapshot.base_price_usd]
        figures += [snapshot.base_price_quote, snapshot.reserve_usd, *snapshot.metrics.items()]
    return " ".join(map(str, figures))


def fingerprint(seed: int) -> str:
    lines = map(line, Run(seed, duration_s=300).updates())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@pytest.fixture(scope="module", params=SEEDS)
def finished(request: pytest.FixtureRequest) -> tuple[Run, list[MarketUpdate]]:
    run = Run(request.param)
    return run, list(run.updates())


# ---------------------------------------------------------------------------------------------- invariants


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**64 - 1),
    duration_s=st.integers(1, 300),
    pools=st.integers(1, 9),
    ours=st.dictionaries(st.integers(0, 300), st.integers(10**7, 5 * 10**9), max_size=5),
)
def test_curve_and_supply_hold_whatever_we_trade(seed: int, duration_s: int, pools: int, ours: dict[int, int]) -> None:
    run, last_ns = Run(seed, duration_s=duration_s, pools=pools), START_NS - 1
    for number, update in enumerate(run.updates()):
        assert last_ns < update.at_ns <= START_NS + duration_s * NS_PER_SECOND
        last_ns = update.at_ns
        state, before, swap = update.state, run.before, update.swap
        assert state is not None
        assert state.base_reserve > 0
        assert 0 <= state.real_quote_reserve <= state.quote_vault
        assert min(state.pool.protocol_fees, state.pool.creator_fees) >= 0
        if swap is not None:
            assert before is not None
            product = before.base_reserve * before.effective_quote_reserve
            assert state.base_reserve * state.effective_quote_reserve >= product
            moved = before.base_reserve - state.base_reserve
            assert moved == (swap.base_units if swap.is_buy else -swap.base_units)
            assert state.base_supply == before.base_supply
            assert state.pool.boost_reserves == before.pool.boost_reserves
        if number in ours:
            if run.bought.get(update.pool):
                run.sell_all(update.pool)
            else:
                run.buy(update.pool, ours[number])
    run.check_base_is_conserved()
    assert all(units >= 0 for truth in run.market.truth() for units in truth.holdings.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_all_base_is_somewhere_at_every_moment(seed: int) -> None:
    run = Run(seed)
    for number, _ in enumerate(run.updates()):
        if number % 250 == 0:
            run.check_base_is_conserved()
    run.check_base_is_conserved()


def test_nobody_sells_what_they_do_not_hold() -> None:
    opening = Run(0).market.truth()[0].opening
    floor = Floor(opening, SCHEDULE, Dice(0))
    floor.enter(1, opening)
    rich, poor = floor.join("holder", 1_000_000_000), floor.join("crowd")
    assert floor.sell(poor, 1_000) == 0
    assert floor.state is opening
    assert floor.sell(rich, 2_000_000_000) > 0
    assert floor.holdings == {rich: 0, poor: 0}
    assert floor.state.base_reserve == opening.base_reserve + 1_000_000_000


def test_an_update_that_was_not_applied_is_an_error() -> None:
    market = MarketSimulator(PoolBook(), seed=1, start_ns=START_NS)
    with pytest.raises(NotFound, match="is not in the book"):
        list(market.updates())


@pytest.mark.parametrize(("seed", "duration_s", "pools"), [(-1, 60, 6), (0, 0, 6), (0, 60, 0)])
def test_a_market_of_nothing_is_refused(seed: int, duration_s: int, pools: int) -> None:
    with pytest.raises(UsageError):
        Run(seed, duration_s=duration_s, pools=pools)


# ---------------------------------------------------------------------------------------------- determinism


def test_one_seed_is_one_market_and_two_seeds_are_two() -> None:
    assert fingerprint(1) == fingerprint(1) != fingerprint(2)


def test_the_market_of_a_seed_is_the_same_on_every_machine() -> None:
    """A new fee schedule or another story changes it; another Python, processor or C library must not."""
    assert fingerprint(7) == "116014fec082923c0882c4872015ef9fd0a61f0b320dd5390001b52ace6f1953"


def test_waiting_times_are_exponential_and_sizes_have_a_heavy_tail() -> None:
    dice = Dice(1)
    waits = [dice.wait(1_000_000) for _ in range(20_000)]
    assert 0.97e6 < sum(waits) / len(waits) < 1.03e6
    assert 0.12 < sum(wait > 2_000_000 for wait in waits) / len(waits) < 0.15  # e^-2 is 0.135
    sizes = [dice.heavy(100, 10_000) for _ in range(20_000)]
    assert min(sizes) >= 100
    assert max(sizes) == 10_000
    assert 0.45 < sum(size < 200 for size in sizes) / len(sizes) < 0.55


# ---------------------------------------------------------------------------------------------- our own trades


def test_a_trade_of_ours_moves_its_pool_for_the_others_and_leaves_the_other_pools_alone() -> None:
    calm, moved = Run(3, duration_s=600), Run(3, duration_s=600)
    pool = calm.truth(Story.CLIMBER).pool
    without, with_ours = list(calm.updates()), []
    for update in moved.updates():
        with_ours.append(update)
        if update.pool == pool and not moved.bought[pool]:
            moved.buy(pool, 5 * LAMPORTS_PER_SOL)
    first, second = ([line(one) for one in run if one.pool != pool] for run in (without, with_ours))
    assert first == second
    ours = [one for one in with_ours if one.pool == pool and one.state is not None]
    theirs = [one for one in without if one.pool == pool and one.state is not None]
    assert line(ours[0]) == line(theirs[0])
    assert ours[1].state is not None
    assert theirs[1].state is not None
    # 5 SOL on 85: they meet a price that is more than a tenth higher.
    assert ours[1].state.spot_price > theirs[1].state.spot_price * Fraction(11, 10)
    moved.check_base_is_conserved()


def test_what_lands_before_an_arrival_is_in_its_state() -> None:
    run, landed = Run(3, duration_s=120), list[int]()
    pool = run.truth(Story.SIDEWAYS).pool
    due_ns = START_NS + 20 * NS_PER_SECOND

    def land(at_ns: int) -> None:
        if at_ns >= due_ns and not landed:
            landed.append(at_ns)
            run.buy(pool, LAMPORTS_PER_SOL)

    for update in run.updates(land):
        assert landed or update.at_ns < due_ns
    run.check_base_is_conserved()
    assert run.bought[pool] > 0


# ---------------------------------------------------------------------------------------------- stories


def test_a_default_run_has_a_few_thousand_updates(finished: tuple[Run, list[MarketUpdate]]) -> None:
    assert 3_000 <= len(finished[1]) <= 6_000


def test_six_pools_tell_six_stories_in_every_kind_of_pool(finished: tuple[Run, list[MarketUpdate]]) -> None:
    truths = finished[0].market.truth()
    assert {truth.story for truth in truths} == set(Story)
    assert {truth.kind for truth in truths} == set(PoolKind)
    assert len({truth.name for truth in truths}) == len(truths)
    for truth in truths:
        opening, pool = truth.opening, truth.opening.pool
        assert pool.is_canonical == (truth.kind is not PoolKind.PERMISSIONLESS)
        assert pool.is_boosted == (truth.kind is PoolKind.BOOSTED)
        assert pool.is_cashback_coin == (truth.kind is PoolKind.CASHBACK)
        assert (opening.base_token_program == TOKEN_2022_PROGRAM) == (truth.kind is PoolKind.TOKEN_2022)
        if truth.kind is PoolKind.ESTABLISHED:
            assert opening.market_cap > 420 * LAMPORTS_PER_SOL
        elif truth.kind is PoolKind.PERMISSIONLESS:
            assert opening.real_quote_reserve < 10 * LAMPORTS_PER_SOL
        else:
            assert opening.base_reserve == 206_900_000_000_000
            assert 0 <= opening.effective_quote_reserve - 84_990_359_056 <= 100


def test_the_rug_takes_more_than_four_fifths_within_seconds(finished: tuple[Run, list[MarketUpdate]]) -> None:
    run, updates = finished
    rug = run.truth(Story.RUG)
    (rugged_ns,) = [at_ns for at_ns, text in rug.notes if "insiders sold" in text]
    seconds = [one for one in updates if one.pool == rug.pool and abs(one.at_ns - rugged_ns) < 6 * NS_PER_SECOND]
    prices = [one.state.spot_price for one in seconds if one.state is not None and one.at_ns <= rugged_ns]
    assert prices[-1] < max(prices) / 5
    assert rug.holdings["insider"] == 0


def test_the_runner_multiplies_and_the_bait_loses_its_liquidity(finished: tuple[Run, list[MarketUpdate]]) -> None:
    run, updates = finished
    runner, bait = run.truth(Story.RUNNER), run.truth(Story.BAIT)
    peak = max(one.state.spot_price for one in updates if one.pool == runner.pool and one.state is not None)
    assert 3 <= peak / runner.opening.spot_price <= 12
    assert any("withdrew its liquidity" in text for _, text in bait.notes)
    assert run.state(bait.pool).real_quote_reserve < LAMPORTS_PER_SOL


def test_fees_are_swept_and_boosts_burn(finished: tuple[Run, list[MarketUpdate]]) -> None:
    run, updates = finished
    quiet = [one for one in updates if one.swap is None and one.snapshot is None]
    assert len(quiet) > 20
    boosted = next(truth for truth in run.market.truth() if truth.kind is PoolKind.BOOSTED)
    assert run.state(boosted.pool).base_supply < boosted.opening.base_supply


# ---------------------------------------------------------------------------------------------- snapshots


def test_snapshots_say_what_the_trades_were(finished: tuple[Run, list[MarketUpdate]]) -> None:
    run, updates = finished
    truth = run.truth(Story.FADE)
    own = [one for one in updates if one.pool == truth.pool]
    last = max(number for number, one in enumerate(own) if one.snapshot is not None)
    snapshot, state = own[last].snapshot, own[last].state
    swaps = [one.swap for one in own[:last] if one.swap is not None]
    assert snapshot is not None
    assert state is not None
    assert tuple(snapshot.metrics) == METRIC_KEYS
    assert snapshot.metrics["transactions_h1_buys"] == sum(swap.is_buy for swap in swaps)
    assert snapshot.metrics["transactions_h24_sells"] == sum(not swap.is_buy for swap in swaps)
    traded = Decimal(sum(swap.quote_units for swap in swaps)) * SOL_USD / LAMPORTS_PER_SOL
    assert abs(Decimal(str(snapshot.metrics["volume_usd_h24"])) - traded) < 1
    change = float(state.spot_price / truth.opening.spot_price - 1) * 100
    assert float(str(snapshot.metrics["price_change_percentage_h1"])) == pytest.approx(change, abs=0.01)
    assert snapshot.reserve_usd is not None
    assert float(snapshot.reserve_usd) == pytest.approx(2 * state.effective_quote_reserve / 5_000_000, rel=0.2)
    assert snapshot.base_price_quote is not None
    assert float(snapshot.base_price_quote) == pytest.approx(float(state.spot_price) / 1_000)
    assert snapshot.base_price_usd == pytest.approx(snapshot.base_price_quote * SOL_USD)


def test_every_pool_is_seen_every_fifteen_seconds_and_can_be_scored(finished: tuple[Run, list[MarketUpdate]]) -> None:
    run, updates = finished
    analyzer, seen, scores = NewPoolsSignalAnalyzer(), defaultdict[str, list[int]](list), []
    for update in updates:
        if update.snapshot is not None:
            seen[update.pool].append(update.at_ns)
            scores.append(float(analyzer.score(update.snapshot.metrics).total))
    assert set(seen) == {truth.pool for truth in run.market.truth()}
    for times in seen.values():
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert all(abs(gap - 15 * NS_PER_SECOND) < NS_PER_SECOND for gap in gaps)
    assert min(scores) < 40 < 75 < max(scores)
