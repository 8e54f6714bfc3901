"""`run --live` over a practice chain: real transactions of a wallet, its books, and what stops it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pumpswap.app.checks import Check, CheckStatus
from pumpswap.app.live_check import live_check
from pumpswap.app.live_readiness import check_obstacle, store_check
from pumpswap.app.run import RunResult
from pumpswap.app.run_live import run_live
from pumpswap.clock import NS_PER_SECOND, SystemClock
from pumpswap.engine.supervisor import Ending
from pumpswap.errors import ConfigError
from pumpswap.localnet.faults import STATUSES, TRANSACTION, Fault, FaultKind
from pumpswap.model import Alert, Order, Proposal, ProposalStatus, TradeSide
from pumpswap.portfolio.audit import audit_run
from pumpswap.sdk.connection import ChainConnection
from pumpswap.settings import Settings
from pumpswap.storage.database import Database, open_database
from pumpswap.storage.run import Run
from tests.alerts.delivery.service import served
from tests.app.watching import FillsWatcher, until
from tests.sdk.world import World, trader_of, world
from tests.support.material import requires_material
from tests.support.snapshot_rows import CollectorFile

pytestmark = requires_material("chain", "programs")

SOL = 10**9


@dataclass
class Watcher(FillsWatcher):
    """Remembers orders, alerts and proposals."""

    ordered: list[Order] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)

    def on_order(self, order: Order) -> None:
        self.ordered.append(order)

    def on_alert(self, alert: Alert) -> None:
        self.alerts.append(alert)

    def on_proposal(self, proposal: Proposal) -> None:
        self.proposals.append(proposal)

    def said(self, subject: str) -> list[str]:
        return [alert.text for alert in self.alerts if alert.subject == subject]


class Place:
    """A chain, a collector's file, and settings for both."""

    def __init__(self, chain: World, folder: Path) -> None:
        self.chain = chain
        self.file = CollectorFile.made(folder / "rows.sqlite")

    def settings(self, **sections: Any) -> Settings:
        run = {
            "mode": "auto", "snapshot_poll_seconds": 1, "state_poll_ms": 100, "control_ms": 50, "heartbeat_seconds": 1,
            "shutdown_seconds": 5, "collector": str(self.file.path),
        }  # fmt: skip
        base = self.chain.settings
        return Settings(
            data_dir=base.data_dir,
            chain=base.chain,
            sending=base.sending,
            run=run | sections.pop("run", {}),
            **sections,
        )

    async def checked(self, settings: Settings) -> None:
        """A passed live check, as the owner of the wallet makes it."""
        async with ChainConnection(settings) as connection:
            pool = self.chain.pools[0].address
            found = [one async for one in live_check(connection, self.chain.signer(), SOL // 100, pool)]
        assert all(one.status is not CheckStatus.FAILED for one in found), found

    async def ready(self, **sections: Any) -> Settings:
        """Settings that a live check has passed with."""
        settings = self.settings(**sections)
        await self.checked(settings)
        return settings

    async def ran(self, settings: Settings, watcher: Watcher) -> RunResult:
        async with asyncio.timeout(300):  # against hanging alone: machines differ
            return await run_live(settings, self.chain.signer(), watcher.options(), watcher.begun.append)

    async def trading(self, settings: Settings, watcher: Watcher) -> asyncio.Future[RunResult]:
        """A run that is able to buy now."""
        work = asyncio.ensure_future(self.ran(settings, watcher))
        await until(lambda: watcher.is_able or work.done())
        return work

    async def bought(self, settings: Settings, watcher: Watcher) -> RunResult:
        """A run that has bought the first coin; ``watcher`` stops it."""
        work = await self.trading(settings, watcher)
        self.tell(0)
        return await work

    def live_run(self, database: Database) -> Run:
        """The wallet's own."""
        run = database.open_live(str(self.chain.key.pubkey()), self.chain.chain.genesis_hash)
        assert run is not None
        return run

    def tell(self, number: int = 0) -> None:
        """The collector writes a row about a pool that scores well."""
        self.file.add_state(self.chain.pools[number], SystemClock().now_ns())

    def books(self) -> Database:
        return open_database(self.chain.settings.database_target)

    async def judge(self) -> None:
        """Ledger = wallet, and the books follow from the ledger."""
        async with self.chain.sdk() as sdk:
            trader = trader_of(sdk)
            await trader.books.check(trader.connection.node)
            assert audit_run(trader.books.run).is_right


@asynccontextmanager
async def place(folder: Path) -> AsyncIterator[Place]:
    async with world(folder) as chain:
        yield Place(chain, folder)


def test_without_a_passed_check_nothing_begins_and_the_refusal_says_how_to_get_one(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as here:
            with pytest.raises(ConfigError, match="no `live check` of this wallet has passed") as refused:
                await here.ran(here.settings(), Watcher(1))
            assert refused.value.hint == "run it: pumpswap live check"
            settings = await here.ready()
            with here.books() as database:
                run = here.live_run(database)
                now = SystemClock().now_ns()
                assert check_obstacle(run, settings, now) == ""
                assert "more than 24 h ago" in check_obstacle(run, settings, now + 25 * 3_600 * NS_PER_SECOND)
                other = settings.model_copy(
                    update={"sending": settings.sending.model_copy(update={"tip_lamports": 5_000})}
                )
                assert "have changed" in check_obstacle(run, other, now)

    asyncio.run(go())


def test_what_is_held_is_looked_after_without_a_passed_check_and_nothing_is_bought_until_one_passes(
    tmp_path: Path,
) -> None:
    async def go() -> None:
        async with place(tmp_path) as here:
            settings = await here.ready(exits={"max_hold_seconds": 1})
            first = Watcher(1)
            assert (await here.bought(here.settings(), first)).open_positions == 1
            with here.books() as database:
                run = here.live_run(database)
                now = SystemClock().now_ns()
                store_check(run, settings, now - 48 * 3_600 * NS_PER_SECOND)
                second = Watcher(5)
                work = asyncio.ensure_future(here.ran(settings, second))
                await until(lambda: second.filled)
                assert second.filled[0][0].side is TradeSide.SELL
                assert not second.is_able
                (told,) = second.said("live check")
                assert told.startswith("no entries: the last `live check` passed at ")
                assert "exits go on. To buy again: stop this run, `pumpswap live check`" in told
                store_check(run, settings, SystemClock().now_ns())
                await until(lambda: second.is_able)
                second.stop()
                await work
                store_check(run, settings, now - 48 * 3_600 * NS_PER_SECOND)
            with pytest.raises(ConfigError, match="more than 24 h ago"):  # nothing is held any more
                await here.ran(settings, Watcher(1))

    asyncio.run(go())


def test_a_check_while_the_money_is_in_positions_warns(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as here:
            most = 10_000 * SOL  # more than there is

            async def found(name: str) -> Check:
                pool = here.chain.pools[0].address
                async with ChainConnection(here.settings()) as connection:
                    checks = [one async for one in live_check(connection, here.chain.signer(), most, pool)]
                return next(one for one in checks if one.name == name)

            assert (await found("balance")).status is CheckStatus.FAILED
            await here.checked(here.settings())
            first = Watcher(1)
            await here.bought(here.settings(), first)
            warned = await found("balance")
            assert warned.status is CheckStatus.WARNING
            assert "the rest is in 1 position" in warned.text

    asyncio.run(go())


def test_a_signal_is_bought_with_money_and_the_next_process_sells_it_by_time(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as here:
            settings = await here.ready(exits={"max_hold_seconds": 1})
            first = Watcher(1)
            result = await here.bought(settings, first)
            assert (result.ending, result.open_positions, result.on_the_way) == (Ending.STOPPED, 1, 0)
            ((bought, fill),) = first.filled
            assert (bought.side, fill.signature in here.chain.signatures()) == (TradeSide.BUY, True)
            second = Watcher(1)
            result = await here.ran(settings, second)
            assert (second.begun[0].is_new, second.begun[0].open_positions) == (False, 1)
            ((sold, _),) = second.filled
            assert sold.reason.startswith("time-out")
            assert result.open_positions == 0
            assert len(here.chain.signatures()) == 2
            await here.judge()

    asyncio.run(go())


def test_what_opening_has_found_is_sent_to_a_channel_that_is_new(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as here:
            with served() as phone:
                channel = {"name": "phone", "url": f"json://{phone.address}/x", "topics": ["reconcile"]}
                settings = await here.ready(alerts={"channels": [channel]})
                here.chain.pay_in(SOL)
                watcher = Watcher(1)
                work = asyncio.ensure_future(here.ran(settings, watcher))
                await until(lambda: phone.taken or work.done())
                watcher.stop()
                await work
            assert [body["title"] for body in phone.bodies] == ["[warning] reconcile"]

    asyncio.run(go())


def test_in_the_mode_approve_a_buy_waits_for_a_person(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as here:
            settings = await here.ready(run={"mode": "approve"})
            watcher = Watcher(1)
            work = await here.trading(settings, watcher)
            here.tell()
            await until(lambda: watcher.proposals)
            assert here.chain.signatures() == []
            with here.books() as database:
                run = here.live_run(database)
                await until(lambda: run.proposals.waiting())
                (waiting,) = run.proposals.waiting()
                now = SystemClock().now_ns()
                run.proposals.decide(waiting.decision_id, ProposalStatus.APPROVED, "a test", now)
            await work
            ((bought, _),) = watcher.filled
            assert watcher.proposals[-1].status is ProposalStatus.ORDERED
            assert bought.decision_id == watcher.proposals[-1].follow_up
            await here.judge()

    asyncio.run(go())


def test_endpoints_that_fail_stop_entries_and_nothing_else_and_it_recovers_by_itself(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as here:
            settings = await here.ready(exits={"max_hold_seconds": 1})
            watcher = Watcher(5)
            work = await here.trading(settings, watcher)
            here.tell(0)
            await until(lambda: watcher.filled)
            here.chain.faults.add(
                Fault(FaultKind.SERVER_ERROR, frozenset({"getLatestBlockhash", "simulateTransaction"}))
            )
            await until(lambda: not watcher.is_able)
            here.tell(1)
            await until(lambda: watcher.said("sending"))
            assert watcher.said("sending")[0].startswith("no entries: ")
            await watcher.more_beats(2)
            assert len(watcher.filled) == 1, "the exit could not be sent, and no other coin was bought"
            here.chain.faults.clear()
            await until(lambda: len(watcher.filled) == 2 and watcher.is_able)
            watcher.stop()
            result = await work
            (_, (sold, _)) = watcher.filled
            assert (sold.side, sold.pool) == (TradeSide.SELL, str(here.chain.pools[0].address))
            assert watcher.said("sending")[-1].startswith("it works again")
            assert result.open_positions == 0
            await here.judge()

    asyncio.run(go())


def test_a_stop_waits_for_what_is_on_its_way(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as here:
            settings = await here.ready(run={"shutdown_seconds": 60})
            watcher = Watcher(5)
            work = await here.trading(settings, watcher)
            here.chain.faults.delay_send(20)
            here.tell()
            await until(lambda: any(fired.kind is FaultKind.DELAY for fired in here.chain.faults.fired))
            watcher.stop()
            result = await work
            assert (result.open_positions, result.on_the_way, len(watcher.filled)) == (1, 0, 1)
            await here.judge()

    asyncio.run(go())


def test_what_is_accepted_and_not_signed_when_it_is_stopped_is_not_bought(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as here:
            settings = await here.ready(run={"shutdown_seconds": 60})
            watcher = Watcher(5)
            work = await here.trading(settings, watcher)
            signed = here.chain.signatures()
            here.chain.faults.add(Fault(FaultKind.SLOW, frozenset({"simulateTransaction"}), amount=1_000))
            here.tell()
            await until(lambda: watcher.ordered)
            watcher.stop()
            result = await work
            assert (result.open_positions, result.on_the_way, watcher.filled) == (0, 0, [])
            assert here.chain.signatures() == signed
            here.chain.faults.clear()
            await here.judge()

    asyncio.run(go())


def test_a_start_does_not_wait_for_an_order_whose_fate_nobody_tells(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as here:
            settings = await here.ready(run={"shutdown_seconds": 0}, exits={"max_hold_seconds": 1})
            first = Watcher(1)
            assert (await here.bought(here.settings(), first)).open_positions == 1
            second = Watcher(5)
            work = await here.trading(here.settings(run={"shutdown_seconds": 0}), second)
            here.chain.faults.add(Fault(FaultKind.SERVER_ERROR, frozenset({STATUSES, TRANSACTION})))
            here.tell(1)
            await until(lambda: len(here.chain.signatures()) == 2)
            second.stop()
            assert (await work).on_the_way == 1
            pool = here.chain.pools[0].address
            async with ChainConnection(settings) as connection:
                checks = {one.name: one async for one in live_check(connection, here.chain.signer(), SOL // 100, pool)}
            assert checks["books"].status is CheckStatus.WARNING
            assert f"of order {second.ordered[0].order_id} nobody knows yet" in checks["books"].text
            assert all(one.status is not CheckStatus.FAILED for one in checks.values()), checks
            third = Watcher(5)
            work = asyncio.ensure_future(here.ran(settings, third))
            await until(lambda: third.ordered)  # the exit of the other coin
            assert (third.ordered[0].side, third.ordered[0].pool) == (TradeSide.SELL, first.ordered[0].pool)
            here.chain.faults.clear()
            await until(lambda: len(third.filled) == 3)  # both sales, and the purchase that was not known
            third.stop()
            assert (await work).open_positions == 0
            await here.judge()

    asyncio.run(go())


def test_an_order_that_a_stop_does_not_wait_for_is_settled_by_the_next_start(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as here:
            settings = await here.ready(run={"shutdown_seconds": 0})
            watcher = Watcher(5)
            work = await here.trading(settings, watcher)
            here.chain.faults.add(Fault(FaultKind.SERVER_ERROR, frozenset({STATUSES, TRANSACTION})))
            here.tell()
            await until(here.chain.signatures)
            watcher.stop()
            result = await work
            assert (result.open_positions, result.on_the_way) == (0, 1)
            here.chain.faults.clear()
            second = Watcher(1)
            result = await here.ran(here.settings(), second)
            ((bought, _),) = second.filled
            assert bought.order_id == watcher.ordered[0].order_id
            assert (result.open_positions, result.on_the_way) == (1, 0)
            await here.judge()

    asyncio.run(go())
