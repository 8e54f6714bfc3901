"""The guard and the message itself: payers, signers, tables, rights, numbers and single bytes (pain point P38)."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from solders.instruction import AccountMeta, CompiledInstruction
from solders.message import Message, MessageAddressTableLookup, MessageHeader, MessageV0
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import AMM_PROGRAM, GLOBAL_CONFIG, SYSTEM_PROGRAM, WSOL_MINT
from pumpswap.errors import GuardRefused
from pumpswap.wallet import check_message
from tests.wallet.trades import BLOCKHASH, FREE, LIMITS, MARKER, STRANGER, WALLET, compiled, refusal, trade


def rebuilt(message: MessageV0, **changes: object) -> MessageV0:
    parts: dict[str, object] = {
        "header": message.header,
        "account_keys": message.account_keys,
        "recent_blockhash": message.recent_blockhash,
        "instructions": message.instructions,
        "address_table_lookups": message.address_table_lookups,
        **changes,
    }
    return MessageV0(*parts.values())  # type: ignore[arg-type]


def test_p38_another_fee_payer_or_signer_is_refused() -> None:
    ours = trade()
    assert "other signatures" in refusal(compiled(ours.steps, payer=STRANGER), ours.plan)
    assert "fee payer" in refusal(ours.message(), replace(ours.plan, wallet=STRANGER))
    message = ours.message()
    old = message.header
    for signatures, readonly_signed in ((2, 0), (0, 0), (1, 1)):
        header = MessageHeader(signatures, readonly_signed, old.num_readonly_unsigned_accounts)
        assert "other signatures" in refusal(rebuilt(message, header=header), ours.plan)
    keys = [STRANGER, *message.account_keys[1:]]
    assert "fee payer" in refusal(rebuilt(message, account_keys=keys), ours.plan)


def test_p38_accounts_of_a_lookup_table_are_refused() -> None:
    ours = trade()
    lookup = MessageAddressTableLookup(STRANGER, b"\1", b"\2")
    assert "lookup table" in refusal(rebuilt(ours.message(), address_table_lookups=[lookup]), ours.plan)


def test_a_legacy_message_is_refused() -> None:
    ours = trade()
    legacy = Message.new_with_blockhash(list(ours.steps), WALLET, BLOCKHASH)
    assert "no version 0 message" in refusal(legacy, ours.plan)


def test_no_account_gets_rights_that_its_instruction_does_not_need() -> None:
    ours = trade(marker=True)
    # All of them writable: one alone may be a program, whose rights the network takes away again.
    more = MessageHeader(1, 0, 0)
    assert "writable" in refusal(rebuilt(ours.message(), header=more), ours.plan)
    swap = ours.steps[ours.swap_at]
    for key in (GLOBAL_CONFIG, MARKER, WSOL_MINT):
        metas = [
            AccountMeta(each.pubkey, each.is_signer, each.is_writable or each.pubkey == key) for each in swap.accounts
        ]
        assert "writable" in refusal(ours.with_swap(accounts=metas).message(), ours.plan)


def test_accounts_that_nothing_uses_or_that_come_twice_are_refused() -> None:
    ours = trade()
    message = ours.message()
    keys = message.account_keys
    assert "which no instruction uses" in refusal(rebuilt(message, account_keys=[*keys, STRANGER]), ours.plan)
    assert "lists an account twice" in refusal(rebuilt(message, account_keys=[*keys, keys[-1]]), ours.plan)


def test_numbers_that_lead_nowhere_are_refused() -> None:
    ours = trade()
    message = ours.message()
    first, *rest = message.instructions
    for broken in (CompiledInstruction(200, first.data, first.accounts), CompiledInstruction(1, first.data, b"\xc8")):
        assert "does not list" in refusal(rebuilt(message, instructions=[broken, *rest]), ours.plan)


def test_the_marker_is_tolerated_once_at_the_end_and_nothing_else_is() -> None:
    ours = trade()
    swap = ours.steps[ours.swap_at]
    marker, other = AccountMeta(MARKER, False, False), AccountMeta(STRANGER, False, False)
    check_message(ours.with_swap(accounts=[*swap.accounts, marker]).message(), ours.plan, LIMITS)
    for tail in ([other], [marker, marker], [other, marker], [marker, other]):
        refusal(ours.with_swap(accounts=[*swap.accounts, *tail]).message(), ours.plan)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_p38_any_changed_byte_is_refused_or_harmless(data: st.DataObject) -> None:
    """What passes after one byte was changed differs only in the blockhash, in what the program verifies itself, or
    in amounts that are still within the plan."""
    ours = trade(data.draw(st.sampled_from(["buy_quote", "buy_base", "sell"])), generation=2, tip=True)
    whole = bytearray(bytes(ours.message()))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    try:
        changed = MessageV0.from_bytes(bytes(whole))
        check_message(changed, ours.plan, LIMITS)
    except (ValueError, GuardRefused):
        return
    before = [resolved(ours.message(), each) for each in ours.message().instructions]
    after = [resolved(changed, each) for each in changed.instructions]
    assert len(before) == len(after)
    for (program, accounts, old), (same_program, same_accounts, new) in zip(before, after, strict=True):
        assert program == same_program
        free = FREE[2] if len(accounts) >= 17 else set()
        assert [key for n, key in enumerate(accounts) if n not in free] == [
            key for n, key in enumerate(same_accounts) if n not in free
        ]
        if old != new:
            assert program in (AMM_PROGRAM, SYSTEM_PROGRAM) or old[0] in (2, 3)
            assert old[:2] == new[:2] or old[0] in (2, 3)


def resolved(message: MessageV0, each: CompiledInstruction) -> tuple[Pubkey, list[Pubkey], bytes]:
    keys = message.account_keys
    return keys[each.program_id_index], [keys[n] for n in bytes(each.accounts)], bytes(each.data)
