"""Swap instructions and their whole sequences, byte for byte: program, account list with flags, data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from pumpswap.amm import Existing, FeeSchedule, PoolState, swap_instruction, swap_sequence
from pumpswap.amm.instructions.fees import boost_buy_and_burn
from pumpswap.errors import TradeRefused
from tests.conformance.cases import U64_MAX, Cases, PoolCase
from tests.conformance.node import Oracle
from tests.conformance.quotes import OURS
from tests.conformance.report import Reason, Tally

__all__ = ["compare_instructions", "described", "sdk_state", "usual_pool"]

AMM = "pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA"
FIXED_ACCOUNTS = {True: 23, False: 21}  # of a v1 buy and of a v1 sell; behind them stands the tail
ZERO_KEY = str(Pubkey.default())


def described(instruction: Instruction) -> dict[str, Any]:
    """One of our instructions in the form of the oracle's answers."""
    return {
        "program_id": str(instruction.program_id),
        "keys": [
            [str(meta.pubkey), ("w" if meta.is_writable else "") + ("s" if meta.is_signer else "")]
            for meta in instruction.accounts
        ],
        "data_hex": bytes(instruction.data).hex(),
    }


def sdk_state(cases: Cases, case: PoolCase, *, user: str) -> dict[str, Any]:
    """A pool and its trader as the oracle wants them, with random answers to what exists already."""
    fields = {name: str(value) if type(value) is int else value for name, value in case.fields.items()}
    fields |= {"pool_bump": case.fields["pool_bump"], "index": case.fields["index"]}
    return {
        "pool_key": case.address,
        "pool_account_len": None if cases.chance(0.1) else case.account_len,
        "pool": fields,
        "pool_base_amount": str(case.base_reserve),
        "pool_quote_amount": str(case.real),
        "base_token_program": case.base_token_program,
        "quote_token_program": case.quote_token_program,
        "base_mint_supply": str(case.supply),
        "user": user,
        "user_base_token_account": cases.address(
            "ata", mint=fields["base_mint"], owner=user, token_program=case.base_token_program
        ),
        "user_quote_token_account": cases.address(
            "ata", mint=fields["quote_mint"], owner=user, token_program=case.quote_token_program
        ),
        "user_base_exists": cases.chance(0.5),
        "user_quote_exists": cases.chance(0.5),
        "global_config": case.global_config,
        "fee_config": case.fee_config,
    }


def usual_pool(cases: Cases) -> PoolCase:
    """A random pool that is large enough for ordinary trades."""
    while True:
        case = cases.pool(tradable=True)
        if case.base_reserve > 10**9 and min(case.real, case.effective) > 10**7:
            return case


