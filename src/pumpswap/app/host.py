"""A host's database and what is outside of it: the chain that knows its pools, the traders that use our books in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from solders.pubkey import Pubkey

from pumpswap.amm.addresses import AMM_PROGRAM
from pumpswap.amm.pool import POOL_DISCRIMINATOR
from pumpswap.chain.node import ChainAccount
from pumpswap.sdk.connection import ChainConnection
from pumpswap.sdk.wallet_lock import WalletLock
from pumpswap.settings import Settings
from pumpswap.storage.host.pair_check import StoredPair, clear_pairs, stored_pairs
from pumpswap.storage.host.pairs import bare_address
from pumpswap.storage.host.traders import claimed, live_wallets

__all__ = ["PairCheck", "WrongPair", "check_pairs", "clear_wrong_pairs", "nobody_trading"]

_ACCOUNTS_PER_CALL = 100


@dataclass(frozen=True, slots=True)
class WrongPair:
    """A pair address that is no PumpSwap pool, and why."""

    pair: StoredPair
    reason: str


@dataclass(frozen=True, slots=True)
class PairCheck:
    """What was compared; ``slot`` is the oldest that an answer is of."""

    checked: int
    slot: int
    wrong: tuple[WrongPair, ...]

    @property
    def ours(self) -> tuple[WrongPair, ...]:
        """Those that attach has filled, and may empty again."""
        return tuple(one for one in self.wrong if one.pair.is_ours)


async def check_pairs(connection: ChainConnection, target: str | Path) -> PairCheck:
    """Compare the owner of every stored pair address with the PumpSwap program.

    Raises NotFound when the database is not attached, ChainError when the endpoints do not answer.
    """
    stored = stored_pairs(target)
    wrong: list[WrongPair] = []
    readable: list[tuple[StoredPair, Pubkey]] = []
    for pair in stored:
        try:
            readable.append((pair, Pubkey.from_string(pair.address)))
        except ValueError:
            wrong.append(WrongPair(pair, "no address"))
    slots = []
    for start in range(0, len(readable), _ACCOUNTS_PER_CALL):
        batch = readable[start : start + _ACCOUNTS_PER_CALL]
        answer = await connection.node.accounts([key for _, key in batch])
        slots.append(answer.slot)
        reasons = [_why_not(account) for account in answer.accounts]
        wrong += [WrongPair(pair, reason) for (pair, _), reason in zip(batch, reasons, strict=True) if reason]
    return PairCheck(len(stored), min(slots, default=0), tuple(sorted(wrong, key=lambda one: one.pair.pool_id)))


def clear_wrong_pairs(target: str | Path, check: PairCheck, at_ns: int) -> int:
    """Empty those that attach has filled; returns how many. Somebody else's stay as they are."""
    return clear_pairs(target, {one.pair.pool_id for one in check.ours}, at_ns)


@contextmanager
def nobody_trading(settings: Settings, target: str | Path) -> Iterator[None]:
    """No process trades with the live books of a database until the block is left.

    Raises StorageError when one does: its orders in flight would have no books to be written into.
    """
    wallets = live_wallets(target)
    with ExitStack() as held:
        # What is no key is nobody's wallet, and has no lock.
        for wallet in dict.fromkeys(wallet for wallet, _ in wallets if bare_address(wallet) == wallet):
            lock = WalletLock(settings.data_dir / "locks", Pubkey.from_string(wallet))
            lock.take()
            held.callback(lock.release)
        held.enter_context(claimed(target, [f"wallet {wallet} on {network}" for wallet, network in wallets]))
        yield


def _why_not(account: ChainAccount | None) -> str:
    if account is None:
        return "there is no such account"
    if account.owner != AMM_PROGRAM:
        return f"{account.owner} owns it"
    # A pool of a layout that we do not know yet is still a pool.
    return "" if account.data[:8] == POOL_DISCRIMINATOR else "it belongs to PumpSwap, but is no pool"
