"""RpcState: the practice chain as one call sees it: at a commitment, some slots behind, or with a fault in between."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from pumpswap.chain.base58 import base58
from pumpswap.chain.node import (
    BlockhashAt,
    ChainAccount,
    Commitment,
    ConfirmedTransaction,
    SignatureInfo,
    SignatureStatus,
)
from pumpswap.localnet.blockhashes import MAX_AGE_BLOCKS
from pumpswap.localnet.faults import CLAIMED_ERR, Fault, FaultKind
from pumpswap.localnet.rpc_errors import behind, invalid_params
from pumpswap.localnet.rpc_node import ServedChain
from pumpswap.localnet.rpc_params import Config, Params
from pumpswap.localnet.transactions import parse_transaction

__all__ = ["SOFTWARE_VERSION", "Method", "RpcState", "Simulated", "View", "return_data"]

SOFTWARE_VERSION = "4.1.2"  # of the runtime inside LiteSVM
_FEE_SLOTS = 150
_RANK = {Commitment.PROCESSED: 0, Commitment.CONFIRMED: 1, Commitment.FINALIZED: 2}
_RETURNED = re.compile(r"Program return: (\S+) ?(\S*)")


@dataclass(frozen=True, slots=True)
class View:
    """The newest slot that is settled as far as the caller asks."""

    slot: int
    commitment: Commitment


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a transaction would do, with what only the wire format asks for."""

    err: object | None
    logs: tuple[str, ...]
    units_consumed: int
    accounts: tuple[ChainAccount | None, ...]
    return_data: Mapping[str, object] | None


