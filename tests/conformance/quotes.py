"""The four quotes: ours against the SDK's, refusals and slippage limits included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pumpswap.amm import (
    FeeSchedule,
    PoolState,
    buy_exact_base,
    buy_exact_quote,
    sell_exact_base,
    sell_exact_quote,
)
from pumpswap.errors import TradeRefused
from tests.conformance.cases import EXACT_SLIPPAGES, U64_MAX, Cases, PoolCase
from tests.conformance.node import Oracle, Refused
from tests.conformance.report import Reason, Tally

__all__ = ["OURS", "compare_quotes"]

OURS: dict[str, Callable[[PoolState, FeeSchedule, int], Any]] = {
    "buyBaseInput": buy_exact_base,
    "buyQuoteInput": buy_exact_quote,
    "sellBaseInput": sell_exact_base,
    "sellQuoteInput": sell_exact_quote,
}
QUOTES_PER_POOL = 8
EMPTY = "Invalid input: 'baseReserve' or 'quoteReserve' cannot be zero."
SHORT_OF_REAL = "Insufficient real quote reserves to cover the sell output."
# The SDK's messages and the program's codes that ours must then name (None: the program has no code for it).
# Nothing but these messages counts as a refusal.
FEES_EXCEED = "Fees exceed total output; final quote is negative."
REFUSALS: dict[str, set[int | None]] = {
    EMPTY: {None},
    "Division by zero: pool base token reserves cannot be zero": {None},
    "Cannot buy more base tokens than the pool reserves.": {6016},
    "Pool would be depleted; denominator is zero.": {6025},
    SHORT_OF_REAL: {6063},
    FEES_EXCEED: {6023},
    "Cannot receive more quote tokens than the pool quote reserves.": {6063},
    "Invalid input: Desired quote amount exceeds available reserve.": {6063},
    "Cannot divide by zero.": {6023},
}
ZERO_CODES = {6001, 6002}


@dataclass(frozen=True)
class Asked:
    """One question, put to both sides."""

    function: str
    case: PoolCase
    state: PoolState
    schedule: FeeSchedule
    amount: int
    slippage: int

    def key(self) -> str:
        return "base" if self.function.endswith("BaseInput") else "quote"

    def described(self) -> dict[str, Any]:
        return {"amount": self.amount, "slippage": self.slippage, "pool": self.case.described()}


class QuoteComparison:
    """Asks the SDK and ours, and files the answers."""

    def __init__(self, oracle: Oracle, tally: Tally) -> None:
        self._oracle = oracle
        self._tally = tally

    def sdk(self, asked: Asked, function: str | None = None, **changes: Any) -> dict[str, int]:
        """The SDK's figures, as integers. Raises Refused."""
        function = function or asked.function
        amount = changes.pop("amount", asked.amount)
        key = "base" if function.endswith("BaseInput") else "quote"
        request = asked.case.sdk_input(asked.slippage, **{key: amount}) | changes
        return {name: int(value) for name, value in self._oracle.ask("quote", fn=function, input=request).items()}

    def compare(self, asked: Asked) -> None:
        theirs: dict[str, int] | str
        try:
            theirs = self.sdk(asked)
        except Refused as refused:
            theirs = str(refused)
        ours: Any
        try:
            ours = OURS[asked.function](asked.state, asked.schedule, asked.amount)
        except TradeRefused as refused:
            ours = refused
        if isinstance(theirs, str):
            self._sdk_refuses(asked, ours, theirs)
        elif isinstance(ours, TradeRefused):
            self._only_ours_refuses(asked, ours, theirs)
        elif asked.function == "sellQuoteInput":
            self._sale_by_quote(asked, ours, theirs)
        else:
            wanted = {name: value for name, value in theirs.items() if name not in ("max_quote", "min_quote")}
            if self._tally.compare(asked.function, _figures(asked.function, ours), wanted, **asked.described()):
                self._limit(asked, ours, theirs)

    # ---- refusals --------------------------------------------------------------------------------------------------

    def _sdk_refuses(self, asked: Asked, ours: Any, message: str) -> None:
        if isinstance(ours, TradeRefused):
            if ours.code in self._fitting_codes(asked, message):
                self._tally.count_equal(asked.function, refused=True)
            else:
                self._unexplained(asked, f"SDK: {message}", ours=f"{ours.code} {ours}")
        elif message == EMPTY and asked.case.real == 0:
            self._empty_vault(asked, ours)
        else:
            self._unexplained(asked, f"only the SDK refuses: {message}", ours=ours)

    def _fitting_codes(self, asked: Asked, message: str) -> set[int | None]:
        """Codes of ours that say the same as an SDK message about this pool."""
        if message not in REFUSALS:
            return set()
        case = asked.case
        if case.effective <= 0 or case.base_reserve == 0:
            return {None, *ZERO_CODES} if asked.amount == 0 else {None}
        if message == EMPTY:
            return {6016, 6025, 6039, 6040, 6063, 6023, *ZERO_CODES}  # ours goes on and finds its own reason
        if asked.function == "buyQuoteInput":
            return {6039, 6040, *ZERO_CODES}  # its divisor is 0 only when E is 1 and the budget buys nothing
        return REFUSALS[message] | (ZERO_CODES if asked.amount == 0 else set())

    def _empty_vault(self, asked: Asked, ours: Any) -> None:
        moved = {"quote_reserve": str(asked.case.effective), "virtual_quote_reserves": "0"}
        if asked.function == "sellQuoteInput":
            self._unexplained(asked, "a sale out of an empty vault", ours=ours)
            return
        theirs = self.sdk(asked, **moved)
        wanted = {name: value for name, value in theirs.items() if name not in ("max_quote", "min_quote")}
        pays_nothing = asked.function != "sellBaseInput" or ours.gross_quote <= ours.lp_fee
        if _figures(asked.function, ours) == wanted and pays_nothing:
            self._tally.count_by_design(asked.function, Reason.EMPTY_VAULT)
        else:
            self._unexplained(asked, "empty vault", ours=ours, sdk=theirs)

    def _only_ours_refuses(self, asked: Asked, ours: TradeRefused, theirs: dict[str, int]) -> None:
        reason = self._reason_to_refuse(asked, ours, theirs)
        if reason is None:
            self._unexplained(asked, "only ours refuses", ours=f"{ours.code} {ours}", sdk=theirs)
        else:
            self._tally.count_by_design(asked.function, reason)

    def _reason_to_refuse(self, asked: Asked, ours: TradeRefused, theirs: dict[str, int]) -> Reason | None:
        if asked.amount == 0 and ours.code in ZERO_CODES:
            return Reason.ZERO_AMOUNT
        if asked.case.effective <= 0 and ours.code is None:
            return Reason.NO_RESERVES
        if asked.function == "buyQuoteInput" and ours.code in (6039, 6040):
            # With E = 1 and a negative net the SDK divides two negative figures and returns a positive base.
            return Reason.NO_BASE if theirs["base"] <= 0 or theirs["internal_quote_without_fees"] <= 1 else None
        if asked.function == "buyBaseInput" and theirs["ui_quote"] > U64_MAX:
            # Measured on the real program: 6024 when the price alone does not fit, 6023 when its fees push it over.
            expected = 6024 if theirs["internal_quote_amount"] > U64_MAX else 6023
            return Reason.BEYOND_U64 if ours.code == expected else None
        if asked.function == "sellQuoteInput":
            if sum(asked.schedule.rates(asked.state)) >= 10_000 and theirs["base"] <= 0:
                return Reason.ALL_FEES
            if ours.code == 6063:
                return self._why_unpayable(asked, theirs["base"])
        return None

    def _why_unpayable(self, asked: Asked, base: int) -> Reason | None:
        """Proof, with the SDK alone, that no sale of ``base`` or more pays what was asked."""
        for _ in range(64):
            if base > U64_MAX:
                return Reason.BEYOND_U64
            try:
                if self.sdk(asked, "sellBaseInput", amount=base)["ui_quote"] >= asked.amount:
                    return None
            except Refused as refused:
                if str(refused) == SHORT_OF_REAL:
                    return Reason.UNPAYABLE  # a larger sale needs even more
                if str(refused) != FEES_EXCEED:
                    return None
            following = _next_base(asked.case, base)
            if following is None:
                return Reason.UNPAYABLE
            base = following
        return None

    # ---- exact-quote sales -----------------------------------------------------------------------------------------

    def _sale_by_quote(self, asked: Asked, ours: Any, theirs: dict[str, int]) -> None:
        try:
            real = self.sdk(asked, "sellBaseInput", amount=ours.base_in)
        except Refused as refused:
            self._unexplained(asked, f"the SDK refuses to sell our base: {refused}", ours=ours, sdk=theirs)
            return
        if _figures("sellBaseInput", ours) != {name: real[name] for name in ("internal_quote_amount_out", "ui_quote")}:
            self._unexplained(asked, "our base pays something else", ours=ours, sdk=real)
        elif ours.user_quote_out < asked.amount:
            self._unexplained(asked, "ours pays short", ours=ours, sdk=theirs)
        elif ours.base_in == theirs["base"]:
            self._tally.count_equal(asked.function)
            self._limit(asked, ours, theirs, paid=real)
        elif ours.base_in > theirs["base"] and self._all_short(asked, theirs["base"], ours.base_in):
            self._tally.count_by_design(asked.function, Reason.SHORT_PAYOUT)
            self._limit(asked, ours, theirs, paid=real)
        else:
            self._unexplained(asked, "not the smallest base that pays", ours=ours, sdk=theirs)

    def _all_short(self, asked: Asked, base: int, ours: int) -> bool:
        """Whether every base from the SDK's up to, not including, ours pays less than asked.

        Only the first base of each gross figure has to be tried: those between it and the next pay the same.
        """
        while base < ours:
            try:
                paid = self.sdk(asked, "sellBaseInput", amount=base)["ui_quote"]
                if not asked.amount - 2 <= paid < asked.amount:  # three roundings lose less than 3 units
                    return False
            except Refused as refused:
                if str(refused) != FEES_EXCEED:
                    return False
            following = _next_base(asked.case, base)
            if following is None:
                return False
            base = following
        return base == ours

    # ---- limits ----------------------------------------------------------------------------------------------------

    def _limit(self, asked: Asked, ours: Any, theirs: dict[str, int], paid: dict[str, int] | None = None) -> None:
        """Ours must follow its own rule exactly; whether that equals the SDK's is counted. ``paid``: the SDK's
        sellBaseInput of our base, for exact-quote sales.
        """
        bps = asked.slippage * 100
        if asked.function == "buyQuoteInput":
            wanted, sdk, reason = max(theirs["base"] * (10_000 - bps) // 10_000, 1), None, Reason.LIMIT_BASE
        elif asked.function == "buyBaseInput":
            wanted, sdk = min(-(-theirs["ui_quote"] * (10_000 + bps) // 10_000), U64_MAX), theirs["max_quote"]
            reason = Reason.BEYOND_U64 if sdk > U64_MAX else Reason.LIMIT_UP
        else:
            least, sdk = (paid or theirs)["min_quote"], theirs["min_quote"]
            wanted, reason = max(least, 1), Reason.LIMIT_PAID if least else Reason.LIMIT_LEAST_1
        limit, row = ours.limit(bps), f"limit of {asked.function}"
        if limit != wanted or (paid and limit < theirs["min_quote"]):
            self._tally.count_unexplained(row, f"expected {wanted}", ours=limit, sdk=theirs, **asked.described())
        elif limit == sdk:
            self._tally.count_equal(row)
        else:
            self._tally.count_by_design(row, reason)

    # ---- rates -----------------------------------------------------------------------------------------------------

    def compare_rates(self, case: PoolCase, state: PoolState, schedule: FeeSchedule) -> None:
        """Schedule and market cap of a pool."""
        found = self._oracle.ask("rates", input=case.sdk_input(0))
        fees = found["fees"]
        creator = int(fees["creator_fee_bps"]) if state.pool.has_coin_creator else 0
        theirs = [int(fees["lp_fee_bps"]), int(fees["protocol_fee_bps"]), creator, int(found["market_cap"])]
        ours = [*schedule.rates(state), state.market_cap]
        self._tally.compare("fee rates and market cap", ours, theirs, pool=case.described())

    def _unexplained(self, asked: Asked, why: str, **found: Any) -> None:
        self._tally.count_unexplained(asked.function, why, **found, **asked.described())


def _figures(function: str, quote: Any) -> dict[str, int]:
    """Our quote under the SDK's names."""
    if function == "buyBaseInput":
        return {"internal_quote_amount": quote.gross_quote, "ui_quote": quote.total_quote}
    if function == "buyQuoteInput":
        return {"base": quote.base_out, "internal_quote_without_fees": quote.gross_quote}
    return {"ui_quote": quote.user_quote_out, "internal_quote_amount_out": quote.gross_quote}


def _next_base(case: PoolCase, base: int) -> int | None:
    """The smallest base whose sale is worth more than that of ``base`` before fees; None when no base is."""
    gross = case.effective * base // (case.base_reserve + base) + 1
    left = case.effective - gross
    return -(-case.base_reserve * gross // left) if left > 0 else None


def compare_quotes(
    cases: Cases,
    oracle: Oracle,
    tally: Tally,
    count: int,
    sides: Callable[[PoolCase], tuple[PoolState, FeeSchedule]],
) -> None:
    """``count`` random quotes, a quarter of each kind; ``sides`` makes our state and schedule of a pool."""
    comparison = QuoteComparison(oracle, tally)
    functions = list(OURS)
    tally.expect(*functions, *(f"limit of {function}" for function in functions))
    for first in range(0, count, QUOTES_PER_POOL):
        case = cases.pool()
        state, schedule = sides(case)
        if case.base_reserve and case.effective > 0:
            comparison.compare_rates(case, state, schedule)
        for number in range(first, min(first + QUOTES_PER_POOL, count)):
            function = functions[number % len(functions)]
            amount, slippage = cases.amount(function, case), cases.random.choice(EXACT_SLIPPAGES)
            comparison.compare(Asked(function, case, state, schedule, amount, slippage))
