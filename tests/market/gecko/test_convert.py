"""GeckoTerminal's records as snapshots, swaps and candles of the house."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from pumpswap.errors import UsageError
from pumpswap.market.gecko.convert import TradedPair, candle_of, observed_trade, snapshot_of, swap_of, traded_pair
from pumpswap.market.gecko.parse import parse_pool, parse_pools, parse_trades
from pumpswap.market.gecko.parse_candles import parse_candles
from pumpswap.market.gecko.records import GeckoPool
from pumpswap.market.trade_file import ObservedTrade
from pumpswap.model import Swap
from pumpswap.model.snapshot import METRIC_KEYS
from pumpswap.signals import NewPoolsSignalAnalyzer
from tests.market.gecko.bodies import WORLD, candles, pools, trades
from tests.support.gecko_world import WSOL
from tests.support.material import material, requires_material

WIZARD = "7XdCaKpqLmKE2K7yr9xaeWB1H2CVZ1oGwxB6hmd9pump"
USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
PAIR = TradedPair(WORLD.pool_address(2), WORLD.mint(2), WSOL, 6, 9)


def recorded(name: str) -> bytes:
    path = material("real", "gecko", f"geckoterminal_{name}.json")
    assert path is not None
    return path.read_bytes()


@requires_material("real", "gecko")
def test_the_host_s_formula_scores_the_recorded_pool_as_it_would_the_service_s_own_figures() -> None:
    pool = parse_pool(recorded("pool_pumpswap")).pools[0]
    snapshot = snapshot_of(pool, 7)
    assert dict(snapshot.metrics) == {
        "volume_usd_h24": "965515.839963246",
        "reserve_in_usd": "73520.3799",
        "price_change_percentage_h1": "20.178",
        "price_change_percentage_h24": "469.481",
        "transactions_h1_buys": "4160",
        "transactions_h1_sells": "2044",
        "transactions_h24_buys": "9611",
        "transactions_h24_sells": "5086",
    }
    # Volume 50, liquidity 7.352038, momentum, activity and volatility 100 each (HOST 3.1).
    assert NewPoolsSignalAnalyzer().analyze_pool_signals(snapshot.metrics).signal_score == pytest.approx(94.470407598)


def test_a_snapshot_has_the_figures_of_the_answer_and_leaves_out_what_it_has_not() -> None:
    pool = parse_pools(pools()).pools[0]
    snapshot = snapshot_of(pool, 5)
    assert set(snapshot.metrics) == set(METRIC_KEYS)
    assert snapshot.pool_id == f"solana_{pool.address}" and snapshot.pool == pool.address and snapshot.at_ns == 5
    assert snapshot.base_price_quote == pool.base_price_native and snapshot.quote_mint == WSOL
    assert snapshot.metrics["reserve_in_usd"] == str(pool.reserve_usd)
    bare = snapshot_of(GeckoPool("solana_x", "solana", "x", "pumpswap"), 5)
    assert bare.metrics == {} and bare.base_price_usd is None


def test_a_zero_stays_a_zero() -> None:
    pool = replace(parse_pools(pools()).pools[0], reserve_usd=Decimal("0.0"))
    assert snapshot_of(pool, 1).metrics["reserve_in_usd"] == "0.0"


def test_a_pool_with_another_quote_token_has_no_price_in_it() -> None:
    pool = replace(parse_pools(pools()).pools[0], quote_token=USDC)
    assert snapshot_of(pool, 1).base_price_quote is None


def test_a_pool_of_another_network_keeps_it_in_its_id() -> None:
    assert snapshot_of(GeckoPool("base_0x1", "base", "0x1", "uni"), 1).pool_id == "base_0x1"


@requires_material("real", "gecko")
def test_the_recorded_trades_become_swaps_exactly() -> None:
    page = parse_trades(recorded("trades_pumpswap"))
    pair = TradedPair("Dw4kAH8LhdmgfW1cgyvnWSwSDqkt37jeY7pW4oFkbGTu", WIZARD, WSOL, 6, 9)
    swaps = [swap_of(one, pair) for one in page.trades]
    first = swaps[0]
    assert isinstance(first, Swap) and all(isinstance(one, Swap) for one in swaps)
    assert (first.base_units, first.quote_units, first.is_buy) == (973_365_782_651, 2_615_339_060, False)
    assert first.slot == 433_625_260 and first.pool == pair.pool
    observed = observed_trade(page.trades[0], pair)
    assert isinstance(observed, ObservedTrade)
    assert observed.sol_usd.quantize(Decimal("0.01")) == Decimal("75.11")


@requires_material("real", "gecko")
def test_trades_of_a_usdc_pool_are_swaps_and_have_no_price_in_sol() -> None:
    trade = parse_trades(recorded("trades_meteora_usdc")).trades[0]
    pair = TradedPair("pool", WIZARD, USDC, 6, 6)
    swap = swap_of(trade, pair)
    assert isinstance(swap, Swap) and (swap.quote_units, swap.base_units) == (2_975_568, 13_510_430_482)
    assert observed_trade(trade, pair) == "the pool is not quoted in SOL"
    assert swap_of(trade, replace(pair, quote_mint=WSOL)) == "its tokens are not those of a buy in this pool"


def test_trades_without_material() -> None:
    for trade in parse_trades(trades()).trades:
        swap = swap_of(trade, PAIR)
        assert isinstance(swap, Swap)
        sol = trade.from_amount if trade.is_buy else trade.to_amount
        assert Decimal(swap.quote_units) == sol * 10**9
        observed = observed_trade(trade, PAIR)
        assert isinstance(observed, ObservedTrade) and observed.sol_usd == 109


def test_an_amount_that_is_no_whole_number_of_units_is_not_rounded() -> None:
    trade = parse_trades(trades()).trades[0]
    for amount in (Decimal("0.0000000001"), Decimal(0), Decimal(2**64)):
        odd = replace(trade, from_amount=amount)
        assert swap_of(odd, PAIR) == "an amount has more decimals than its token, is nothing, or is beyond 64 bits"


def test_a_trade_without_a_price_is_a_swap_without_observation() -> None:
    trade = replace(parse_trades(trades()).trades[0], to_price_usd=None)
    assert isinstance(swap_of(trade, PAIR), Swap)
    assert observed_trade(trade, PAIR) == "a price or the volume is missing"


def test_decimals_come_from_the_answer_and_are_never_guessed() -> None:
    page = parse_pools(pools())
    pair = traded_pair(page.pools[0], page)
    assert (pair.base_decimals, pair.quote_decimals) == (6, 9)
    with pytest.raises(UsageError, match="decimals are not in the answer"):
        traded_pair(page.pools[0], replace(page, tokens={}))


def test_a_candle_is_known_when_it_ends() -> None:
    told = parse_candles(candles(), "1m").candles[0]
    candle = candle_of(told, "pool")
    assert candle.known_ns - candle.start_ns == 60 * 10**9
    assert (candle.pool, candle.timeframe, candle.close_usd) == ("pool", "1m", told.close_usd)
