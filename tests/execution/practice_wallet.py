"""A wallet that trades through us, and everything that can happen to it from outside, as real transactions."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from pumpswap.amm.addresses import ASSOCIATED_TOKEN_PROGRAM, SYSTEM_PROGRAM, TOKEN_PROGRAM, WSOL_MINT, ata
from pumpswap.chain.balances import wallet_holdings
from pumpswap.chain.node import ChainAccount
from pumpswap.execution.chain_venue import ChainVenue
from pumpswap.execution.compare import balances_of
from pumpswap.execution.live_books import LiveBooks
from pumpswap.localnet.pools import fund_tokens
from pumpswap.model import Filled, ForeignEvent, Reconciliation, ReconciliationStatus
from tests.execution.live_world import SEED, SOL, WALLET, World
from tests.localnet.practice import ALICE, signed

__all__ = ["FEE", "OWN", "Practice", "practice_wallet", "step"]

OWN = Keypair.from_seed(SEED)
FEE = 5_000


class Practice:
    """A wallet that has bought through us, and everything that can happen to it from outside."""

    def __init__(self, world: World, venue: ChainVenue, units: int) -> None:
        self.world = world
        self.venue = venue
        self.units = units
        self.mint = world.pool.pool.base_mint
        self.program = world.pool.base_token_program
        self.account = ata(WALLET, self.mint, self.program)

    @property
    def books(self) -> LiveBooks:
        books = self.venue.parts.books
        assert isinstance(books, LiveBooks)
        return books

    def send(self, key: Keypair, *steps: Instruction, fails: bool = False) -> str:
        """Land a transaction of somebody who is not us."""
        receipt = self.world.chain.submit(signed(key, list(steps), self.world.chain.blocks.newest.blockhash))
        assert (receipt.err is not None) == fails, receipt
        self.world.chain.advance(1)
        return receipt.signature

    def token_transfer(
        self, source: Pubkey, target: Pubkey, owner: Pubkey, units: int, decimals: int = 6
    ) -> Instruction:
        keys = [(source, False, True), (self.mint, False, False), (target, False, True), (owner, True, False)]
        return step(self.program, b"\x0c" + struct.pack("<QB", units, decimals), keys)

    def create_account(self, payer: Pubkey, owner: Pubkey, mint: Pubkey | None = None) -> Instruction:
        mint = mint or self.mint
        program = TOKEN_PROGRAM if mint == WSOL_MINT else self.program
        keys = [
            (payer, True, True), (ata(owner, mint, program), False, True), (owner, False, False),
            (mint, False, False), (SYSTEM_PROGRAM, False, False), (program, False, False),
        ]  # fmt: skip
        return step(ASSOCIATED_TOKEN_PROGRAM, b"\x01", keys)

    def close(self, account: Pubkey, target: Pubkey = WALLET, program: Pubkey | None = None) -> Instruction:
        return step(
            program or self.program, b"\x09", [(account, False, True), (target, False, True), (WALLET, True, False)]
        )

    def burn(self, units: int) -> Instruction:
        keys = [(self.account, False, True), (self.mint, False, True), (WALLET, True, False)]
        return step(self.program, b"\x08" + struct.pack("<Q", units), keys)

    def rich_stranger(self, units: int) -> Pubkey:
        """Alice's token account, holding ``units`` of our coin."""
        return fund_tokens(self.world.chain, ALICE.pubkey(), self.mint, self.program, units)

    def pay(self, payer: Keypair, to: Pubkey, lamports: int) -> str:
        """Native SOL."""
        return self.send(payer, transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=lamports)))

    async def reconcile(self) -> Reconciliation:
        self.world.chain.advance(3)
        return await self.books.reconcile(self.world.node)

    async def found(self) -> ForeignEvent:
        """The one thing that was found; afterwards the books are the wallet, and a second look finds nothing."""
        result = await self.reconcile()
        assert (result.status, dict(result.differences)) == (ReconciliationStatus.EXPLAINED, {})
        (event,) = result.events
        entries = [entry for entry in self.books.run.ledger() if entry.signature == event.signature]
        assert sorted(map(str, ((one.asset, one.units, one.kind) for one in entries))) == sorted(map(str, event.moves))
        assert {(one.note, one.slot, one.order_id) for one in entries} == {(event.kind.value, event.slot, "")}
        await self.agree()
        again = await self.reconcile()
        assert (again.status, again.events) == (ReconciliationStatus.CLEAN, ())
        return event

    async def agree(self) -> None:
        """Ledger = wallet for every asset; the sums beside the ledger are its sums; no position holds what is gone."""
        holdings = await wallet_holdings(self.world.node, WALLET)
        held = {asset: units for asset, units in self.books.run.balances().items() if units}
        assert held == balances_of(holdings)
        assert self.books.run.books.recount() == self.books.run.books.counted()
        for one in self.books.portfolio.positions.open_positions():
            assert one.base_units <= held[one.mint]


def step(program: Pubkey, data: bytes, keys: Sequence[tuple[Pubkey, bool, bool]]) -> Instruction:
    return Instruction(program, data, [AccountMeta(key, signs, writes) for key, signs, writes in keys])


async def practice_wallet(folder: Path) -> Practice:
    """A new world, in which the wallet has bought once; close its ``world``."""
    world = World(folder)
    world.chain.set_account(ChainAccount(ALICE.pubkey(), SYSTEM_PROGRAM, 100 * SOL, b""))
    venue = await world.open()
    bought = await venue.execute(world.buy(SOL))
    assert isinstance(bought, Filled)
    return Practice(world, venue, bought.executed.base_out)  # type: ignore[union-attr]
