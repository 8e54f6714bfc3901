"""One connection: subscriptions, notifications, and every way to end."""

from __future__ import annotations

import asyncio
import base64
import logging

import pytest
from pydantic import SecretStr
from solders.pubkey import Pubkey

from pumpswap.chain.node import ChainAccount, Commitment, ProgramFilter
from pumpswap.chain.streams import (
    AccountChanged,
    AccountWatch,
    LogsSeen,
    LogsWatch,
    ProgramWatch,
    SignatureSeen,
    SignatureWatch,
    SlotSeen,
    SlotWatch,
    StreamEndpoint,
    stream_endpoints,
)
from pumpswap.chain.streams.socket import Socket, SocketOptions
from pumpswap.errors import ChainError, ConfigError, EndpointDown, NodeRefused, NotServed
from pumpswap.settings import EndpointSettings
from tests.chain.ws_server import Script, Session, scripted

ADDRESS, OWNER = Pubkey.from_bytes(b"\x03" * 32), Pubkey.from_bytes(b"\x04" * 32)
TOKEN = "token-3f9a"
PATIENT = SocketOptions(confirm_timeout_seconds=60, open_timeout_seconds=60)
QUICK = SocketOptions(confirm_timeout_seconds=0.2, open_timeout_seconds=60)
ACCOUNT = {
    "data": [base64.b64encode(b"abc").decode(), "base64"],
    "executable": False,
    "lamports": 2**64 - 1,
    "owner": str(OWNER),
    "rentEpoch": 2**64 - 1,
    "space": 3,
}


def at(slot: int, value: object) -> dict[str, object]:
    return {"context": {"slot": slot, "apiVersion": "4.1.2"}, "value": value}


async def connected(endpoint: StreamEndpoint, options: SocketOptions = PATIENT) -> Socket:
    return await Socket.open(endpoint, options)


@pytest.mark.asyncio
async def test_all_five_subscriptions_ask_and_tell() -> None:
    asked = []

    async def script(session: Session) -> None:
        for subscription in range(1, 6):
            request = await session.request()
            asked.append((request["method"], request["params"]))
            await session.confirm(request, subscription)
        await session.slot(1, 77)
        await session.notify("logs", 2, at(78, {"signature": "sig", "err": None, "logs": ["a", "b"]}))
        await session.notify("account", 3, at(79, ACCOUNT))
        await session.notify("program", 4, at(80, {"pubkey": str(ADDRESS), "account": ACCOUNT}))
        await session.notify("signature", 5, at(81, "receivedSignature"))
        await session.notify("signature", 5, at(82, {"err": {"InstructionError": [0, {"Custom": 6004}]}}))
        await session.wait()

    watches = [
        SlotWatch(),
        LogsWatch(ADDRESS),
        AccountWatch(ADDRESS),
        ProgramWatch(OWNER, (ProgramFilter(43, b"\x01\x02"),)),
        SignatureWatch("sig"),
    ]
    async with scripted(script) as endpoint:
        socket = await connected(endpoint)
        await socket.subscribe(watches)
        account = ChainAccount(ADDRESS, OWNER, 2**64 - 1, b"abc")
        assert [await socket.next() for _ in range(5)] == [
            SlotSeen(77, 76, 45),
            LogsSeen(78, "sig", None, ("a", "b")),
            AccountChanged(79, account),
            AccountChanged(80, account),
            SignatureSeen(82, "sig", {"InstructionError": [0, {"Custom": 6004}]}),
        ]
        await socket.close()
    memcmp = {"memcmp": {"offset": 43, "bytes": "AQI=", "encoding": "base64"}}
    level = {"commitment": "confirmed"}
    assert asked == [
        ("slotSubscribe", []),
        ("logsSubscribe", [{"mentions": [str(ADDRESS)]}, level]),
        ("accountSubscribe", [str(ADDRESS), {**level, "encoding": "base64"}]),
        ("programSubscribe", [str(OWNER), {**level, "encoding": "base64", "filters": [memcmp]}]),
        ("signatureSubscribe", ["sig", level]),
    ]


