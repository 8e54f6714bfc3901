"""A second set of books, written from the description of the rules alone: plain dictionaries, exact fractions.

It shares no code with the package, on purpose: every figure that both have must be the same.

The rules. A buy's cost is all that was paid, venue fees and transaction costs in, rent apart. A sale gives up the share
of the cost that its units are of the units held, rounded down; all units give up all of it. What leaves by somebody
else's hand leaves first from what no position holds, then from the positions, the newest first, for their part of the
proceeds of a sale by hand, else for nothing. Lots: the oldest of the mint first, over all pools.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

Round = dict[str, Any]
COSTS = ("network_fee", "priority_fee", "tip")


@dataclass
class Reference:
    """``sums``: (asset, kind) → [units, entries]. Amounts are plain integers."""

    wallet: dict[str, int] = field(default_factory=dict)
    sums: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    rounds: list[Round] = field(default_factory=list)
    lots: dict[str, list[list[Any]]] = field(default_factory=dict)  # [units, cost, acquired_ns, pool, order]
    disposals: list[tuple[Any, ...]] = field(default_factory=list)
    profits: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # of sales, by order
    ever_paid: int = 0  # for tokens, named costs of adopted ones in
    rent: int = 0
    entries: int = 0

    # ------------------------------------------------------------------------------------------ reading

    def held(self, asset: str) -> int:
        return self.wallet.get(asset, 0)

    def open_rounds(self, mint: str = "") -> list[Round]:
        found = [one for one in self.rounds if one["closed"] is None and (not mint or one["mint"] == mint)]
        return sorted(found, key=lambda one: (one["opened"], one["pool"]))

    def open_in(self, pool: str) -> Round | None:
        return next((one for one in self.rounds if one["pool"] == pool and one["closed"] is None), None)

    def owned(self, mint: str) -> int:
        return sum(one["units"] for one in self.open_rounds(mint))

    def free(self, mint: str) -> int:
        return self.held(mint) - self.owned(mint)

    def balances(self) -> dict[str, int]:
        return {asset: units for asset, units in self.wallet.items() if units}

    # ------------------------------------------------------------------------------------------ moving

    def move(self, asset: str, units: int, kind: str) -> None:
        if units == 0:
            return
        self.wallet[asset] = self.held(asset) + units
        pair = self.sums.setdefault((asset, kind), [0, 0])
        pair[0] += units
        pair[1] += 1
        self.entries += 1

    def pay_costs(self, costs: dict[str, int]) -> None:
        """Network fee, priority fee, tip, rent paid and returned."""
        for kind in COSTS:
            self.move("SOL", -costs.get(kind, 0), kind)
        self.move("SOL", -costs.get("rent_paid", 0), "rent_paid")
        self.move("SOL", costs.get("rent_returned", 0), "rent_returned")
        self.rent += costs.get("rent_paid", 0) - costs.get("rent_returned", 0)

    # ------------------------------------------------------------------------------------------ orders

    def trade(self, told: dict[str, Any]) -> None:
        """``told``: pool, mint, order, at, is_buy, base, gross, fees by kind, costs."""
        sign = -1 if told["is_buy"] else 1
        self.move("SOL", sign * told["gross"], "trade_quote")
        for kind, lamports in told["fees"].items():
            self.move("SOL", -lamports, kind)
        self.move(told["mint"], -sign * told["base"], "trade_base")
        self.pay_costs(told["costs"])
        fees, spent = sum(told["fees"].values()), sum(told["costs"].get(kind, 0) for kind in COSTS)
        if told["is_buy"]:
            self._bought(told, told["gross"] + fees + spent)
        else:
            self._sold(told, told["gross"] - fees - spent)

    def _bought(self, told: dict[str, Any], paid: int) -> None:
        one = self.open_in(told["pool"]) or self._begin(told["pool"], told["mint"], told["at"])
        one["units"] += told["base"]
        one["cost"] += paid
        one["bought"] += paid
        one["buys"] += 1
        self._traded(one, told)
        self._acquire(told["mint"], [told["base"], paid, told["at"], told["pool"], told["order"]])

    def _sold(self, told: dict[str, Any], received: int) -> None:
        one = self.open_in(told["pool"])
        assert one is not None
        share = self._give_up(one, told["base"], received, told["at"])
        one["sells"] += 1
        self._traded(one, told)
        self.profits[told["order"]] = (received - share, share, told["at"] - one["opened"])
        self._dispose("sold", told["mint"], told["base"], received, told["at"], told["order"])

    def _traded(self, one: Round, told: dict[str, Any]) -> None:
        costs = told["costs"]
        one["rent"] += costs.get("rent_paid", 0) - costs.get("rent_returned", 0)
        one["traded"] = told["at"]

    # ------------------------------------------------------------------------------------------ others

    def leave(self, mint: str, units: int, at: int, *, order: str = "", proceeds: int | None = None) -> None:
        """``units`` have left already. ``proceeds`` is None when it was no sale by hand."""
        excess = max(self.owned(mint) - self.held(mint), 0)
        whole = proceeds or 0
        cut = math.floor(Fraction(whole) * min(excess, units) / units)
        kind = "left" if proceeds is None else "manual sell"
        if units > excess:
            self.disposals.append((kind, mint, units - excess, 0, whole - cut, None, "", "", at, order))
        missing, given = excess, 0
        for one in reversed(self.open_rounds(mint)):
            if not missing:
                break
            part = min(missing, one["units"])
            received = cut - given if part == missing else math.floor(Fraction(cut) * part / excess)
            self._give_up(one, part, received, at)
            missing, given = missing - part, given + received
        if excess:
            self._dispose(kind, mint, excess, cut, at, order)

    def adopt(self, pool: str, mint: str, units: int, cost: int, at: int) -> None:
        one = self._begin(pool, mint, at)
        one["units"], one["cost"], one["bought"] = units, cost, cost
        self._acquire(mint, [units, cost, at, pool, ""])

    # ------------------------------------------------------------------------------------------ helpers

    def _begin(self, pool: str, mint: str, at: int) -> Round:
        number = 1 + sum(one["pool"] == pool for one in self.rounds)
        names = ("units", "cost", "bought", "sold", "realised", "rent", "buys", "sells", "traded")
        one: Round = {"pool": pool, "mint": mint, "round": number, "opened": at, "closed": None}
        self.rounds.append(one | dict.fromkeys(names, 0))
        return self.rounds[-1]

    def _give_up(self, one: Round, units: int, received: int, at: int) -> int:
        share = math.floor(Fraction(one["cost"]) * Fraction(units, one["units"]))
        one["units"] -= units
        one["cost"] -= share
        one["sold"] += received
        one["realised"] += received - share
        if one["units"] == 0:
            one["closed"] = at
        return int(share)

    def _acquire(self, mint: str, lot: list[Any]) -> None:
        self.lots.setdefault(mint, []).append(lot)
        self.ever_paid += lot[1]

    def _dispose(self, kind: str, mint: str, units: int, proceeds: int, at: int, order: str) -> None:
        missing, given = units, 0
        while missing:
            lot = self.lots[mint][0]
            part = min(missing, lot[0])
            cost = math.floor(Fraction(lot[1]) * Fraction(part, lot[0]))
            received = proceeds - given if part == missing else math.floor(Fraction(proceeds) * part / units)
            self.disposals.append((kind, mint, part, cost, received, lot[2], lot[3], lot[4], at, order))
            lot[0] -= part
            lot[1] -= cost
            if not lot[0]:
                self.lots[mint].pop(0)
            missing, given = missing - part, given + received
