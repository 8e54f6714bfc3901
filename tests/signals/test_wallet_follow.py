"""Following wallets: what a record is worth, what lures, what comes too late, and that the future changes nothing."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.model import Side, Signal, Swap
from pumpswap.settings import FollowedWallet, FollowSettings
from pumpswap.signals.wallet_follow import Seen, WalletFollower, seen_of
from tests.support.market import graduate

NS = 10**9
SOL = 10**9
WHALE, OTHER, STRANGER = "Wha1e" + "1" * 30, "Ather" + "1" * 30, "Stranger" + "1" * 30


def settings(**changes: object) -> FollowSettings:
    return FollowSettings(wallets=(FollowedWallet(address=WHALE), FollowedWallet(address=OTHER)), **changes)  # type: ignore[arg-type]


def swap(
    seconds: int, *, buy: bool, lamports: int = SOL, pool: str = "p", trader: str = WHALE, units: int = 10**9
) -> Swap:
    return Swap(pool, seconds * NS, buy, units, lamports, trader)


def rounds(count: int, *, back: int = 3 * SOL, seconds: int = 600, first: int = 0) -> list[Swap]:
    listed = []
    for number in range(count):
        start, pool = first + 1_000 * number, f"old{number}"
        listed.append(swap(start, buy=True, pool=pool))
        listed.append(swap(start + seconds, buy=False, lamports=back, pool=pool))
    return listed


def taught(past: list[Swap], **changes: object) -> WalletFollower:
    follower = WalletFollower(settings(**changes))
    for one in past:
        follower.learn(one)
    return follower


def made(follower: WalletFollower, one: Swap, spot: Fraction | None = Fraction(1)) -> Signal:
    found = follower.signal(one, Seen("mint", "NAME", spot))
    assert found is not None
    return found


def test_a_stranger_is_no_signal() -> None:
    follower = WalletFollower(settings())
    assert follower.signal(swap(1, buy=True, trader=STRANGER)) is None
    assert (follower.follows(WHALE), follower.follows(STRANGER)) == (True, False)


def test_a_winner_is_followed_with_a_score_that_its_record_explains() -> None:
    found = made(taught(rounds(30)), swap(90_000, buy=True))
    # Trusted 30/40; quality 1: every round won, and more than doubled.
    assert found.score == 50 + 50 * 0.75
    assert (found.side, found.strength, found.source) == (Side.LONG, found.score / 100, "wallet-follow")
    assert (found.mint, found.name, found.pool) == ("mint", "NAME", "p")
    assert found.reasons[1].startswith("30 closed rounds, 100% won, +200.0% in all")
    assert found.reasons[2] == "record +1.00, trusted 75%, weight 1: 50 +37.5"


def test_a_loser_scores_below_neutral_and_a_short_record_stays_near_it() -> None:
    loser = made(taught(rounds(30, back=SOL // 2)), swap(90_000, buy=True))
    assert loser.score < 50 * 0.5
    few = made(taught(rounds(3)), swap(90_000, buy=True))
    assert 50 < few.score < 65


def test_without_enough_rounds_there_is_no_entry() -> None:
    assert made(taught(rounds(2)), swap(90_000, buy=True)).side is Side.HOLD
    assert made(taught(rounds(3)), swap(90_000, buy=True)).side is Side.LONG
    nobody = made(taught([]), swap(1, buy=True))
    assert (nobody.side, nobody.score) == (Side.HOLD, 50)
    assert "a record begins with 3 closed rounds, it has 0" in nobody.reasons


def test_a_weight_scales_the_record() -> None:
    light = FollowSettings(wallets=(FollowedWallet(address=WHALE, weight="0.5"),))  # type: ignore[arg-type]
    follower = WalletFollower(light)
    for one in rounds(30):
        follower.learn(one)
    assert made(follower, swap(90_000, buy=True)).score == 50 + 50 * 0.75 * 0.5


def test_a_buy_above_its_habit_counts_more_and_below_it_less() -> None:
    base = made(taught(rounds(30)), swap(90_000, buy=True)).score
    for lamports, points in ((2 * SOL, 10), (8 * SOL, 10), (SOL // 2, -10), (SOL // 8, -10)):
        found = made(taught(rounds(30)), swap(90_000, buy=True, lamports=lamports), Fraction(lamports, 10**9))
        assert found.score == min(base + points, 100), lamports


@pytest.mark.parametrize(("spot", "kept"), [("0.5", 1), ("1", 1), ("1.05", 0.5), ("1.1", 0), ("2", 0)])
def test_a_price_that_ran_away_takes_the_score_with_it(spot: str, kept: float) -> None:
    found = made(taught(rounds(30)), swap(90_000, buy=True), Fraction(spot))
    assert found.score == pytest.approx(87.5 * kept)
    assert found.side is (Side.LONG if kept else Side.HOLD)


def test_without_a_price_there_is_no_entry() -> None:
    found = made(taught(rounds(30)), swap(90_000, buy=True), None)
    assert found.side is Side.HOLD
    assert found.reasons[-1] == "the price now is not known, so neither is how late this is"


@pytest.mark.parametrize("changes", [{"base_reserve": 0}, {"quote_vault": 0}, {"virtual_quote_reserves": -(10**12)}])
def test_a_pool_without_reserves_has_no_price_and_no_entry(changes: dict[str, int]) -> None:
    seen = seen_of(graduate(**changes), "NAME")
    assert seen.spot is None
    found = taught(rounds(30)).signal(swap(90_000, buy=True), seen)
    assert found is not None and found.side is Side.HOLD


def test_tiny_buys_are_no_signal_and_a_wallet_that_lives_of_them_is_bait() -> None:
    tiny = made(taught(rounds(30)), swap(90_000, buy=True, lamports=SOL // 50), Fraction(1, 50))
    assert tiny.side is Side.HOLD and "too small to mean anything: below 0.05 SOL" in tiny.reasons
    lures = [swap(80_000 + number, buy=True, lamports=SOL // 100, pool=f"q{number}") for number in range(40)]
    found = made(taught([*rounds(30), *lures]), swap(90_000, buy=True))
    assert found.side is Side.HOLD
    assert "bait: 57% of its buys are tiny, at most 50%" in found.reasons


def test_rounds_of_seconds_are_bait() -> None:
    quick = made(taught(rounds(30, seconds=20)), swap(90_000, buy=True))
    assert quick.side is Side.HOLD
    assert "bait: 100% of its rounds were sold within 30 s, at most 50%" in quick.reasons
    assert made(taught(rounds(30, seconds=31)), swap(90_000, buy=True)).side is Side.LONG


def test_leaving_is_followed_and_taking_a_little_profit_is_not() -> None:
    def after_buy(units: int) -> Signal:
        follower = taught([*rounds(30), swap(80_000, buy=True, units=1_000)])
        return made(follower, swap(90_000, buy=False, units=units))

    assert after_buy(249).side is Side.HOLD
    assert after_buy(250).side is Side.SHORT
    assert after_buy(9_999).reasons[-1] == "100% of what it holds"
    unseen = made(taught([]), swap(1, buy=False))
    assert (unseen.side, unseen.reasons[-1]) == (Side.SHORT, "it sells what it had before it was followed")


def test_a_wallet_is_named_once() -> None:
    with pytest.raises(ValueError, match="named twice"):
        FollowSettings(wallets=(FollowedWallet(address=WHALE), FollowedWallet(address=WHALE)))
    with pytest.raises(ValueError, match="pattern"):
        FollowedWallet(address="not an address")


swaps = st.lists(
    st.builds(
        Swap,
        pool=st.sampled_from(["p", "q"]),
        at_ns=st.integers(0, 10**13),
        is_buy=st.booleans(),
        base_units=st.integers(0, 10**6),
        quote_units=st.integers(0, 10**10),
        trader=st.sampled_from([WHALE, OTHER, STRANGER]),
    ),
    max_size=30,
).map(lambda listed: sorted(listed, key=lambda one: one.at_ns))
spots = st.one_of(st.none(), st.fractions(0, 10**6, max_denominator=1_000))


@given(swaps, swaps, spots)
def test_what_comes_later_never_changes_an_earlier_signal(past: list[Swap], future: list[Swap], spot: Fraction) -> None:
    def signals(listed: list[Swap]) -> list[Signal | None]:
        follower = WalletFollower(settings(min_rounds=0))
        return [follower.signal(one, Seen(spot=spot)) for one in listed]

    assert signals([*past, *future])[: len(past)] == signals(past)


@given(swaps, spots)
def test_every_signal_is_in_bounds_and_of_its_swap(listed: list[Swap], spot: Fraction) -> None:
    follower = WalletFollower(settings(min_rounds=0))
    for one in listed:
        found = follower.signal(one, Seen(spot=spot))
        assert (found is None) is (one.trader == STRANGER)
        if found is not None:
            assert 0 <= found.score <= 100 and found.strength == found.score / 100
            assert (found.pool, found.at_ns) == (one.pool, one.at_ns)
            assert found.side is not (Side.SHORT if one.is_buy else Side.LONG)


@given(swaps, st.integers(0, 10**9))
def test_a_later_price_never_makes_a_buy_better(listed: list[Swap], worse: int) -> None:
    follower, other = WalletFollower(settings()), WalletFollower(settings())
    for one in listed:
        near = follower.signal(one, Seen(spot=Fraction(1)))
        far = other.signal(one, Seen(spot=1 + Fraction(worse, 1_000)))
        if near is not None and far is not None and one.is_buy:
            assert far.score <= near.score