@pytest.mark.asyncio
async def test_a_notification_that_comes_before_its_confirmation_is_not_lost() -> None:
    async def script(session: Session) -> None:
        request = await session.request()
        await session.slot(9, 5)
        await session.confirm(request, 9)
        await session.slot(9, 6)
        await session.wait()

    async with scripted(script) as endpoint:
        socket = await connected(endpoint)
        await socket.subscribe([SlotWatch()])
        assert [(await socket.next()).slot for _ in range(2)] == [5, 6]  # type: ignore[union-attr]
        await socket.close()


@pytest.mark.asyncio
async def test_an_ended_subscription_tells_nothing_more() -> None:
    async def script(session: Session) -> None:
        await session.confirm_all(2)
        request = await session.request()
        assert (request["method"], request["params"]) == ("logsUnsubscribe", [2])
        await session.confirm(request, True)
        await session.notify("logs", 2, at(78, {"signature": "late", "err": None, "logs": []}))
        await session.slot(1, 7)
        await session.wait()

    async with scripted(script) as endpoint:
        socket = await connected(endpoint)
        await socket.subscribe([SlotWatch(), LogsWatch(ADDRESS)])
        await socket.unsubscribe(LogsWatch(ADDRESS))
        await socket.unsubscribe(AccountWatch(ADDRESS))  # never asked for: nothing to end
        assert await socket.next() == SlotSeen(7, 6, -25)
        await socket.close()


@pytest.mark.parametrize(
    ("error", "kind"),
    [({"code": -32601, "message": "Method not found"}, NotServed), ({"code": -32602, "message": "no"}, NodeRefused)],
)
@pytest.mark.asyncio
async def test_a_refused_subscription_is_a_named_error(error: dict[str, object], kind: type[ChainError]) -> None:
    async def script(session: Session) -> None:
        request = await session.request()
        await session.say({"jsonrpc": "2.0", "id": request["id"], "error": error})
        await session.wait()

    async with scripted(script) as endpoint:
        socket = await connected(endpoint)
        with pytest.raises(kind, match="refuses a subscription") as caught:
            await socket.subscribe([SlotWatch()])
        assert caught.value.hint
        await socket.close()


async def never(session: Session) -> None:
    await session.wait()


async def hang_up(session: Session) -> None:
    await session.request()
    await session.close(1013)


async def no_number(session: Session) -> None:
    await session.confirm(await session.request(), "abc")
    await session.wait()


@pytest.mark.parametrize(
    ("script", "why"),
    [(never, "no answer"), (hang_up, "closed with code 1013"), (no_number, "without a subscription number")],
)
@pytest.mark.asyncio
async def test_a_subscription_that_is_not_confirmed_fails(script: Script, why: str) -> None:
    async with scripted(script) as endpoint:
        socket = await connected(endpoint, QUICK if script is never else PATIENT)
        with pytest.raises(EndpointDown, match=why):
            await socket.subscribe([SlotWatch()])
        socket.abort("done")
        with pytest.raises(EndpointDown):
            await socket.next()
        await socket.close()


@pytest.mark.parametrize("breaks", [False, True])
@pytest.mark.asyncio
async def test_what_arrived_before_the_end_is_given_out_first(breaks: bool) -> None:
    async def script(session: Session) -> None:
        await session.confirm_all(1)
        await session.slot(1, 7)
        await asyncio.sleep(0.05)
        await (session.break_off() if breaks else session.close(1012))

    async with scripted(script) as endpoint:
        socket = await connected(endpoint)
        await socket.subscribe([SlotWatch()])
        await asyncio.sleep(0.1)
        assert await socket.next() == SlotSeen(7, 6, -25)
        for _ in range(2):
            with pytest.raises(EndpointDown, match="connection lost" if breaks else "closed with code 1012"):
                await socket.next()
        with pytest.raises(EndpointDown):
            await socket.subscribe([LogsWatch(ADDRESS)])
        await socket.close()
        await socket.close()


@pytest.mark.asyncio
async def test_messages_that_cannot_be_read_are_counted_and_the_rest_is_kept() -> None:
    broken = {**ACCOUNT, "data": ["!!", "base64"]}
    other = {**ACCOUNT, "data": ["abc", "base58"]}

    async def script(session: Session) -> None:
        await session.confirm_all(3)
        await session.say("{")
        await session.say('{"jsonrpc":"2.0","method":"rootNotification","params":{"result":5,"subscription":99}}')
        await session.notify("logs", 2, at(78, {"signature": 5}))
        await session.notify("account", 3, at(79, broken))
        await session.notify("account", 3, at(79, other))
        await session.notify("account", 3, at(79, {**ACCOUNT, "owner": "x"}))
        await session.slot(1, 8)
        await session.wait()

    async with scripted(script) as endpoint:
        socket = await connected(endpoint)
        await socket.subscribe([SlotWatch(), LogsWatch(ADDRESS), AccountWatch(ADDRESS)])
        assert await socket.next() == SlotSeen(8, 7, -24)
        assert socket.malformed == 5
        await socket.close()


