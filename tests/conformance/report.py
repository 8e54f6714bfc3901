"""Counting: every compared case is equal, different by design for a named reason, or unexplained."""

from __future__ import annotations

import json
from collections import Counter
from enum import Enum
from typing import Any

__all__ = ["Reason", "Tally"]


class Reason(Enum):
    """Why ours may differ from the official SDK 1.20.0. A difference counts here only when its proof holds."""

    SHORT_PAYOUT = (
        "the SDK's base for an exact-quote sale pays 1 or 2 units less than asked; ours is the smallest base that pays"
        " it all (4.5). Proof: the SDK's own sellBaseInput of both bases, and of every base between"
    )
    UNPAYABLE = (
        "the SDK inverts an exact-quote sale without asking what the real reserves can pay; ours refuses with 6063"
        " (4.4, 4.5). Proof: the SDK's sellBaseInput throws, or pays short, at its own base and beyond"
    )
    ZERO_AMOUNT = "an amount of 0: the SDK quotes figures of 0 or below, the program answers 6001 or 6002 (4.2 to 4.4)"
    NO_LP = "a deposit too small for one LP unit: the SDK returns 0 LP units, ours refuses to deposit nothing"
    NO_BASE = "a budget that buys no base: the SDK returns 0 or less, the program answers 6039 or 6040 (4.3)"
    EMPTY_VAULT = (
        "no real quote in the vault: the SDK refuses, but E > 0 prices the trade (4). Proof: equal to the SDK with E as"
        " the vault, where the real reserves do not matter"
    )
    NO_RESERVES = "E = 0 or less: nothing can be priced, ours refuses, the SDK quotes 0 or below (2.1: 0 ≤ E)"
    BEYOND_U64 = "the SDK's figures do not fit the u64 arguments of the instruction; ours refuses"
    ALL_FEES = "the fee rates add up to 100 % or more: nothing is left of a sale, ours refuses, the SDK quotes nonsense"
    LIMIT_UP = "most quote of a buy: ours rounds up, the SDK down (4.6). Checked: exactly the quotient rounded up"
    LIMIT_LEAST_1 = "least quote of a sale: ours is at least 1, the SDK's may be 0 (pitfall 11)"
    LIMIT_PAID = (
        "least quote of an exact-quote sale: ours is taken off what the sale pays, the SDK's off what was asked."
        " Checked: equal to the SDK's minQuote of our base, and never less than its own"
    )
    LIMIT_BASE = (
        "buy by quote: ours limits the base (buy_exact_quote_in), the SDK the quote (buy), so that it may spend more"
        " than the budget (pitfall 9). Checked: exactly the quotient rounded down, at least 1"
    )
    TAIL = (
        "no creator fee on this trade: the program wants no creator-side accounts and answers 6053 to them (3.3), the"
        " SDK appends them by the pool's fields. Checked: the SDK's list without exactly those accounts"
    )
    LP_UP = (
        "deposit limits: ours round up and use the program's cost, the SDK's round down (4.7)."
        " Checked: exactly the quotient of the program's cost rounded up"
    )


class Tally:
    """Rows of the final table. ``unexplained`` holds the cases that make the run fail."""

    def __init__(self) -> None:
        self.equal: Counter[str] = Counter()
        self.by_design: dict[str, Counter[Reason]] = {}
        self.unexplained: list[dict[str, Any]] = []
        self.refused_by_both: Counter[str] = Counter()
        self._rows: list[str] = []

    def expect(self, *rows: str) -> None:
        """Rows in the order they shall have; one without cases shows."""
        for row in rows:
            self._touch(row)

    def count_equal(self, row: str, *, refused: bool = False) -> None:
        """Both sides agree; ``refused``: both refuse."""
        self._touch(row)
        self.equal[row] += 1
        self.refused_by_both[row] += refused

    def count_by_design(self, row: str, reason: Reason) -> None:
        """They differ for a reason that was proven for this very case."""
        self._touch(row)
        self.by_design.setdefault(row, Counter())[reason] += 1

    def count_unexplained(self, row: str, why: str, **case: Any) -> None:
        """They differ and nothing explains it. The case is printed as JSON."""
        self._touch(row)
        found = {"row": row, "why": why, **case}
        self.unexplained.append(found)
        print(json.dumps(found, default=str))

    def compare(self, row: str, ours: Any, theirs: Any, **case: Any) -> bool:
        """Equal or unexplained."""
        if ours == theirs:
            self.count_equal(row)
            return True
        self.count_unexplained(row, "different", ours=ours, sdk=theirs, **case)
        return False

    def _touch(self, row: str) -> None:
        if row not in self._rows:
            self._rows.append(row)

    def _failures(self, row: str) -> int:
        return sum(found["row"] == row for found in self.unexplained)

    def cases(self, row: str) -> int:
        """Compared cases of a row."""
        return self.equal[row] + sum(self.by_design.get(row, {}).values()) + self._failures(row)

    def table(self) -> str:
        """The table and, below it, the reasons that occurred."""
        width = max(len(row) for row in self._rows)
        head = f"{'compared':<{width}}  {'cases':>7} {'equal':>7} {'(refused)':>9} {'by design':>9} {'unexplained':>11}"
        lines = [head, "-" * len(head)]
        for row in self._rows:
            designed = sum(self.by_design.get(row, {}).values())
            lines.append(
                f"{row:<{width}}  {self.cases(row):>7} {self.equal[row]:>7} {self.refused_by_both[row] or '':>9}"
                f" {designed or '':>9} {self._failures(row):>11}"
            )
        for reason in Reason:
            rows = {row: count[reason] for row, count in self.by_design.items() if count[reason]}
            if rows:
                where = ", ".join(f"{row} {count}" for row, count in rows.items())
                lines += ["", f"{reason.name}: {where}", f"    {reason.value}"]
        return "\n".join(lines)

    def reasons(self) -> list[Reason]:
        """The reasons that occurred, in the order of their list."""
        return [reason for reason in Reason if any(count[reason] for count in self.by_design.values())]

    def figures(self) -> dict[str, Any]:
        """The table as data."""
        return {
            row: {
                "cases": self.cases(row),
                "equal": self.equal[row],
                "refused_by_both": self.refused_by_both[row],
                "by_design": {reason.name: count for reason, count in self.by_design.get(row, {}).items()},
                "unexplained": self._failures(row),
            }
            for row in self._rows
        }
