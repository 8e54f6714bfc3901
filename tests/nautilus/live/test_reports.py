"""What a starting node is told, of books that our engine has made by itself; and how old a pool is that is read for an
order.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.cache.cache import Cache
from nautilus_trader.model.enums import OrderSide, OrderStatus, PositionSide
from nautilus_trader.model.identifiers import AccountId, ClientOrderId, VenueOrderId
from solders.keypair import Keypair

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import BadInput, NotFound, PumpSwapError
from pumpswap.model import Adoption, AlertLevel, Intent, TradeSide
from pumpswap.nautilus import PumpSwapExecClientConfig, PumpSwapSession, instrument_of
from pumpswap.nautilus.account import balances_of, held_of
from pumpswap.nautilus.instruments import mint_of
from pumpswap.nautilus.providers import PumpSwapInstrumentProvider
from pumpswap.nautilus.reports import BookReports
from pumpswap.portfolio.positions import adopted
from pumpswap.storage import open_database
from tests.nautilus.live.nodes import SOL, Stage, stage
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")


class Desk:
    """A session on paper without a node, and Nautilus' cache beside it."""

    def __init__(self, here: Stage, session: PumpSwapSession) -> None:
        self.here, self.session = here, session
        self.cache = Cache()
        self.reports = BookReports(session, self.cache, AccountId("PUMPSWAP-paper"), session.clock.now_ns)

    async def begin(self) -> None:
        await self.session.refresh(self.here.pool, 0)
        state = self.session.book.state(self.here.pool)
        assert state is not None
        self.instrument = instrument_of(state, self.session.schedule())
        self.cache.add_instrument(self.instrument)

    async def trade(self, side: TradeSide, **amount: Any) -> None:
        engine, mint = self.session.engine, mint_of(self.instrument)
        await self.session.refresh(self.here.pool, 0)
        now = self.session.clock.now_ns()
        engine.tick(now)
        decision, order = engine.desk.decide(Intent(side, self.here.pool, mint, now, "test", **amount))
        assert decision and order is not None, decision.refusals
        async with asyncio.timeout(20):
            while engine.desk.orders:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    async with stage(folder, "paper") as here:
        config = PumpSwapExecClientConfig(settings_path=str(here.file))
        session = PumpSwapSession.of(asyncio.get_running_loop(), config)
        await session.open()
        try:
            made = Desk(here, session)
            await made.begin()
            yield made
        finally:
            await session.aclose()


def net(fills: list[Any]) -> int:
    return sum(one.last_qty.raw if one.order_side == OrderSide.BUY else -one.last_qty.raw for one in fills)


