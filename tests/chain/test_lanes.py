"""Lanes: all endpoints at once; and a block engine that answers as its operator documents it (P10)."""

from __future__ import annotations

import asyncio
import base64
from random import Random
from typing import Any

import pytest
from pydantic import SecretStr

from pumpswap.chain.jito import MIN_TIP_LAMPORTS, TIP_ACCOUNTS, BundleState, BundleStatus, JitoLane
from pumpswap.chain.lanes import RpcLane, lanes_named
from pumpswap.errors import ConfigError, EndpointDown, NodeRefused, NotServed, RateLimited
from pumpswap.localnet.faults import Fault, FaultKind
from tests.chain.http_endpoint import Reply, endpoint
from tests.chain.sender_world import World, new_chain

RAW = b"signed bytes"
ENCODED = base64.b64encode(RAW).decode()
BUNDLE = "7f1d2b"


def engine(method: str, params: list[Any]) -> Reply:
    if method in ("sendBundle", "sendTransaction"):
        return Reply(result=BUNDLE if method == "sendBundle" else "signature")
    if method == "getInflightBundleStatuses":
        line = {"bundle_id": BUNDLE, "status": "Landed", "landed_slot": 280999028}
        return Reply(result={"context": {"slot": 280999030}, "value": [line]})
    if method == "getTipAccounts":
        return Reply(result=[str(account) for account in TIP_ACCOUNTS[:2]])
    return Reply(error={"code": -32601, "message": "Method not found"})


def test_p10_a_bundle_of_one_goes_out_and_its_status_is_a_hint() -> None:
    async def story() -> None:
        async with endpoint(engine) as server, JitoLane(SecretStr(server.url)) as lane:
            assert lane.bundle_of(RAW) is None
            await lane.send(RAW)
            assert server.asked == [("sendBundle", [[ENCODED], {"encoding": "base64"}])]
            assert lane.bundle_of(RAW) == BUNDLE
            assert await lane.bundle_statuses([BUNDLE]) == (BundleStatus(BUNDLE, BundleState.LANDED, 280999028),)

    asyncio.run(story())


def test_a_single_transaction_goes_to_the_other_door() -> None:
    async def story() -> None:
        async with endpoint(engine) as server, JitoLane(SecretStr(server.url), mode="transaction") as lane:
            await lane.send(RAW)
            assert server.asked == [("sendTransaction", [ENCODED, {"encoding": "base64"}])]

    asyncio.run(story())


def test_tips_go_to_one_of_the_engines_accounts_by_chance() -> None:
    async def story() -> None:
        async with endpoint(engine) as server, JitoLane(SecretStr(server.url)) as lane:
            assert lane.min_tip_lamports == MIN_TIP_LAMPORTS
            assert {lane.tip_account(Random(seed)) for seed in range(200)} == set(TIP_ACCOUNTS)
            assert await lane.refresh_tip_accounts() == TIP_ACCOUNTS[:2]
            assert lane.tip_accounts == TIP_ACCOUNTS[:2]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=429, raw=b"", headers={"Retry-After": "3"}), RateLimited),
        (Reply(error={"code": -32097, "message": "Rate limit exceeded"}), RateLimited),
        (Reply(error={"code": -32602, "message": "bundle contains an already processed transaction"}), NodeRefused),
        (Reply(error={"code": -32601, "message": "Method not found"}), NotServed),
        (Reply(status=503, raw=b"busy"), EndpointDown),
        (Reply(raw=b"<html>"), EndpointDown),
        (Reply(result=7), EndpointDown),
        (Reply(is_reset=True), EndpointDown),
    ],
)
def test_the_engines_refusals_are_named_and_never_show_its_token(reply: Reply, error: type[Exception]) -> None:
    async def story() -> None:
        async with endpoint(lambda *_: reply) as server, JitoLane(SecretStr(server.url)) as lane:
            with pytest.raises(error) as caught:
                await lane.send(RAW)
            assert type(caught.value) is error
            said = f"{caught.value} {caught.value.__cause__} {lane!r}"
            assert "secret" not in said
            if isinstance(caught.value, RateLimited) and reply.headers:
                assert caught.value.retry_after_seconds == 3

    asyncio.run(story())


def test_an_address_that_is_none_is_a_setting_that_cannot_be_used() -> None:
    for url in ("ftp://engine", "nothing", "http://"):
        with pytest.raises(ConfigError, match="jito_url"):
            JitoLane(SecretStr(url))


# ---------------------------------------------------------------------------------------------- RPC


def test_the_rpc_lane_asks_all_endpoints_and_is_done_with_the_first() -> None:
    async def story() -> None:
        world = World(new_chain(), 31)
        order = world.new_order()
        await world.start(order)
        (attempt,) = world.store.of_order(order.order_id)
        lane = RpcLane(world.pool)
        assert (lane.tip_account(Random(1)), lane.min_tip_lamports) == (None, 0)
        for node in world.pool.nodes[:2]:
            node.faults.add(Fault(FaultKind.SERVER_ERROR))
        await lane.send(attempt.raw)
        world.pool.nodes[2].faults.add(Fault(FaultKind.RATE_LIMITED))
        with pytest.raises(EndpointDown, match="no endpoint confirmed") as caught:
            await lane.send(attempt.raw)
        assert all(name in str(caught.value) for name in ("ash", "birch", "cedar"))
        for node in world.pool.nodes:
            node.is_down = True
        with pytest.raises(EndpointDown, match="no endpoint is usable"):
            await lane.send(attempt.raw)
        await lane.aclose()

    asyncio.run(story())


def test_lanes_are_chosen_by_name() -> None:
    jito, rpc = JitoLane(SecretStr("https://engine.example")), RpcLane(World(new_chain(), 1).pool)
    assert lanes_named((rpc, jito), frozenset()) == (rpc, jito)
    assert lanes_named((rpc, jito), frozenset({"jito"})) == (jito,)
    assert lanes_named((rpc,), frozenset({"jito"})) == ()
    asyncio.run(jito.aclose())
