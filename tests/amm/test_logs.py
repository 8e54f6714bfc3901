"""Who emitted an event, and what a reader must be told about a transaction that cannot be read completely."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import (
    AMM_EVENT_AUTHORITY,
    AMM_PROGRAM,
    FEES_PROGRAM,
    PUMP_EVENT_AUTHORITY,
    PUMP_PROGRAM,
    TOKEN_PROGRAM,
)
from pumpswap.amm.events import (
    CPI_PREFIX,
    BuyEvent,
    CompletePumpAmmMigrationEvent,
    Event,
    EventSource,
    ExtendAccountEvent,
    SellEvent,
    TransactionEvents,
    decode_event,
    encode_event,
    events_from_inner_instructions,
    events_from_logs,
    events_of_transaction,
)
from pumpswap.errors import UsageError
from tests.support.material import material, requires_material

ROUTER = Pubkey.from_string("proVF4pMXVaYqmy4NjniPh4pqKNfMmsihgd4wdkCX3u")
BUY = BuyEvent(timestamp=1, base_amount_out=7, ix_name="buy")
SELL = SellEvent(timestamp=2, base_amount_in=9)
MIGRATION = CompletePumpAmmMigrationEvent(timestamp=3, mint_amount=5)
CURVE_TRADE = bytes.fromhex("bddb7fd34ee661ee") + bytes(100)


def data(event: Event | bytes) -> str:
    raw = event if isinstance(event, bytes) else encode_event(event)
    return "Program data: " + base64.b64encode(raw).decode()


def call(program: Pubkey, depth: int, *inside: str | list[str], end: str = "success") -> list[str]:
    """Log lines of one invocation."""
    lines = [f"Program {program} invoke [{depth}]"]
    for part in inside:
        lines += [part] if isinstance(part, str) else part
    return [*lines, f"Program {program} consumed 5173 of 138430 compute units", f"Program {program} {end}"]


def events(found: TransactionEvents) -> list[Event]:
    return [emitted.event for emitted in found.events]


def is_clean(found: TransactionEvents) -> bool:
    return not (found.failed or found.truncated or found.malformed or found.unknown or found.unattributed)


# Log lines


def test_an_event_belongs_to_the_program_that_runs_when_it_is_printed() -> None:
    swap = call(AMM_PROGRAM, 2, "Program log: Instruction: Buy", call(FEES_PROGRAM, 3), data(BUY), call(AMM_PROGRAM, 3))
    lines = [*call(TOKEN_PROGRAM, 1), *call(ROUTER, 1, swap, data(SELL))]
    found = events_from_logs(lines)
    assert events(found) == [BUY]
    emitted = found.events[0]
    assert emitted.program == AMM_PROGRAM
    assert emitted.position == lines.index(data(BUY)) > 0
    assert found.source is EventSource.LOGS
    assert is_clean(found)


@pytest.mark.parametrize("faker", [ROUTER, FEES_PROGRAM, TOKEN_PROGRAM, PUMP_PROGRAM])
def test_an_event_printed_by_another_program_is_a_fake(faker: Pubkey) -> None:
    before = call(faker, 1, data(BUY))
    around = call(faker, 1, call(AMM_PROGRAM, 2), data(BUY))
    inside = call(AMM_PROGRAM, 1, call(faker, 2, data(BUY)))
    found = events_from_logs([*before, *around, *inside])
    assert events(found) == []
    assert is_clean(found)


def test_a_printed_line_cannot_start_or_end_a_program() -> None:
    forged = f"x\nProgram {AMM_PROGRAM} invoke [2]"
    lines = call(ROUTER, 1, f"Program log: {forged}", f"Program log: Program {AMM_PROGRAM} invoke [2]", data(BUY))
    assert events(events_from_logs(lines)) == []
    kept = call(AMM_PROGRAM, 1, f"Program log: Program {AMM_PROGRAM} success", f"Program return: {AMM_PROGRAM} AA==")
    assert events(events_from_logs([*kept[:-2], data(BUY), *kept[-2:]])) == [BUY]


def test_a_migration_counts_only_from_the_pump_program() -> None:
    found = events_from_logs(call(PUMP_PROGRAM, 1, data(MIGRATION)))
    assert events(found) == [MIGRATION]
    assert found.events[0].program == PUMP_PROGRAM
    stranger = events_from_logs(call(AMM_PROGRAM, 1, data(MIGRATION)))
    assert (events(stranger), stranger.unknown) == ([], 1)


def test_events_of_the_curve_with_our_names_or_others_are_not_ours_and_not_unknown() -> None:
    found = events_from_logs(call(PUMP_PROGRAM, 1, data(ExtendAccountEvent()), data(CURVE_TRADE)))
    assert events(found) == []
    assert is_clean(found)


def test_an_unknown_event_of_the_amm_is_counted() -> None:
    found = events_from_logs(call(AMM_PROGRAM, 1, data(b"\x01" * 40), data(b"\x01"), data(SELL)))
    assert events(found) == [SELL]
    assert found.unknown == 2


def test_broken_base64_and_broken_payloads_are_counted_and_the_rest_is_kept() -> None:
    cut = data(encode_event(BUY)[:20])
    for broken in ("Program data: ???", data(BUY)[:-1], data(BUY) + " AA==", "Program data: ü", cut):
        found = events_from_logs(call(AMM_PROGRAM, 1, broken, data(SELL)))
        assert events(found) == [SELL]
        assert (found.malformed, found.unknown) == (1, 0)


def test_broken_lines_of_other_programs_are_their_own_affair() -> None:
    assert is_clean(events_from_logs(call(ROUTER, 1, "Program data: ???", "Program data: U3lub3BzaXM= ac+c")))


def test_what_stands_before_a_cut_is_kept_and_what_stands_behind_it_is_attributed_to_nobody() -> None:
    lines = [*call(AMM_PROGRAM, 1, data(BUY)), f"Program {AMM_PROGRAM} invoke [1]", "Log truncated", data(SELL)]
    found = events_from_logs(lines)
    assert events(found) == [BUY]
    assert found.truncated
    assert found.unattributed == 1


def test_a_data_line_outside_every_program_is_attributed_to_nobody() -> None:
    assert events_from_logs([data(BUY)]).unattributed == 1
    after = events_from_logs([*call(AMM_PROGRAM, 1), data(BUY)])
    assert (events(after), after.unattributed) == ([], 1)


def test_missing_lines_never_give_an_event_to_the_wrong_program() -> None:
    lost_start = [f"Program {AMM_PROGRAM} invoke [1]", f"Program {ROUTER} invoke [3]", f"Program {ROUTER} success"]
    found = events_from_logs([*lost_start, data(BUY)])
    assert (events(found), found.unattributed) == ([], 1)
    lost_end = [f"Program {AMM_PROGRAM} invoke [1]", f"Program {TOKEN_PROGRAM} invoke [2]"]
    assert events(events_from_logs([*lost_end, *call(ROUTER, 1, data(BUY))])) == []
    assert events(
        events_from_logs([*lost_end, f"Program {AMM_PROGRAM} success", *call(AMM_PROGRAM, 1, data(BUY))])
    ) == [BUY]


def test_what_a_failed_transaction_emitted_never_happened() -> None:
    failed = call(ROUTER, 1, call(AMM_PROGRAM, 2, data(BUY)), end="failed: custom program error: 0x1774")
    found = events_from_logs(failed)
    assert found.failed
    assert found.events == ()


def test_no_lines_are_no_events() -> None:
    assert events_from_logs([]) == TransactionEvents((), EventSource.LOGS)


@given(
    st.lists(st.text(max_size=60) | st.sampled_from([*call(ROUTER, 1, call(AMM_PROGRAM, 2, data(BUY))), data(SELL)]))
)
def test_any_lines_are_read_without_an_error(lines: list[str]) -> None:
    found = events_from_logs(lines)
    assert len(found.events) + found.malformed + found.unattributed <= len(lines)


# Inner instructions


def inner(event: Event | bytes, program: Pubkey = AMM_PROGRAM) -> tuple[Pubkey, list[Pubkey], bytes]:
    raw = event if isinstance(event, bytes) else encode_event(event)
    authority = AMM_EVENT_AUTHORITY if program == AMM_PROGRAM else PUMP_EVENT_AUTHORITY
    return program, [authority], CPI_PREFIX + raw


def test_an_event_is_the_call_of_the_program_to_itself_with_its_event_authority() -> None:
    found = events_from_inner_instructions(
        [(TOKEN_PROGRAM, [ROUTER], b"\x0c"), inner(BUY), inner(MIGRATION, PUMP_PROGRAM), inner(SELL)]
    )
    assert events(found) == [BUY, MIGRATION, SELL]
    assert [emitted.position for emitted in found.events] == [1, 2, 3]
    assert [emitted.program for emitted in found.events] == [AMM_PROGRAM, PUMP_PROGRAM, AMM_PROGRAM]
    assert found.source is EventSource.INNER_INSTRUCTIONS
    assert is_clean(found)


@pytest.mark.parametrize(
    "fake",
    [
        (ROUTER, [AMM_EVENT_AUTHORITY], CPI_PREFIX + encode_event(BUY)),
        (PUMP_PROGRAM, [PUMP_EVENT_AUTHORITY], CPI_PREFIX + encode_event(BUY)),
        (PUMP_PROGRAM, [AMM_EVENT_AUTHORITY], CPI_PREFIX + encode_event(MIGRATION)),
        (AMM_PROGRAM, [PUMP_EVENT_AUTHORITY], CPI_PREFIX + encode_event(BUY)),
        (AMM_PROGRAM, [], CPI_PREFIX + encode_event(BUY)),
        (AMM_PROGRAM, [AMM_EVENT_AUTHORITY, ROUTER], CPI_PREFIX + encode_event(BUY)),
        (AMM_PROGRAM, [ROUTER, AMM_EVENT_AUTHORITY], CPI_PREFIX + encode_event(BUY)),
        (AMM_PROGRAM, [AMM_EVENT_AUTHORITY], encode_event(BUY)),
        (AMM_PROGRAM, [AMM_EVENT_AUTHORITY], b""),
    ],
    ids=[
        "program",
        "curve",
        "authority of the AMM",
        "authority of the curve",
        "no account",
        "two",
        "second",
        "no prefix",
        "empty",
    ],
)
def test_a_call_by_another_program_with_other_accounts_or_without_the_prefix_is_no_event(
    fake: tuple[Pubkey, list[Pubkey], bytes],
) -> None:
    found = events_from_inner_instructions([fake, inner(SELL)])
    assert events(found) == [SELL]
    assert is_clean(found)


def test_unknown_and_broken_calls_are_counted() -> None:
    found = events_from_inner_instructions([inner(b"\x01" * 30), inner(encode_event(SELL)[:30]), inner(BUY)])
    assert (events(found), found.unknown, found.malformed) == ([BUY], 1, 1)
    assert is_clean(events_from_inner_instructions([inner(CURVE_TRADE, PUMP_PROGRAM)]))


# Whole transactions


def test_an_event_in_both_places_is_counted_once() -> None:
    logs = call(AMM_PROGRAM, 1, data(BUY), call(AMM_PROGRAM, 2))
    found = events_of_transaction(logs, [inner(BUY)])
    assert events(found) == [BUY]
    assert found.source is EventSource.INNER_INSTRUCTIONS


def test_logs_are_read_only_when_there_are_no_instructions() -> None:
    logs = call(AMM_PROGRAM, 1, data(BUY))
    assert events_of_transaction(logs, None) == events_from_logs(logs)
    assert events(events_of_transaction(logs, [])) == []
    assert events(events_of_transaction(None, [inner(BUY)])) == [BUY]


def test_cut_logs_do_not_matter_beside_instructions_but_a_failure_does() -> None:
    assert is_clean(events_of_transaction(["Log truncated"], [inner(BUY)]))
    found = events_of_transaction(call(AMM_PROGRAM, 1, end="failed: custom program error: 0x1774"), [inner(BUY)])
    assert found.failed
    assert found.events == ()


def test_a_transaction_of_which_nothing_is_recorded_is_not_read_as_empty() -> None:
    with pytest.raises(UsageError) as refused:
        events_of_transaction(None, None)
    assert refused.value.hint


# Recorded transactions


def recorded(folder: str) -> list[tuple[str, dict[str, Any]]]:
    path = material("chain", "transactions", folder) or Path("absent")
    return [(file.stem, json.loads(file.read_text())) for file in sorted(path.glob("*.json"))]


def listed(transaction: dict[str, Any], place: str) -> list[tuple[Any, Event | None]]:
    """Place and content of the events that the record lists: all of the AMM, and migrations of the curve."""
    return [
        (entry[place], decode_event(base64.b64decode(entry["raw_b64"])))
        for entry in transaction["events"]
        if entry[place] is not None
        and (entry["program"] == "pumpswap" or entry["event"] == "CompletePumpAmmMigrationEvent")
    ]


def address(text: str) -> Pubkey:
    return Pubkey.from_bytes(bytes.fromhex(text[4:])) if text.startswith("hex:") else Pubkey.from_string(text)


def inner_instructions(transaction: dict[str, Any]) -> list[tuple[list[int], tuple[Pubkey, list[Pubkey], bytes]]]:
    """Path and instruction; those recorded in parsed form only are of system programs."""
    return [
        (
            entry["path"],
            (address(entry["program"]), [*map(address, entry["accounts"])], base64.b64decode(entry["data_b64"])),
        )
        for entry in transaction["instructions"]
        if entry["data_b64"] is not None and len(entry["path"]) == 2
    ]


@requires_material("chain", "transactions", "logs")
def test_recorded_logs_give_the_listed_events_and_no_other() -> None:
    transactions = recorded("logs")
    assert len(transactions) == 27
    without = 0
    for name, transaction in transactions:
        found = events_from_logs(transaction["logs"])
        assert [(emitted.position, emitted.event) for emitted in found.events] == listed(transaction, "log_line"), name
        assert found.truncated == transaction["logs_truncated"], name
        assert (found.failed, found.malformed, found.unknown, found.unattributed) == (False, 0, 0, 0), name
        without += not found.events
    assert without >= 12


@requires_material("chain", "transactions", "full")
def test_recorded_transactions_give_each_listed_event_once_from_instructions_and_from_logs() -> None:
    transactions = recorded("full")
    assert len(transactions) == 12
    total = 0
    for name, transaction in transactions:
        inner = inner_instructions(transaction)
        found = events_of_transaction(transaction["logs"], [instruction for _, instruction in inner])
        places = [(inner[emitted.position][0], emitted.event) for emitted in found.events]
        assert places == listed(transaction, "path"), name
        assert is_clean(found), name
        total += len(places)
        if transaction["logs"] is not None:
            printed = events_of_transaction(transaction["logs"], None)
            lines = [(emitted.position, emitted.event) for emitted in printed.events]
            assert lines == listed(transaction, "log_line"), name
            assert printed.truncated == transaction["logs_truncated"], name
    assert total == 9
