"""A TradingNode as a user runs it, in a process of its own: commands come as lines of JSON, what happens goes out so.

No pytest here: with it in the process Nautilus would not choose uvloop. ``python -m tests.nautilus.live.node_process``
with the specification as its argument; see ``nodes.NodeProcess``.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from nautilus_trader.config import LoggingConfig, TradingNodeConfig
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import ModifyOrder
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import OrderSide, TimeInForce
from nautilus_trader.model.events import OrderEvent, OrderFilled, PositionEvent
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId
from nautilus_trader.test_kit.strategies.tester_exec import ExecTester, ExecTesterConfig
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from pumpswap.nautilus import (
    PUMPSWAP,
    PUMPSWAP_CLIENT_ID,
    PUMPSWAP_VENUE,
    PumpSwapExecClientConfig,
    PumpSwapInstrumentProviderConfig,
    PumpSwapLiveDataClientFactory,
    PumpSwapLiveExecClientFactory,
    instrument_id,
    node_config,
)
from pumpswap.nautilus.compat import IS_1231
from pumpswap.nautilus.instruments import mint_of, pool_of
from pumpswap.nautilus.money import lamports_of, qty, sol, units_of
from pumpswap.nautilus.orders import order_params
from pumpswap.nautilus.session import PumpSwapSession
from pumpswap.settings import load_settings
from pumpswap.wallet.limits import WalletLimits
from pumpswap.wallet.secret import Secret
from pumpswap.wallet.signers import LocalSigner
from tests.nautilus.live.q50_teller import q50_teller

SOL = 10**9


# Nautilus writes its log to the same stream: it gets the other one.
OUT = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)


def tell(kind: str, **fields: Any) -> None:
    OUT.write(json.dumps({"kind": kind, **fields}) + "\n")


def order_event(event: OrderEvent) -> None:
    told = {"event": type(event).__name__, "id": event.client_order_id.value}
    if getattr(event, "reason", None):
        told["reason"] = event.reason
    if type(event).__name__ == "OrderFilled":
        told |= {"qty": str(event.last_qty), "px": str(event.last_px), "commission": str(event.commission)}
        told |= {"trade_id": event.trade_id.value, "info": dict(event.info or {})}
    tell("order", **told)


class Puppet(Strategy):
    """Does what the test says."""

    def __init__(self, pools: list[str]) -> None:
        ids = [instrument_id(pool) for pool in pools]
        super().__init__(StrategyConfig(strategy_id="PUPPET", order_id_tag="001", external_order_claims=ids))
        self.ids, self.quotes = ids, 0

    def on_start(self) -> None:
        for one in self.ids:
            self.subscribe_quote_ticks(one)
            self.subscribe_trade_ticks(one)
            self.subscribe_instrument_status(one)
        tell("ready", loop=type(asyncio.get_running_loop()).__module__, **state(self))

    def on_quote_tick(self, tick: Any) -> None:
        self.quotes += 1
        if self.quotes <= 3 or self.quotes % 50 == 0:
            tell("quote", pool=pool_of(tick.instrument_id), bid=str(tick.bid_price), ask=str(tick.ask_price))

    def on_trade_tick(self, tick: Any) -> None:
        tell("trade", pool=pool_of(tick.instrument_id), size=str(tick.size), side=tick.aggressor_side.name)

    def on_instrument_status(self, status: Any) -> None:
        tell("status", pool=pool_of(status.instrument_id), action=status.action.name, reason=status.reason)

    def on_event(self, event: Any) -> None:
        if isinstance(event, OrderEvent):
            order_event(event)
        elif isinstance(event, PositionEvent):
            tell("position", event=type(event).__name__, quantity=str(event.quantity))

    def buy(self, pool: str, given: dict[str, Any]) -> None:
        of = instrument_id(pool)
        instrument = self.cache.instrument(of)
        is_quote = "lamports" in given
        params = order_params(quote_lamports=given["lamports"]) if given.get("exact") else {}
        if is_quote:
            step = 10 ** max(9 - instrument.size_precision, 0)
            quantity = qty(given["lamports"] // step, min(instrument.size_precision, 9))
        else:
            quantity = qty(given["units"], instrument.size_precision)
        is_reducing = bool(given.get("reduce_only"))
        self._submit(
            of, OrderSide.BUY, quantity, given, quote_quantity=is_quote, reduce_only=is_reducing, params=params
        )

    def sell(self, pool: str, given: dict[str, Any]) -> None:
        of = instrument_id(pool)
        precision = self.cache.instrument(of).size_precision
        self._submit(of, OrderSide.SELL, qty(given["units"], precision), given, reduce_only=True)

    def _submit(
        self,
        of: InstrumentId,
        side: OrderSide,
        quantity: Any,
        given: dict[str, Any],
        *,
        params: Any = None,
        **more: Any,
    ) -> None:
        tif = TimeInForce[given.get("tif", "GTC")]
        if "id" in given:
            more["client_order_id"] = ClientOrderId(given["id"])
        order = self.order_factory.market(of, side, quantity, time_in_force=tif, **more)
        self.submit_order(order, client_id=PUMPSWAP_CLIENT_ID, params=params)

    def list(self, pool: str, given: dict[str, Any]) -> None:
        """Several buys by budget, as one list."""
        of = instrument_id(pool)
        orders = [
            self.order_factory.market(
                of, OrderSide.BUY, qty(lamports // 1_000, 6), quote_quantity=True, client_order_id=ClientOrderId(name)
            )
            for name, lamports in given["orders"].items()
        ]
        self.submit_order_list(self.order_factory.create_list(orders), client_id=PUMPSWAP_CLIENT_ID)

    def deafen(self, given: dict[str, Any]) -> None:
        """Nautilus' own bus fails, for as long as it is told of one kind of event."""
        engine, bus = given["node"].kernel.exec_engine, self.msgbus
        bus.deregister("ExecEngine.process", engine.process)

        def process(event: Any) -> None:
            if type(event).__name__ == given["event"]:
                raise RuntimeError("the bus is full")
            engine.process(event)

        bus.register("ExecEngine.process", process)

    def limit(self, pool: str, given: dict[str, Any]) -> None:
        of = instrument_id(pool)
        instrument = self.cache.instrument(of)
        price = self.cache.quote_tick(of).bid_price
        order = self.order_factory.limit(of, OrderSide.BUY, qty(given["units"], instrument.size_precision), price)
        self.submit_order(order, client_id=PUMPSWAP_CLIENT_ID)

    def modify(self, given: dict[str, Any]) -> None:
        """Strategies may not change a market order: the command goes to the client as another system would send it."""
        order = self.cache.order(ClientOrderId(given["id"]))
        command = ModifyOrder(
            self.trader_id, self.id, order.instrument_id, order.client_order_id, order.venue_order_id,
            None, None, None, UUID4(), self.clock.timestamp_ns(),
        )  # fmt: skip
        self.msgbus.send("ExecEngine.execute", command)

    def cancel(self, given: dict[str, Any]) -> None:
        self.cancel_order(self.cache.order(ClientOrderId(given["id"])), client_id=PUMPSWAP_CLIENT_ID)


