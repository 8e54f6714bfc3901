"""Faults on the way: what has traded is told as that, nothing escapes, nobody's secrets are told, exits go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic import SecretStr, ValidationError

from pumpswap.amm import PoolState
from pumpswap.app.execute_signal import exit_code_of
from pumpswap.chain.redact import Redactor, bare_urls
from pumpswap.errors import KeyLocked, ProtocolDrift
from pumpswap.model import AlertLevel
from pumpswap.sdk.executor import PumpSwapTradingExecutor
from pumpswap.sdk.executor.faults import code_of_fault, safe_text
from pumpswap.settings import Settings
from pumpswap.settings.chain import ChainSettings, EndpointSettings
from tests.sdk.executor_world import Market, signal
from tests.support.market import START_NS, graduate

T = TypeVar("T")


class Feed(Market):
    """Pools of somebody else's, whose errors are none of ours. ``broken`` pools cannot be read; neither can any from
    the question ``fails_from`` on.
    """

    asked = 0
    fails_from = 10**9
    error: Exception = TimeoutError("feed")

    def __init__(self, folder: Path, *states: PoolState, **sections: Any) -> None:
        super().__init__(folder, *states, **sections)
        self.broken: set[str] = set()

    async def state(self, pool_or_mint: str) -> tuple[PoolState, int]:
        self.asked += 1
        if self.asked >= self.fails_from or pool_or_mint in self.broken:
            raise self.error
        return await super().state(pool_or_mint)


def told(market: Market, story: Callable[[PumpSwapTradingExecutor], Awaitable[T]], **changes: Any) -> T:
    async def run() -> T:
        async with market.executor(**changes) as executor:
            return await story(executor)

    return asyncio.run(run())


def held(executor: PumpSwapTradingExecutor) -> dict[str, int]:
    assert executor.current_room is not None
    positions = executor.current_room.desk.parts.keeper.portfolio.positions
    return {position.pool: position.base_units for position in positions.open_positions()}


# ---------------------------------------------------------------------------------------------- after the trade


@pytest.mark.parametrize("fails_from", range(1, 7))
def test_what_has_traded_is_never_told_as_an_error(tmp_path: Path, fails_from: int) -> None:
    market = Feed(tmp_path)
    market.fails_from = fails_from

    async def story(executor: PumpSwapTradingExecutor) -> None:
        result = await executor.execute_trading_signal(signal())
        assert (result["status"] == "executed") is bool(held(executor)), result["message"]
        assert result["status"] in ("executed", "error")
        if fails_from >= 3:
            assert result["status"] == "executed"

    told(market, story)


def test_half_a_position_is_sold_once_however_its_valuation_ends(tmp_path: Path) -> None:
    market = Feed(tmp_path)

    async def story(executor: PumpSwapTradingExecutor) -> None:
        await executor.execute_q50_signal(signal())
        ((pool, before),) = held(executor).items()
        market.asked, market.fails_from = 0, 4  # prepared, read, landed; then it is valued
        result = await executor.execute_trading_signal(signal(side=0, q50=-0.001, sell_fraction=0.5))
        assert (result["status"], result["retry"]) == ("executed", "never"), result["message"]
        assert held(executor)[pool] == before - before // 2

    told(market, story)


# ---------------------------------------------------------------------------------------------- nothing escapes


@pytest.mark.parametrize("url", ["my-node.example.com/KEY", "", "http://host:99999999/", "https://[::1", "ftp://host/"])
def test_what_is_no_url_is_refused_where_it_is_set_without_being_repeated(url: str) -> None:
    for make in (
        lambda: EndpointSettings(url=SecretStr(url)),
        lambda: Settings(chain={"endpoints": [{"url": url}]}),  # type: ignore[arg-type]
        lambda: Settings(sending={"jito_url": url}),  # type: ignore[arg-type]
    ):
        with pytest.raises(ValidationError, match="is no URL of an endpoint") as refused:
            make()
        assert not url or url not in str(refused.value)


@pytest.mark.parametrize("url", ["my-node.example.com/KEY12345", "https://[::1/KEY12345", "http://h:99999999/KEY12345"])
def test_an_unusable_url_hides_its_parts_all_the_same(url: str) -> None:
    assert "KEY12345" not in Redactor(url).clean(f"GET {url} failed, KEY12345")


def test_an_unusable_url_that_came_in_all_the_same_escapes_from_nothing(tmp_path: Path) -> None:
    endpoint = EndpointSettings.model_construct(url=SecretStr("my-node.example.com/KEY12345"), ws_url=None)
    chain = ChainSettings.model_construct(**{**dict(ChainSettings()), "network": "devnet", "endpoints": (endpoint,)})
    settings = Settings(data_dir=tmp_path).model_copy(update={"chain": chain})

    async def story() -> None:
        executor = PumpSwapTradingExecutor(settings)
        try:
            result = await executor.execute_q50_signal(signal())
            assert (result["status"], result["error"]) == ("error", "settings_unusable")
            assert "KEY12345" not in result["message"]
        finally:
            await executor.close()

    asyncio.run(story())


class Unwritable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_an_error_that_cannot_be_written_is_told_by_its_name(tmp_path: Path) -> None:
    assert safe_text(Unwritable(), Settings(data_dir=tmp_path)) == "Unwritable"


# ---------------------------------------------------------------------------------------------- secrets


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("GET https://feed.example/v1?api-key=SECRET 500", "GET https://feed.example/… 500"),
        ("wss://user:SECRET@node.example:8900/SECRET#SECRET", "wss://node.example:8900/…"),
        ("postgresql+psycopg://u:SECRET@db/books?password=SECRET", "postgresql+psycopg://db/…"),
        ("'https://h?key=SECRET'", "'https://h/…'"),
        ("write it like https://host/ or wss://host/.", "write it like https://host/ or wss://host/."),
    ],
)
def test_of_a_url_the_host_is_told(text: str, bare: str) -> None:
    assert bare_urls(text) == bare


def test_a_strangers_url_is_told_in_no_answer_log_or_alert(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    market = Feed(tmp_path)
    market.fails_from = 1
    for error in (RuntimeError, ProtocolDrift):
        market.error = error("GET https://feed.example/v1?api-key=SECRETKEY: 500")

        async def story(executor: PumpSwapTradingExecutor) -> None:
            result = await executor.execute_trading_signal(signal())
            assert "https://feed.example/…" in result["message"]
            assert "SECRETKEY" not in repr(result)

        told(market, story)
    alerts = market.alerts()
    assert {alert.text.partition(":")[0] for alert in alerts} == {"internal_error", "protocol_drift"}
    assert "SECRETKEY" not in repr(alerts) + caplog.text + repr([vars(record) for record in caplog.records])


# ---------------------------------------------------------------------------------------------- codes


def test_what_no_repeating_helps_is_not_told_to_repeat(tmp_path: Path) -> None:
    market = Feed(tmp_path)
    market.fails_from, market.error = 1, ProtocolDrift("unknown account length", hint="upgrade")
    result = told(market, lambda executor: executor.execute_q50_signal(signal()))
    assert (result["error"], result["retry"], exit_code_of(result)) == ("protocol_drift", "never", 12)
    assert code_of_fault(KeyLocked("the wallet has no limits")) == "wallet_locked"


# ---------------------------------------------------------------------------------------------- the same row, sold


@pytest.mark.parametrize("name", ["timestamp", "signal_id"])
def test_what_a_row_has_bought_is_sold_on_the_same_row(tmp_path: Path, name: str) -> None:
    market = Market(tmp_path)

    async def story(executor: PumpSwapTradingExecutor) -> None:
        row = signal(None, **{name: START_NS})
        bought = await executor.execute_q50_signal(row)
        market.pass_seconds(600)
        sold = await executor.execute_q50_signal({**row, "side": "short", "q50": -0.0009})
        assert (bought["status"], sold["status"], sold["action"]) == ("executed", "executed", "sell"), sold["message"]
        assert bought["signal_id"] != sold["signal_id"]
        for data in (row, {**row, "side": "short", "q50": -0.0009}):
            again = await executor.execute_q50_signal(data)
            assert again["reason"] == "already_executed"

    told(market, story)


# ---------------------------------------------------------------------------------------------- exits


def bought_two(folder: Path) -> Feed:
    return Feed(folder, graduate(1), graduate(2), exits={"max_hold_seconds": 60})


async def buy_both(executor: PumpSwapTradingExecutor, market: Market) -> None:
    for number in (1, 2):
        assert (await executor.execute_q50_signal(signal(graduate(number))))["status"] == "executed"
    market.pass_seconds(120)


def test_a_pool_that_cannot_be_read_keeps_no_other_position_from_its_exit(tmp_path: Path) -> None:
    market, first = bought_two(tmp_path), str(graduate(1).address)

    async def story(executor: PumpSwapTradingExecutor) -> None:
        await buy_both(executor, market)
        market.broken.add(first)
        failed, sold = await executor.check_exits()
        assert (failed["error"], failed["pair_address"]) == ("pool_data_unavailable", first)
        assert "not watched" in failed["message"]
        assert sold["status"] == "executed"
        assert list(held(executor)) == [first]

    told(market, story)
    (alert,) = market.alerts()
    assert (alert.level, alert.subject) == (AlertLevel.ERROR, str(graduate(1).pool.base_mint))


def test_a_sale_that_breaks_keeps_no_other_position_from_its_exit(tmp_path: Path) -> None:
    market, first = bought_two(tmp_path), str(graduate(1).address)
    waits = 0

    async def wait(until_ns: int) -> None:
        nonlocal waits
        waits += 1
        if waits == 3:  # the first sale's, after two buys
            raise OSError("no time")
        market.clock.advance_to(until_ns)

    async def story(executor: PumpSwapTradingExecutor) -> None:
        await buy_both(executor, market)
        failed, sold = await executor.check_exits()
        assert (failed["status"], failed["error"], failed["action"]) == ("error", "internal_error", "sell")
        assert failed["pair_address"] == first
        assert sold["status"] == "executed", sold["message"]
        assert list(held(executor)) == [first]
        market.pass_seconds(120)
        (again,) = await executor.check_exits()
        assert (again["status"], again["pair_address"]) == ("executed", first), again["message"]
        assert held(executor) == {}

    told(market, story, wait=wait)
