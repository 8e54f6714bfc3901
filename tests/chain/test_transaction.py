"""Messages: compute budget first, one payer, within the network's size; a simulation needs no signature."""

from __future__ import annotations

import random

import pytest
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from pumpswap.amm.addresses import COMPUTE_BUDGET_PROGRAM, SYSTEM_PROGRAM
from pumpswap.chain.compute import compute_limit, custom_code
from pumpswap.chain.failures import classify
from pumpswap.chain.transaction import (
    MAX_TRANSACTION_BYTES,
    ComputeBudget,
    build_message,
    tip_transfer,
    transaction_bytes,
    unsigned_bytes,
)
from pumpswap.errors import TradeRefused, UsageError
from pumpswap.settings import SendingSettings

PAYER = Keypair.from_seed(b"p" * 32)
HASH = Hash.hash(b"a block")


def test_a_message_carries_its_budget_and_pays_from_the_wallet() -> None:
    tip = Pubkey.from_bytes(b"t" * 32)
    message = build_message([tip_transfer(PAYER.pubkey(), tip, 7)], PAYER.pubkey(), HASH, ComputeBudget(123_456, 789))
    programs = [message.account_keys[one.program_id_index] for one in message.instructions]
    assert programs == [COMPUTE_BUDGET_PROGRAM, COMPUTE_BUDGET_PROGRAM, SYSTEM_PROGRAM]
    assert [bytes(one.data) for one in message.instructions] == [
        b"\x02" + (123_456).to_bytes(4, "little"),
        b"\x03" + (789).to_bytes(8, "little"),
        b"\x02\0\0\0" + (7).to_bytes(8, "little"),
    ]
    assert message.account_keys[0] == PAYER.pubkey()
    assert message.recent_blockhash == HASH
    assert message.address_table_lookups == []


def test_the_size_is_that_of_the_signed_transaction() -> None:
    message = build_message([tip_transfer(PAYER.pubkey(), PAYER.pubkey(), 7)], PAYER.pubkey(), HASH, ComputeBudget(1))
    signed = VersionedTransaction(message, [PAYER])
    assert transaction_bytes(message) == len(bytes(signed)) == len(unsigned_bytes(message))


def test_a_transaction_beyond_the_networks_size_is_refused_by_name() -> None:
    rng = random.Random(1)
    data = rng.randbytes(MAX_TRANSACTION_BYTES)
    small, large = (Instruction(SYSTEM_PROGRAM, data[:size], []) for size in (900, 1_100))
    assert transaction_bytes(build_message([small], PAYER.pubkey(), HASH, ComputeBudget(1))) < MAX_TRANSACTION_BYTES
    with pytest.raises(TradeRefused) as refused:
        build_message([large], PAYER.pubkey(), HASH, ComputeBudget(1))
    assert refused.value.name == "TransactionTooLarge"
    assert "1232" in refused.value.what


def test_the_fee_is_rounded_up_as_the_network_does() -> None:
    assert ComputeBudget(200_000, 1).fee() == 5_001
    assert ComputeBudget(300_000, 100_000).fee() == 35_000
    assert ComputeBudget(300_000).fee(2) == 10_000
    assert len(ComputeBudget(300_000).instructions()) == 1


@pytest.mark.parametrize(("limit", "price"), [(0, 0), (1_400_001, 0), (1, -1), (1, 2**64)])
def test_a_budget_that_the_network_would_refuse_is_refused(limit: int, price: int) -> None:
    with pytest.raises(UsageError):
        ComputeBudget(limit, price)


def test_the_compute_limit_is_what_was_used_and_a_margin() -> None:
    settings = SendingSettings(compute_margin_bps=2_000)
    assert compute_limit(100_001, settings) == 120_002
    assert compute_limit(1_400_000, settings) == 1_400_000


def test_a_failure_is_told_by_the_program_that_failed_first() -> None:
    amm, token = "pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA", "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
    err = {"InstructionError": [3, {"Custom": 1}]}
    logs = [
        f"Program {amm} invoke [1]",
        f"Program {token} failed: custom program error: 0x1",
        f"Program {amm} failed: x",
    ]
    failure = classify(err, logs)
    assert (str(failure.program), failure.code, failure.is_lack_of_funds) == (token, 1, True)
    assert failure.amm_code is None
    slipped = classify(
        {"InstructionError": [3, {"Custom": 6004}]}, [f"Program {amm} failed: custom program error: 0x1774"]
    )
    assert (slipped.amm_code, slipped.name, slipped.is_lack_of_funds) == (6004, "ExceededSlippage", False)


def test_the_runtimes_own_refusals_have_names() -> None:
    assert classify("BlockhashNotFound").name == "BlockhashNotFound"
    assert classify({"InsufficientFundsForRent": {"account_index": 0}}).name == "InsufficientFundsForRent"
    assert classify({"InstructionError": [0, "PrivilegeEscalation"]}).name == "PrivilegeEscalation"
    assert classify({"InstructionError": [0, {"Custom": 9}]}).code == 9
    assert (custom_code({"InstructionError": [0, {"Custom": 9}]}), custom_code("x"), custom_code({})) == (9, None, None)
    assert classify("InsufficientFundsForFee", []).is_lack_of_funds