class Tester(ExecTester):
    """Nautilus' own, telling what it hears. ``wanted`` is the name of the limit-order switch of this version."""

    def on_start(self) -> None:
        super().on_start()
        tell("ready", loop=type(asyncio.get_running_loop()).__module__, **state(self))

    def on_event(self, event: Any) -> None:
        if isinstance(event, OrderEvent):
            order_event(event)

    def on_quote_tick(self, tick: Any) -> None:
        super().on_quote_tick(tick)
        tell("quote", pool=pool_of(tick.instrument_id), bid=str(tick.bid_price), ask=str(tick.ask_price))

    def on_stop(self) -> None:
        tell("stopping", **state(self))
        super().on_stop()


def tester(spec: dict[str, Any]) -> ExecTester:
    """By the names that this version has."""
    given = dict(spec)
    of = instrument_id(given.pop("pool"))
    limits = ("enable_limit_buys", "enable_limit_sells") if IS_1231 else ("enable_buys", "enable_sells")
    for name in ("order_qty", "open_position_on_start_qty"):
        if name in given:
            given[name] = Decimal(given[name])
    if "open_position_time_in_force" in given:
        given["open_position_time_in_force"] = TimeInForce[given["open_position_time_in_force"]]
    config = ExecTesterConfig(
        strategy_id="TESTER",
        order_id_tag="001",
        external_order_claims=[of],
        instrument_id=of,
        client_id=PUMPSWAP_CLIENT_ID,
        log_data=False,
        **dict.fromkeys(limits, False),
        **given,
    )
    return Tester(config)


