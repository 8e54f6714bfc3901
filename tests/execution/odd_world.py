"""Random lives in which others do what is rarely done: wrapped SOL by any way, accounts with addresses of their own,
accounts that change hands, deposits in programs, a token that is ignored in the middle.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer
from solders.transaction import VersionedTransaction

from pumpswap.amm.addresses import SYSTEM_PROGRAM, TOKEN_PROGRAM, WSOL_MINT, ata
from tests.execution.live_world import SOL, WALLET
from tests.execution.outside_world import Life
from tests.execution.practice_wallet import FEE, OWN, Practice, step
from tests.localnet.practice import ALICE

__all__ = ["OddLife"]

WRAPPED = ata(WALLET, WSOL_MINT, TOKEN_PROGRAM)
ALICES_WRAPPED = ata(ALICE.pubkey(), WSOL_MINT, TOKEN_PROGRAM)
SYNC = step(TOKEN_PROGRAM, b"\x11", [(WRAPPED, False, True)])
_TOKEN_BYTES = 165
_STAKE = SOL // 10


def _paid(payer: Pubkey, to: Pubkey, lamports: int) -> Instruction:
    return transfer(TransferParams(from_pubkey=payer, to_pubkey=to, lamports=lamports))


def _given(account: Pubkey, owner: Pubkey, to: Pubkey) -> Instruction:
    return step(TOKEN_PROGRAM, b"\x06\x02\x01" + bytes(to), [(account, False, True), (owner, True, False)])


class OddLife(Life):
    """A life with more of what can happen."""

    def __init__(self, practice: Practice, rng: random.Random) -> None:
        super().__init__(practice, rng)
        self.stakes: list[Keypair] = []
        self.others: list[tuple[Pubkey, int]] = []  # token accounts of the wallet elsewhere, and what is in them
        practice.send(
            ALICE,
            practice.create_account(ALICE.pubkey(), ALICE.pubkey(), WSOL_MINT),
            _paid(ALICE.pubkey(), ALICES_WRAPPED, 20 * SOL),
            step(TOKEN_PROGRAM, b"\x11", [(ALICES_WRAPPED, False, True)]),
        )

    def actions(self) -> list[Callable[[], object]]:
        """Everything, the usual and the odd."""
        return [
            *super().actions(), self.stake, self.unstake, self.wrap, self.unwrap, self.wrapped_comes, self.pay_unsynced,
            self.sync, self.comes_elsewhere, self.goes_elsewhere, self.change_hands, self.ignore,
        ]  # fmt: skip

    def stake(self) -> None:
        fresh = Keypair.from_seed(self.rng.randbytes(32))
        self.foreign.append(self._made(OWN, fresh, _STAKE, 0, SYSTEM_PROGRAM))
        self.stakes.append(fresh)

    def unstake(self) -> None:
        if self.stakes:
            self.foreign.append(self.practice.pay(self.stakes.pop(), WALLET, _STAKE - FEE))

    def wrap(self) -> None:
        steps = [] if self._is_wrapped() else [self.practice.create_account(WALLET, WALLET, WSOL_MINT)]
        self.foreign.append(self.practice.send(OWN, *steps, _paid(WALLET, WRAPPED, SOL // 50), SYNC))

    def unwrap(self) -> None:
        if self._is_wrapped():
            self.foreign.append(self.practice.send(OWN, self.practice.close(WRAPPED, program=TOKEN_PROGRAM)))

    def wrapped_comes(self) -> None:
        steps = [] if self._is_wrapped() else [self.practice.create_account(ALICE.pubkey(), WALLET, WSOL_MINT)]
        keys = [(ALICES_WRAPPED, False, True), (WRAPPED, False, True), (ALICE.pubkey(), True, False)]
        steps.append(step(TOKEN_PROGRAM, b"\x03" + struct.pack("<Q", self.rng.randrange(1, SOL // 10)), keys))
        self.foreign.append(self.practice.send(ALICE, *steps))

    def pay_unsynced(self) -> None:
        """Lamports that lie in the account and are no wrapped SOL yet."""
        if self._is_wrapped():
            self.foreign.append(self.practice.pay(OWN, WRAPPED, self.rng.randrange(1, SOL // 100)))

    def sync(self) -> None:
        if self._is_wrapped():
            before = self._wrapped_units()
            signature = self.practice.send(ALICE, SYNC)
            if self._wrapped_units() != before:
                self.foreign.append(signature)

    def comes_elsewhere(self) -> None:
        practice, fresh = self.practice, Keypair.from_seed(self.rng.randbytes(32))
        units, account = self.rng.randrange(1, 10**6), fresh.pubkey()
        begun = step(practice.program, b"\x12" + bytes(WALLET), [(account, False, True), (practice.mint, False, False)])
        sent = practice.token_transfer(self.alices, account, ALICE.pubkey(), units)
        rent = practice.world.chain.rent(_TOKEN_BYTES)
        self.foreign.append(self._made(ALICE, fresh, rent, _TOKEN_BYTES, practice.program, begun, sent))
        self.others.append((account, units))

    def goes_elsewhere(self) -> None:
        if self.others:
            account, units = self.others.pop(self.rng.randrange(len(self.others)))
            keys = [(account, False, True), (self.practice.mint, False, True), (WALLET, True, False)]
            burnt = step(self.practice.program, b"\x08" + struct.pack("<Q", units), keys)
            self.foreign.append(self.practice.send(OWN, burnt, self.practice.close(account)))

    def change_hands(self) -> None:
        """Away, and back again: the address would be lost otherwise."""
        if self._is_wrapped():
            self.foreign.append(self.practice.send(OWN, _given(WRAPPED, WALLET, ALICE.pubkey())))
            named = _paid(ALICE.pubkey(), WALLET, 1)
            self.foreign.append(self.practice.send(ALICE, named, _given(WRAPPED, ALICE.pubkey(), WALLET)))

    def ignore(self) -> None:
        self.practice.books.run.owned.ignore(str(self.practice.mint), 1, "spam")

    def _is_wrapped(self) -> bool:
        return self.practice.world.chain.account(WRAPPED) is not None

    def _wrapped_units(self) -> int:
        account = self.practice.world.chain.account(WRAPPED)
        assert account is not None
        return int.from_bytes(account.data[64:72], "little")

    def _made(
        self, payer: Keypair, fresh: Keypair, lamports: int, space: int, owner: Pubkey, *steps: Instruction
    ) -> str:
        """A new account with an address of its own, and what else its transaction does."""
        told = CreateAccountParams(
            from_pubkey=payer.pubkey(), to_pubkey=fresh.pubkey(), lamports=lamports, space=space, owner=owner
        )
        chain = self.practice.world.chain
        every = [create_account(told), *steps]
        message = MessageV0.try_compile(payer.pubkey(), every, [], chain.blocks.newest.blockhash)
        receipt = chain.submit(bytes(VersionedTransaction(message, [payer, fresh])))
        assert receipt.err is None, receipt
        chain.advance(1)
        return receipt.signature
