"""LocalChain: LiteSVM with what a chain has besides: blocks, hashes that expire, commitment, history, forks.

One owner, not thread-safe. Nothing here waits or reads a clock: time is the number of slots (LOCAL_CHAIN 1 to 3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from solders.account import Account
from solders.clock import Clock
from solders.hash import Hash
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.rent import Rent
from solders.transaction_metadata import FailedTransactionMetadata

from pumpswap.amm.addresses import SYSTEM_PROGRAM, TOKEN_PROGRAM, WSOL_MINT
from pumpswap.chain.node import (
    BlockhashAt,
    ChainAccount,
    Commitment,
    ConfirmedTransaction,
    SignatureInfo,
    SignatureStatus,
    Simulation,
)
from pumpswap.errors import UsageError
from pumpswap.localnet.blockhashes import MAX_AGE_BLOCKS, Block, BlockhashState, BlockRing, hash_of_block
from pumpswap.localnet.faucet import faucet_transfer
from pumpswap.localnet.history import History, Landed
from pumpswap.localnet.journal import Journal
from pumpswap.localnet.listener import ChainListener
from pumpswap.localnet.token_bytes import mint
from pumpswap.localnet.transactions import (
    Parsed,
    confirmed_transaction,
    error_of,
    parse_transaction,
    was_run,
)

__all__ = ["LocalChain", "SubmitReceipt"]

_RENT_EPOCH = 2**64 - 1
_HEIGHT_LAG = 21_000_000  # mainnet has skipped about this many slots
_SLOTS_PER_EPOCH = 432_000
_FAUCET_LAMPORTS = 4 * 10**17
_BLOCKHASH_NOT_FOUND = "BlockhashNotFound"


@dataclass(frozen=True, slots=True)
class SubmitReceipt:
    """What became of signed bytes. ``slot`` is None when they are not part of the chain, and ``err`` then says why."""

    signature: str
    slot: int | None
    err: object | None
    is_duplicate: bool = False

    @property
    def has_landed(self) -> bool:
        """Whether the transaction is part of the chain, successful or failed."""
        return self.slot is not None


class LocalChain:
    """The practice chain. The same seed and the same calls give the same chain, hash by hash."""

    def __init__(
        self,
        *,
        seed: int = 0,
        start_unix: int = 1_781_136_000,
        slot_ms: int = 400,
        start_slot: int = 425_000_000,
        confirm_after: int = 1,
        finalize_after: int = 32,
    ) -> None:
        if not 0 <= confirm_after <= finalize_after or slot_ms <= 0 or start_slot <= _HEIGHT_LAG + finalize_after:
            raise UsageError("a chain with these parameters cannot be", hint="confirm before finalise, slots from 22 M")
        self.seed, self.start_unix, self.slot_ms, self.start_slot = seed, start_unix, slot_ms, start_slot
        self.confirm_after, self.finalize_after = confirm_after, finalize_after
        self.genesis_hash = str(Hash.hash(f"pumpswap practice chain {seed}".encode()))
        # The newest hash is not the only valid one here: the ring below decides, not LiteSVM (LOCAL_CHAIN 2).
        self.svm = LiteSVM().with_log_bytes_limit(None).with_transaction_history(0).with_blockhash_check(False)
        self.blocks = BlockRing()
        self.journal = Journal()
        self.log = History(start_slot - finalize_after - 1)  # its first blocks: a hash of theirs can be proven unused
        self.programs: dict[Pubkey, bytes] = {}
        self.known: dict[Pubkey, None] = {}  # LiteSVM cannot list its accounts; in order, so that files repeat
        self.lamports_per_byte: int | None = None
        self.forks = 0
        self.waiting: list[tuple[int, bytes]] = []
        self._listeners: list[ChainListener] = []
        self._faucet = Keypair.from_seed(bytes(Hash.hash(f"faucet {seed}".encode())))
        self.drops = 0
        for slot in range(start_slot - finalize_after - 1, start_slot + 1):
            self._append_block(slot, slot - _HEIGHT_LAG)
        self.set_account(ChainAccount(WSOL_MINT, TOKEN_PROGRAM, self.rent(82), mint(0, 9)))
        self.set_account(ChainAccount(self._faucet.pubkey(), SYSTEM_PROGRAM, _FAUCET_LAMPORTS, b""))

    # Time

    @property
    def slot(self) -> int:
        return self.blocks.newest.slot

    @property
    def block_height(self) -> int:
        return self.blocks.newest.height

    @property
    def unix_time(self) -> int:
        return self.blocks.newest.unix_time

    def advance(self, slots: int = 1) -> None:
        """Move on by whole slots. Each has a block with a new hash; what was due is executed in it."""
        for _ in range(slots):
            self._next_block(self.slot + 1)

    def skip(self, slots: int) -> None:
        """``slots`` slots without a block, then one with a block: the height falls back by ``slots``."""
        if slots < 0:
            raise UsageError(f"cannot skip {slots} slots", hint="0 or more")
        self._next_block(self.slot + slots + 1)

    def _next_block(self, slot: int) -> None:
        self._append_block(slot, self.block_height + 1)
        self.journal.prune(slot)
        self.log.trim()
        due = [raw for height, raw in self.waiting if height <= self.block_height]
        self.waiting = [(height, raw) for height, raw in self.waiting if height > self.block_height]
        for raw in due:
            self.submit(raw)
        for listener in tuple(self._listeners):
            listener.on_slot(slot)

    def _append_block(self, slot: int, height: int) -> None:
        self.blocks.add(Block(slot, height, hash_of_block(self.seed, slot, self.forks), self.time_of(slot)))
        self.set_clock()

    def time_of(self, slot: int) -> int:
        """Unix time of a slot."""
        return self.start_unix + (slot - self.start_slot) * self.slot_ms // 1_000

    def set_clock(self) -> None:
        """Give LiteSVM's clock the slot *and* the time; it moves neither by itself."""
        block = self.blocks.newest
        epoch = block.slot // _SLOTS_PER_EPOCH
        began = self.time_of(epoch * _SLOTS_PER_EPOCH)
        self.svm.set_clock(Clock(block.slot, began, epoch, epoch + 1, block.unix_time))

    # Commitment and hashes

    def commitment_of(self, slot: int, *, tip: int | None = None) -> Commitment:
        """How settled a slot is, as seen from ``tip`` (the newest slot, or what a lagging node takes for it)."""
        depth = (self.slot if tip is None else tip) - slot
        if depth >= self.finalize_after:
            return Commitment.FINALIZED
        return Commitment.CONFIRMED if depth >= self.confirm_after else Commitment.PROCESSED

    def block_at(self, commitment: Commitment, *, tip: int | None = None) -> Block:
        """The newest block that is settled so far."""
        after = {Commitment.PROCESSED: 0, Commitment.CONFIRMED: self.confirm_after}
        seen = self.slot if tip is None else tip
        return self.blocks.at_or_below(seen - after.get(commitment, self.finalize_after))

    def blockhash(self, commitment: Commitment = Commitment.CONFIRMED, *, tip: int | None = None) -> BlockhashAt:
        """Newest hash at this commitment; the last height counts from that hash's own block."""
        block = self.block_at(commitment, tip=tip)
        return BlockhashAt(block.blockhash, block.height + MAX_AGE_BLOCKS, block.slot)

    def blockhash_state(self, blockhash: Hash) -> BlockhashState:
        """Whether a transaction that names this hash may land in the current slot."""
        return self.blocks.state(blockhash)

    # Transactions

    def submit(self, raw: bytes) -> SubmitReceipt:
        """Execute signed bytes in the current slot. Bytes that have landed already are not executed again.

        Raises BadInput for bytes that are no transaction. A transaction that fails is a receipt with ``err``; one that
        could not even be charged (unknown or expired hash, bad signature, no money for the fee) has not landed.
        Durable nonces are not supported.
        """
        parsed = parse_transaction(raw, self)
        before = self.log.get(parsed.signature)
        if before is not None:
            return SubmitReceipt(parsed.signature, before.transaction.slot, before.transaction.err, is_duplicate=True)
        if self.blocks.state(parsed.blockhash) != "valid":
            return SubmitReceipt(parsed.signature, None, _BLOCKHASH_NOT_FOUND)
        return self._execute(parsed)

    def submit_at(self, raw: bytes, block_height: int) -> str:
        """Execute these bytes when the chain reaches ``block_height``, if their hash is still valid then."""
        signature = parse_transaction(raw, self).signature
        if block_height <= self.block_height:
            self.submit(raw)
        else:
            self.waiting.append((block_height, raw))
        return signature

    def _execute(self, parsed: Parsed) -> SubmitReceipt:
        keys, slot = parsed.keys, self.slot
        before = [self.account(key) for key in keys]
        outcome = self.svm.send_transaction(parsed.transaction)
        if isinstance(outcome, FailedTransactionMetadata):
            meta, err = outcome.meta(), error_of(outcome)
            if not was_run(outcome):
                return SubmitReceipt(parsed.signature, None, err)
        else:
            meta, err = outcome, None
        after = [self.account(key) for key in keys]
        transaction = confirmed_transaction(parsed, meta, err, (before, after), self.blocks.newest)
        writable = frozenset(key for key, is_writable in zip(keys, parsed.writable, strict=True) if is_writable)
        self.log.add(Landed(transaction, writable, parsed.micro_lamports_per_unit))
        changed = [at for at, one in enumerate(before) if one != after[at]]
        for at in changed:
            self.journal.add(slot, keys[at], before[at])
            self.known[keys[at]] = None
        for listener in tuple(self._listeners):
            listener.on_transaction(transaction)
            listener.on_accounts(slot, [account_now(keys[at], after[at]) for at in changed])
        return SubmitReceipt(parsed.signature, slot, err)

    def simulate(
        self,
        raw: bytes,
        *,
        addresses: Sequence[Pubkey] = (),
        replace_blockhash: bool = True,
        verify: bool = False,
        at_slot: int | None = None,
    ) -> Simulation:
        """What the bytes would do on the accounts as of the end of ``at_slot`` (now when None). Nothing is changed.

        Raises BadInput for bytes that are no transaction.
        """
        parsed = parse_transaction(raw, self)
        slot = self.slot if at_slot is None else at_slot
        if not replace_blockhash and self.blocks.state(parsed.blockhash) != "valid":
            return Simulation(slot, _BLOCKHASH_NOT_FOUND, (), 0, tuple(None for _ in addresses))
        moved = {} if slot >= self.slot else {key: now for key in set(parsed.keys) if (now := self._swap_in(key, slot))}
        self.svm.with_sigverify(verify)
        try:
            outcome = self.svm.simulate_transaction(parsed.transaction)
        finally:
            self.svm.with_sigverify(True)
            for now in moved.values():
                self._write(now)
        if isinstance(outcome, FailedTransactionMetadata):
            logs, units = tuple(outcome.meta().logs()), outcome.meta().compute_units_consumed()
            found = tuple(self.account_at(address, slot) for address in addresses)
            return Simulation(slot, error_of(outcome), logs, units, found)
        post = {address: chain_account(address, account) for address, account in outcome.post_accounts()}
        found = tuple(post[one] if one in post else self.account_at(one, slot) for one in addresses)
        return Simulation(slot, None, tuple(outcome.meta().logs()), outcome.meta().compute_units_consumed(), found)

    def _swap_in(self, address: Pubkey, slot: int) -> ChainAccount | None:
        """Put the account of an older slot in place; returns today's, None when they are the same."""
        change = self.journal.as_of(address, slot)
        if change is None:
            return None
        now = account_now(address, self.account(address))
        self._write(account_now(address, change.before))
        return now

    def status(self, signature: str) -> SignatureStatus | None:
        """Where a transaction is; None when it has not landed."""
        landed = self.log.get(signature)
        if landed is None:
            return None
        slot = landed.transaction.slot
        return SignatureStatus(slot, landed.transaction.err, self.commitment_of(slot))

    def transaction(self, signature: str) -> ConfirmedTransaction | None:
        """A landed transaction with everything it changed."""
        landed = self.log.get(signature)
        return landed.transaction if landed is not None else None

    def history(self, address: Pubkey) -> tuple[SignatureInfo, ...]:
        """Transactions that name this address, newest first."""
        return tuple(
            SignatureInfo(one.signature, one.slot, one.err, one.block_time)
            for one in (landed.transaction for landed in self.log.of_address(address))
        )

    def roll_back(self, slots: int) -> tuple[str, ...]:
        """The chain switches to a fork without the transactions of the last ``slots`` slots; their signatures.

        Slots and heights stay, the hashes of these slots do not: what named one of them can never land. The others may
        be executed again. Raises UsageError for slots that are confirmed already.
        """
        if not 0 < slots <= self.confirm_after:
            raise UsageError(
                f"cannot roll back {slots} slots", hint=f"only the last {self.confirm_after} may be undone"
            )
        last_kept = self.slot - slots
        undone = self.log.undo_after(last_kept)
        restored = self.journal.undo_after(last_kept)
        for address, account in restored.items():
            self._write(account_now(address, account))
        self.forks += 1
        self.blocks.replace_newest(sum(block.slot > last_kept for block in self.blocks.all), self.seed, self.forks)
        for listener in tuple(self._listeners):
            listener.on_rollback(undone)
            listener.on_accounts(self.slot, [account_now(key, account) for key, account in restored.items()])
        return undone

    # Accounts

    def account(self, address: Pubkey) -> ChainAccount | None:
        """The account as of now (processed)."""
        found = self.svm.get_account(address)
        return chain_account(address, found) if found is not None else None

    def account_at(self, address: Pubkey, slot: int) -> ChainAccount | None:
        """The account as it was at the end of ``slot``."""
        change = self.journal.as_of(address, slot)
        return self.account(address) if change is None else change.before

    def accounts_of(self, program: Pubkey, *, at_slot: int | None = None) -> tuple[ChainAccount, ...]:
        """All accounts that a program owns, in the order of their addresses."""
        listed = (chain_account(address, account) for address, account in self.svm.get_program_accounts(program))
        found = {account.address: account for account in listed if account is not None}
        if at_slot is not None and at_slot < self.slot:
            for address, before in self.journal.changed_since(at_slot).items():
                found.pop(address, None)
                if before is not None and before.owner == program:
                    found[address] = before
        return tuple(sorted(found.values(), key=lambda account: bytes(account.address)))

    def set_account(self, account: ChainAccount) -> None:
        """Set an account from outside, as if it had always been so: older slots show it too, no rollback undoes it."""
        self.journal.forget(account.address)
        self._write(account)
        self.known[account.address] = None
        for listener in tuple(self._listeners):
            listener.on_accounts(self.slot, [account])

    def _write(self, account: ChainAccount) -> None:
        self.svm.set_account(
            account.address,
            Account(account.lamports, account.data, account.owner, account.executable, _RENT_EPOCH),
        )

    def add_program(self, program: Pubkey, elf: bytes) -> None:
        """Install an upgradeable program from its executable data."""
        self.svm.add_program(program, elf)
        self.programs[program] = elf

    def airdrop(self, address: Pubkey, lamports: int) -> str:
        """A real signed transfer from the faucet; its signature. Raises UsageError when the chain refuses it."""
        self.drops += 1
        raw = faucet_transfer(self._faucet, address, lamports, self.blocks.newest.blockhash, self.drops)
        receipt = self.submit(raw)
        if receipt.err is not None:
            raise UsageError(
                f"the faucet cannot give {lamports} lamports: {receipt.err}",
                hint=f"a new account needs at least {self.rent(0)}",
            )
        return receipt.signature

    def rent(self, size: int) -> int:
        """Lamports that keep ``size`` bytes of data alive."""
        return self.svm.minimum_balance_for_rent_exemption(size)

    def set_lamports_per_byte(self, lamports: int) -> None:
        """Another price of rent; mainnet lowered it in 2026."""
        self.svm.set_rent(Rent(lamports))
        self.lamports_per_byte = lamports

    # Others

    def listen(self, listener: ChainListener) -> Callable[[], None]:
        """Tell ``listener`` everything from now on; call the result to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def save(self, path: Path) -> None:
        """Write the whole chain into a file. Raises BadInput when it cannot be written."""
        from pumpswap.localnet.state_file import save_chain

        save_chain(self, path)

    @classmethod
    def load(cls, path: Path) -> LocalChain:
        """A chain as it was saved. Raises NotFound without the file, BadInput for a damaged one."""
        from pumpswap.localnet.state_file import load_chain

        return load_chain(path)


def chain_account(address: Pubkey, account: Account) -> ChainAccount | None:
    """Our record of LiteSVM's; an account without lamports does not exist."""
    if not account.lamports:
        return None
    return ChainAccount(address, account.owner, account.lamports, bytes(account.data), account.executable)


def account_now(address: Pubkey, account: ChainAccount | None) -> ChainAccount:
    """An account that may be gone, in the form in which it is told and written."""
    return account if account is not None else ChainAccount(address, SYSTEM_PROGRAM, 0, b"")
