"""What a wallet really holds, read from the chain: native and wrapped SOL, tokens, and the accounts they lie in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from solders.pubkey import Pubkey

from pumpswap.amm import TokenAccount
from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, WSOL_MINT
from pumpswap.chain.node import ChainAccount, Commitment, Node
from pumpswap.errors import StaleNode

__all__ = ["HeldAccount", "WalletHoldings", "wallet_holdings"]

MAX_ACCOUNTS_PER_CALL = 100
_TOKEN_PROGRAMS = frozenset({TOKEN_PROGRAM, TOKEN_2022_PROGRAM})
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class HeldAccount:
    """One token account of the wallet."""

    address: Pubkey
    mint: Pubkey
    token_program: Pubkey
    units: int
    lamports: int

    @property
    def rent_lamports(self) -> int:
        """The deposit in it: all lamports, but the wrapped ones of a wrapped-SOL account."""
        return self.lamports - self.units if self.mint == WSOL_MINT else self.lamports


@dataclass(frozen=True, slots=True)
class WalletHoldings:
    """Balances of one slot. Rent inside token accounts is a deposit, and no SOL that is held."""

    wallet: Pubkey
    slot: int
    native_lamports: int
    accounts: tuple[HeldAccount, ...]

    @property
    def wrapped_lamports(self) -> int:
        """Wrapped SOL in all accounts of the wallet."""
        return sum(one.units for one in self.accounts if one.mint == WSOL_MINT)

    @property
    def sol_lamports(self) -> int:
        """Native and wrapped together, as the ledger counts SOL."""
        return self.native_lamports + self.wrapped_lamports

    def tokens(self) -> Mapping[str, int]:
        """Base units by mint, without zeros and without wrapped SOL."""
        held: dict[str, int] = {}
        for one in self.accounts:
            if one.units and one.mint != WSOL_MINT:
                held[str(one.mint)] = held.get(str(one.mint), 0) + one.units
        return held


async def wallet_holdings(
    node: Node,
    wallet: Pubkey,
    *,
    commitment: Commitment = Commitment.CONFIRMED,
    least_slot: int = 0,
    known: Sequence[Pubkey] = (),
) -> WalletHoldings:
    """All that ``wallet`` holds, every figure true at the same slot, which is not before ``least_slot``.

    ``known`` are token accounts to look at even if the node does not list them: lists carry no slot and may be old.
    Raises StaleNode when the node is behind, or does not answer several times in a row from one slot, and every other
    ChainError.
    """
    listed = await node.token_accounts(wallet, commitment=commitment)
    addresses = list(dict.fromkeys((wallet, *(account.address for account in listed), *known)))
    before: list[ChainAccount | None] | None = None
    for _ in range(_ROUNDS):
        slots, found = set(), list[ChainAccount | None]()
        for start in range(0, len(addresses), MAX_ACCOUNTS_PER_CALL):
            part = addresses[start : start + MAX_ACCOUNTS_PER_CALL]
            answer = await node.accounts(part, commitment=commitment, min_context_slot=least_slot)
            slots.add(answer.slot)
            found += answer.accounts
        if len(slots) == 1:
            return _holdings(wallet, slots.pop(), found)
        if found == before:
            # The last round has read every account at or before this slot, this one at or after it: none has changed.
            return _holdings(wallet, least_slot, found)
        before, least_slot = found, max(slots)
    raise StaleNode(
        f"{node.name} did not tell the balances of {len(addresses)} accounts at one slot",
        hint="try again, or close empty token accounts so that one call can read all of them",
    )


def _holdings(wallet: Pubkey, slot: int, found: Sequence[ChainAccount | None]) -> WalletHoldings:
    native, *tokens = found
    held = []
    for account in tokens:
        if account is None or account.owner not in _TOKEN_PROGRAMS:
            continue  # closed since it was listed
        token = TokenAccount.decode(account.data)
        if token.owner == wallet:
            held.append(HeldAccount(account.address, token.mint, account.owner, token.amount, account.lamports))
    return WalletHoldings(wallet, slot, native.lamports if native else 0, tuple(held))
