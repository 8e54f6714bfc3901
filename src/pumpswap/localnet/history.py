"""History: landed transactions by signature, by address and by slot."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from solders.pubkey import Pubkey

from pumpswap.chain.node import ConfirmedTransaction

__all__ = ["History", "Landed"]

KEPT_TRANSACTIONS = 20_000  # some 10 kB each


@dataclass(frozen=True, slots=True)
class Landed:
    """A landed transaction, with what it locked for writing and what it offered per compute unit."""

    transaction: ConfirmedTransaction
    writable: frozenset[Pubkey]
    micro_lamports_per_unit: int


class History:
    """Oldest first. ``first_slot`` is the lowest slot of which everything is still here."""

    def __init__(self, first_slot: int) -> None:
        self.first_slot = first_slot
        self._landed: deque[Landed] = deque()
        self._by_signature: dict[str, Landed] = {}
        self._by_address: dict[Pubkey, deque[Landed]] = {}

    def __len__(self) -> int:
        return len(self._landed)

    def __iter__(self) -> Iterator[Landed]:
        return iter(self._landed)

    def add(self, landed: Landed) -> None:
        self._landed.append(landed)
        self._by_signature[landed.transaction.signature] = landed
        for key in set(landed.transaction.keys):
            self._by_address.setdefault(key, deque()).append(landed)

    def get(self, signature: str) -> Landed | None:
        return self._by_signature.get(signature)

    def of_address(self, address: Pubkey) -> Iterator[Landed]:
        """Newest first."""
        return reversed(self._by_address.get(address, deque()))

    def since(self, slot: int) -> list[Landed]:
        """Those of ``slot`` and later, newest first."""
        found: list[Landed] = []
        for landed in reversed(self._landed):
            if landed.transaction.slot < slot:
                break
            found.append(landed)
        return found

    def undo_after(self, slot: int) -> tuple[str, ...]:
        """Take out what landed after ``slot``; their signatures, oldest first."""
        undone: list[str] = []
        while self._landed and self._landed[-1].transaction.slot > slot:
            landed = self._landed.pop()
            undone.append(landed.transaction.signature)
            self._unlink(landed, at=-1)
        return tuple(reversed(undone))

    def trim(self, keep: int = KEPT_TRANSACTIONS) -> None:
        """Forget the oldest beyond ``keep``, whole slots at a time."""
        while len(self._landed) > keep:
            slot = self._landed[0].transaction.slot
            while self._landed and self._landed[0].transaction.slot == slot:
                self._unlink(self._landed.popleft(), at=0)
            self.first_slot = slot + 1

    def _unlink(self, landed: Landed, *, at: int) -> None:
        del self._by_signature[landed.transaction.signature]
        for key in set(landed.transaction.keys):
            of_key = self._by_address[key]
            del of_key[at]
            if not of_key:
                del self._by_address[key]