def state(strategy: Strategy) -> dict[str, Any]:
    """What Nautilus believes, and what our books say: raw numbers."""
    cache = strategy.cache
    instruments = {pool_of(one.id): one for one in cache.instruments(venue=PUMPSWAP_VENUE)}
    account = cache.account_for_venue(PUMPSWAP_VENUE)
    session = next(iter(PumpSwapSession._of_loops.values()))
    positions, ledger = session.engine.portfolio.positions, session.engine.portfolio.ledger
    return {
        "orders": {
            order.client_order_id.value: {
                "status": order.status_string(), "strategy": order.strategy_id.value, "side": order.side_string(),
                "events": [type(event).__name__ for event in order.events], "quantity": str(order.quantity),
                "reduce_only": order.is_reduce_only, "tags": list(order.tags or ()),
                "fills": [
                    [str(one.last_qty), str(one.last_px), str(one.commission), one.ts_event, one.trade_id.value]
                    for one in order.events if isinstance(one, OrderFilled)
                ],
            }
            for order in cache.orders()
        },
        "positions": [
            {
                "pool": pool_of(one.instrument_id), "strategy": one.strategy_id.value, "side": one.side.name,
                "units": units_of(one.quantity, instruments[pool_of(one.instrument_id)].size_precision),
                "open": one.is_open, "realised": str(one.realized_pnl), "average": one.avg_px_open,
            }
            for one in cache.positions()
        ],
        "account": {
            str(money.currency): (lamports_of(money) if money.currency.code == "SOL" else str(money))
            for money in account.balances_total().values()
        },
        "tokens": {
            mint_of(one): units_of_money(account, one) for one in instruments.values()
        },
        "books": {
            "cash": session.engine.portfolio.cash,
            "held": {one.pool: one.base_units for one in positions.open_positions()},
            "ledger": {asset: units for asset, units in ledger.balances().items() if units},
            "on_the_way": [order.order_id for order in session.engine.desk.orders],
            "run": session.run.run_id, "faults": dict(session.risk.faults),
        },
    }  # fmt: skip


def units_of_money(account: Any, instrument: Any) -> int:
    money = account.balance_total(instrument.base_currency)
    return 0 if money is None else int(money.raw // 10 ** (16 - instrument.size_precision))


def node_of(spec: dict[str, Any]) -> tuple[TradingNode, Strategy]:
    settings = load_settings(Path(spec["settings"]))
    client = PumpSwapExecClientConfig(
        settings_path=spec["settings"],
        mode=spec["mode"],
        instrument_provider=PumpSwapInstrumentProviderConfig(pools=frozenset(spec["pools"])),
    )
    logging = LoggingConfig(log_level=spec.get("log", "WARNING"))
    engine = {"inflight_check_retries": 1, "inflight_check_interval_ms": 500, "inflight_check_threshold_ms": 300}
    config = node_config(settings, client, logging=logging, **engine)
    config = replace(config, timeout_post_stop=spec.get("post_stop", 2.0))
    if spec.get("is_own"):  # as a user writes it who does not know ``node_config``
        config = TradingNodeConfig(
            trader_id=config.trader_id, logging=logging,
            data_clients=config.data_clients, exec_clients=config.exec_clients,
        )  # fmt: skip
    if "seed" in spec:
        limits = WalletLimits(5 * SOL, 50 * SOL, SOL // 20)
        PumpSwapSession.offer_signer(LocalSigner(Secret(bytes.fromhex(spec["seed"])), limits))
    node = TradingNode(config)
    strategy: Strategy
    if "q50" in spec:
        strategy = q50_teller(spec, tell, order_event, state)
    else:
        strategy = tester(spec["tester"]) if "tester" in spec else Puppet(spec["pools"])
    node.trader.add_strategy(strategy)
    node.add_data_client_factory(PUMPSWAP, PumpSwapLiveDataClientFactory)
    node.add_exec_client_factory(PUMPSWAP, PumpSwapLiveExecClientFactory)
    node.build()
    return node, strategy


async def obey(node: TradingNode, strategy: Strategy, lines: asyncio.Queue[str]) -> None:
    """Until it is told to stop."""
    while True:
        given = json.loads(await lines.get())
        verb = given.pop("do")
        if verb == "stop":
            return
        if verb == "state":
            tell("state", **state(strategy))
        elif verb == "deafen":
            strategy.deafen({**given, "node": node})
        elif verb in ("buy", "sell", "limit", "list"):
            getattr(strategy, verb)(given.pop("pool"), given)
        elif verb == "cancel":
            strategy.cancel(given)
        elif verb == "modify":
            strategy.modify(given)
        else:
            raise ValueError(verb)


async def run(node: TradingNode, strategy: Strategy) -> None:
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)

    threading.Thread(target=read, daemon=True).start()
    running = asyncio.ensure_future(node.run_async())
    obeying = asyncio.ensure_future(obey(node, strategy, lines))
    await asyncio.wait((running, obeying), return_when=asyncio.FIRST_COMPLETED)
    if obeying.done():
        obeying.result()
    await node.stop_async()
    obeying.cancel()
    running.cancel()
    await asyncio.gather(running, obeying, return_exceptions=True)
    tell("stopped", **state(strategy))


def main() -> None:
    spec = json.loads(sys.argv[1])
    node, strategy = node_of(spec)
    loop = node.get_event_loop()
    try:
        loop.run_until_complete(run(node, strategy))
    finally:
        node.dispose()
        tell("disposed", asked=str(sol(0)))


if __name__ == "__main__":
    main()
