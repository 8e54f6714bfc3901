"""Events: every historic layout, every cut, and what the figures of a trade mean."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import AMM_PROGRAM, PUMP_PROGRAM
from pumpswap.amm.events import (
    CPI_PREFIX,
    EVENTS,
    BuyEvent,
    CompletePumpAmmMigrationEvent,
    DisableEvent,
    Event,
    FeeBucket,
    SellEvent,
    SweepPoolFeeEvent,
    UpdateFeeConfigEvent,
    decode_event,
    encode_event,
    event_type,
)
from pumpswap.errors import AmountOutOfRange, MalformedEvent
from tests.support.material import material, requires_material
from tests.support.vectors import load

LAYOUTS: dict[str, dict[str, Any]] = load("events")["layouts"]
VECTORS: list[dict[str, Any]] = load("events")["vectors"]
TYPES = {kind.__name__: kind for kind in EVENTS}
SIZES = {
    "u8": 1,
    "bool": 1,
    "u16": 2,
    "u64": 8,
    "i64": 8,
    "i128": 16,
    "pubkey": 32,
    "[pubkey;7]": 224,
    "[pubkey;8]": 256,
}
ZEROS = {"bool": False, "string": "", "pubkey": str(Pubkey.default())}


def plain(value: Any) -> Any:
    """JSON form with every integer as a decimal string, whatever the file at hand does."""
    value = msgspec.to_builtins(value, enc_hook=str)
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return str(value) if type(value) is int else value


def zero(kind: str) -> Any:
    if kind.startswith("["):
        return [ZEROS["pubkey"]] * int(kind[-2])
    return ZEROS.get(kind, "0")


def expected(name: str, present: dict[str, Any]) -> dict[str, Any]:
    """All fields of the newest layout: those of the vector, zero where its payload is too short for them."""
    return {field: plain(present.get(field, zero(kind))) for field, kind in LAYOUTS[name]["fields"]}


def field_ends(name: str, payload: bytes) -> Iterator[tuple[int, str, str]]:
    """End offset, name and type of each field that the payload has."""
    at = 0
    for field, kind in LAYOUTS[name]["fields"]:
        if at == len(payload):
            return
        at += 4 + int.from_bytes(payload[at : at + 4], "little") if kind == "string" else SIZES[kind]
        if at > len(payload):
            return
        yield at, field, kind


def label(vector: dict[str, Any]) -> str:
    return f"{vector['event']}-{vector['payload_len']}"


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_the_fields_of_a_class_are_the_layout_of_the_program(name: str) -> None:
    kind = TYPES[name]
    assert kind.DISCRIMINATOR.hex() == LAYOUTS[name]["discriminator"]
    assert list(kind.__struct_fields__) == [field for field, _ in LAYOUTS[name]["fields"]]
    assert plain(kind()) == expected(name, {})
    widest = b"\0" * sum(SIZES.get(wire, 4) for _, wire in LAYOUTS[name]["fields"])
    assert encode_event(kind()) == kind.DISCRIMINATOR + widest


def test_there_is_one_class_per_event_and_only_migrations_belong_to_the_pump_program() -> None:
    assert sorted(TYPES) == sorted(LAYOUTS)
    foreign = [kind for kind in EVENTS if kind.PROGRAM != AMM_PROGRAM]
    assert foreign == [CompletePumpAmmMigrationEvent]
    assert CompletePumpAmmMigrationEvent.PROGRAM == PUMP_PROGRAM


@pytest.mark.parametrize("prefix", [b"", CPI_PREFIX], ids=["log", "self-call"])
@pytest.mark.parametrize("vector", VECTORS, ids=label)
def test_an_event_of_any_age_decodes_and_what_it_lacks_is_zero(vector: dict[str, Any], prefix: bytes) -> None:
    data = base64.b64decode(vector["data_b64"])
    event = decode_event(prefix + data)
    assert type(event) is TYPES[vector["event"]]
    assert plain(event) == expected(vector["event"], vector["decoded"])
    assert event_type(prefix + data) is type(event)


@pytest.mark.parametrize("vector", VECTORS, ids=label)
def test_an_encoded_event_starts_with_the_bytes_it_came_from(vector: dict[str, Any]) -> None:
    data = base64.b64decode(vector["data_b64"])
    event = decode_event(data)
    assert event is not None
    encoded = encode_event(event)
    surplus = vector["layout"].startswith("future")
    assert data.startswith(encoded) if surplus else encoded.startswith(data)
    assert decode_event(encoded) == event


@pytest.mark.parametrize("vector", VECTORS, ids=label)
def test_a_cut_between_fields_is_an_older_event_and_a_cut_inside_a_field_is_refused(vector: dict[str, Any]) -> None:
    data = base64.b64decode(vector["data_b64"])
    fields = {end: field for end, field, _ in field_ends(vector["event"], data[8:])}
    present: dict[str, Any] = {}
    for length in range(len(data) - 8):
        cut = data[: 8 + length]
        if length == 0 or length in fields:
            if length:
                present[fields[length]] = vector["decoded"][fields[length]]
            assert plain(decode_event(cut)) == expected(vector["event"], present)
        elif length < max(fields):
            with pytest.raises(MalformedEvent, match=vector["event"]) as refused:
                decode_event(CPI_PREFIX + cut)
            assert refused.value.hint
    assert len(present) >= len(fields) - 1


@pytest.mark.parametrize(
    "name", sorted(name for name in LAYOUTS if any(k == "bool" for _, k in LAYOUTS[name]["fields"]))
)
def test_a_bool_that_is_neither_0_nor_1_is_refused(name: str) -> None:
    data = encode_event(TYPES[name]())
    flags = [end - 1 for end, _, kind in field_ends(name, data[8:]) if kind == "bool"]
    assert flags
    for at in flags:
        for value in (2, 255):
            broken = bytearray(data)
            broken[8 + at] = value
            with pytest.raises(MalformedEvent, match="bool"):
                decode_event(bytes(broken))


NAME_AT = 8 + 393  # where the length of a BuyEvent's ix_name stands


@pytest.mark.parametrize("length", [4, 200, 2**31, 2**32 - 1])
def test_a_text_that_does_not_fit_is_refused_without_reserving_room_for_it(length: int) -> None:
    data = bytearray(encode_event(BuyEvent(ix_name="buy"))[: NAME_AT + 4 + 3])
    struct.pack_into("<I", data, NAME_AT, length)
    with pytest.raises(MalformedEvent, match="does not fit") as refused:
        decode_event(bytes(data))
    assert refused.value.hint


def test_a_text_that_is_no_utf_8_is_refused() -> None:
    data = encode_event(BuyEvent(ix_name="buy")).replace(b"buy", b"b\xffy")
    with pytest.raises(MalformedEvent, match="BuyEvent"):
        decode_event(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x67",
        BuyEvent.DISCRIMINATOR[:7],
        CPI_PREFIX,
        CPI_PREFIX + BuyEvent.DISCRIMINATOR[:7],
        b"\xff" * 500,
        bytes.fromhex("bddb7fd34ee661ee") + bytes(350),
    ],
    ids=["empty", "1 byte", "7 bytes", "prefix only", "prefix and 7 bytes", "noise", "curve trade"],
)
def test_bytes_of_no_known_event_are_none(data: bytes) -> None:
    assert decode_event(data) is None
    assert event_type(data) is None


@pytest.mark.parametrize(
    "event",
    [
        BuyEvent(base_amount_out=2**64),
        BuyEvent(base_amount_out=-1),
        BuyEvent(ix_name="\ud800"),
        SellEvent(virtual_quote_reserves=2**127),
        SweepPoolFeeEvent(bucket=256),
        UpdateFeeConfigEvent(protocol_fee_recipients=(Pubkey.default(),) * 7),
    ],
)
def test_a_value_that_its_field_cannot_hold_is_not_encoded(event: Event) -> None:
    with pytest.raises(AmountOutOfRange, match=type(event).__name__):
        encode_event(event)


def test_events_are_values() -> None:
    assert SellEvent(base_amount_in=1) == SellEvent(base_amount_in=1) != SellEvent()
    assert len({DisableEvent(), DisableEvent(), DisableEvent(disable_buy=True)}) == 2
    with pytest.raises(AttributeError):
        SellEvent().base_amount_in = 2  # type: ignore[misc]
    assert SweepPoolFeeEvent(bucket=1).bucket == FeeBucket.CREATOR


# What the figures of a trade mean.


def priced_quote(event: BuyEvent | SellEvent) -> int:
    """What prices a swap of exact base, from reserves and base alone (PROTOCOL 4.2, 4.4)."""
    base, reserve = event.pool_base_token_reserves, event.effective_quote_reserve
    if isinstance(event, BuyEvent):
        return -(-reserve * event.base_amount_out // (base - event.base_amount_out))
    return reserve * event.base_amount_in // (base + event.base_amount_in)


def base_for(event: BuyEvent) -> int:
    """Base that an exact-quote buy of this gross amount delivers (PROTOCOL 4.3)."""
    base, reserve, net = event.pool_base_token_reserves, event.effective_quote_reserve, event.gross_quote
    return base * (net - 1) // (reserve + net - 1)


def check_trade(event: BuyEvent | SellEvent) -> None:
    fees = [event.lp_fee, event.protocol_fee, event.coin_creator_fee, event.cashback]
    assert event.fees == sum(fees)
    assert event.effective_quote_reserve == event.pool_quote_token_reserves + event.virtual_quote_reserves
    if isinstance(event, SellEvent):
        assert event.gross_quote == priced_quote(event)
        assert event.gross_quote - event.fees == event.user_quote_amount_out
        return
    assert event.total_quote == event.gross_quote + event.fees
    if event.is_exact_quote:
        assert event.user_quote_amount_in == event.gross_quote
        assert event.quote_amount_in == event.max_quote_amount_in >= event.total_quote
        assert base_for(event) == event.base_amount_out
    else:
        assert event.quote_amount_in == event.gross_quote == priced_quote(event)
        assert event.user_quote_amount_in == event.total_quote


def test_gross_and_total_quote_of_executed_trades_are_what_moved_whatever_the_instruction() -> None:
    book = load("svm_v1")
    before = int(book["user_before"]["quote"])
    counted = {"buy": 0, "buy_exact_quote_in": 0, "sell": 0}
    for trade in book["trades"]:
        if "event_b64" not in trade:
            continue
        event = decode_event(base64.b64decode(trade["event_b64"]))
        assert isinstance(event, BuyEvent | SellEvent)
        check_trade(event)
        counted[trade["ix"]] += 1
        paid = before - int(trade["after"]["user_quote"])
        if isinstance(event, BuyEvent):
            assert (event.ix_name, event.is_exact_quote) == (trade["ix"], trade["ix"] != "buy")
            assert event.total_quote == paid
        else:
            assert event.user_quote_amount_out == -paid
        assert not event.is_v2
    assert min(counted.values()) > 100, counted


def test_a_boost_purchase_is_told_from_a_traders_by_its_name_and_its_zero_recipient() -> None:
    somebody = Pubkey.from_string("62qc2CNXwrYqQScmEdiZFFAnJR262PxWEuNQtxfafNgV")
    assert BuyEvent(ix_name="buy_exact_quote_in").is_boost_burn
    assert not BuyEvent(ix_name="buy_exact_quote_in", protocol_fee_recipient=somebody).is_boost_burn
    assert not BuyEvent(ix_name="buy_exact_quote_in_v2").is_boost_burn
    assert not BuyEvent(ix_name="multi_hop_swap").is_boost_burn


def test_v2_trades_are_told_by_name_or_by_the_zero_recipient_of_a_sale() -> None:
    somebody = Pubkey.from_string("62qc2CNXwrYqQScmEdiZFFAnJR262PxWEuNQtxfafNgV")
    assert [BuyEvent(ix_name=name).is_v2 for name in ("buy", "buy_v2", "buy_exact_quote_in_v2")] == [False, True, True]
    assert SellEvent().is_v2
    assert not SellEvent(protocol_fee_recipient=somebody).is_v2


# Recorded mainnet events.


def from_file(value: Any) -> Any:
    """Keys written as hex (one spells an offensive word in base58)."""
    if isinstance(value, str) and value.startswith("hex:"):
        return str(Pubkey.from_bytes(bytes.fromhex(value[4:])))
    return plain(value)


@requires_material("protocol", "vectors", "mainnet.json")
def test_every_recorded_mainnet_event_decodes_to_its_published_fields() -> None:
    path = material("protocol", "vectors", "mainnet.json")
    assert path is not None
    trades = 0
    for recorded in json.loads(path.read_text())["events"]:
        event = decode_event(base64.b64decode(recorded["data_b64"]))
        assert type(event) is TYPES[recorded["event"]], recorded["id"]
        present = {name: from_file(value) for name, value in recorded["decoded"].items()}
        assert plain(event) == expected(recorded["event"], present), recorded["id"]
        if isinstance(event, BuyEvent | SellEvent):
            check_trade(event)
            trades += 1
            assert event.is_v2 == recorded["instruction"].endswith("_v2"), recorded["id"]
        if isinstance(event, BuyEvent):
            assert event.is_boost_burn == (recorded["instruction"] == "boost_buy_and_burn"), recorded["id"]
    assert trades >= 67


@requires_material("chain", "events.jsonl")
def test_every_event_of_the_chain_record_decodes_to_its_published_fields() -> None:
    path = material("chain", "events.jsonl")
    assert path is not None
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == 66
    for recorded in lines:
        event = decode_event(base64.b64decode(recorded["raw_b64"]))
        present = {name: from_file(value) for name, value in recorded["decoded"].items()}
        assert plain(event) == expected(recorded["event"], present), recorded["id"]
        if isinstance(event, BuyEvent | SellEvent):
            check_trade(event)


@requires_material("chain", "other_events.jsonl")
def test_liquidity_events_decode_and_events_of_the_curve_are_not_ours() -> None:
    path = material("chain", "other_events.jsonl")
    assert path is not None
    ours, foreign = 0, 0
    for line in path.read_text().splitlines():
        recorded = json.loads(line)
        event = decode_event(base64.b64decode(recorded["raw_b64"]))
        if recorded["event"] in TYPES:
            assert type(event) is TYPES[recorded["event"]]
            ours += 1
            if recorded["decoded"]:
                present = {name: from_file(value) for name, value in recorded["decoded"].items()}
                assert plain(event) == expected(recorded["event"], present)
        else:
            assert event is None, recorded["event"]
            foreign += 1
    assert (ours, foreign) == (4, 4)


# Any event, any bytes.

KEYS = st.binary(min_size=32, max_size=32).map(Pubkey.from_bytes)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "u8": st.integers(0, 2**8 - 1),
    "u16": st.integers(0, 2**16 - 1),
    "u64": st.integers(0, 2**64 - 1),
    "i64": st.integers(-(2**63), 2**63 - 1),
    "i128": st.integers(-(2**127), 2**127 - 1),
    "bool": st.booleans(),
    "pubkey": KEYS,
    "string": st.text(max_size=40),
    "[pubkey;7]": st.lists(KEYS, min_size=7, max_size=7).map(tuple),
    "[pubkey;8]": st.lists(KEYS, min_size=8, max_size=8).map(tuple),
}
ANY_EVENT: st.SearchStrategy[Event] = st.sampled_from(EVENTS).flatmap(
    lambda kind: st.builds(kind, **{field: VALUES[wire] for field, wire in LAYOUTS[kind.__name__]["fields"]})
)


@given(ANY_EVENT, st.booleans(), st.binary(max_size=20))
def test_decoding_what_was_encoded_gives_the_same_event(event: Event, as_call: bool, surplus: bytes) -> None:
    prefix = CPI_PREFIX if as_call else b""
    assert decode_event(prefix + encode_event(event) + surplus) == event


@given(
    st.sampled_from([b"", CPI_PREFIX]), st.sampled_from([b"", *(kind.DISCRIMINATOR for kind in EVENTS)]), st.binary()
)
def test_random_bytes_give_an_event_none_or_a_named_error(prefix: bytes, discriminator: bytes, noise: bytes) -> None:
    try:
        event = decode_event(prefix + discriminator + noise)
    except MalformedEvent:
        return
    assert event is None or decode_event(encode_event(event)) == event
