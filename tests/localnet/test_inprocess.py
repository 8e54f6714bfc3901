"""The practice chain as a Node: what a real node would answer, and every fault of one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import pytest
from solders.hash import Hash
from solders.keypair import Keypair

from pumpswap.amm.addresses import SYSTEM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from pumpswap.chain.node import ChainAccount, Commitment, Node, ProgramFilter, SignatureStatus
from pumpswap.errors import EndpointDown, NodeRefused, RateLimited, StaleNode, UsageError
from pumpswap.localnet import token_bytes
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.faults import Fault, FaultKind, FaultPlan
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.localnet.pools import fund_tokens
from tests.localnet.practice import ALICE, BOB, FEE, SOL, lamports_of, payment, priced_payment

START = 10 * SOL
T = TypeVar("T")


def now(answer: Awaitable[T]) -> T:
    """The answer of a method that never waits."""

    async def waiting() -> T:
        return await answer

    return asyncio.run(waiting())


def practice(*faults: Fault, lag_slots: int = 0, confirm_after: int = 1) -> tuple[LocalChain, LocalNode]:
    chain = LocalChain(seed=7, confirm_after=confirm_after)
    chain.set_account(ChainAccount(ALICE.pubkey(), SYSTEM_PROGRAM, START, b""))
    return chain, LocalNode(chain, faults=FaultPlan(list(faults)), lag_slots=lag_slots)


def status_of(node: LocalNode, signature: str, *, search_history: bool = True) -> SignatureStatus | None:
    return now(node.statuses([signature], search_history=search_history)).statuses[0]


def held(node: LocalNode, commitment: Commitment = Commitment.CONFIRMED) -> int:
    account = now(node.accounts([BOB], commitment=commitment)).accounts[0]
    return account.lamports if account is not None else 0


def test_it_is_a_node() -> None:
    node: Node = practice()[1]
    assert node.name == "local"


def test_reads_are_of_the_commitment_that_was_asked_for() -> None:
    chain, node = practice()
    chain.advance(40)
    signature = now(node.send(payment(chain, SOL)))
    assert (held(node, Commitment.PROCESSED), held(node)) == (SOL, 0)
    assert now(node.transaction(signature)) is None
    assert now(node.signatures_for(BOB)) == ()
    chain.advance()
    assert (held(node), held(node, Commitment.FINALIZED)) == (SOL, 0)
    landed = now(node.transaction(signature))
    assert landed is not None
    assert landed.signature == signature
    assert now(node.transaction(signature, Commitment.FINALIZED)) is None
    chain.advance(31)
    assert held(node, Commitment.FINALIZED) == SOL
    assert now(node.transaction(signature, Commitment.FINALIZED)) == landed


def test_height_and_hash_are_of_the_same_block() -> None:
    chain, node = practice()
    chain.advance(3)
    chain.skip(2)
    for commitment in Commitment:
        height, at = now(node.height(commitment)), now(node.latest_blockhash(commitment))
        assert at.slot == height.slot
        assert at.last_valid_block_height == height.block_height + 150
    assert now(node.height(Commitment.PROCESSED)).slot == chain.slot
    # The two slots before the newest one are skipped: confirmed is the block below them.
    assert now(node.height()).slot == chain.slot - 3


def test_a_node_that_is_behind_the_asked_slot_says_so() -> None:
    chain, node = practice()
    with pytest.raises(StaleNode, match="not yet"):
        now(node.accounts([BOB], min_context_slot=chain.slot))
    with pytest.raises(StaleNode):
        now(node.send(payment(chain, SOL), min_context_slot=chain.slot + 1))
    assert lamports_of(chain, BOB) == 0
    chain.advance()
    assert now(node.accounts([BOB], min_context_slot=chain.slot - 1)).slot == chain.slot - 1


def test_statuses_without_history_search_reach_back_150_blocks() -> None:
    chain, node = practice()
    signature = now(node.send(payment(chain, SOL)))
    chain.advance(150)
    assert status_of(node, signature, search_history=False) is not None
    chain.advance()
    assert status_of(node, signature, search_history=False) is None
    assert status_of(node, signature) is not None


def test_the_history_of_an_address_comes_in_pages() -> None:
    chain, node = practice()
    signatures = []
    for lamports in range(SOL, SOL + 6):
        signatures.append(now(node.send(payment(chain, lamports))))
        chain.advance()
    newest_first = signatures[::-1]
    page = now(node.signatures_for(BOB, limit=4))
    assert [one.signature for one in page] == newest_first[:4]
    rest = now(node.signatures_for(BOB, before=page[-1].signature))
    assert [one.signature for one in rest] == newest_first[4:]
    new = now(node.signatures_for(BOB, until=signatures[2]))
    assert [one.signature for one in new] == newest_first[:3]


def test_token_and_program_accounts_are_found() -> None:
    chain, node = practice()
    key = ALICE.pubkey()
    mints = {}
    for seed, program in ((b"m", TOKEN_PROGRAM), (b"n", TOKEN_2022_PROGRAM)):
        mint = Keypair.from_seed(seed * 32).pubkey()
        chain.set_account(ChainAccount(mint, program, chain.rent(82), token_bytes.mint(10, 6)))
        mints[fund_tokens(chain, key, mint, program, 5)] = mint
        fund_tokens(chain, BOB, mint, program, 6)
    assert {one.address for one in now(node.token_accounts(key))} == set(mints)
    first, mint = next(iter(mints.items()))
    filters = [ProgramFilter(0, bytes(mint)), ProgramFilter(32, bytes(key))]
    assert [one.address for one in now(node.program_accounts(TOKEN_PROGRAM, filters))] == [first]


def test_the_twenty_largest_accounts_of_a_mint_come_largest_first() -> None:
    chain, node = practice()
    mint = Keypair.from_seed(b"m" * 32).pubkey()
    chain.set_account(ChainAccount(mint, TOKEN_PROGRAM, chain.rent(82), token_bytes.mint(10_000, 6)))
    for number in range(25):
        fund_tokens(chain, Keypair.from_seed(bytes([number + 1]) * 32).pubkey(), mint, TOKEN_PROGRAM, 100 + number)
    told = now(node.largest_holdings(mint))
    assert [one.units for one in told.holdings] == list(range(124, 104, -1))
    assert told.slot == chain.block_at(Commitment.CONFIRMED).slot
    with pytest.raises(NodeRefused, match="could not find mint"):
        now(node.largest_holdings(ALICE.pubkey()))


def test_priority_fees_are_the_least_of_each_block_that_wrote_to_all_accounts() -> None:
    chain, node = practice()
    for price in (70, 30, 50):
        now(node.send(priced_payment(chain, SOL, price)))
    busy = chain.slot
    chain.advance()
    both = dict(now(node.priority_fees([ALICE.pubkey(), BOB])))
    assert (both[busy], both[chain.slot]) == (30, 0)
    assert set(dict(now(node.priority_fees([Keypair().pubkey()]))).values()) == {0}


def test_a_node_that_lags_is_never_older_than_its_chain() -> None:
    """Else a hash would be older than anything the chain has, and nobody could prove that its transaction is absent."""
    chain, node = practice()
    first = chain.blocks.all[0]
    node.faults.add(Fault(FaultKind.STALE, amount=200))
    assert now(node.latest_blockhash()).slot == first.slot == now(node.first_available_block())
    assert now(node.priority_fees([BOB])) == ((first.slot, 0),)


def test_preflight_refuses_what_would_fail_and_does_not_send_it() -> None:
    chain, node = practice()
    with pytest.raises(NodeRefused, match="simulation failed") as refused:
        now(node.send(payment(chain, 100 * SOL), skip_preflight=False))
    assert refused.value.code == -32002
    assert isinstance(refused.value.data, dict)
    assert refused.value.data["err"] == {"InstructionError": [0, {"Custom": 1}]}
    assert lamports_of(chain, ALICE.pubkey()) == START
    with pytest.raises(NodeRefused) as refused:
        now(node.send(payment(chain, SOL, blockhash=Hash.default()), skip_preflight=False))
    assert isinstance(refused.value.data, dict)
    assert refused.value.data["err"] == "BlockhashNotFound"
    # Without pre-flight the node takes it, and it never lands.
    assert status_of(node, now(node.send(payment(chain, SOL, blockhash=Hash.default())))) is None


def test_too_much_in_one_call_and_broken_bytes_are_bad_parameters() -> None:
    _, node = practice()
    for call in (node.accounts([BOB] * 101), node.statuses(["x"] * 257), node.signatures_for(BOB, limit=1_001)):
        with pytest.raises(NodeRefused) as refused:
            now(call)
        assert refused.value.code == -32602
    for broken in (node.send(b"\x01\x02"), node.simulate(b"\x01\x02")):
        with pytest.raises(NodeRefused) as refused:
            now(broken)
        assert refused.value.code == -32602


# Faults


def test_p03_a_send_that_is_dropped_before_execution_may_be_sent_again() -> None:
    chain, node = practice(Fault(FaultKind.DROP_BEFORE, times=1))
    raw = payment(chain, SOL)
    with pytest.raises(EndpointDown, match="no answer in time"):
        now(node.send(raw))
    assert lamports_of(chain, BOB) == 0
    assert status_of(node, now(node.send(raw))) is not None
    assert lamports_of(chain, BOB) == SOL


def test_p03_a_send_that_timed_out_after_execution_is_not_executed_again() -> None:
    chain, node = practice(Fault(FaultKind.DROP_AFTER, times=1))
    raw = payment(chain, SOL)
    with pytest.raises(EndpointDown, match="no answer in time"):
        now(node.send(raw))
    assert lamports_of(chain, BOB) == SOL
    assert status_of(node, now(node.send(raw))) is not None
    assert lamports_of(chain, BOB) == SOL
    assert lamports_of(chain, ALICE.pubkey()) == START - SOL - FEE


def test_an_error_does_not_mean_that_it_did_not_land_and_an_ok_not_that_it_did() -> None:
    chain, node = practice(Fault(FaultKind.FALSE_ERROR, times=1), Fault(FaultKind.FALSE_OK, times=1))
    with pytest.raises(NodeRefused, match="internal error"):
        now(node.send(payment(chain, SOL)))
    assert lamports_of(chain, BOB) == SOL
    signature = now(node.send(payment(chain, 2 * SOL)))
    assert status_of(node, signature) is None
    assert lamports_of(chain, BOB) == SOL


def test_a_delayed_send_lands_late_and_once() -> None:
    chain, node = practice(Fault(FaultKind.DELAY, amount=5, times=1))
    raw = payment(chain, SOL)
    signature = now(node.send(raw))
    chain.advance(4)
    assert status_of(node, signature) is None
    chain.advance()
    status = status_of(node, signature)
    assert status is not None
    assert status.slot == chain.slot
    now(node.send(raw))
    assert lamports_of(chain, BOB) == SOL


@pytest.mark.parametrize(("amount", "lands"), [(-1, True), (0, True), (1, False)])
def test_a_send_can_land_exactly_at_its_expiry_height_but_not_above(amount: int, lands: bool) -> None:
    chain, node = practice(Fault(FaultKind.DELAY_TO_EXPIRY, amount=amount))
    at = now(node.latest_blockhash(Commitment.PROCESSED))
    signature = now(node.send(payment(chain, SOL, blockhash=at.blockhash)))
    chain.advance(149 + amount)
    assert status_of(node, signature) is None
    chain.advance()
    assert chain.block_height == at.last_valid_block_height + amount
    assert (status_of(node, signature) is not None) is lands
    chain.advance(200)
    assert lamports_of(chain, BOB) == (SOL if lands else 0)


def test_a_delay_beyond_expiry_never_lands() -> None:
    chain, node = practice(Fault(FaultKind.DELAY, amount=151))
    signature = now(node.send(payment(chain, SOL)))
    chain.advance(300)
    assert status_of(node, signature) is None
    assert lamports_of(chain, BOB) == 0


def test_a_status_can_be_denied_for_a_while() -> None:
    chain, node = practice()
    signature = now(node.send(payment(chain, SOL)))
    other = now(node.send(payment(chain, 2 * SOL)))
    node.faults.hide(signature, last_slot=chain.slot + 2)
    for _ in range(3):
        assert now(node.statuses([signature, other])).statuses[0] is None
        assert status_of(node, other) is not None
        assert now(node.transaction(signature, Commitment.PROCESSED)) is None
        chain.advance()
    assert status_of(node, signature) is not None
    assert now(node.transaction(signature)) is not None


def test_transport_faults_are_the_errors_of_the_package_and_nothing_is_done() -> None:
    chain, node = practice(
        Fault(FaultKind.RATE_LIMITED, amount=3, times=1),
        Fault(FaultKind.SERVER_ERROR, times=1),
        Fault(FaultKind.RESET, times=1),
    )
    raw = payment(chain, SOL)
    with pytest.raises(RateLimited) as limited:
        now(node.send(raw))
    assert limited.value.retry_after_seconds == 3.0
    for what in ("503", "no answer"):
        with pytest.raises(EndpointDown, match=what):
            now(node.send(raw))
    assert lamports_of(chain, BOB) == 0
    now(node.send(raw))
    assert lamports_of(chain, BOB) == SOL


def test_a_slow_send_is_executed_all_the_same() -> None:
    chain, node = practice(Fault(FaultKind.SLOW, amount=5_000, times=2))
    with pytest.raises(EndpointDown):
        now(node.send(payment(chain, SOL)))
    with pytest.raises(EndpointDown):
        now(node.height())
    assert lamports_of(chain, BOB) == SOL


def test_a_lagging_node_answers_with_old_accounts_heights_and_statuses() -> None:
    chain, node = practice()
    late = LocalNode(chain, name="late", lag_slots=5)
    chain.advance(40)
    signature = now(late.send(payment(chain, SOL)))  # what it is sent goes out at once
    for _ in range(5):
        assert status_of(node, signature) is not None
        assert status_of(late, signature) is None
        assert held(late, Commitment.PROCESSED) == 0
        chain.advance()
    assert status_of(late, signature) == SignatureStatus(chain.slot - 5, None, Commitment.PROCESSED)
    assert held(late, Commitment.PROCESSED) == SOL
    assert held(late) == 0
    assert now(late.height()).slot == chain.slot - 6
    assert now(late.latest_blockhash()).slot == chain.slot - 6
    assert status_of(node, signature) == SignatureStatus(chain.slot - 5, None, Commitment.CONFIRMED)
    ran = now(late.simulate(payment(chain, SOL), accounts=[BOB]))
    assert ran.slot == chain.slot - 6
    assert [one.lamports for one in ran.accounts if one] == [SOL]  # on the accounts of then
    with pytest.raises(UsageError):
        LocalNode(chain, lag_slots=10_000)


def test_a_node_can_be_stale_for_some_calls_only() -> None:
    chain, node = practice(Fault(FaultKind.STALE, amount=7, times=1))
    chain.advance(20)
    assert now(node.height()).slot == chain.slot - 8
    assert now(node.height()).slot == chain.slot - 1


def test_p05_a_restarted_node_knows_nothing_from_before_and_says_so() -> None:
    chain, node = practice(Fault(FaultKind.RESTART, methods=frozenset({"getVersion"}), times=1))
    old = now(node.send(payment(chain, SOL)))
    chain.advance(3)
    with pytest.raises(EndpointDown, match="connection lost"):
        now(node.version())
    restarted_at = chain.slot
    assert status_of(node, old) is None
    assert now(node.transaction(old)) is None
    assert now(node.signatures_for(BOB)) == ()
    assert now(node.first_available_block()) == restarted_at + 1
    assert held(node) == SOL  # accounts are still there
    chain.advance()
    new = now(node.send(payment(chain, 2 * SOL)))
    chain.advance()
    assert status_of(node, new) is not None
    assert [one.signature for one in now(node.signatures_for(BOB))] == [new]
    assert now(LocalNode(chain).transaction(old)) is not None  # another node has it


@pytest.mark.parametrize(
    ("kind", "err"),
    [(FaultKind.CLAIM_LANDED, None), (FaultKind.CLAIM_FAILED, {"InstructionError": [0, {"Custom": 6004}]})],
)
def test_a_lying_node_claims_an_outcome_that_is_none(kind: FaultKind, err: object) -> None:
    chain, node = practice(Fault(kind, times=1))
    signature = now(LocalNode(chain, faults=FaultPlan([Fault(FaultKind.FALSE_OK)])).send(payment(chain, SOL)))
    assert status_of(node, signature) == SignatureStatus(chain.slot, err, Commitment.FINALIZED)
    assert status_of(node, signature) is None
    chain.advance(40)
    assert now(node.transaction(signature)) is None


def test_a_lying_node_claims_another_height() -> None:
    chain, node = practice(Fault(FaultKind.CLAIM_HEIGHT, amount=1_000, times=1))
    honest = now(LocalNode(chain).height())
    assert now(node.height()).block_height == honest.block_height + 1_000
    assert now(node.height()) == honest


def test_a_node_that_is_down_refuses_every_call_until_it_is_up() -> None:
    chain, node = practice()
    node.is_down = True
    calls = (node.genesis_hash(), node.height(), node.send(payment(chain, SOL)), node.minimum_rent(0), node.version())
    for call in calls:
        with pytest.raises(EndpointDown, match="refused"):
            now(call)
    node.is_down = False
    assert now(node.genesis_hash()) == chain.genesis_hash
    assert lamports_of(chain, BOB) == 0


def test_a_rolled_back_transaction_is_gone_for_every_node() -> None:
    chain, node = practice(confirm_after=2)
    old = chain.blocks.newest.blockhash
    chain.advance()
    signature = now(node.send(payment(chain, SOL, blockhash=old)))
    assert status_of(node, signature) is not None
    chain.roll_back(1)
    assert status_of(node, signature) is None
    assert held(node, Commitment.PROCESSED) == 0


def test_the_same_schedule_on_the_same_seed_ends_the_same() -> None:
    def run(seed: int) -> tuple[list[object], int]:
        chain, _ = practice()
        node = LocalNode(chain, faults=FaultPlan.drawn(seed, first_slot=chain.slot, slots=60, count=10))
        ends: list[object] = []
        for lamports in range(SOL, SOL + 60, 3):
            try:
                ends.append(now(node.send(payment(chain, lamports))))
            except (EndpointDown, NodeRefused, RateLimited) as failed:
                ends.append(failed.what)
            chain.advance(3)
        return [*ends, *node.faults.fired], lamports_of(chain, BOB)

    assert run(3) == run(3)
    assert len({run(seed)[1] for seed in range(6)}) > 1
