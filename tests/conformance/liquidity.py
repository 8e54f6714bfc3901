"""Deposits, withdrawals, pool creation: arithmetic and whole sequences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from solders.pubkey import Pubkey

from pumpswap.amm import Existing, FeeSchedule, PoolState, deposit_lp, withdraw_lp
from pumpswap.amm.instructions.liquidity import NewPool
from pumpswap.amm.instructions.sequences import create_pool_sequence, deposit_sequence, withdraw_sequence
from pumpswap.amm.liquidity import deposit_by_base, deposit_by_quote
from pumpswap.errors import TradeRefused
from tests.conformance.cases import EXACT_SLIPPAGES, U64_MAX, Cases, PoolCase
from tests.conformance.instructions import described, sdk_state, usual_pool
from tests.conformance.node import Oracle
from tests.conformance.report import Reason, Tally

__all__ = ["compare_liquidity"]

BPS = 10_000


class LiquidityComparison:
    """One pool that takes deposits, on both sides."""

    def __init__(self, cases: Cases, oracle: Oracle, tally: Tally) -> None:
        self._cases = cases
        self._oracle = oracle
        self._tally = tally

    def _sdk(self, function: str, case: PoolCase, slippage: int, **amount: int) -> dict[str, int]:
        request = {name: str(value) for name, value in amount.items()}
        reserves = {
            "base_reserve": case.base_reserve,
            "quote_reserve": case.real,
            "lp_supply": case.fields["lp_supply"],
        }
        request |= {name: str(value) for name, value in reserves.items()}
        answer = self._oracle.ask("liquidity", fn=function, slippage=slippage, **request)
        return {name: int(value) for name, value in answer.items()}

    def arithmetic(self, case: PoolCase, state: PoolState) -> None:
        """Costs, proceeds and limits."""
        supply, slippage = case.fields["lp_supply"], self._cases.random.choice(EXACT_SLIPPAGES)
        lp = self._cases.spread(1, supply)
        repeat = {"lp": lp, "slippage": slippage, "pool": case.described()}
        cost = self._sdk("depositLpToken", case, 0, lp_token=lp)
        deposit = deposit_lp(state, lp)
        ours = {"max_base": deposit.base_in, "max_quote": deposit.quote_in}
        self._tally.compare("depositLpToken", ours, cost, **repeat)
        up = tuple(min(-(-units * (BPS + slippage * 100) // BPS), U64_MAX) for units in cost.values())
        theirs = tuple(self._sdk("depositLpToken", case, slippage, lp_token=lp).values())
        self._limits("limits of depositLpToken", deposit.limits(slippage * 100), theirs, up, repeat)
        proceeds = self._sdk("withdraw", case, slippage, lp_token=lp)
        withdrawal = withdraw_lp(state, lp)
        least = withdrawal.limits(slippage * 100)
        shown = {
            "base": withdrawal.base_out,
            "quote": withdrawal.quote_out,
            "min_base": least[0],
            "min_quote": least[1],
        }
        self._tally.compare("withdraw", shown, proceeds, **repeat)
        self._by_side(case, "depositBaseInput", lambda units: deposit_by_base(state, units), base=case.base_reserve)
        self._by_side(case, "depositQuoteInput", lambda units: deposit_by_quote(state, units), quote=case.real)

    def _by_side(self, case: PoolCase, function: str, ours: Callable[[int], Any], **reserve: int) -> None:
        """LP units for one side, and their cost, which the SDK gets from its own depositLpToken."""
        ((name, whole),) = reserve.items()
        units = self._cases.spread(1, whole)
        lp = self._sdk(function, case, 0, **{name: units})["lp_token"]
        repeat = {"units": units, "pool": case.described()}
        try:
            deposit = ours(units)
        except TradeRefused as refused:
            if lp == 0 and refused.code == 6001:
                self._tally.count_by_design(function, Reason.NO_LP)
            else:
                self._tally.count_unexplained(function, f"only ours refuses: {refused}", sdk_lp=lp, **repeat)
            return
        cost = self._sdk("depositLpToken", case, 0, lp_token=lp)
        shown = [deposit.lp_out, deposit.base_in, deposit.quote_in]
        self._tally.compare(function, shown, [lp, cost["max_base"], cost["max_quote"]], **repeat)

    def _limits(
        self, row: str, ours: tuple[int, int], theirs: tuple[int, ...], wanted: tuple[int, ...], repeat: dict[str, Any]
    ) -> None:
        if ours != wanted:
            self._tally.count_unexplained(row, f"expected {wanted}", ours=ours, sdk=theirs, **repeat)
        elif ours == theirs:
            self._tally.count_equal(row)
        else:
            self._tally.count_by_design(row, Reason.LP_UP)

    def sequences(self, case: PoolCase, state: PoolState) -> None:
        """Deposit and withdrawal with the SDK's own limits, so that every byte can be equal."""
        trader = sdk_state(self._cases, case, user=self._cases.key())
        trader["pool_account_len"] = trader["pool_account_len"] or 211  # liquidity needs to know the account
        lp, slippage = self._cases.spread(1, case.fields["lp_supply"]), self._cases.random.choice(EXACT_SLIPPAGES)
        has_lp = self._cases.chance(0.5)
        account = self._cases.address("lp_ata", lp_mint=case.fields["lp_mint"], owner=trader["user"])
        params = {
            "lp_token": str(lp),
            "slippage": slippage,
            "user_pool_token_account": account,
            "user_lp_exists": has_lp,
        }
        user, existing = Pubkey.from_string(trader["user"]), _existing(trader, has_lp=has_lp)
        paid = self._sdk("depositLpToken", case, slippage, lp_token=lp)
        if max(paid.values()) <= U64_MAX:
            limits = (paid["max_base"], paid["max_quote"])
            ours = deposit_sequence(state, user, deposit_lp(state, lp), limits, existing)
            self._built("depositInstructions", ours, params, trader)
        got = self._sdk("withdraw", case, slippage, lp_token=lp)
        limits = (got["min_base"], got["min_quote"])
        ours = withdraw_sequence(state, user, withdraw_lp(state, lp), limits, existing)
        self._built("withdrawInstructions", ours, params, trader)

    def new_pool(self, case: PoolCase) -> None:
        """A pool of one's own."""
        trader = sdk_state(self._cases, case, user=self._cases.key())
        rng, fields = self._cases.random, case.fields
        new = NewPool(
            index=rng.randrange(65_536),
            creator=Pubkey.from_string(trader["user"]),
            base_mint=Pubkey.from_string(fields["base_mint"]),
            quote_mint=Pubkey.from_string(fields["quote_mint"]),
            base_token_program=Pubkey.from_string(case.base_token_program),
            quote_token_program=Pubkey.from_string(case.quote_token_program),
            is_holder_reward=None,  # an argument that SDK 1.20.0 does not know
        )
        keys = {name: fields[name] for name in ("base_mint", "quote_mint")}
        address = self._cases.address("pool", index=new.index, creator=trader["user"], **keys)
        base_in, quote_in = self._cases.spread(1, U64_MAX), self._cases.spread(1, U64_MAX)
        has_vault = self._cases.chance(0.3)
        params = {
            "index": new.index,
            "base_in": str(base_in),
            "quote_in": str(quote_in),
            "pool": address,
            "pool_quote_exists": has_vault,
        }
        ours = create_pool_sequence(
            new, base_in, quote_in, _existing(trader, has_lp=False), vaults_exist=(False, has_vault)
        )
        self._built("createPoolInstructions", ours, params, trader)

    def _built(self, builder: str, ours: list[Any], params: dict[str, Any], trader: dict[str, Any]) -> None:
        theirs = self._oracle.ask("instructions", builder=builder, params=params, state=trader, recipient_index=0)
        self._tally.compare(builder, [described(one) for one in ours], theirs, params=params, state=trader)


def _existing(trader: dict[str, Any], *, has_lp: bool) -> Existing:
    return Existing(
        user_base=trader["user_base_exists"],
        user_quote=trader["user_quote_exists"],
        user_lp=has_lp,
        pool_account_len=trader["pool_account_len"],
    )


def compare_liquidity(
    cases: Cases,
    oracle: Oracle,
    tally: Tally,
    count: int,
    sides: Callable[[PoolCase], tuple[PoolState, FeeSchedule]],
) -> None:
    """``count`` pools without boost: boosted ones take no deposits (6064), which the SDK does not know."""
    comparison = LiquidityComparison(cases, oracle, tally)
    for _ in range(count):
        case = usual_pool(cases)
        case = replace(case, fields=dict(case.fields, virtual_quote_reserves=-case.fees_owed), account_len=301)
        state, _ = sides(case)
        comparison.arithmetic(case, state)
        comparison.sequences(case, state)
        comparison.new_pool(case)
