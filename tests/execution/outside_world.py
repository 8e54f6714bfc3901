"""Random lives of a wallet: orders of ours among everything that others do, processes that end, and looks at the chain.

After each look the books must be the wallet, every foreign transaction must be named once, and the positions must
follow from the ledger alone.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from solders.keypair import Keypair

from pumpswap.amm import buy_exact_quote, sell_exact_base
from pumpswap.amm.addresses import ata
from pumpswap.chain.node import ConfirmedTransaction
from pumpswap.localnet.pools import schedule_of
from pumpswap.model import Filled, ReconciliationStatus, Rejected
from pumpswap.portfolio.audit import audit_run
from tests.execution.live_world import SOL, WALLET
from tests.execution.practice_wallet import OWN, Practice, practice_wallet
from tests.localnet.practice import ALICE, swap

__all__ = ["Life", "Wrong", "live_with_others"]


class Wrong(AssertionError):
    """The books are not the wallet."""


class Life:
    """A wallet, and what can happen to it."""

    def __init__(self, practice: Practice, rng: random.Random) -> None:
        self.practice = practice
        self.rng = rng
        self.done: Counter[str] = Counter()
        self.alices = practice.rich_stranger(10**12)
        self.foreign: list[str] = []

    @property
    def held(self) -> int:
        return self.practice.books.balance(str(self.practice.mint)) if self.is_open() else 0

    def is_open(self) -> bool:
        return self.practice.world.chain.account(self.practice.account) is not None

    def units(self) -> int:
        """What the chain says the wallet has of the coin: outside moves do not wait for our books."""
        account = self.practice.world.chain.account(self.practice.account)
        return int.from_bytes(account.data[64:72], "little") if account is not None else 0

    def actions(self) -> list[Callable[[], object]]:
        """One of these is the next, each as likely as the others."""
        return [
            self.buy, self.buy, self.sell, self.deposit, self.withdraw, self.airdrop, self.send_tokens, self.burn,
            self.close, self.fail, self.buy_by_hand, self.sell_by_hand, self.restart, self.look,
        ]  # fmt: skip

    # ------------------------------------------------------------------------------------------ what happens

    async def buy(self) -> None:
        await self._ours(self.practice.world.buy(self.rng.randrange(1, SOL // 5)))

    async def sell(self) -> None:
        position = self.practice.books.portfolio.positions.open_round(str(self.practice.world.pool.address))
        units = min(position.base_units if position else 0, self.units())
        if units:
            part = units if self.rng.random() < 0.3 else self.rng.randrange(1, units + 1)
            await self._ours(self.practice.world.sell(part))

    async def _ours(self, order: object) -> None:
        outcome = await self.practice.venue.execute(order)  # type: ignore[arg-type]
        self.done[type(outcome).__name__] += 1

    def deposit(self) -> None:
        self.foreign.append(self.practice.pay(ALICE, WALLET, self.rng.randrange(1, SOL)))

    def withdraw(self) -> None:
        target = self.rng.choice([ALICE.pubkey(), Keypair.from_seed(self.rng.randbytes(32)).pubkey()])
        self.foreign.append(self.practice.pay(OWN, target, self.rng.randrange(SOL // 100, SOL // 10)))

    def airdrop(self) -> None:
        practice, units = self.practice, self.rng.randrange(1, 10**9)
        steps = [] if self.is_open() else [practice.create_account(ALICE.pubkey(), WALLET)]
        steps.append(practice.token_transfer(self.alices, practice.account, ALICE.pubkey(), units))
        self.foreign.append(practice.send(ALICE, *steps))

    def send_tokens(self) -> None:
        if self.units():
            practice, units = self.practice, self.rng.randrange(1, self.units() + 1)
            friend = Keypair.from_seed(self.rng.randbytes(32)).pubkey()
            is_new = self.rng.random() < 0.5
            target = ata(friend, practice.mint, practice.program) if is_new else self.alices
            steps = [practice.create_account(WALLET, friend)] if is_new else []
            steps.append(practice.token_transfer(practice.account, target, WALLET, units))
            self.foreign.append(practice.send(OWN, *steps))

    def burn(self) -> None:
        if self.units():
            self.foreign.append(self.practice.send(OWN, self.practice.burn(self.rng.randrange(1, self.units() + 1))))

    def close(self) -> None:
        if self.is_open() and not self.units():
            target = self.rng.choice([WALLET, ALICE.pubkey()])
            self.foreign.append(self.practice.send(OWN, self.practice.close(self.practice.account, target)))

    def fail(self) -> None:
        if self.is_open():
            self.foreign.append(self.practice.send(OWN, self.practice.burn(self.units() + 1), fails=True))

    def buy_by_hand(self) -> None:
        world = self.practice.world
        quote = buy_exact_quote(world.now(), schedule_of(world.chain), self.rng.randrange(SOL // 100, SOL // 5))
        self._swap(quote)

    def sell_by_hand(self) -> None:
        world = self.practice.world
        if self.units() > 1_000:
            units = self.rng.randrange(1_000, self.units() + 1)
            quote = sell_exact_base(world.now(), schedule_of(world.chain), units)
            if quote.user_quote_out:  # nobody sells for nothing, and no instruction is built for it
                self._swap(quote)

    def _swap(self, quote: object) -> None:
        chain = self.practice.world.chain
        receipt = chain.submit(swap(chain, OWN, self.practice.world.pool, quote, 1))  # type: ignore[arg-type]
        if receipt.has_landed:
            self.foreign.append(receipt.signature)
        chain.advance(1)

    async def restart(self) -> None:
        self.practice.venue = await self.practice.world.open()
        await self.practice.venue.resolve_open()

    # ------------------------------------------------------------------------------------------ what must hold

    async def look(self) -> None:
        found = await self.practice.reconcile()
        self.done["looks"] += 1
        if found.status is ReconciliationStatus.UNEXPLAINED:
            raise Wrong(f"unexplained: {dict(found.differences)}")
        named = [event.signature for event in found.events]
        if sorted(named) != sorted(self._moving()):
            raise Wrong(f"found {sorted(named)}, done {sorted(self._moving())}")
        for event in found.events:
            self.done[event.kind.value] += 1
        self.foreign.clear()
        await self.practice.agree()
        report = audit_run(self.practice.books.run)
        if not report.is_right:
            raise Wrong(f"the audit finds {report.differences}")

    def _moving(self) -> list[str]:
        """Foreign transactions that moved something of the wallet: all of ours here do."""
        chain = self.practice.world.chain
        return [one for one in self.foreign if isinstance(chain.transaction(one), ConfirmedTransaction)]


async def live_with_others(folder: Path, seed: int, steps: int = 40, kind: type[Life] = Life) -> Counter[str]:
    """One life; how often what happened. Raises Wrong, naming the seed."""
    rng = random.Random(seed)
    life = kind(await practice_wallet(folder), rng)
    actions = life.actions()
    try:
        for _ in range(steps):
            result = rng.choice(actions)()
            if hasattr(result, "__await__"):
                await result
        await life.look()
        landed = [one for one in life.practice.books.run.outcomes() if isinstance(one, Filled | Rejected)]
        if len({one.signature for one in landed}) != len(landed):
            raise Wrong("one transaction was booked for two orders")
    except AssertionError as wrong:
        raise Wrong(f"seed {seed}: {wrong}") from wrong
    finally:
        life.practice.world.close()
    return life.done
