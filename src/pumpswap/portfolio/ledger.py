"""The ledger: append-only integer entries. Its sums are the wallet, or something is wrong and we say so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

from pumpswap.errors import LedgerMismatch
from pumpswap.model import EntryKind, LedgerEntry
from pumpswap.units import checked_i64

__all__ = ["Ledger", "ledger_line", "ledger_sha256"]

Move = tuple[str, int, EntryKind]


class Ledger:
    """Balances, and the entries that were booked or taken over here.

    A ledger that goes on where a stored one ends begins with its balances and its last number; what is stored stays
    there, however long it is.
    """

    def __init__(self, balances: Mapping[str, int] | None = None, last_sequence: int = 0) -> None:
        self.entries: list[LedgerEntry] = []
        self.last_sequence = last_sequence
        self._balances: dict[str, int] = dict(balances or {})

    def post(
        self,
        moves: Iterable[Move],
        at_ns: int,
        *,
        slot: int = 0,
        order_id: str = "",
        signature: str = "",
        note: str = "",
    ) -> list[LedgerEntry]:
        """Book movements of one transaction; zero amounts leave no entry. Raises AmountOutOfRange beyond 64 bits,
        LedgerMismatch when a balance would fall below zero: nobody can spend what is not there. Nothing is booked then.
        """
        posted: list[LedgerEntry] = []
        changed: dict[str, int] = {}
        for asset, units, kind in moves:
            if units == 0:
                continue
            balance = changed.get(asset, self.balance(asset)) + units
            changed[asset] = checked_i64(balance, f"the balance of {asset}")
            checked_i64(units, f"an entry of {asset}")
            sequence = self.last_sequence + len(posted) + 1
            posted.append(LedgerEntry(sequence, at_ns, asset, units, kind, slot, order_id, signature, note))
        for asset, balance in changed.items():
            if balance < 0:
                raise LedgerMismatch(
                    f"{asset} would fall to {balance}", hint="this is a bug: keep the database and report it"
                )
        self._balances.update(changed)
        self.entries += posted
        self.last_sequence += len(posted)
        return posted

    def take_over(self, entry: LedgerEntry) -> None:
        """Append an entry that is stored already. Raises LedgerMismatch when its number is not the next one."""
        if entry.sequence != self.last_sequence + 1:
            raise LedgerMismatch(
                f"stored entry {entry.sequence} came where {self.last_sequence + 1} is next",
                hint="the stored ledger has a gap: restore the database from a backup",
            )
        self.last_sequence = entry.sequence
        self.entries.append(entry)
        self._balances[entry.asset] = self._balances.get(entry.asset, 0) + entry.units

    def balance(self, asset: str) -> int:
        """Sum of the entries of an asset."""
        return self._balances.get(asset, 0)

    def balances(self) -> dict[str, int]:
        """Balance by asset, without zeros."""
        return {asset: units for asset, units in self._balances.items() if units}

    def check_against(self, wallet: dict[str, int]) -> None:
        """Raises LedgerMismatch naming every asset whose sum differs from the wallet's balance."""
        ours = self.balances()
        if ours == wallet:
            return
        differences = [
            f"{asset}: ledger {ours.get(asset, 0)}, wallet {wallet.get(asset, 0)}"
            for asset in sorted(ours.keys() | wallet.keys())
            if ours.get(asset, 0) != wallet.get(asset, 0)
        ]
        raise LedgerMismatch("; ".join(differences), hint="this is a bug: keep the database and report it")


def ledger_line(entry: LedgerEntry) -> str:
    """One entry as canonical JSON: the same books give the same bytes."""
    record = {
        "sequence": entry.sequence,
        "at_ns": entry.at_ns,
        "slot": entry.slot,
        "asset": entry.asset,
        "units": str(entry.units),
        "kind": entry.kind.value,
        "order_id": entry.order_id,
        "signature": entry.signature,
    }
    if entry.note:
        record["note"] = entry.note
    return json.dumps(record, separators=(",", ":"))


def ledger_sha256(entries: Sequence[LedgerEntry]) -> str:
    """Hash over the canonical lines: two runs agree to the byte or they do not."""
    digest = hashlib.sha256()
    for entry in entries:
        digest.update(ledger_line(entry).encode() + b"\n")
    return digest.hexdigest()
