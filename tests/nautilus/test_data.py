"""The data client hears what happens on a practice chain, and tells it in Nautilus' own words."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from nautilus_trader.model.data import DataType, InstrumentStatus, QuoteTick, TradeTick
from nautilus_trader.model.enums import AggressorSide, MarketStatusAction
from nautilus_trader.model.instruments import CurrencyPair
from solders.pubkey import Pubkey

from pumpswap.app.lake_place import lake_for_chain
from pumpswap.errors import ConfigError, PumpSwapError
from pumpswap.market.lake import LakeWriter
from pumpswap.market.lake.rows import PoolStateSeen
from pumpswap.nautilus import (
    PUMPSWAP_CLIENT_ID,
    PumpSwapInstrumentProviderConfig,
    PumpSwapPoolState,
    PumpSwapSwap,
    data_type_of,
    instrument_id,
)
from pumpswap.nautilus.factories import check_name
from pumpswap.nautilus.money import qty
from pumpswap.nautilus.ticks import quote_tick
from tests.nautilus.data_rig import rig, until
from tests.sdk.world import world
from tests.support.market import at
from tests.support.material import requires_material

MISSING = str(Pubkey(b"\7" * 32))

pytestmark = requires_material("chain", "programs")


@pytest.mark.asyncio
async def test_quotes_states_status_and_trades_of_a_pool(tmp_path: Path) -> None:
    async with world(tmp_path) as chain:
        first, second = (str(pool.address) for pool in chain.pools[:2])
        of = instrument_id(first)
        named = PumpSwapInstrumentProviderConfig(pools=frozenset({first}), mints=frozenset({chain.mint(1)}))
        async with rig(chain, tmp_path, named) as node:
            await node.connected()
            await until(lambda: len(node.cache.instruments()) == 2)
            assert {one.id for one in node.cache.instruments()} == {of, instrument_id(second)}
            heard = node.listener
            heard.subscribe_quote_ticks(of)
            heard.subscribe_trade_ticks(of)
            heard.subscribe_instrument_status(of)
            node.subscribe_data(data_type_of(PumpSwapPoolState, of))
            node.subscribe_data(data_type_of(PumpSwapSwap, of))
            await until(lambda: len(heard.of(QuoteTick)) >= 3 and heard.of(PumpSwapPoolState))

            quote, state = heard.of(QuoteTick)[-1], heard.of(PumpSwapPoolState)[-1].pool_state()
            expected = quote_tick(chain.now(), node.session.schedule(), 10**8, ts_event=1, ts_init=1)
            assert expected is not None
            assert (quote.bid_price, quote.ask_price, quote.ask_size) == (
                expected.bid_price, expected.ask_price, expected.ask_size,
            )  # fmt: skip
            assert quote.ts_event <= quote.ts_init
            assert (state.base_reserve, state.quote_vault) == (chain.now().base_reserve, chain.now().quote_vault)
            (status,) = heard.of(InstrumentStatus)
            assert (status.action, status.instrument_id) == (MarketStatusAction.TRADING, of)

            async with chain.sdk() as sdk:
                bought = await sdk.buy(chain.mint(0), "0.5")
            (trade,) = await until(lambda: heard.of(TradeTick))
            assert (trade.size, trade.aggressor_side) == (qty(int(bought["base_units"]), 6), AggressorSide.BUYER)
            (swap,) = await until(lambda: heard.of(PumpSwapSwap))
            assert swap.swap().event is not None
            assert (int(swap.base_units), swap.signature) == (int(bought["base_units"]), bought["transaction_hash"])
            assert trade.trade_id.value == f"{swap.signature[:30]}-{swap.index}"
            await until(lambda: heard.of(QuoteTick)[-1].bid_price > quote.bid_price)
            assert {one.instrument_id for one in heard.of(QuoteTick)} == {of}  # nobody asked for the other one

            heard.unsubscribe_quote_ticks(of)
            await until(lambda: not node.client._asked.quotes(first))
            await asyncio.sleep(0.2)
            quotes, states = len(heard.of(QuoteTick)), len(heard.of(PumpSwapPoolState))
            await until(lambda: len(heard.of(PumpSwapPoolState)) > states + 2)
            assert len(heard.of(QuoteTick)) == quotes


@pytest.mark.asyncio
async def test_a_status_tells_faults_halts_and_the_end(tmp_path: Path) -> None:
    async with world(tmp_path) as chain:
        pool = str(chain.pools[0].address)
        async with rig(chain, tmp_path, PumpSwapInstrumentProviderConfig(pools=frozenset({pool}))) as node:
            await node.connected()
            heard = node.listener
            heard.subscribe_instrument_status(instrument_id(pool))

            def actions() -> list[MarketStatusAction]:
                return [one.action for one in heard.of(InstrumentStatus)]

            await until(lambda: actions() == [MarketStatusAction.TRADING])
            engine = node.session.engine
            node.session.do(lambda: engine.risk.fault("rows", "nothing came") and None)
            await until(lambda: actions()[-1] == MarketStatusAction.PAUSE)
            assert heard.of(InstrumentStatus)[-1].reason == "rows: nothing came"
            node.session.do(lambda: engine.risk.lift("rows") and None)
            await until(lambda: actions()[-1] == MarketStatusAction.TRADING)
            node.session.fail(RuntimeError("a bug"))
            await until(lambda: actions()[-1] == MarketStatusAction.HALT)
            assert "a bug" in heard.of(InstrumentStatus)[-1].reason
            assert len(actions()) == 4  # changes only
            assert not node.client.is_connected


@pytest.mark.asyncio
async def test_an_instrument_that_was_not_loaded_is_read_when_it_is_wanted(tmp_path: Path) -> None:
    async with world(tmp_path) as chain:
        first, third = (str(chain.pools[number].address) for number in (0, 2))
        async with rig(chain, tmp_path, PumpSwapInstrumentProviderConfig(pools=frozenset({first}))) as node:
            await node.connected()
            heard, of = node.listener, instrument_id(third)
            heard.subscribe_quote_ticks(of)
            await until(lambda: heard.of(QuoteTick))
            pair = node.cache.instrument(of)
            assert isinstance(pair, CurrencyPair)
            assert pair.info["canonical"] is False
            heard.request_instrument(instrument_id(str(chain.pools[1].address)))
            await until(lambda: node.cache.instrument(instrument_id(str(chain.pools[1].address))))


@pytest.mark.asyncio
async def test_custom_data_without_metadata_reaches_who_names_the_instrument(tmp_path: Path) -> None:
    async with world(tmp_path) as chain:
        pool = str(chain.pools[0].address)
        async with rig(chain, tmp_path, PumpSwapInstrumentProviderConfig(pools=frozenset({pool}))) as node:
            await node.connected()
            node.listener.subscribe_data(
                DataType(PumpSwapPoolState), client_id=PUMPSWAP_CLIENT_ID, instrument_id=instrument_id(pool)
            )
            await until(lambda: len(node.listener.of(PumpSwapPoolState)) > 1)
            node.subscribe_data(DataType(PumpSwapSwap))  # of no instrument: refused in the log, and nothing breaks
            before = len(node.listener.of(PumpSwapPoolState))
            await until(lambda: len(node.listener.of(PumpSwapPoolState)) > before)
            assert node.client._asked.custom(pool, PumpSwapSwap) == ()


@pytest.mark.asyncio
async def test_the_past_comes_from_the_lake(tmp_path: Path) -> None:
    async with world(tmp_path) as chain:
        pool = str(chain.pools[0].address)
        async with rig(chain, tmp_path, PumpSwapInstrumentProviderConfig(pools=frozenset({pool}))) as node:
            await node.connected()
            state = chain.pools[0]
            with LakeWriter(lake_for_chain(node.session.settings)) as writer:
                writer.add("states", [PoolStateSeen(at(-60), state)])
            heard, of = node.listener, instrument_id(pool)
            start = node.client._clock.utc_now().replace(year=2020)
            heard.request_quote_ticks(of, start)
            await until(lambda: node.cache.quote_ticks(of))
            assert [one.ts_init for one in node.cache.quote_ticks(of)] == [at(-60)]
            heard.request_data(data_type_of(PumpSwapPoolState, of), PUMPSWAP_CLIENT_ID, start=start)
            (told,) = await until(lambda: [one for one in heard.answers if isinstance(one, PumpSwapPoolState)])
            assert told.pool_state() == state


@pytest.mark.parametrize(
    ("named", "words"),
    [
        (PumpSwapInstrumentProviderConfig(), "no pool is named"),
        (PumpSwapInstrumentProviderConfig(pools=frozenset({MISSING})), "pool"),
        (PumpSwapInstrumentProviderConfig(mints=frozenset({MISSING})), "no coin with a canonical pool"),
        (PumpSwapInstrumentProviderConfig(pools=frozenset({"nonsense"})), "is no address of a pool"),
    ],
)
@pytest.mark.asyncio
async def test_a_client_that_cannot_load_what_is_named_does_not_connect(
    tmp_path: Path, named: PumpSwapInstrumentProviderConfig, words: str
) -> None:
    async with world(tmp_path) as chain, rig(chain, tmp_path, named) as node:
        with pytest.raises(PumpSwapError, match=words):
            await node.client._connect()
        assert not node.client.is_connected
        assert not node.client._is_open  # and the engine, that nobody uses, has ended
        assert not node.session.is_running


@pytest.mark.asyncio
async def test_filters_discovery_and_ids(tmp_path: Path) -> None:
    async with world(tmp_path) as chain:
        first, second, third = (str(pool.address) for pool in chain.pools)
        named = PumpSwapInstrumentProviderConfig(pools=frozenset({first}))
        sections = {"q50": {"instruments": {second: "COIN"}}}
        async with rig(chain, tmp_path, named, **sections) as node:
            await node.connected()
            provider = node.provider

            def pools() -> set[str]:
                return {one.raw_symbol.value for one in provider.list_all()}

            assert pools() == {first, second}  # the second one has a series of its own in the frame
            await provider.load_ids_async([instrument_id(third)])
            assert pools() == {first, second, third}
            await provider.load_all_async({"mints": [chain.mint(2)], "discover": True})
            assert provider.currency(chain.mint(2)).precision == 6
            with pytest.raises(ConfigError, match="no filter mint"):
                await provider.load_all_async({"mint": [chain.mint(0)]})
            with pytest.raises(ConfigError, match="is one text"):
                await provider.load_all_async({"mints": chain.mint(0)})


def test_the_client_has_one_name() -> None:
    with pytest.raises(ConfigError, match="is called 'PUMP'"):
        check_name("PUMP")