def test_orders_fills_and_positions_agree_to_the_unit(tmp_path: Path) -> None:
    async def go() -> None:
        async with desk(tmp_path) as made:
            pool, decimals = made.here.pool, made.instrument.size_precision
            assert made.reports.everything().orders == []
            await made.trade(TradeSide.BUY, quote_lamports=SOL // 10)
            await made.trade(TradeSide.BUY, quote_lamports=SOL // 20, client_order_id="O-5")
            await made.trade(TradeSide.SELL, base_units=10**9)
            found = made.reports.everything()
            assert [one.order_status for one in found.orders] == [OrderStatus.FILLED] * 3
            assert [one.client_order_id.value for one in found.orders] == ["PS-1-o000001", "O-5", "PS-1-o000003"]
            assert [one.venue_order_id.value for one in found.fills] == [f"1-o00000{n}" for n in (1, 2, 3)]
            (position,) = found.positions
            units = made.session.engine.portfolio.positions.open_round(pool).base_units
            assert position.quantity.raw == net(found.fills) == units * 10 ** (16 - decimals)
            bought = [one for one in found.fills if one.order_side == OrderSide.BUY]
            paid = sum(one.last_px.as_decimal() * one.last_qty.as_decimal() for one in bought)
            expected = paid / sum(one.last_qty.as_decimal() for one in bought)
            assert abs(position.avg_px_open / expected - 1) < Decimal("1e-20")

            one = made.reports.order(ClientOrderId("O-5"), None)
            assert one is not None and one.order_status == OrderStatus.FILLED
            assert made.reports.order(None, VenueOrderId("1-o000003")).client_order_id.value == "PS-1-o000003"
            assert made.reports.order(ClientOrderId("PS-1-o000001"), None) is not None
            for stranger in ("O-6", "PS-2-o000001", "PS-1-o000009"):
                assert made.reports.order(ClientOrderId(stranger), None) is None
            assert made.reports.open_orders() == []

            # What others have taken away is told as sold at what it had cost: no order of ours.
            positions = made.session.engine.portfolio.positions
            positions.take_over(replace(positions.open_round(pool), base_units=units - 5 * 10**9))
            found = made.reports.everything()
            gone = found.orders[-1]
            assert (gone.order_side, gone.client_order_id.value) == (OrderSide.SELL, f"PS-A1-{pool[:6]}--5000000000")
            assert gone.venue_order_id == found.fills[-1].venue_order_id
            assert abs(found.fills[-1].last_px.as_decimal() / expected - 1) < Decimal("1e-3")
            assert found.positions[0].quantity.raw == net(found.fills) == (units - 5 * 10**9) * 10 ** (16 - decimals)

    asyncio.run(go())


def test_what_was_adopted_is_one_order_at_its_cost(tmp_path: Path) -> None:
    async def go() -> None:
        async with desk(tmp_path) as made:
            pool, mint = made.here.pool, mint_of(made.instrument)
            positions = made.session.engine.portfolio.positions
            positions.take_over(adopted(Adoption(1, 1, pool, mint, 7_000_000, 3_500_000), 1))
            found = made.reports.everything()
            (order,), (fill,), (position,) = found.orders, found.fills, found.positions
            assert (order.order_side, order.order_status) == (OrderSide.BUY, OrderStatus.FILLED)
            assert fill.last_px.as_decimal() == position.avg_px_open == Decimal("0.0005")
            assert fill.last_qty.as_decimal() == position.quantity.as_decimal() == 7
            assert fill.commission.as_decimal() == 0
            assert len(fill.trade_id.value) <= 36

    asyncio.run(go())


def test_a_held_pool_that_is_gone_is_left_out_by_name_and_a_strange_one_is_refused(tmp_path: Path) -> None:
    async def go() -> None:
        async with desk(tmp_path) as made:
            session, (gone, strange) = made.session, (str(Keypair().pubkey()) for _ in range(2))
            session.engine.portfolio.positions.take_over(adopted(Adoption(1, 1, gone, strange, 7_000_000, 3_500), 1))
            provider = PumpSwapInstrumentProvider(session)
            await provider.load_all_async()
            await provider.load_held([gone, made.here.pool])
            assert [str(one.id) for one in provider.list_all()] == [f"{made.here.pool}.PUMPSWAP"]
            assert provider.left_out == {gone: f"there is no pool {gone}"}
            with pytest.raises(PumpSwapError, match="is no instrument"):
                made.reports.everything()
            told = BookReports(session, made.cache, made.reports._account_id, session.clock.now_ns, provider.left_out)
            assert (told.everything().orders, told.everything().positions, told.open_orders()) == ([], [], [])
            with pytest.raises(BadInput, match=f"pool {gone} cannot be an instrument"):
                await provider.load_pools([gone])
            with pytest.raises(NotFound):
                await provider.load_pools([strange])

    asyncio.run(go())


def test_a_closed_round_is_not_told_and_its_position_is_flat(tmp_path: Path) -> None:
    async def go() -> None:
        async with desk(tmp_path) as made:
            await made.trade(TradeSide.BUY, quote_lamports=SOL // 10)
            held = made.session.engine.portfolio.positions.open_round(made.here.pool).base_units
            await made.trade(TradeSide.SELL, base_units=held)
            found = made.reports.everything()
            assert (found.orders, found.fills, found.positions) == ([], [], [])
            flat = made.reports.position(made.here.pool)
            assert (flat.position_side, flat.quantity.raw) == (PositionSide.FLAT, 0)
            engine, currency = made.session.engine, made.instrument.base_currency
            told = balances_of(held_of(engine.portfolio, [], [currency.code]), {currency.code: currency})
            assert [int(one.total.raw) for one in told] == [engine.portfolio.cash * 10**7, 0]

    asyncio.run(go())


def test_what_a_node_that_stands_still_tells_before_an_order_is_as_old_as_its_slot(tmp_path: Path) -> None:
    async def go() -> None:
        async with desk(tmp_path) as made:
            session, pool = made.session, made.here.pool
            await session.refresh(pool, 0)
            slot = session.book.state(pool).slot
            first = session.eye.slots.hear(slot)
            await asyncio.sleep(0.3)
            assert session.eye.slots.hear(slot) == first
            before = session.book.observed_ns(pool)
            await session.refresh(pool, 60_000)  # fresh enough: nothing is asked
            assert session.book.observed_ns(pool) >= before
            assert session.clock.now_ns() - session.book.observed_ns(pool) < 5 * NS_PER_SECOND

    asyncio.run(go())


def test_a_bug_behind_an_order_ends_the_engine_is_stored_and_told(tmp_path: Path) -> None:
    async def go() -> None:
        async with desk(tmp_path) as made:
            session, told = made.session, list[str]()

            def broken() -> None:
                raise ZeroDivisionError

            session.on_end(told.append)
            with pytest.raises(ZeroDivisionError):
                session.do(broken)
            async with asyncio.timeout(20):
                while not session.is_over:
                    await asyncio.sleep(0.05)
            assert told and "ZeroDivisionError" in told[0]
            assert not session.is_running
            with open_database(session.settings.database_target) as database:
                (alert,) = [one for one in database.alerts.all() if one.topic == "engine"]
            assert alert.level is AlertLevel.CRITICAL and "ZeroDivisionError" in alert.text

    asyncio.run(go())
