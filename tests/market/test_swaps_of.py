"""Swaps of transactions: every generation of events, from calls and from logs, each once."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import AMM_EVENT_AUTHORITY, AMM_PROGRAM, TOKEN_PROGRAM
from pumpswap.amm.events import CPI_PREFIX, BuyEvent, EventSource, SellEvent, encode_event
from pumpswap.chain.node import ConfirmedTransaction, RanInstruction
from pumpswap.chain.streams import LogsSeen
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import UsageError
from pumpswap.market.swaps_of import Normalised, generation_of, normalise, normalise_logs, reserves_after, swaps_of
from pumpswap.model import Swap
from tests.market.recorded import key, load, transaction_of
from tests.support.material import material, requires_material

POOL, TRADER, RECIPIENT = (Pubkey.from_bytes(bytes([number]) * 32) for number in (7, 8, 9))
ROUTER = Pubkey.from_string("proVF4pMXVaYqmy4NjniPh4pqKNfMmsihgd4wdkCX3u")
BUY = BuyEvent(
    timestamp=1_790_000_000,
    base_amount_out=1_000,
    pool_base_token_reserves=10_000,
    pool_quote_token_reserves=50_000,
    lp_fee=20,
    protocol_fee=10,
    buyback_fee=5,
    coin_creator_fee=3,
    quote_amount_in_with_lp_fee=5_576,
    quote_amount_in=5_556,
    user_quote_amount_in=5_589,
    pool=POOL,
    user=TRADER,
    protocol_fee_recipient=RECIPIENT,
    ix_name="buy",
)
SELL = SellEvent(
    timestamp=1_790_000_001,
    base_amount_in=500,
    pool_base_token_reserves=9_000,
    pool_quote_token_reserves=55_576,
    quote_amount_out=2_925,
    lp_fee=6,
    protocol_fee=3,
    buyback_fee=1,
    coin_creator_fee=2,
    quote_amount_out_without_lp_fee=2_919,
    user_quote_amount_out=2_914,
    pool=POOL,
    user=TRADER,
    protocol_fee_recipient=RECIPIENT,
)


def raw(event: BuyEvent | SellEvent | bytes) -> bytes:
    return event if isinstance(event, bytes) else encode_event(event)


def logs_of(*events: BuyEvent | SellEvent | bytes, end: str = "success") -> tuple[str, ...]:
    data = [f"Program data: {base64.b64encode(raw(event)).decode()}" for event in events]
    return (f"Program {AMM_PROGRAM} invoke [1]", *data, f"Program {AMM_PROGRAM} {end}")


def seen(*events: BuyEvent | SellEvent | bytes, err: object = None) -> LogsSeen:
    return LogsSeen(44, "signature", err, logs_of(*events))


def confirmed(*events: BuyEvent | SellEvent | bytes, **changes: Any) -> ConfirmedTransaction:
    inner = [RanInstruction(TOKEN_PROGRAM, (), b"\x0c", 0, 2)]
    inner += [RanInstruction(AMM_PROGRAM, (AMM_EVENT_AUTHORITY,), CPI_PREFIX + raw(event), 0, 2) for event in events]
    outer = RanInstruction(AMM_PROGRAM, (POOL,), bytes(24), 0)
    told = ConfirmedTransaction(
        "signature", 44, None, None, 5_000, (), (), (), (), (), (outer, *inner), logs_of(*events), 90_000
    )
    return replace(told, **changes)


def test_a_swap_says_what_the_trader_paid_and_received() -> None:
    buy, sell = swaps_of(confirmed(BUY, SELL))
    assert buy == Swap(
        pool=str(POOL),
        at_ns=1_790_000_000 * NS_PER_SECOND,
        is_buy=True,
        base_units=1_000,
        quote_units=5_556 + 20 + 10 + 3,
        trader=str(TRADER),
        signature="signature",
        slot=44,
        index=0,
        event=BUY,
    )
    assert (sell.is_buy, sell.base_units, sell.quote_units, sell.index) == (False, 500, 2_914, 1)


def test_calls_and_logs_give_the_same_swaps_and_are_never_counted_twice() -> None:
    both = normalise(confirmed(BUY, SELL))
    assert both.source is EventSource.INNER_INSTRUCTIONS
    assert both.swaps == normalise_logs(seen(BUY, SELL)).swaps
    assert len(both.swaps) == 2


def test_the_calls_win_over_cut_logs() -> None:
    cut = confirmed(BUY, SELL, logs=(*logs_of(BUY)[:2], "Log truncated"))
    found = normalise(cut)
    assert len(found.swaps) == 2
    assert not found.is_partial


def test_logs_are_read_where_inner_instructions_were_not_recorded() -> None:
    outer = confirmed().instructions[0]
    found = normalise(confirmed(BUY, instructions=(outer,)))
    assert (found.source, len(found.swaps)) == (EventSource.LOGS, 1)


def test_a_failed_transaction_has_no_swaps() -> None:
    err = {"InstructionError": [3, {"Custom": 6004}]}
    assert swaps_of(confirmed(BUY, err=err)) == ()
    assert normalise(confirmed(BUY, err=err)).failed
    assert normalise_logs(seen(BUY, err=err)).swaps == ()


def test_every_hop_is_a_swap_of_its_own_pool() -> None:
    other = Pubkey.from_bytes(b"\x05" * 32)
    hop = msgspec.structs.replace(BUY, ix_name="multi_hop_swap", protocol_fee_recipient=Pubkey.default())
    second = msgspec.structs.replace(hop, pool=other)
    swaps = swaps_of(confirmed(hop, second))
    assert [(swap.pool, swap.index) for swap in swaps] == [(str(POOL), 0), (str(other), 1)]
    assert [generation_of(swap.event) for swap in swaps if swap.event] == [2, 2]


def test_a_boost_burn_is_nobodys_volume_but_keeps_its_number() -> None:
    burn = BuyEvent(base_amount_out=5, ix_name="buy_exact_quote_in", pool=POOL)
    found = normalise(confirmed(burn, BUY))
    assert [swap.index for swap in found.swaps] == [1]
    assert found.burns == 1


def test_an_exact_quote_buy_costs_what_was_taken_and_not_the_budget() -> None:
    budget = msgspec.structs.replace(
        BUY, ix_name="buy_exact_quote_in", quote_amount_in=9_999, user_quote_amount_in=5_556
    )
    assert swaps_of(confirmed(budget))[0].quote_units == 5_589


def test_p15_an_event_of_an_unknown_length_is_counted_and_its_swap_is_kept() -> None:
    longer, shorter = raw(BUY) + bytes(9), raw(SELL)[:-24]
    for found in (normalise(confirmed(longer, shorter, SELL)), normalise_logs(seen(longer, shorter, SELL))):
        assert [swap.base_units for swap in found.swaps] == [1_000, 500, 500]
        assert found.unknown_lengths == 1  # a sale without its last three fields has the length of an older one
    odd = raw(SELL)[:-32]
    assert normalise(confirmed(odd)).unknown_lengths == 1
    assert normalise_logs(seen(odd)).unknown_lengths == 1


def test_p15_unknown_and_broken_events_are_counted_and_the_rest_is_kept() -> None:
    found = normalise(confirmed(b"\x01" * 40, raw(BUY)[:20], SELL))
    assert [swap.is_buy for swap in found.swaps] == [False]
    assert (found.unknown, found.malformed) == (1, 1)


@pytest.mark.parametrize(
    "lines",
    [
        (*logs_of(BUY)[:2], "Log truncated"),
        ("Log truncated",),
        logs_of(raw(BUY)[:20]),
        logs_of(BUY)[1:],
    ],
)
def test_logs_that_may_hide_swaps_say_so(lines: tuple[str, ...]) -> None:
    assert normalise_logs(LogsSeen(1, "signature", None, lines)).is_partial


def test_logs_without_data_are_no_reason_to_ask_for_the_transaction() -> None:
    empty = normalise_logs(LogsSeen(1, "signature", None, (f"Program {ROUTER} invoke [1]",)))
    assert empty == Normalised((), EventSource.LOGS)
    assert not empty.is_partial


def test_reserves_after_a_trade_of_generation_1() -> None:
    buy, sell = swaps_of(confirmed(BUY, SELL))
    after = reserves_after(buy)
    assert (after.base_reserve, after.quote_vault, after.virtual_quote_reserves) == (9_000, 55_576, 0)
    after = reserves_after(sell)
    assert (after.base_reserve, after.quote_vault, after.virtual_quote_reserves) == (9_500, 55_576 - 2_919, 0)


def test_reserves_after_a_trade_of_generation_2_keep_fees_that_do_not_price() -> None:
    second = msgspec.structs.replace(BUY, ix_name="buy_v2", protocol_fee_recipient=Pubkey.default())
    after = reserves_after(swaps_of(confirmed(second))[0])
    assert (after.base_reserve, after.quote_vault, after.virtual_quote_reserves) == (9_000, 55_576 + 8, -8)


def test_a_swap_of_a_file_tells_no_reserves() -> None:
    with pytest.raises(UsageError, match="no event"):
        reserves_after(Swap("pool", 0, True, 1, 1))


# Recorded on mainnet


def recorded_events() -> list[dict[str, Any]]:
    path = material("chain", "events.jsonl")
    lines = path.read_text(encoding="utf-8").splitlines() if path else []
    return [told for told in map(json.loads, lines) if told["event"] in ("BuyEvent", "SellEvent")]


@requires_material("chain", "events.jsonl")
def test_every_recorded_generation_of_events_is_normalised_exactly() -> None:
    events = recorded_events()
    assert len(events) == 61
    for told in events:
        bytes_, decoded = base64.b64decode(told["raw_b64"]), told["decoded"]
        from_logs, from_calls = normalise_logs(seen(bytes_)), normalise(confirmed(bytes_))
        assert from_logs.swaps == from_calls.swaps
        assert from_logs.unknown_lengths == from_calls.unknown_lengths == 0, told["id"]
        (swap,) = from_calls.swaps
        fees = sum(decoded.get(name, 0) for name in ("lp_fee", "protocol_fee", "coin_creator_fee", "cashback"))
        if told["event"] == "BuyEvent":
            exact_quote = decoded.get("ix_name", "").startswith("buy_exact_quote_in")
            net = decoded["user_quote_amount_in" if exact_quote else "quote_amount_in"]
            assert (swap.is_buy, swap.base_units) == (True, decoded["base_amount_out"])
            assert swap.quote_units == net + fees
        else:
            assert (swap.is_buy, swap.base_units) == (False, decoded["base_amount_in"])
            assert swap.quote_units == decoded["user_quote_amount_out"] == decoded["quote_amount_out"] - fees
        assert swap.pool == str(key(decoded["pool"]))
        assert swap.trader == str(key(decoded["user"]))
        assert swap.at_ns == decoded["timestamp"] * NS_PER_SECOND


RECORDED_SWAPS = {
    "2025-07-29_pumpswap_buy_cpi.json": (True, 5_544_465_819, 963_427_853),
    "2025-07-29_pumpswap_sell_cpi.json": (False, 134_018_503_080, 112_472_203),
    "2026-04-30_migrate_create_pool_first_buy.json": (True, 29_195_761_127_671, 14_137_958_754),
    "2026-08-08_pumpswap_sell.json": (False, 1_937_887, 10_730_229_564),
}


@requires_material("chain", "transactions", "full")
def test_full_transactions_have_the_swaps_that_were_recorded_and_curve_trades_are_none() -> None:
    folder = material("chain", "transactions", "full")
    assert folder is not None
    found = {path.name: swaps_of(transaction_of(load(path))) for path in sorted(folder.glob("*.json"))}
    assert len(found) == 12
    swaps = {name: [(one.is_buy, one.base_units, one.quote_units) for one in some] for name, some in found.items()}
    assert {name: some for name, some in swaps.items() if some} == {name: [one] for name, one in RECORDED_SWAPS.items()}


@requires_material("chain", "transactions", "logs")
def test_recorded_logs_have_the_events_that_were_found_in_them() -> None:
    folder = material("chain", "transactions", "logs")
    assert folder is not None
    events = {told["id"]: told["decoded"] for told in recorded_events()}
    partial, total = [], 0
    for path in sorted(folder.glob("*.json")):
        told = load(path)
        found = normalise_logs(LogsSeen(told["slot"], told["signature"], told["err"], tuple(told["logs"])))
        listed = [events[one["event_id"]] for one in told["events"] if one["event"] in ("BuyEvent", "SellEvent")]
        bases = [one.get("base_amount_out", one.get("base_amount_in")) for one in listed]
        assert [swap.base_units for swap in found.swaps] == bases, path.name
        assert {(swap.signature, swap.slot) for swap in found.swaps} <= {(told["signature"], told["slot"])}
        total += len(found.swaps)
        if found.is_partial:
            partial.append(path.name)
    assert total == 14
    assert partial == ["2026-08-15_11programs_depth3_62XbZr1h.json", "2026-08-15_truncated_midstream_QGno4wxy.json"]


@requires_material("chain", "events.jsonl")
def test_reserves_after_recorded_swaps_are_the_recorded_vaults() -> None:
    told = [one for one in recorded_events() if one.get("vault_balances")]
    assert [one["id"] for one in told] == [60, 63]
    for one in told:
        (swap,) = normalise_logs(seen(base64.b64decode(one["raw_b64"]))).swaps
        after, vaults = reserves_after(swap), one["vault_balances"]
        assert after.quote_vault == vaults["pool_quote_vault_post"]
        assert after.base_reserve == vaults["pool_base_vault_post"]
        assert swap.event is not None
        assert swap.event.pool_quote_token_reserves == vaults["pool_quote_vault_pre"]