@pytest.mark.asyncio
async def test_a_reader_that_is_too_slow_is_disconnected_and_never_skips_records() -> None:
    async def script(session: Session) -> None:
        await session.confirm_all(1)
        for slot in range(20):
            await session.slot(1, slot)
        await session.wait()

    async with scripted(script) as endpoint:
        socket = await connected(endpoint, SocketOptions(unread_limit=10))
        await socket.subscribe([SlotWatch()])
        await asyncio.sleep(0.1)
        assert [(await socket.next()).slot for _ in range(10)] == list(range(10))  # type: ignore[union-attr]
        with pytest.raises(EndpointDown, match="10 records behind"):
            await socket.next()
        await socket.close()


@pytest.mark.asyncio
async def test_no_token_is_in_errors_reprs_or_logs(caplog: pytest.LogCaptureFixture) -> None:
    async def script(session: Session) -> None:
        request = await session.request()
        message = f"key /{TOKEN} is blocked"
        await session.say({"jsonrpc": "2.0", "id": request["id"], "error": {"code": -1, "message": message}})
        await session.wait()

    texts = []
    with caplog.at_level(logging.DEBUG):
        async with scripted(script, token=TOKEN) as endpoint:
            texts.append(repr(endpoint))
            socket = await connected(endpoint)
            with pytest.raises(NodeRefused) as refused:
                await socket.subscribe([SlotWatch()])
            texts += [str(refused.value), repr(refused.value)]
            await socket.close()
        with pytest.raises(EndpointDown) as down:
            await connected(endpoint)
    texts += [str(down.value), repr(down.value), down.value.hint, str(down.value.__cause__)]
    # The server of this test logs its requests; what counts is that the client does not.
    texts += [record.getMessage() for record in caplog.records if not record.name.startswith("websockets.server")]
    assert not [text for text in texts if TOKEN in text]
    assert str(down.value).startswith(f"{endpoint.name}: no websocket connection")


@pytest.mark.parametrize(
    ("url", "ws_url", "name", "expected"),
    [
        ("http://127.0.0.1:8899", None, "127.0.0.1:8900", "ws://127.0.0.1:8900"),
        ("https://rpc.example/abc?key=1", None, "rpc.example", "wss://rpc.example/abc?key=1"),
        ("https://rpc.example:443/abc", None, "rpc.example:443", "wss://rpc.example:443/abc"),
        ("https://u:p@rpc.example:9000/", None, "rpc.example:9001", "wss://u:p@rpc.example:9001/"),
        ("http://[::1]:8899/", None, "[::1]:8900", "ws://[::1]:8900/"),
        ("https://rpc.example", "wss://ws.example:7/x", "ws.example:7", "wss://ws.example:7/x"),
    ],
)
def test_the_socket_address_is_the_one_that_solanas_clients_derive(
    url: str, ws_url: str | None, name: str, expected: str
) -> None:
    settings = EndpointSettings(url=SecretStr(url), ws_url=SecretStr(ws_url) if ws_url else None)
    (endpoint,) = stream_endpoints([settings])
    assert (endpoint.name, endpoint.url) == (name, expected)
    assert expected not in repr(endpoint)


@pytest.mark.parametrize("url", ["ftp://host", "host", "http://", "http://host:port"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        stream_endpoints([EndpointSettings.model_construct(url=SecretStr(url), ws_url=None)])


@pytest.mark.asyncio
async def test_the_commitment_is_part_of_every_subscription() -> None:
    asked = []

    async def script(session: Session) -> None:
        request = await session.request()
        asked.append(request["params"][1])
        await session.confirm(request, 1)
        await session.wait()

    async with scripted(script) as endpoint:
        socket = await connected(endpoint, SocketOptions(commitment=Commitment.FINALIZED))
        await socket.subscribe([LogsWatch(ADDRESS)])
        await socket.close()
    assert asked == [{"commitment": "finalized"}]