class RpcState:
    """All that methods read and do. Every question about commitment ends in ``LocalChain.commitment_of``."""

    def __init__(self, node: ServedChain, fault: Fault | None = None) -> None:
        self.node = node
        self.chain = node.chain
        self.fault = fault

    # Where we are

    @property
    def seen_slot(self) -> int:
        """The newest slot that this node has seen."""
        return self.node.tip(self._amount(FaultKind.STALE))

    @property
    def claimed(self) -> int:
        """Slots and blocks that this node says it is further than it is."""
        return self._amount(FaultKind.CLAIM_HEIGHT)

    @property
    def first_slot(self) -> int:
        """The oldest slot whose transactions are all known."""
        return self.node.first_slot

    def _amount(self, kind: FaultKind) -> int:
        return self.fault.amount if self.fault is not None and self.fault.kind is kind else 0

    def _suffers(self, kind: FaultKind, signature: str) -> bool:
        fault = self.fault
        return fault is not None and fault.kind is kind and (not fault.signatures or signature in fault.signatures)

    @property
    def transaction_count(self) -> int:
        """Transactions that this node remembers."""
        return len(self.chain.log)

    def view(self, config: Config) -> View:
        """What the caller's commitment means now. Raises NodeRefused when this is behind ``minContextSlot``."""
        commitment = config.commitment()
        slot = self.chain.block_at(commitment, tip=self.seen_slot).slot
        if slot < config.integer("minContextSlot"):
            raise behind(slot)
        return View(slot, commitment)

    def commitment_of(self, slot: int) -> Commitment:
        """How settled a slot is, as this node sees it."""
        return self.chain.commitment_of(slot, tip=self.seen_slot)

    def has_reached(self, slot: int, commitment: Commitment) -> bool:
        """Whether a slot is settled at least so far; one that this node has not seen yet is not."""
        return slot <= self.seen_slot and _RANK[self.commitment_of(slot)] >= _RANK[commitment]

    def answer(self, view: View, value: object) -> dict[str, object]:
        """A value with its context."""
        return self.context(view.slot, value)

    def context(self, slot: int, value: object) -> dict[str, object]:
        """A value with the slot that it is of."""
        return {"context": {"slot": slot, "apiVersion": SOFTWARE_VERSION}, "value": value}

    # Blocks

    def block_height(self, view: View) -> int:
        """Height of the block that a caller sees as newest."""
        return self.chain.block_at(view.commitment, tip=self.seen_slot).height

    def blockhash(self, view: View) -> BlockhashAt:
        """Newest hash at a commitment."""
        return self.chain.blockhash(view.commitment, tip=self.seen_slot)

    def is_blockhash_valid(self, blockhash: Hash, view: View) -> bool:
        """Whether a transaction that names it may land in the block that the caller sees as newest."""
        block = self.chain.block_at(view.commitment, tip=self.seen_slot)
        return self.chain.blocks.is_valid_in(block, blockhash)

    def block_time(self, slot: int) -> int:
        """Unix time of a slot."""
        return self.chain.time_of(slot)

    def block(self, slot: int) -> dict[str, object]:
        """Header of a block. Raises NodeRefused for a slot without one, or whose block is too old."""
        blocks = self.chain.blocks.all
        at = next((at for at, block in enumerate(blocks) if block.slot == slot), None)
        if not at:
            raise invalid_params(f"Slot {slot} was skipped, or missing in long-term storage")
        block, parent = blocks[at], blocks[at - 1]
        return {
            "blockhash": str(block.blockhash),
            "previousBlockhash": str(parent.blockhash),
            "parentSlot": parent.slot,
            "blockHeight": block.height,
            "blockTime": block.unix_time,
        }

    def signatures_of(self, slot: int) -> list[str]:
        """Transactions of a slot, in the order in which they ran."""
        landed = reversed(self.chain.log.since(slot))
        return [each.transaction.signature for each in landed if each.transaction.slot == slot]

    def priority_fees(self, addresses: Sequence[Pubkey]) -> list[tuple[int, int]]:
        """Of recent slots, oldest first: the least price that got all of ``addresses`` locked for writing, else 0."""
        asked = frozenset(addresses)
        newest = self.seen_slot
        found = {block.slot: -1 for block in self.chain.blocks.all if newest - _FEE_SLOTS < block.slot <= newest}
        for landed in self.chain.log.since(newest - _FEE_SLOTS + 1):
            slot, price = landed.transaction.slot, landed.micro_lamports_per_unit
            if slot in found and asked <= landed.writable:
                found[slot] = price if found[slot] < 0 else min(found[slot], price)
        return [(slot, max(price, 0)) for slot, price in found.items()]

    # Accounts

    def account(self, address: Pubkey, view: View) -> ChainAccount | None:
        """An account as of the caller's slot."""
        return self.chain.account_at(address, view.slot)

    def accounts_of(self, program: Pubkey, view: View) -> tuple[ChainAccount, ...]:
        """A program's accounts as of the caller's slot."""
        return self.chain.accounts_of(program, at_slot=view.slot)

    def decimals(self, mint: Pubkey) -> int | None:
        """Decimals of a mint; None when there is no such mint."""
        return self.node.decimals(mint)

    def pool_count(self) -> int:
        """Pools on the chain."""
        return self.node.pool_count()

    # Transactions

    def submit(self, raw: bytes) -> str:
        """Hand in signed bytes; the signature, whatever becomes of them."""
        kind = None if self.fault is None else self.fault.kind
        if kind in (FaultKind.DROP_BEFORE, FaultKind.FALSE_OK):
            return parse_transaction(raw, self.chain).signature
        if kind is FaultKind.DELAY:
            return self.chain.submit_at(raw, self.chain.block_height + self._amount(kind))
        if kind is FaultKind.DELAY_TO_EXPIRY:
            parsed = parse_transaction(raw, self.chain)
            named = self.chain.blocks.named(parsed.blockhash)
            if named is not None:
                self.chain.submit_at(raw, named.height + MAX_AGE_BLOCKS + self._amount(kind))
            return parsed.signature
        return self.chain.submit(raw).signature

    def simulate(
        self, raw: bytes, view: View, *, addresses: Sequence[Pubkey] = (), replace_blockhash: bool, verify: bool
    ) -> Simulated:
        """Run a transaction on the caller's slot. A block-hash that is newer than that slot is not known there."""
        named = self.chain.blocks.named(VersionedTransaction.from_bytes(raw).message.recent_blockhash)
        if not replace_blockhash and named is not None and named.slot > view.slot:
            return Simulated("BlockhashNotFound", (), 0, tuple(None for _ in addresses), None)
        ran = self.chain.simulate(
            raw, addresses=addresses, replace_blockhash=replace_blockhash, verify=verify, at_slot=view.slot
        )
        return Simulated(ran.err, ran.logs, ran.units_consumed, ran.accounts, return_data(ran.logs))

    def simulated_inner(self, raw: bytes) -> list[dict[str, object]]:
        """Inner instructions of a run on today's accounts, as they are written on the wire."""
        svm = self.chain.svm
        svm.with_sigverify(False)
        try:
            outcome = svm.simulate_transaction(VersionedTransaction.from_bytes(raw))
        finally:
            svm.with_sigverify(True)
        groups = outcome.meta().inner_instructions()
        return [
            {
                "index": index,
                "instructions": [
                    {
                        "programIdIndex": each.instruction().program_id_index,
                        "accounts": [*each.instruction().accounts],
                        "data": base58(bytes(each.instruction().data)),
                        "stackHeight": each.stack_height(),
                    }
                    for each in group
                ],
            }
            for index, group in enumerate(groups)
            if group
        ]

    def status(self, signature: str, *, search_history: bool = True) -> SignatureStatus | None:
        """Where a transaction is, as this node sees it or says it. Without a search only the last blocks are known."""
        if self._suffers(FaultKind.HIDE, signature):
            return None
        found = self._seen(signature)
        for kind, err in ((FaultKind.CLAIM_LANDED, None), (FaultKind.CLAIM_FAILED, CLAIMED_ERR)):
            if found is None and self._suffers(kind, signature):
                return SignatureStatus(self.seen_slot, err, Commitment.FINALIZED)
        if found is None or (not search_history and found.slot < self.seen_slot - MAX_AGE_BLOCKS):
            return None
        return SignatureStatus(found.slot, found.err, self.commitment_of(found.slot))

    def transaction(self, signature: str) -> ConfirmedTransaction | None:
        """A landed transaction that this node has seen, and admits."""
        if self._suffers(FaultKind.HIDE, signature):
            return None
        found = self._seen(signature)
        if found is not None and self._suffers(FaultKind.CLAIM_FAILED, signature):
            return replace(found, err=CLAIMED_ERR)
        return found

    def history(self, address: Pubkey) -> Iterator[SignatureInfo]:
        """What this node knows of an address, newest first."""
        for landed in self.chain.log.of_address(address):
            one = landed.transaction
            if one.slot < self.first_slot:
                return
            if one.slot <= self.seen_slot:
                yield SignatureInfo(one.signature, one.slot, one.err, one.block_time)

    def _seen(self, signature: str) -> ConfirmedTransaction | None:
        found = self.chain.transaction(signature)
        if found is None or not self.first_slot <= found.slot <= self.seen_slot:
            return None
        return found


def return_data(logs: Sequence[str]) -> dict[str, object] | None:
    """What the last instruction returned. Each call of a program clears what the one before it has returned."""
    for line in reversed(logs):
        if " invoke [" in line:
            return None
        if match := _RETURNED.fullmatch(line):
            return {"programId": match[1], "data": [match[2], "base64"]}
    return None


Method = Callable[[RpcState, Params], object]
