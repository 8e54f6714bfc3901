"""LocalNode: the practice chain as a Node without sockets, so that thousands of schedules can be run.

It answers as a real node does: confirmed reads are of the newest confirmed block, a lagging node shows old accounts,
statuses without history search reach back 150 blocks. Its methods never really wait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from solders.hash import Hash
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from pumpswap.chain.node import (
    AccountsAt,
    BlockhashAt,
    ChainAccount,
    Commitment,
    ConfirmedTransaction,
    Height,
    HoldingsAt,
    ProgramFilter,
    SignatureInfo,
    SignatureStatus,
    Simulation,
    StatusesAt,
    TokenHolding,
)
from pumpswap.errors import BadInput, EndpointDown, NodeRefused, RateLimited, StaleNode, UsageError
from pumpswap.localnet.blockhashes import MAX_AGE_BLOCKS, Block
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.encoding import is_mint
from pumpswap.localnet.faults import CLAIMED_ERR, Fault, FaultKind, FaultPlan
from pumpswap.localnet.transactions import parse_transaction, token_balance

__all__ = ["LocalNode"]

VERSION: Mapping[str, str] = {"solana-core": "4.1.2", "feature-set": "practice"}
_MAX_LAG_SLOTS = 240  # blocks and old accounts are kept for longer than this and finality together
_MAX_ACCOUNTS, _MAX_STATUSES, _MAX_HISTORY, _MAX_HOLDINGS = 100, 256, 1_000, 20
_ORDER = {Commitment.PROCESSED: 0, Commitment.CONFIRMED: 1, Commitment.FINALIZED: 2}
_INVALID_PARAMS, _PREFLIGHT, _MIN_SLOT = -32602, -32002, -32016
_RECOVER = "the call may be repeated"


class LocalNode:
    """One endpoint on a chain. Several may serve the same chain, each with its own faults and lag."""

    def __init__(
        self, chain: LocalChain, *, name: str = "local", faults: FaultPlan | None = None, lag_slots: int = 0
    ) -> None:
        if not 0 <= lag_slots <= _MAX_LAG_SLOTS:
            raise UsageError(f"a node cannot lag {lag_slots} slots", hint=f"0 to {_MAX_LAG_SLOTS}")
        self.chain, self.lag_slots = chain, lag_slots
        self.faults = faults if faults is not None else FaultPlan()
        self.is_down = False
        self._name = name
        self._first_slot = 0

    @property
    def name(self) -> str:
        return self._name

    def restart(self) -> None:
        """The node comes back without anything from before: statuses, transactions and histories start now."""
        self._first_slot = self.chain.slot + 1

    # What a call meets first

    def _meet(self, method: str, *, signature: str | Sequence[str] = "") -> Fault | None:
        """The fault of this call. Raises what such a fault raises before anything was done."""
        if self.is_down:
            raise EndpointDown(f"{self._name}: connection refused", hint=_RECOVER)
        fault = self.faults.pick(method, self.chain.slot, signature=signature, target=self._name)
        if fault is None:
            return None
        if fault.kind is FaultKind.RATE_LIMITED:
            raise RateLimited(f"{self._name}: 429", retry_after_seconds=float(fault.amount), hint=_RECOVER)
        if fault.kind is FaultKind.SERVER_ERROR:
            raise EndpointDown(f"{self._name}: 503", hint=_RECOVER)
        if fault.kind is FaultKind.RESTART:
            self.restart()
            raise EndpointDown(f"{self._name}: connection lost", hint=_RECOVER)
        if fault.kind is FaultKind.RESET or (fault.kind is FaultKind.SLOW and method != "sendTransaction"):
            raise EndpointDown(f"{self._name}: no answer", hint=_RECOVER)
        return fault

    def _tip(self, fault: Fault | None = None) -> int:
        """The newest slot of which this node knows."""
        more = fault.amount if fault is not None and fault.kind is FaultKind.STALE else 0
        lagging = self.chain.slot - min(self.lag_slots + more, _MAX_LAG_SLOTS)
        return max(lagging, self.chain.blocks.all[0].slot)  # no node is older than its chain

    def _view(self, commitment: Commitment, fault: Fault | None, min_context_slot: int = 0) -> Block:
        block = self.chain.block_at(commitment, tip=self._tip(fault))
        if block.slot < min_context_slot:
            raise StaleNode(f"{self._name}: at slot {block.slot}, not yet {min_context_slot}", hint="ask another one")
        return block

    # Chain

    async def genesis_hash(self) -> str:
        self._meet("getGenesisHash")
        return self.chain.genesis_hash

    async def height(self, commitment: Commitment = Commitment.CONFIRMED) -> Height:
        fault = self._meet("getEpochInfo")
        block = self._view(commitment, fault)
        lie = fault.amount if fault is not None and fault.kind is FaultKind.CLAIM_HEIGHT else 0
        return Height(block.slot + lie, block.height + lie)

    async def latest_blockhash(self, commitment: Commitment = Commitment.CONFIRMED) -> BlockhashAt:
        fault = self._meet("getLatestBlockhash")
        return self.chain.blockhash(commitment, tip=self._tip(fault))

    async def is_blockhash_valid(
        self, blockhash: Hash, *, commitment: Commitment = Commitment.CONFIRMED, min_context_slot: int = 0
    ) -> bool:
        fault = self._meet("isBlockhashValid")
        return self.chain.blocks.is_valid_in(self._view(commitment, fault, min_context_slot), blockhash)

    async def first_available_block(self) -> int:
        self._meet("getFirstAvailableBlock")
        return self._oldest()

    def _oldest(self) -> int:
        return max(self._first_slot, self.chain.log.first_slot)

    async def version(self) -> Mapping[str, str]:
        self._meet("getVersion")
        return VERSION

    # Accounts

    async def accounts(
        self,
        addresses: Sequence[Pubkey],
        *,
        commitment: Commitment = Commitment.CONFIRMED,
        min_context_slot: int = 0,
    ) -> AccountsAt:
        fault = self._meet("getMultipleAccounts")
        _at_most(len(addresses), _MAX_ACCOUNTS, "accounts")
        slot = self._view(commitment, fault, min_context_slot).slot
        return AccountsAt(slot, tuple(self.chain.account_at(address, slot) for address in addresses))

    async def program_accounts(
        self, program: Pubkey, filters: Sequence[ProgramFilter] = (), *, commitment: Commitment = Commitment.CONFIRMED
    ) -> tuple[ChainAccount, ...]:
        fault = self._meet("getProgramAccounts")
        found = self.chain.accounts_of(program, at_slot=self._view(commitment, fault).slot)
        return tuple(one for one in found if all(one.data[f.offset :].startswith(f.data) for f in filters))

    async def token_accounts(
        self, owner: Pubkey, *, commitment: Commitment = Commitment.CONFIRMED
    ) -> tuple[ChainAccount, ...]:
        fault = self._meet("getTokenAccountsByOwner")
        slot = self._view(commitment, fault).slot
        every = (one for p in (TOKEN_PROGRAM, TOKEN_2022_PROGRAM) for one in self.chain.accounts_of(p, at_slot=slot))
        return tuple(one for one in every if (held := token_balance(0, one)) is not None and held.owner == owner)

    async def largest_holdings(self, mint: Pubkey, *, commitment: Commitment = Commitment.CONFIRMED) -> HoldingsAt:
        fault = self._meet("getTokenLargestAccounts")
        slot = self._view(commitment, fault).slot
        account = self.chain.account_at(mint, slot)
        if account is None or not is_mint(account):
            raise NodeRefused(f"{self._name}: could not find mint", code=_INVALID_PARAMS, hint="is this a mint?")
        every = ((one.address, token_balance(0, one)) for one in self.chain.accounts_of(account.owner, at_slot=slot))
        held = [TokenHolding(at, found.units) for at, found in every if found is not None and found.mint == mint]
        held.sort(key=lambda one: (-one.units, bytes(one.address)))
        return HoldingsAt(slot, tuple(held[:_MAX_HOLDINGS]))

    async def minimum_rent(self, size: int) -> int:
        self._meet("getMinimumBalanceForRentExemption")
        return self.chain.rent(size)

    # Sending

    async def send(self, raw: bytes, *, skip_preflight: bool = True, min_context_slot: int = 0) -> str:
        try:
            parsed = parse_transaction(raw, self.chain)
        except BadInput as broken:
            raise NodeRefused(f"{self._name}: {broken}", code=_INVALID_PARAMS, hint=broken.hint) from None
        fault = self._meet("sendTransaction", signature=parsed.signature)
        self._view(Commitment.PROCESSED, fault, min_context_slot)
        kind = fault.kind if fault is not None else None
        if not skip_preflight:
            self._preflight(raw)
        if kind in (FaultKind.DROP_BEFORE, FaultKind.FALSE_OK):
            pass
        elif fault is not None and kind is FaultKind.DELAY:
            self.chain.submit_at(raw, self.chain.block_height + fault.amount)
        elif fault is not None and kind is FaultKind.DELAY_TO_EXPIRY:
            named = self.chain.blocks.named(parsed.blockhash)
            if named is not None:
                self.chain.submit_at(raw, named.height + MAX_AGE_BLOCKS + fault.amount)
        else:
            self.chain.submit(raw)
        if kind in (FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER, FaultKind.SLOW):
            raise EndpointDown(f"{self._name}: no answer in time", hint="it may land all the same")
        if kind is FaultKind.FALSE_ERROR:
            raise NodeRefused(f"{self._name}: internal error", code=-32603, hint="it may land all the same")
        return parsed.signature

    def _preflight(self, raw: bytes) -> None:
        ran = self.chain.simulate(raw, replace_blockhash=False, verify=True)
        if ran.err is not None:
            data = {"err": ran.err, "logs": list(ran.logs), "unitsConsumed": ran.units_consumed}
            what = f"{self._name}: Transaction simulation failed: {ran.err}"
            raise NodeRefused(what, code=_PREFLIGHT, data=data, hint="it was not sent")

    async def simulate(
        self, raw: bytes, *, accounts: Sequence[Pubkey] = (), commitment: Commitment = Commitment.CONFIRMED
    ) -> Simulation:
        fault = self._meet("simulateTransaction")
        slot = self._view(commitment, fault).slot
        try:
            return self.chain.simulate(raw, addresses=accounts, at_slot=slot)
        except BadInput as broken:
            raise NodeRefused(f"{self._name}: {broken}", code=_INVALID_PARAMS, hint=broken.hint) from None

    # What has landed

    async def statuses(self, signatures: Sequence[str], *, search_history: bool = False) -> StatusesAt:
        fault = self._meet("getSignatureStatuses", signature=signatures)
        _at_most(len(signatures), _MAX_STATUSES, "signatures")
        tip = self._tip(fault)
        recent = 0 if search_history else tip - MAX_AGE_BLOCKS
        found = tuple(self._status(signature, fault, tip, recent) for signature in signatures)
        return StatusesAt(self.chain.blocks.at_or_below(tip).slot, found)

    def _status(self, signature: str, fault: Fault | None, tip: int, recent: int) -> SignatureStatus | None:
        landed = self._seen(signature, tip)
        kind = fault.kind if fault is not None and _concerns(fault, signature) else None
        if kind is FaultKind.HIDE:
            return None
        if landed is None and kind in (FaultKind.CLAIM_LANDED, FaultKind.CLAIM_FAILED):
            err = CLAIMED_ERR if kind is FaultKind.CLAIM_FAILED else None
            return SignatureStatus(tip, err, Commitment.FINALIZED)
        if landed is None or landed.slot < recent:
            return None
        return SignatureStatus(landed.slot, landed.err, self.chain.commitment_of(landed.slot, tip=tip))

    def _seen(self, signature: str, tip: int) -> ConfirmedTransaction | None:
        landed = self.chain.transaction(signature)
        if landed is None or not self._oldest() <= landed.slot <= tip:
            return None
        return landed

    async def transaction(
        self, signature: str, commitment: Commitment = Commitment.CONFIRMED
    ) -> ConfirmedTransaction | None:
        fault = self._meet("getTransaction", signature=signature)
        tip = self._tip(fault)
        landed = self._seen(signature, tip)
        if landed is None or (fault is not None and fault.kind is FaultKind.HIDE):
            return None
        if fault is not None and fault.kind is FaultKind.CLAIM_FAILED:
            landed = replace(landed, err=CLAIMED_ERR)
        is_settled = _ORDER[self.chain.commitment_of(landed.slot, tip=tip)] >= _ORDER[commitment]
        return landed if is_settled else None

    async def signatures_for(
        self,
        address: Pubkey,
        *,
        before: str | None = None,
        until: str | None = None,
        limit: int = _MAX_HISTORY,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> tuple[SignatureInfo, ...]:
        fault = self._meet("getSignaturesForAddress")
        _at_most(limit, _MAX_HISTORY, "signatures of an address")
        newest, oldest = self._view(commitment, fault).slot, self._oldest()
        found: list[SignatureInfo] = []
        begun = before is None
        for landed in self.chain.log.of_address(address):
            one = landed.transaction
            if one.signature == until or len(found) == limit or one.slot < oldest:
                break
            if begun and one.slot <= newest:
                found.append(SignatureInfo(one.signature, one.slot, one.err, one.block_time))
            begun = begun or one.signature == before
        return tuple(found)

    async def priority_fees(self, addresses: Sequence[Pubkey]) -> tuple[tuple[int, int], ...]:
        fault = self._meet("getRecentPrioritizationFees")
        tip, wanted = self._tip(fault), frozenset(addresses)
        blocks = [block.slot for block in self.chain.blocks.all if block.slot <= tip][-MAX_AGE_BLOCKS:]
        least: dict[int, int] = {}
        for landed in self.chain.log.since(blocks[0]):
            slot, price = landed.transaction.slot, landed.micro_lamports_per_unit
            if slot <= tip and wanted <= landed.writable:
                least[slot] = min(price, least.get(slot, price))
        return tuple((slot, least.get(slot, 0)) for slot in blocks)


def _concerns(fault: Fault, signature: str) -> bool:
    return not fault.signatures or signature in fault.signatures


def _at_most(count: int, most: int, what: str) -> None:
    if count > most:
        raise NodeRefused(f"{count} {what} in one call", code=_INVALID_PARAMS, hint=f"at most {most}")
