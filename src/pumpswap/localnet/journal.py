"""Journal: what accounts were before each change, so that a slot can be rolled back and a stale node can be asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from solders.pubkey import Pubkey

from pumpswap.chain.node import ChainAccount

__all__ = ["Change", "Journal"]

_KEPT_SLOTS = 512


@dataclass(slots=True)
class Change:
    """``before`` is the account as it was until ``slot`` changed it; None where there was none."""

    slot: int
    address: Pubkey
    before: ChainAccount | None
    is_void: bool = False


class Journal:
    """Pre-images of the last slots, oldest first."""

    def __init__(self, changes: Iterable[Change] = ()) -> None:
        self._changes: deque[Change] = deque()
        self._by_address: dict[Pubkey, deque[Change]] = {}
        for change in changes:
            self._keep(change)

    @property
    def all(self) -> tuple[Change, ...]:
        return tuple(change for change in self._changes if not change.is_void)

    def add(self, slot: int, address: Pubkey, before: ChainAccount | None) -> None:
        self._keep(Change(slot, address, before))

    def _keep(self, change: Change) -> None:
        self._changes.append(change)
        self._by_address.setdefault(change.address, deque()).append(change)

    def prune(self, slot: int) -> None:
        """Forget changes that are too old to be asked for."""
        oldest = slot - _KEPT_SLOTS
        while self._changes and self._changes[0].slot < oldest:
            change = self._changes.popleft()
            if not change.is_void:
                self._drop_first(change.address)

    def _drop_first(self, address: Pubkey) -> None:
        of_address = self._by_address[address]
        of_address.popleft()
        if not of_address:
            del self._by_address[address]

    def as_of(self, address: Pubkey, slot: int) -> Change | None:
        """The first change after the end of ``slot``: its ``before`` is the account then. None: it is as today."""
        first = None
        # From the newest: nodes are seldom far behind, and a busy vault has many changes.
        for change in reversed(self._by_address.get(address, deque())):
            if change.slot <= slot:
                break
            first = change
        return first

    def changed_since(self, slot: int) -> dict[Pubkey, ChainAccount | None]:
        """Accounts that changed after ``slot``, as they were at its end."""
        found: dict[Pubkey, ChainAccount | None] = {}
        for change in reversed(self._changes):
            if change.slot <= slot:
                break
            if not change.is_void:
                found[change.address] = change.before
        return found

    def undo_after(self, slot: int) -> dict[Pubkey, ChainAccount | None]:
        """Take the changes after ``slot`` out and return what their accounts were."""
        found = self.changed_since(slot)
        while self._changes and self._changes[-1].slot > slot:
            change = self._changes.pop()
            if not change.is_void:
                of_address = self._by_address[change.address]
                of_address.pop()
                if not of_address:
                    del self._by_address[change.address]
        return found

    def forget(self, address: Pubkey) -> None:
        """The account was set from outside: it has always been so."""
        for change in self._by_address.pop(address, ()):
            change.is_void = True
