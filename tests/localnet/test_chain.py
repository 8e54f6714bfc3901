"""The practice chain itself: blocks, hashes, commitment, history, forks. No AMM program is needed for that."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from pumpswap.amm.addresses import SYSTEM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM, WSOL_MINT, ata
from pumpswap.amm.instructions.tokens import create_ata, wrap_sol
from pumpswap.chain.node import ChainAccount, Commitment, ConfirmedTransaction
from pumpswap.errors import BadInput, UsageError
from pumpswap.localnet import token_bytes
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.pools import fund_tokens
from tests.localnet.practice import ALICE, BOB, FEE, SOL, lamports_of, payment, priced_payment, signed

START = 10 * SOL
CUSTOM_1 = {"InstructionError": [0, {"Custom": 1}]}


def chain_with_alice(**more: int) -> LocalChain:
    chain = LocalChain(seed=7, **more)
    chain.set_account(ChainAccount(ALICE.pubkey(), SYSTEM_PROGRAM, START, b""))
    return chain


class Heard:
    """Everything that a listener is told, in order."""

    def __init__(self) -> None:
        self.events: list[tuple[str, object]] = []

    def on_slot(self, slot: int) -> None:
        self.events.append(("slot", slot))

    def on_accounts(self, slot: int, changed: Sequence[ChainAccount]) -> None:
        self.events.append(("accounts", {one.address: one.lamports for one in changed}))

    def on_transaction(self, transaction: ConfirmedTransaction) -> None:
        self.events.append(("transaction", transaction.signature))

    def on_rollback(self, signatures: Sequence[str]) -> None:
        self.events.append(("rollback", tuple(signatures)))


def test_the_same_seed_gives_the_same_hashes_and_another_one_others() -> None:
    def hashes(seed: int) -> list[Hash]:
        chain = LocalChain(seed=seed)
        chain.advance(5)
        return [block.blockhash for block in chain.blocks.all]

    assert hashes(7) == hashes(7)
    assert not set(hashes(7)) & set(hashes(8))
    assert LocalChain(seed=7).genesis_hash == LocalChain(seed=7).genesis_hash != LocalChain(seed=8).genesis_hash


def test_the_clock_of_the_programs_moves_with_the_slots() -> None:
    chain = LocalChain(start_unix=1_781_136_000, slot_ms=400)
    chain.advance(25)
    clock = chain.svm.get_clock()
    assert (clock.slot, clock.unix_timestamp) == (chain.slot, chain.unix_time) == (425_000_025, 1_781_136_010)
    assert clock.epoch == 425_000_025 // 432_000


def test_skipped_slots_have_no_block() -> None:
    chain = LocalChain()
    slot, height = chain.slot, chain.block_height
    chain.skip(3)
    assert (chain.slot - slot, chain.block_height - height) == (4, 1)
    assert slot + 2 not in {block.slot for block in chain.blocks.all}


def test_a_hash_is_valid_for_150_blocks_then_known_but_expired_then_unknown() -> None:
    chain = LocalChain()
    at = chain.blockhash(Commitment.PROCESSED)
    assert at.last_valid_block_height == chain.block_height + 150
    chain.advance(150)
    assert chain.block_height == at.last_valid_block_height
    assert chain.blockhash_state(at.blockhash) == "valid"
    chain.advance()
    assert chain.blockhash_state(at.blockhash) == "expired"
    chain.advance(200)
    assert chain.blockhash_state(at.blockhash) == "unknown"
    assert chain.blockhash_state(Hash.hash(b"nonsense")) == "unknown"


def test_the_expiry_height_counts_from_the_block_of_the_hash_and_not_from_now() -> None:
    chain = LocalChain()
    chain.advance(10)
    finalized = chain.blockhash(Commitment.FINALIZED)
    assert finalized.slot == chain.slot - 32
    assert finalized.last_valid_block_height == chain.block_height - 32 + 150


def test_a_transaction_lands_exactly_up_to_its_expiry_height() -> None:
    chain = chain_with_alice()
    old = chain.blocks.newest.blockhash
    chain.advance(150)
    assert chain.submit(payment(chain, SOL, blockhash=old)).has_landed
    chain.advance()
    late = chain.submit(payment(chain, 2 * SOL, blockhash=old))
    assert (late.slot, late.err) == (None, "BlockhashNotFound")
    assert lamports_of(chain, BOB) == SOL
    assert chain.status(late.signature) is None


def test_p03_the_same_bytes_are_executed_once() -> None:
    chain = chain_with_alice()
    raw = payment(chain, SOL)
    first, again = chain.submit(raw), chain.submit(raw)
    chain.advance(40)
    later = chain.submit(raw)
    assert first.signature == again.signature == later.signature
    assert (first.is_duplicate, again.is_duplicate, later.is_duplicate) == (False, True, True)
    assert later.slot == first.slot
    assert lamports_of(chain, BOB) == SOL
    assert lamports_of(chain, ALICE.pubkey()) == START - SOL - FEE


def test_commitment_grows_with_depth() -> None:
    chain = chain_with_alice()
    signature = chain.submit(payment(chain, SOL)).signature
    seen = []
    for _ in range(33):
        status = chain.status(signature)
        assert status is not None
        seen.append(status.commitment)
        chain.advance()
    assert seen[0] is Commitment.PROCESSED
    assert seen[1:32] == [Commitment.CONFIRMED] * 31
    assert seen[32] is Commitment.FINALIZED


def test_a_failed_transaction_is_recorded_and_pays_its_fee() -> None:
    chain = chain_with_alice()
    receipt = chain.submit(payment(chain, 100 * SOL))
    assert receipt.has_landed
    assert receipt.err == CUSTOM_1
    landed = chain.transaction(receipt.signature)
    assert landed is not None
    assert (landed.err, landed.fee) == (CUSTOM_1, FEE)
    assert landed.pre_balances[0] - landed.post_balances[0] == FEE
    assert any("insufficient lamports" in line for line in landed.logs)
    assert lamports_of(chain, ALICE.pubkey()) == START - FEE


def test_a_transfer_below_rent_fails_and_is_charged() -> None:
    chain = chain_with_alice()
    receipt = chain.submit(payment(chain, 5))
    assert receipt.has_landed
    assert receipt.err == {"InsufficientFundsForRent": {"account_index": 1}}
    assert lamports_of(chain, ALICE.pubkey()) == START - FEE


@pytest.mark.parametrize("lamports", [0, FEE - 1])
def test_a_wallet_that_cannot_pay_the_fee_leaves_no_trace(lamports: int) -> None:
    chain = LocalChain()
    chain.set_account(ChainAccount(ALICE.pubkey(), SYSTEM_PROGRAM, lamports, b""))
    receipt = chain.submit(payment(chain, SOL))
    assert not receipt.has_landed
    assert receipt.err in ("AccountNotFound", "InsufficientFundsForFee")
    assert chain.transaction(receipt.signature) is None
    assert lamports_of(chain, ALICE.pubkey()) == lamports


def test_a_wrong_signature_does_not_land() -> None:
    chain = chain_with_alice()
    honest = VersionedTransaction.from_bytes(payment(chain, SOL))
    forged = bytes(VersionedTransaction.populate(honest.message, [ALICE.sign_message(b"something else")]))
    receipt = chain.submit(forged)
    assert (receipt.slot, receipt.err) == (None, "SignatureFailure")
    assert lamports_of(chain, BOB) == 0


@pytest.mark.parametrize("raw", [b"", b"\x01", b"\xff" * 300])
def test_bytes_that_are_no_transaction_are_refused(raw: bytes) -> None:
    with pytest.raises(BadInput, match="no transaction"):
        LocalChain().submit(raw)


def test_a_record_has_what_a_fill_is_booked_from() -> None:
    chain = chain_with_alice()
    key = ALICE.pubkey()
    mint = Keypair.from_seed(b"m" * 32).pubkey()
    chain.set_account(ChainAccount(mint, TOKEN_2022_PROGRAM, chain.rent(82), token_bytes.mint(10**9, 6)))
    held = fund_tokens(chain, key, mint, TOKEN_2022_PROGRAM, 77)
    wsol = ata(key, WSOL_MINT, TOKEN_PROGRAM)
    # The Token-2022 account is created again (idempotent), so that both token programs are in the record.
    steps = [*wrap_sol(key, SOL, account_exists=False), create_ata(key, key, mint, TOKEN_2022_PROGRAM)]
    receipt = chain.submit(signed(ALICE, steps, chain.blocks.newest.blockhash))
    assert receipt.err is None
    landed = chain.transaction(receipt.signature)
    assert landed is not None
    rent = chain.rent(165)
    by_key = dict(zip(landed.keys, zip(landed.pre_balances, landed.post_balances, strict=True), strict=True))
    assert by_key[key] == (START, START - SOL - rent - FEE)
    assert by_key[wsol] == (0, SOL + rent)
    pre = {landed.keys[one.index]: one for one in landed.pre_tokens}
    post = {landed.keys[one.index]: one for one in landed.post_tokens}
    assert set(pre) == {held}
    assert (post[wsol].mint, post[wsol].owner, post[wsol].token_program, post[wsol].units) == (
        WSOL_MINT, key, TOKEN_PROGRAM, SOL,
    )  # fmt: skip
    assert (post[held].mint, post[held].token_program, post[held].units) == (mint, TOKEN_2022_PROGRAM, 77)
    outer = [ran for ran in landed.instructions if ran.height == 1]
    assert [ran.outer for ran in outer] == [0, 1, 2, 3]
    inner = [ran for ran in landed.instructions if ran.outer == 0 and ran.height == 2]
    assert {ran.program for ran in inner} == {SYSTEM_PROGRAM, TOKEN_PROGRAM}
    assert landed.instructions.index(inner[0]) == 1  # right behind the one that called it
    assert landed.raw[1:65] == bytes(VersionedTransaction.from_bytes(landed.raw).signatures[0])
    assert landed.block_time == chain.unix_time
    assert landed.compute_units > 0


def test_a_lookup_table_gives_its_keys_behind_the_static_ones() -> None:
    from solders.address_lookup_table_account import AddressLookupTableAccount
    from solders.message import MessageV0

    chain = chain_with_alice()
    program = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
    table = Keypair.from_seed(b"t" * 32).pubkey()
    # type 1, deactivation slot u64::MAX, last extended slot 0, start index 0, no authority, padding
    header = (1).to_bytes(4, "little") + b"\xff" * 8 + bytes(8) + bytes(1) + bytes(1) + bytes(32) + bytes(2)
    chain.set_account(ChainAccount(table, program, SOL, header + bytes(BOB)))
    lookup = AddressLookupTableAccount(key=table, addresses=[BOB])
    step = transfer(TransferParams(from_pubkey=ALICE.pubkey(), to_pubkey=BOB, lamports=SOL))
    message = MessageV0.try_compile(ALICE.pubkey(), [step], [lookup], chain.blocks.newest.blockhash)
    assert BOB not in message.account_keys
    receipt = chain.submit(bytes(VersionedTransaction(message, [ALICE])))
    assert receipt.err is None
    landed = chain.transaction(receipt.signature)
    assert landed is not None
    assert landed.keys == (*message.account_keys, BOB)
    assert landed.post_balances[-1] == SOL
    assert [one.signature for one in chain.history(BOB)] == [receipt.signature]


def test_history_of_an_address_is_newest_first_and_holds_failures() -> None:
    chain = chain_with_alice()
    signatures = []
    for lamports in (SOL, 100 * SOL, 2 * SOL):
        signatures.append(chain.submit(payment(chain, lamports)).signature)
        chain.advance()
    assert [one.signature for one in chain.history(BOB)] == signatures[::-1]
    assert [one.err for one in chain.history(ALICE.pubkey())] == [None, CUSTOM_1, None]
    assert chain.history(Keypair().pubkey()) == ()


def test_priority_fees_are_charged_and_remembered() -> None:
    chain = chain_with_alice()
    receipt = chain.submit(priced_payment(chain, SOL, 2_000_000, units=1_000))
    landed = chain.transaction(receipt.signature)
    assert landed is not None
    assert landed.fee == FEE + 2_000
    assert next(iter(chain.log)).micro_lamports_per_unit == 2_000_000


def test_simulation_changes_nothing_and_shows_accounts_afterwards() -> None:
    chain = chain_with_alice()
    unsigned = VersionedTransaction.from_bytes(payment(chain, SOL, blockhash=Hash.default()))
    ran = chain.simulate(bytes(unsigned), addresses=[BOB, ALICE.pubkey(), WSOL_MINT])
    assert ran.err is None
    assert [one.lamports if one else 0 for one in ran.accounts] == [SOL, START - SOL - FEE, chain.rent(82)]
    assert (lamports_of(chain, BOB), lamports_of(chain, ALICE.pubkey())) == (0, START)
    assert chain.history(BOB) == ()


def test_simulation_may_check_hash_and_signature_and_the_chain_goes_on_checking_afterwards() -> None:
    chain = chain_with_alice()
    stale = payment(chain, SOL, blockhash=Hash.default())
    assert chain.simulate(stale, replace_blockhash=False).err == "BlockhashNotFound"
    message = VersionedTransaction.from_bytes(payment(chain, SOL)).message
    forged = bytes(VersionedTransaction.populate(message, [ALICE.sign_message(b"x")]))
    assert chain.simulate(forged).err is None
    assert chain.simulate(forged, verify=True).err == "SignatureFailure"
    assert chain.submit(forged).err == "SignatureFailure"


def test_simulation_on_an_older_slot_sees_the_accounts_of_then() -> None:
    chain = chain_with_alice()
    before = chain.slot
    chain.advance()
    chain.submit(payment(chain, 8 * SOL))
    raw = payment(chain, 5 * SOL, to=Keypair.from_seed(b"c" * 32).pubkey())
    assert chain.simulate(raw).err == CUSTOM_1
    then = chain.simulate(raw, addresses=[ALICE.pubkey()], at_slot=before)
    assert then.err is None
    assert then.slot == before
    assert [one.lamports for one in then.accounts if one] == [START - 5 * SOL - FEE]
    assert lamports_of(chain, ALICE.pubkey()) == START - 8 * SOL - FEE


def test_accounts_can_be_read_as_of_older_slots() -> None:
    chain = chain_with_alice()
    slots = []
    for _ in range(4):
        chain.advance()
        chain.submit(payment(chain, SOL))
        slots.append(chain.slot)
    chain.advance(3)
    seen = [chain.account_at(BOB, slot) for slot in [slots[0] - 1, *slots, chain.slot]]
    assert [one.lamports // SOL if one else 0 for one in seen] == [0, 1, 2, 3, 4, 4]
    owned = chain.accounts_of(SYSTEM_PROGRAM, at_slot=slots[1])
    assert {one.address: one.lamports for one in owned}[BOB] == 2 * SOL
    assert BOB not in {one.address for one in chain.accounts_of(SYSTEM_PROGRAM, at_slot=slots[0] - 1)}


def test_an_account_that_is_set_has_always_been_so() -> None:
    chain = chain_with_alice()
    first = chain.slot
    chain.advance()
    chain.submit(payment(chain, SOL))
    chain.set_account(ChainAccount(BOB, SYSTEM_PROGRAM, 3 * SOL, b""))
    at_first = chain.account_at(BOB, first)
    assert at_first is not None
    assert at_first.lamports == 3 * SOL


def test_a_rollback_undoes_transactions_and_they_may_land_again() -> None:
    chain = chain_with_alice()
    chain.advance()
    kept = chain.submit(payment(chain, SOL)).signature
    old = chain.blocks.newest.blockhash
    chain.advance()
    raw = payment(chain, 2 * SOL, blockhash=old)
    undone = chain.submit(raw).signature
    assert chain.roll_back(1) == (undone,)
    assert chain.status(undone) is None
    assert chain.transaction(undone) is None
    assert [one.signature for one in chain.history(BOB)] == [kept]
    assert lamports_of(chain, BOB) == SOL
    assert lamports_of(chain, ALICE.pubkey()) == START - SOL - FEE
    chain.advance()
    assert not chain.submit(raw).is_duplicate
    assert lamports_of(chain, BOB) == 3 * SOL


def test_what_names_a_hash_of_the_lost_fork_never_lands_again() -> None:
    chain = chain_with_alice()
    chain.advance()
    raw = payment(chain, SOL)  # names the newest hash
    chain.submit(raw)
    height = chain.block_height
    chain.roll_back(1)
    assert chain.block_height == height
    receipt = chain.submit(raw)
    assert (receipt.slot, receipt.err) == (None, "BlockhashNotFound")
    assert lamports_of(chain, BOB) == 0


def test_confirmed_slots_cannot_be_rolled_back() -> None:
    with pytest.raises(UsageError, match="roll back 2"):
        LocalChain(confirm_after=1).roll_back(2)
    chain = chain_with_alice(confirm_after=3)
    chain.advance()
    signatures = []
    for lamports in (SOL, 2 * SOL, 3 * SOL):
        signatures.append(chain.submit(payment(chain, lamports)).signature)
        chain.advance()
    assert chain.roll_back(3) == tuple(signatures[1:])
    assert lamports_of(chain, BOB) == SOL


def test_delayed_bytes_are_executed_at_their_height_if_their_hash_lives() -> None:
    chain = chain_with_alice()
    last = chain.blockhash(Commitment.PROCESSED).last_valid_block_height
    in_time, too_late = payment(chain, SOL), payment(chain, 2 * SOL)
    signature, lost = chain.submit_at(in_time, last), chain.submit_at(too_late, last + 1)
    chain.advance(149)
    assert chain.status(signature) is None
    chain.advance()
    status = chain.status(signature)
    assert status is not None
    assert (status.slot, chain.block_height) == (chain.slot, last)
    chain.advance(10)
    assert chain.status(lost) is None
    assert lamports_of(chain, BOB) == SOL


def test_listeners_hear_everything_in_order_until_they_stop() -> None:
    chain = chain_with_alice()
    heard = Heard()
    stop = chain.listen(heard)
    chain.advance()
    signature = chain.submit(payment(chain, SOL)).signature
    chain.roll_back(1)
    stop()
    chain.advance()
    after = {ALICE.pubkey(): START - SOL - FEE, BOB: SOL}
    assert heard.events == [
        ("slot", chain.slot - 1),
        ("transaction", signature),
        ("accounts", after),
        ("rollback", (signature,)),
        ("accounts", {ALICE.pubkey(): START, BOB: 0}),
    ]


def test_accounts_that_did_not_change_are_not_told() -> None:
    chain = chain_with_alice()
    heard = Heard()
    chain.listen(heard)
    chain.submit(payment(chain, 100 * SOL))
    assert heard.events[1] == ("accounts", {ALICE.pubkey(): START - FEE})


def test_the_faucet_gives_by_signed_transfers_each_one_of_its_own() -> None:
    chain = LocalChain()
    first, second = chain.airdrop(BOB, SOL), chain.airdrop(BOB, SOL)
    assert first != second
    assert lamports_of(chain, BOB) == 2 * SOL
    assert [one.signature for one in chain.history(BOB)] == [second, first]
    with pytest.raises(UsageError, match="InsufficientFundsForRent"):
        chain.airdrop(Keypair.from_seed(b"n" * 32).pubkey(), 1)


def test_rent_can_be_lowered() -> None:
    chain = LocalChain()
    before = chain.rent(165)
    chain.set_lamports_per_byte(696)
    assert chain.rent(165) == (165 + 128) * 696 != before


def test_the_oldest_transactions_are_forgotten_whole_slots_at_a_time_and_it_is_said() -> None:
    chain = chain_with_alice()
    signatures = []
    for lamports in (SOL, SOL + 1, SOL + 2, SOL + 3):
        signatures.append(chain.submit(payment(chain, lamports)).signature)
        if lamports % 2:
            chain.advance()
    first = chain.start_slot
    chain.log.trim(keep=3)
    assert len(chain.log) == 2
    assert chain.log.first_slot == first + 1
    assert [one.signature for one in chain.history(BOB)] == signatures[:1:-1]


def test_a_chain_that_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError):
        LocalChain(confirm_after=5, finalize_after=2)
    with pytest.raises(UsageError):
        LocalChain().skip(-1)