class SwapComparison:
    """Builds one swap on both sides."""

    def __init__(self, cases: Cases, oracle: Oracle, tally: Tally) -> None:
        self._cases = cases
        self._oracle = oracle
        self._tally = tally

    def compare(self, case: PoolCase, pool: PoolState, schedule: FeeSchedule) -> bool:
        """Whether a swap was built and filed; a refused quote is no instruction."""
        rng = self._cases.random
        function = rng.choice(list(OURS))
        amount = self._cases.usual_amount(function, case)
        try:
            quote = OURS[function](pool, schedule, amount)
            if function.startswith("sell") and quote.user_quote_out == 0:
                return False
        except TradeRefused:
            return False
        state = sdk_state(self._cases, case, user=self._cases.key())
        own_accounts = self._custom_accounts(state)
        recipient, buyback = rng.randrange(8), rng.randrange(8)
        limit = quote.limit(rng.choice([0, 1, 50, 100, 333, 2500, 10_000]))
        track_volume = function != "buyQuoteInput" or self._cases.chance(0.5)  # the SDK's own `buy` always sends 1
        swap = swap_instruction(
            quote,
            pool,
            schedule,
            user=Pubkey.from_string(state["user"]),
            limit=limit,
            generation=1,
            recipient_index=recipient,
            buyback_index=buyback,
            track_volume=track_volume,
            **own_accounts,
        )
        wallets = {"recipient_index": recipient, "buyback_index": buyback}
        amounts = {"amount": amount, "limit": limit, "track_volume": track_volume}
        repeat = {"function": function, **amounts, **wallets, "state": state}
        sequence = self._sequence(function, quote, limit, state, wallets)
        expected = next(one for one in sequence if one["program_id"] == AMM and len(one["keys"]) > 20)
        if function == "buyQuoteInput":
            bare = self._bare_exact_quote_in(amounts, state, wallets)
            expected = bare | {"keys": bare["keys"] + expected["keys"][FIXED_ACCOUNTS[True] :]}
        wanted = self._without_creator_side(expected, function, case)
        self._file(f"swap {_NAMES[function]}", described(swap), wanted, expected, repeat)
        if function == "buyQuoteInput":
            return True  # the SDK has no sequence around an exact-quote buy
        whole = swap_sequence(swap, pool, Pubkey.from_string(state["user"]), _existing(state))
        theirs = [wanted if one is expected else one for one in sequence]
        self._file("sequence around a swap", [described(one) for one in whole], theirs, sequence, repeat)
        return True

    def compare_boost(self, case: PoolCase, pool: PoolState) -> None:
        """The boost authority's own instruction on the same pool."""
        authority, spend, least = self._cases.key(), self._cases.spread(1, U64_MAX), self._cases.spread(1, U64_MAX)
        params = {"authority": authority, "quote_amount_in": str(spend), "min_base_amount_burned": str(least)}
        state = sdk_state(self._cases, case, user=authority)
        builder = "boostBuyAndBurnInstruction"
        (theirs,) = self._oracle.ask("instructions", builder=builder, params=params, state=state, recipient_index=0)
        ours = described(boost_buy_and_burn(pool, Pubkey.from_string(authority), spend, least))
        self._tally.compare("boost_buy_and_burn", ours, theirs, params=params, state=state)

    def _custom_accounts(self, state: dict[str, Any]) -> dict[str, Pubkey]:
        """Sometimes the user trades through other token accounts; those exist."""
        chosen: dict[str, Pubkey] = {}
        for side in ("base", "quote"):
            if self._cases.chance(0.15):
                account = self._cases.key()
                state |= {f"user_{side}_token_account": account, f"user_{side}_exists": True}
                chosen[f"user_{side}_account"] = Pubkey.from_string(account)
        return chosen

    def _sequence(
        self, function: str, quote: Any, limit: int, state: dict[str, Any], wallets: dict[str, int]
    ) -> list[dict[str, Any]]:
        if function.startswith("buy"):
            builder = "buyInstructions"
            params = {"base_out": str(quote.base_out), "max_quote_in": str(limit)}
        else:
            builder, params = "sellInstructions", {"base_in": str(quote.base_in), "min_quote_out": str(limit)}
        made: list[dict[str, Any]] = self._oracle.ask(
            "instructions", builder=builder, params=params, state=state, **wallets
        )
        return made

    def _bare_exact_quote_in(
        self, amounts: dict[str, Any], state: dict[str, Any], wallets: dict[str, int]
    ) -> dict[str, Any]:
        params = {
            "spendable_quote_in": str(amounts["amount"]),
            "min_base_amount_out": str(amounts["limit"]),
            "track_volume": amounts["track_volume"],
        }
        (made,) = self._oracle.ask(
            "instructions", builder="raw:buy_exact_quote_in", params=params, state=state, **wallets
        )
        return dict(made)

    def _without_creator_side(self, expected: dict[str, Any], function: str, case: PoolCase) -> dict[str, Any]:
        """The SDK's instruction as the program wants it: without creator-side accounts when no creator fee is due.

        Whether one is due say the SDK's own rates. Taken out is exactly what the SDK adds by the pool's fields
        (PROTOCOL 3.3, entries 1 to 3 of the tail).
        """
        has_creator = case.fields["coin_creator"] != ZERO_KEY
        rates = self._oracle.ask("rates", input=case.sdk_input(0))["fees"]
        if has_creator and int(rates["creator_fee_bps"]) > 0:
            return expected
        is_buy = function.startswith("buy")
        added = (1 if is_buy else 2) * case.fields["is_cashback_coin"] + has_creator
        fixed = FIXED_ACCOUNTS[is_buy]
        return expected | {"keys": expected["keys"][:fixed] + expected["keys"][fixed + added :]}

    def _file(self, row: str, ours: Any, wanted: Any, sdk: Any, repeat: dict[str, Any]) -> None:
        if ours != wanted:
            self._tally.count_unexplained(row, "different instruction", ours=ours, sdk=sdk, **repeat)
        elif ours == sdk:
            self._tally.count_equal(row)
        else:
            self._tally.count_by_design(row, Reason.TAIL)


_NAMES = {
    "buyBaseInput": "buy",
    "buyQuoteInput": "buy_exact_quote_in",
    "sellBaseInput": "sell",
    "sellQuoteInput": "sell by quote",
}


def _existing(state: dict[str, Any]) -> Existing:
    return Existing(
        user_base=state["user_base_exists"],
        user_quote=state["user_quote_exists"],
        pool_account_len=state["pool_account_len"],
    )


def compare_instructions(
    cases: Cases,
    oracle: Oracle,
    tally: Tally,
    count: int,
    sides: Callable[[PoolCase], tuple[PoolState, FeeSchedule]],
) -> None:
    """``count`` random swaps, each also with everything around it."""
    comparison = SwapComparison(cases, oracle, tally)
    tally.expect(*(f"swap {name}" for name in _NAMES.values()))
    built = 0
    while built < count:
        case = usual_pool(cases)
        state, schedule = sides(case)
        built += comparison.compare(case, state, schedule)
        comparison.compare_boost(case, state)
