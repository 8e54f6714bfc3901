"""Each rule of the screens: what it lets pass, what it refuses, and what it cannot know."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.model import (
    Holder,
    HolderRole,
    Holders,
    MarketFigures,
    MintBasics,
    MintControls,
    PoolAge,
    ScreenVerdict,
    SeenSwap,
    TokenFacts,
    TransferFee,
)
from pumpswap.settings import ScreenSettings
from pumpswap.signals.screens import CHECKS, screen_token
from pumpswap.signals.screens import report as report_module
from pumpswap.signals.screens.rug import host_flags
from pumpswap.signals.screens.volume import measure_volume
from tests.signals.screens.coins import (
    CREATOR,
    NOW_NS,
    NS,
    POOL,
    SUPPLY,
    check_of,
    controlled,
    good,
    holders,
    lively,
    pooled,
    swap,
    traded,
)

SAFE, UNSAFE, UNKNOWN = ScreenVerdict.SAFE, ScreenVerdict.UNSAFE, ScreenVerdict.UNKNOWN


def verdict(facts: TokenFacts, name: str, **settings: Any) -> tuple[ScreenVerdict, str]:
    found = check_of(screen_token(facts, ScreenSettings(**settings)), name)
    return found.verdict, found.reason


def basics(**changes: Any) -> TokenFacts:
    found = good().basics
    assert found is not None
    return good(basics=replace(found, **changes))


def test_a_coin_that_nobody_controls_passes_every_check() -> None:
    report = screen_token(good())
    assert [check.name for check in report.checks if check.verdict is not SAFE] == []
    assert (report.is_safe, report.pool, report.at_ns) == (True, POOL, NOW_NS)
    assert len(report.checks) == len(CHECKS) - 1  # nobody was asked for market figures


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("basics", {"mint authority", "freeze authority", "transfer fee", "transfer hook", "permanent delegate",
                    "pausable", "default state", "other extensions", "top holder", "top ten holders",
                    "FDV to liquidity"}),
        ("pool", {"canonical pool", "LP burned", "FDV to liquidity", "liquidity drop"}),
        ("age", {"age"}),
        ("holders", {"top holder", "top ten holders"}),
        ("creators", {"creator sales"}),
        ("trading", {"sells", "creator sales", "liquidity drop", "volume of one wallet", "round trips", "same sizes",
                     "alternation"}),
    ],
)  # fmt: skip
def test_what_could_not_be_read_is_unknown_with_its_reason_and_not_safe(group: str, names: set[str]) -> None:
    report = screen_token(good(**{group: None}, unread={group: "the node was asleep"}))
    missing = {check.name for check in report.checks if check.verdict is UNKNOWN}
    assert missing == names
    assert all("the node was asleep" in check.reason for check in report.checks if check.verdict is UNKNOWN)
    assert (report.verdict, report.is_safe) == (UNKNOWN, False)


def test_nothing_read_is_nothing_safe() -> None:
    report = screen_token(TokenFacts("mint", NOW_NS))
    assert {check.verdict for check in report.checks} == {UNKNOWN}


@pytest.mark.parametrize(
    ("facts", "name", "reason"),
    [
        (basics(mint_authority="eve"), "mint authority", "eve can make any number of new tokens"),
        (basics(freeze_authority="eve"), "freeze authority", "eve can freeze your tokens"),
        (controlled(hook_program="prog"), "transfer hook", "prog runs on every transfer"),
        (controlled(hook_authority="eve"), "transfer hook", "eve may set one"),
        (controlled(permanent_delegate="eve"), "permanent delegate", "eve can take or burn"),
        (controlled(pause_authority="eve"), "pausable", "eve can stop all transfers"),
        (controlled(is_paused=True), "pausable", "stopped now"),
        (controlled(is_frozen_by_default=True), "default state", "are frozen"),
        (controlled(kinds=("non-transferable",)), "other extensions", "non-transferable"),
        (controlled(kinds=("mint-close-authority",), close_authority="eve"), "other extensions", "close"),
        (pooled(is_canonical=False), "canonical pool", "anyone can make one"),
        (pooled(lp_minted_units=419_338_830_363), "LP burned", "90 % of the liquidity can never be withdrawn"),
    ],
)
def test_somebodys_power_over_the_coin_is_unsafe(facts: TokenFacts, name: str, reason: str) -> None:
    found, text = verdict(facts, name)
    assert (found, reason in text) == (UNSAFE, True), text
    assert screen_token(facts).verdict is UNSAFE


@pytest.mark.parametrize(
    ("fee", "most", "expected", "text"),
    [
        (TransferFee(0, 0, 0, 0, 0), 0, SAFE, "0 bps of every transfer, fixed for good"),
        (TransferFee(0, 0, 0, 0, 0, "eve"), 0, UNSAFE, "eve may raise it to all of a transfer"),
        (TransferFee(0, 10_000, 800, 0, 0), 0, UNSAFE, "0 bps of every transfer, 10000 bps from epoch 800 on"),
        (TransferFee(30, 30, 0, 0, 0), 30, SAFE, "30 bps"),
        (TransferFee(31, 31, 0, 0, 0), 30, UNSAFE, "31 bps of every transfer; at most 30"),
        (TransferFee(31, 30, 5, 0, 0), 30, UNSAFE, "31 bps"),
    ],
)
def test_a_transfer_fee_counts_with_what_is_announced(
    fee: TransferFee, most: int, expected: ScreenVerdict, text: str
) -> None:
    found, reason = verdict(controlled(transfer_fee=fee), "transfer fee", max_transfer_fee_bps=most)
    assert (found, text in reason) == (expected, True), reason


def test_an_extension_that_nobody_knows_is_unknown_and_one_that_was_given_up_is_safe() -> None:
    assert verdict(controlled(kinds=("unknown-77",)), "other extensions") == (
        UNKNOWN,
        "unknown-77: newer than this version",
    )
    assert verdict(controlled(kinds=("mint-close-authority",)), "other extensions")[0] is SAFE


def test_the_share_of_burned_lp_tokens_is_exact_at_its_limit() -> None:
    at, below = pooled(lp_supply_units=1_000, lp_minted_units=100), pooled(lp_supply_units=1_000, lp_minted_units=101)
    assert verdict(at, "LP burned")[0] is SAFE
    assert verdict(below, "LP burned")[0] is UNSAFE
    assert verdict(pooled(lp_minted_units=None), "LP burned")[0] is UNKNOWN
    assert verdict(pooled(lp_supply_units=0), "LP burned") == (
        UNKNOWN,
        "not known: the pool has issued no LP tokens",
    )
    # More LP tokens than the pool reckons with: a pool that cannot be, and nothing burned of it.
    assert verdict(pooled(lp_supply_units=10, lp_minted_units=20), "LP burned")[0] is UNSAFE


def test_a_canonical_pool_without_a_finished_curve_is_doubtful() -> None:
    assert verdict(pooled(is_graduated=False), "canonical pool")[0] is UNKNOWN
    without = pooled(is_graduated=None)
    assert verdict(without, "canonical pool")[0] is SAFE
    broken = replace(without, unread={"curve": "a newer layout"})
    assert verdict(broken, "canonical pool") == (UNKNOWN, "its bonding curve cannot be read: a newer layout")


def test_one_holder_and_ten_holders_have_their_own_limits() -> None:
    assert verdict(good(holders=holders(100, 10)), "top holder")[0] is SAFE
    assert verdict(good(holders=holders(101, 10)), "top holder") == (
        UNSAFE,
        "h0 holds 10.1 % of the supply, pool and burned tokens apart; at most 10 %",
    )
    assert verdict(good(holders=holders(*[40] * 10, 90)), "top ten holders")[0] is UNSAFE
    assert verdict(good(holders=holders(*[40] * 10)), "top ten holders")[0] is SAFE
    assert verdict(good(holders=holders(50, 50)), "top ten holders")[0] is SAFE


def test_pool_curve_burned_and_excluded_tokens_are_no_holders_and_burned_ones_no_supply() -> None:
    def of(role: HolderRole) -> TokenFacts:
        whale = Holder("big", SUPPLY // 2, role)
        rest = Holder("rest", SUPPLY * 44 // 100, HolderRole.CURVE)
        return good(holders=Holders((whale, rest, Holder("h", SUPPLY * 6 // 100)), is_complete=True))

    for role in HolderRole:
        found = verdict(of(role), "top holder")
        if role in (HolderRole.HOLDER, HolderRole.CREATOR):
            assert found[0] is UNSAFE
        elif role is HolderRole.BURNED:
            assert found[1].startswith("h holds 12 % of the supply")  # of what is left
        else:
            assert found[1].startswith("h holds 6 % of the supply")


def test_a_list_that_ends_too_early_does_not_make_ten_holders() -> None:
    assert verdict(good(holders=holders(*[1] * 9, is_complete=False)), "top ten holders")[0] is UNKNOWN
    assert verdict(good(holders=holders(*[1] * 10, is_complete=False)), "top ten holders")[0] is SAFE
    assert verdict(good(holders=holders(900, 50)), "top ten holders")[0] is UNKNOWN  # with the pool more than there is


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (PoolAge(NOW_NS - 300 * NS, True), SAFE),
        (PoolAge(NOW_NS - 299 * NS, True), UNSAFE),
        (PoolAge(NOW_NS - 300 * NS), SAFE),
        (PoolAge(NOW_NS - 299 * NS), UNKNOWN),
        (PoolAge(NOW_NS + NS, True), UNKNOWN),
    ],
)
def test_an_age_that_is_only_a_lower_bound_can_pass_but_not_condemn(age: PoolAge, expected: ScreenVerdict) -> None:
    assert verdict(good(age=age), "age")[0] is expected


def test_a_honeypot_shows_by_sales_that_are_missing_or_fail() -> None:
    buys = [swap(number, f"w{number}", is_buy=True) for number in range(12)]
    assert verdict(traded(buys), "sells") == (UNSAFE, "nobody has sold in the last 12 trades")
    assert verdict(traded(buys[:9]), "sells")[0] is UNKNOWN
    assert verdict(traded(buys[:9], failed_sells=3), "sells")[0] is UNSAFE
    assert verdict(traded(lively(), failed_sells=8), "sells")[0] is SAFE  # 8 of 16 attempts
    assert verdict(traded(lively(), failed_sells=9), "sells") == (
        UNSAFE,
        "9 sells failed, 8 succeeded, price limits apart",
    )


def test_creators_who_sell_out_are_noticed() -> None:
    theirs = [*lively(), swap(20, CREATOR, is_buy=False, quote=10**9)]
    assert verdict(traded(theirs), "creator sales")[0] is UNSAFE
    assert verdict(traded(lively()), "creator sales")[1] == (
        "the coin's creators made 0 % of the last sales; at most 30 %"
    )


def test_withdrawn_liquidity_and_a_fallen_quote_side_are_told_apart() -> None:
    deep = [swap(number, f"w{number}", is_buy=number % 3 > 0, reserves=(4 * 10**14, 170 * NS)) for number in range(12)]
    assert verdict(traded(deep), "liquidity drop")[0] is SAFE  # half of both sides is exactly the limit
    less = pooled(base_units=2 * 10**14 - 1, effective_quote_units=85 * NS)
    withdrawn = verdict(replace(less, trading=traded(deep).trading), "liquidity drop")
    assert withdrawn == (UNSAFE, "more than 50 % of the liquidity was withdrawn within the last trades")
    sold = pooled(base_units=9 * 10**14, effective_quote_units=80 * NS)
    assert verdict(replace(sold, trading=traded(deep).trading), "liquidity drop") == (
        UNSAFE,
        "the quote side is 52.94 % below its highest of the last 12 trades; at most 50 %",
    )
    silent = [replace(one, base_reserve=None, quote_reserve=None) for one in lively()]
    assert verdict(traded(silent), "liquidity drop")[0] is UNKNOWN


def test_a_price_with_nothing_behind_it_is_unsafe_unless_the_pool_is_deep_in_usd() -> None:
    thin = pooled(base_units=SUPPLY // 201)
    assert verdict(thin, "FDV to liquidity")[0] is UNSAFE
    assert verdict(replace(thin, market=MarketFigures(9e7, 1e6, 50_000, 5, 5)), "FDV to liquidity")[0] is SAFE
    assert verdict(replace(thin, market=MarketFigures(9e7, 1e6, 49_999, 5, 5)), "FDV to liquidity")[0] is UNSAFE
    assert verdict(pooled(real_quote_units=0), "FDV to liquidity")[0] is UNSAFE
    assert verdict(pooled(base_units=0), "FDV to liquidity") == (UNSAFE, "the pool is empty")


@pytest.mark.parametrize(
    ("figures", "count"),
    [
        (MarketFigures(60_000, 10_000, 30_000, 9, 9), 0),
        (MarketFigures(4_999, 10_000, 30_000, 9, 0), 1),
        (MarketFigures(5_000, 10_000, 30_000, 9, 0), 0),
        (MarketFigures(60_000, 199.9, 30_000, 9, 9), 1),
        (MarketFigures(3_000_101, 10_000, 30_000, 9, 9), 1),
        (MarketFigures(9_000_000, 10_000, 50_000, 9, 9), 0),
        (MarketFigures(), 2),
    ],
)
def test_the_hosts_flags_have_the_hosts_bounds(figures: MarketFigures, count: int) -> None:
    assert len(host_flags(figures)) == count
    expected = UNSAFE if count else SAFE
    assert verdict(good(market=figures), "market figures")[0] is expected


def test_figures_that_are_half_told_are_unknown() -> None:
    assert verdict(good(market=MarketFigures(None, 10_000, 30_000, 9, 9)), "market figures")[0] is UNKNOWN


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -1.0])
def test_figures_that_cannot_be_true_are_unknown_and_excuse_nothing(wrong: Any) -> None:
    fine = MarketFigures(60_000, 10_000, 30_000, 9, 9)
    for name in ("fdv_usd", "volume_usd_h24", "reserve_usd"):
        found = verdict(good(market=replace(fine, **{name: wrong})), "market figures")
        assert found == (UNKNOWN, f"{name} is told as {wrong:g}"), name
    thin = replace(pooled(real_quote_units=NS // 100), market=replace(fine, reserve_usd=wrong))
    assert verdict(thin, "FDV to liquidity")[0] is UNSAFE


def test_an_empty_list_of_holders_and_one_that_lacks_some_are_no_small_shares() -> None:
    empty = good(holders=Holders((), is_complete=True))
    for name in ("top holder", "top ten holders"):
        assert verdict(empty, name) == (UNKNOWN, "the list of holders lacks 100 % of the supply")
    lacking = Holders((Holder(POOL, SUPPLY * 8 // 10, HolderRole.POOL), Holder("h", SUPPLY // 100)), is_complete=True)
    assert verdict(good(holders=lacking), "top holder") == (UNKNOWN, "the list of holders lacks 19 % of the supply")
    little = Holders(holders(30, pool=960, is_complete=False).holders, is_complete=True)
    assert verdict(good(holders=little), "top holder")[0] is SAFE  # 30 and 10 thousandths are below the limit
    large = Holders((Holder("whale", SUPPLY // 5),), is_complete=True)
    assert verdict(good(holders=large), "top holder")[0] is UNSAFE  # whoever else there is


def test_without_a_trade_nobody_knows_what_the_creators_sell() -> None:
    assert verdict(traded([]), "creator sales") == (UNKNOWN, "no trades are known")
    assert verdict(traded([swap(1, "w", is_buy=True)]), "creator sales")[0] is SAFE


def test_a_fee_whose_rate_was_not_read_is_unknown() -> None:
    assert verdict(controlled(kinds=("transfer-fee",)), "transfer fee")[0] is UNKNOWN
    with pytest.raises(TypeError, match="controls"):
        MintBasics("program", 6, SUPPLY, None, None)  # type: ignore[call-arg]


def test_a_trade_without_a_name_may_be_anybodys() -> None:
    washed = [swap(number, "", is_buy=number % 3 > 0, quote=9 * NS) for number in range(10)]
    for name in ("volume of one wallet", "round trips"):
        assert verdict(traded([*lively(), *washed]), name) == (UNKNOWN, "10 of 30 trades name no wallet")
    theirs = [replace(one, trader="") for one in lively() if not one.is_buy]
    assert verdict(traded([*lively(), *theirs]), "creator sales") == (UNKNOWN, "8 of 28 trades name no wallet")


def test_one_wallet_round_trips_same_sizes_and_alternation_are_fake_volume() -> None:
    one = [*lively(10), swap(10, "washer", is_buy=True, quote=9 * NS)]
    assert verdict(traded(one), "volume of one wallet")[0] is UNSAFE
    there_and_back = [swap(number, f"w{number // 2}", is_buy=number % 2 == 0, quote=NS) for number in range(12)]
    facts = traded(there_and_back)
    assert verdict(facts, "round trips")[1].startswith("100 % of the volume of the last 12 trades")
    assert {verdict(facts, name)[0] for name in ("round trips", "same sizes", "alternation")} == {UNSAFE}
    assert verdict(facts, "volume of one wallet")[0] is SAFE
    assert verdict(traded(there_and_back[:9]), "round trips")[0] is UNKNOWN
    nameless = [replace(each, trader="") for each in lively()]
    assert verdict(traded(nameless), "round trips") == (UNKNOWN, "the trades name no wallets")


def test_a_rule_that_breaks_is_unknown_and_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(facts: TokenFacts, settings: ScreenSettings) -> Any:
        raise ZeroDivisionError("by hand")

    monkeypatch.setattr(report_module, "CHECKS", (broken, *CHECKS))
    report = screen_token(good())
    assert report.checks[0].verdict is UNKNOWN
    assert report.checks[0].reason == "the check failed: ZeroDivisionError: by hand"
    assert {check.verdict for check in report.checks[1:]} == {SAFE}
    assert not report.is_safe
    (record,) = caplog.records
    assert (record.message, record.exc_info is not None) == ("screen-check-failed", True)


swaps = st.lists(
    st.builds(
        SeenSwap,
        at_ns=st.just(0),
        is_buy=st.booleans(),
        base_units=st.integers(1, 10**12),
        quote_units=st.integers(0, 10**12),
        trader=st.sampled_from(["", "a", "b", "c", "d"]),
    ),
    max_size=40,
)


@given(swaps)
def test_shares_of_volume_are_shares_whatever_is_traded(listed: list[SeenSwap]) -> None:
    found = measure_volume(listed)
    if found is None:
        assert not sum(one.quote_units for one in listed) or not any(one.trader for one in listed)
        return
    for share in (found.top_share, found.round_trips, found.same_sizes, found.alternation):
        assert 0 <= share <= 1
    mirrored = measure_volume([replace(one, is_buy=not one.is_buy) for one in listed])
    assert mirrored is not None
    assert (mirrored.round_trips, mirrored.alternation) == (found.round_trips, found.alternation)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_more_lp_tokens_in_hands_never_make_a_pool_safer(supply: int, minted: int, more: int) -> None:
    order = (UNSAFE, UNKNOWN, SAFE)
    less = verdict(pooled(lp_supply_units=supply, lp_minted_units=minted), "LP burned")[0]
    then = verdict(pooled(lp_supply_units=supply, lp_minted_units=minted + more), "LP burned")[0]
    assert order.index(then) <= order.index(less)


@given(st.integers(1, 10**18), st.lists(st.integers(0, 10**18), max_size=12), st.decimals("0.01", "1", places=2))
def test_the_limit_on_holders_is_compared_exactly(supply: int, held: list[int], most: Decimal) -> None:
    listed = Holders(tuple(Holder(str(number), units) for number, units in enumerate(held)), is_complete=True)
    facts = good(basics=MintBasics("program", 6, supply, None, None, MintControls()), holders=listed)
    found = verdict(facts, "top holder", max_top_holder=most)[0]
    largest = max(held, default=0)
    if sum(held) > supply:
        assert found is UNKNOWN
    elif Fraction(largest, supply) > Fraction(most):
        assert found is UNSAFE
    else:  # somebody who was not listed may hold all that is missing
        hidden = largest + supply - sum(held)
        assert found is (UNKNOWN if Fraction(hidden, supply) > Fraction(most) else SAFE)
