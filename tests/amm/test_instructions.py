"""Instruction bytes, account lists and whole sequences against the official SDK and the account tables."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from pumpswap.amm import (
    Existing,
    FeeSchedule,
    PoolState,
    buy_exact_base,
    buy_exact_quote,
    deposit_lp,
    sell_exact_base,
    swap_instruction,
    swap_sequence,
    withdraw_lp,
)
from pumpswap.amm.addresses import TOKEN_PROGRAM, ata
from pumpswap.amm.instructions import fees as fee_instructions
from pumpswap.amm.instructions.liquidity import NewPool, create_pool_data, extend_account
from pumpswap.amm.instructions.metas import u64
from pumpswap.amm.instructions.route import RouteAccounts, RouteHop, multi_hop_swap
from pumpswap.amm.instructions.sequences import (
    collect_sequence,
    create_pool_sequence,
    deposit_sequence,
    withdraw_sequence,
)
from pumpswap.amm.instructions.swap import SwapAccounts, remaining_accounts, swap_kind, v1_swap, v2_swap
from pumpswap.errors import TradeRefused, UsageError
from tests.support.by_design import ByDesign
from tests.support.vectors import global_config, instruction_state, key, load, schedule

DISCRIMINATORS = {
    "buy": "66063d1201daebea",
    "buy_exact_quote_in": "c62e1552b4d9e870",
    "sell": "33e685a4017f83ad",
    "buy_v2": "b817ee6167c5d33d",
    "buy_exact_quote_in_v2": "c2ab1c46684d5b2f",
    "sell_v2": "5df6823ce7e940b2",
}
# The SDK passes cashback and pool-v2 accounts whenever the coin is a cashback coin; the program wants them only when
# the trade charges a creator fee (6053 otherwise), and that is what ours does.
SDK_PASSES_TOO_MUCH = "cashback without coin creator"


def written(instruction: Instruction) -> dict[str, Any]:
    flags = {(False, False): "", (False, True): "w", (True, False): "s", (True, True): "ws"}
    return {
        "program_id": str(instruction.program_id),
        "keys": [[str(meta.pubkey), flags[meta.is_signer, meta.is_writable]] for meta in instruction.accounts],
        "data_hex": bytes(instruction.data).hex(),
    }


def up(amount: int, percent: float) -> int:
    """The SDK's float rule, to reproduce its limits."""
    return amount * math.floor((1 + percent / 100) * 10**9) // 10**9


def down(amount: int, percent: float) -> int:
    return amount * math.floor((1 - percent / 100) * 10**9) // 10**9


class Case:
    """A vector's state, schedule, user and accounts."""

    def __init__(self, vector: dict[str, Any]) -> None:
        recorded, self.params = vector["state"], vector["params"]
        self.state: PoolState = instruction_state(recorded)
        self.fees: FeeSchedule = schedule(recorded["global_config"], recorded["fee_config"])
        self.user = key(recorded["user"])
        index = vector.get("recipient_index", self.params.get("recipient_index", self.params.get("buyback_index", 0)))
        config = self.fees.global_config
        self.who = SwapAccounts(
            self.user,
            key(recorded["user_base_token_account"]),
            key(recorded["user_quote_token_account"]),
            config.protocol_recipients(is_mayhem_mode=self.state.pool.is_mayhem_mode)[index],
            config.buyback_fee_recipients[index],
        )
        self.choice = {
            "user": self.user,
            "generation": 1,
            "recipient_index": index,
            "buyback_index": index,
            "user_base_account": self.who.user_base,
            "user_quote_account": self.who.user_quote,
        }
        self.existing = Existing(
            recorded["user_base_exists"],
            recorded["user_quote_exists"],
            self.params.get("user_lp_exists", False),
            recorded["pool_account_len"],
        )

    def swap(self, name: str, first: int, second: int, suffix: bytes = b"", *, tail: bool = True) -> Instruction:
        data = bytes.fromhex(DISCRIMINATORS[name]) + u64(first, second) + suffix
        if name.endswith("_v2"):
            return v2_swap(data, self.state, self.who)
        charges = self.state.pool.has_coin_creator
        rest = remaining_accounts(self.state, self.who, is_buy=name != "sell", charges_creator=charges) if tail else []
        return v1_swap(data, self.state, self.who, rest)

    def sequence(self, swap: Instruction) -> list[Instruction]:
        return swap_sequence(swap, self.state, self.user, self.existing)


def _quoted(case: Case, builder: str) -> list[Instruction]:
    """The SDK's quote-and-build helpers, with its own float limits."""
    params, percent = case.params, case.params["slippage"]
    if builder == "buyBaseInput":
        buy = buy_exact_base(case.state, case.fees, int(params["base"]))
        limit = up(buy.total_quote, percent)
        return case.sequence(
            swap_instruction(buy, case.state, case.fees, limit=limit, track_volume=True, **case.choice)
        )
    if builder == "sellBaseInput":
        sale = sell_exact_base(case.state, case.fees, int(params["base"]))
        limit = down(sale.user_quote_out, percent)
        return case.sequence(swap_instruction(sale, case.state, case.fees, limit=limit, **case.choice))
    wanted = int(params["quote"])
    if builder == "buyQuoteInput":  # the SDK sends an exact-base buy of what the budget would yield
        buy = buy_exact_quote(case.state, case.fees, wanted)
        return case.sequence(case.swap("buy", buy.base_out, up(wanted, percent), b"\1"))
    raw = -(-wanted * 10_000 // (10_000 - sum(case.fees.rates(case.state))))
    base = -(-case.state.base_reserve * raw // (case.state.effective_quote_reserve - raw))
    return case.sequence(case.swap("sell", base, down(wanted, percent)))


def _trade(case: Case, builder: str) -> list[Instruction]:
    params = case.params
    if builder == "buyInstructions":
        return case.sequence(case.swap("buy", int(params["base_out"]), int(params["max_quote_in"]), b"\1"))
    if builder == "sellInstructions":
        return case.sequence(case.swap("sell", int(params["base_in"]), int(params["min_quote_out"])))
    tracked = b"" if params["track_volume"] is None else bytes([params["track_volume"]])
    name = builder.removeprefix("raw:")
    amounts = [int(value) for field, value in params.items() if field != "track_volume"]
    return [case.swap(name, amounts[0], amounts[1], tracked, tail=False)]


def _liquidity(case: Case, builder: str) -> list[Instruction]:
    params, state, user = case.params, case.state, case.user
    if builder == "depositInstructions":
        cost, percent = deposit_lp(state, int(params["lp_token"])), params["slippage"]
        limits = up(cost.base_in, percent), up(cost.quote_in, percent)
        return deposit_sequence(state, user, cost, limits, case.existing)
    if builder == "withdrawInstructions":
        worth, percent = withdraw_lp(state, int(params["lp_token"])), params["slippage"]
        limits = down(worth.base_out, percent), down(worth.quote_out, percent)
        return withdraw_sequence(state, user, worth, limits, case.existing)
    if builder == "boostBuyAndBurnInstruction":
        amounts = int(params["quote_amount_in"]), int(params["min_base_amount_burned"])
        return [fee_instructions.boost_buy_and_burn(state, key(params["authority"]), *amounts)]
    new = NewPool(
        params["index"],
        user,
        state.pool.base_mint,
        state.pool.quote_mint,
        state.base_token_program,
        state.quote_token_program,
        is_holder_reward=None,  # the SDK of these vectors does not know it yet
    )
    assert str(new.address) == params["pool"]
    amounts = int(params["base_in"]), int(params["quote_in"])
    return create_pool_sequence(new, *amounts, case.existing, vaults_exist=(False, params["pool_quote_exists"]))


def _single(params: dict[str, Any], builder: str) -> list[Instruction]:
    known = {name: key(value) for name, value in params.items() if isinstance(value, str)}
    match builder:
        case "extendAccount":
            return [extend_account(known["account"], known["user"])]
        case "syncUserVolumeAccumulator":
            return [fee_instructions.sync_user_volume_accumulator(known["user"])]
        case "initUserVolumeAccumulator":
            return [fee_instructions.init_user_volume_accumulator(known["user"], known["payer"])]
        case "closeUserVolumeAccumulator":
            return [fee_instructions.close_user_volume_accumulator(known["user"])]
        case "raw:claim_token_incentives":
            return [fee_instructions.claim_token_incentives(**known)]
        case "raw:claim_cashback":
            destination = known.pop("user_token_account")
            return [fee_instructions.claim_cashback(**known, destination=destination)]
        case "setCoinCreator":
            return [fee_instructions.set_coin_creator(**known)]
        case "transferCreatorFeesToPumpV2Instruction":
            return [fee_instructions.transfer_creator_fees_to_pump_v2(**known)]
        case "raw:transfer_creator_fees_to_pump":
            return [fee_instructions.transfer_creator_fees_to_pump(**known)]
    existing = Existing(params["vault_exists"], params["user_ata_exists"])
    payer = known.get("payer")
    mints = known["quote_mint"], known["quote_token_program"]
    return collect_sequence(known["coin_creator"], *mints, existing, payer=payer)


def _build(vector: dict[str, Any]) -> list[Instruction]:
    builder = vector["builder"]
    if "pool" not in (vector.get("state") or {}):
        return _single(vector["params"], builder)
    case = Case(vector)
    if builder in ("buyBaseInput", "buyQuoteInput", "sellBaseInput", "sellQuoteInput"):
        return _quoted(case, builder)
    if builder.startswith("raw:buy") or builder in ("buyInstructions", "sellInstructions"):
        return _trade(case, builder)
    return _liquidity(case, builder)


@pytest.mark.parametrize("vector", [pytest.param(one, id=one["id"]) for one in load("instructions_v1")["vectors"]])
def test_v1_sequences_equal_the_official_sdk_byte_for_byte(vector: dict[str, Any], by_design: ByDesign) -> None:
    built, wanted = [written(one) for one in _build(vector)], vector["instructions"]
    if vector["params"].get("case") != SDK_PASSES_TOO_MUCH:
        assert built == wanted
        return
    by_design("no creator fee on this trade: the program answers 6053 to the creator-side accounts the SDK appends")
    for ours, theirs in zip(built, wanted, strict=True):
        if ours != theirs:  # only the swap differs, and only by the accounts that a free trade must not carry
            assert ours["data_hex"] == theirs["data_hex"]
            assert len(theirs["keys"]) > len(ours["keys"])
            assert all(entry in theirs["keys"] for entry in ours["keys"])


def _build_v2(vector: dict[str, Any]) -> list[Instruction]:
    name, params = vector["instruction"], vector["params"]
    if name == "multi_hop_swap":
        wallet = global_config().buyback_fee_recipients[params["buyback_index"]]
        buyback = ata(wallet, key(params["protocol_leg_quote_mint"]), TOKEN_PROGRAM)
        who = RouteAccounts(
            *(key(params[field]) for field in ("user", "user_in_token_account", "user_out_token_account")), buyback
        )
        fields = ("base_mint", "quote_mint", "venue", "base_vault", "quote_vault")
        hops = [RouteHop(*(key(hop[field]) for field in fields)) for hop in params["hops"]]
        return [multi_hop_swap(who, hops, int(params["amount_in"]), int(params["min_amount_out"]))]
    case = Case(vector)
    if name == "sweep_protocol_fee":
        return [fee_instructions.sweep_protocol_fee(case.state, key(params["payer"]), key(params["recipient"]))]
    if name == "sweep_creator_fee":
        return [fee_instructions.sweep_creator_fee(case.state, key(params["payer"]))]
    amounts = [int(value) for field, value in params.items() if "quote" in field or "base" in field]
    if name == "buy_exact_quote_in":
        tracked = b"" if params.get("track_volume") is None else bytes([params["track_volume"]])
        return [case.swap(name, amounts[0], amounts[1], tracked)]
    return case.sequence(case.swap(name, amounts[0], amounts[1]))


@pytest.mark.parametrize("vector", [pytest.param(one, id=one["id"]) for one in load("instructions_v2")["vectors"]])
def test_v2_instructions_equal_the_account_tables_byte_for_byte(vector: dict[str, Any]) -> None:
    if vector["instruction"].startswith("create_pool"):
        params = vector["params"]
        flags = ("is_mayhem_mode", "is_cashback_coin", "can_edit_creator_fee", "is_holder_reward")
        new = NewPool(
            params["index"],
            *(Pubkey.default(),) * 3,
            coin_creator=key(params["coin_creator"]),
            creator_fee_bps=int(params["creator_fee_bps"]),
            **{name: params[name] for name in flags},
        )
        data = bytes.fromhex("e992d18ecf6840bc")
        data += create_pool_data(new, int(params["base_amount_in"]), int(params["quote_amount_in"]))
        assert data.hex() == vector["data_hex"]
        return
    assert [written(one) for one in _build_v2(vector)] == vector["instructions"]


# ------------------------------------------------------------------------------------------- swap_instruction itself


def _case(label: str) -> Case:
    found = next(one for one in load("instructions_v1")["vectors"] if label in one["params"].get("case", ""))
    return Case(found)


@pytest.mark.parametrize(
    ("label", "generation", "discriminator"),
    [("wsol quote, spl base", 2, "c2ab1c46684d5b2f"), ("cashback", 1, "c62e1552b4d9e870")],
)
def test_the_generation_is_chosen_by_the_pool(label: str, generation: int, discriminator: str) -> None:
    case = _case(label)
    quote = buy_exact_quote(case.state, case.fees, 10**9)
    swap = swap_instruction(quote, case.state, case.fees, user=case.user, limit=quote.limit(100))
    assert bytes(swap.data[:8]).hex() == discriminator
    assert swap_kind(swap.data).generation == generation


def _refused(build: Callable[[], object]) -> int | None:
    with pytest.raises(TradeRefused) as refused:
        build()
    return refused.value.code


def test_what_cannot_execute_is_not_built() -> None:
    case, cashback = _case("wsol quote, spl base"), _case("cashback")
    buy = buy_exact_base(case.state, case.fees, 10**9)
    budget = buy_exact_quote(case.state, case.fees, 10**9)
    sale = sell_exact_base(case.state, case.fees, 10**9)
    closed = schedule("on", "oct2026", None, 24)
    rebate = sell_exact_base(cashback.state, cashback.fees, 10**9)
    who = {"user": case.user}
    assert _refused(lambda: swap_instruction(buy, case.state, closed, limit=1, **who)) == 6020
    assert _refused(lambda: swap_instruction(sale, case.state, closed, limit=1, **who)) == 6021
    assert _refused(lambda: swap_instruction(buy, case.state, case.fees, limit=0, **who)) == 6002
    assert _refused(lambda: swap_instruction(budget, case.state, case.fees, limit=0, **who)) == 6001
    assert _refused(lambda: swap_instruction(sale, case.state, case.fees, limit=0, **who)) == 6002
    assert (
        _refused(lambda: swap_instruction(rebate, cashback.state, cashback.fees, limit=1, generation=2, **who)) == 6079
    )


def test_a_sale_that_pays_nothing_is_quoted_but_not_built() -> None:
    case = _case("wsol quote, spl base")
    dust = sell_exact_base(case.state, case.fees, 1)
    assert dust.user_quote_out == 0
    assert _refused(lambda: swap_instruction(dust, case.state, case.fees, user=case.user, limit=1)) is None


@pytest.mark.parametrize("choice", [{"generation": 3}, {"recipient_index": 8, "generation": 1}, {"buyback_index": -1}])
def test_choices_that_do_not_exist_are_refused(choice: dict[str, int]) -> None:
    case = _case("wsol quote, spl base")
    quote = buy_exact_base(case.state, case.fees, 10**9)
    with pytest.raises(UsageError):
        swap_instruction(quote, case.state, case.fees, user=case.user, limit=10**9, **choice)


@pytest.mark.parametrize("limit", [2**64, 1.5, None])
def test_limits_are_u64_integers(limit: Any) -> None:
    case = _case("wsol quote, spl base")
    quote = buy_exact_base(case.state, case.fees, 10**9)
    with pytest.raises(UsageError, match="limit"):
        swap_instruction(quote, case.state, case.fees, user=case.user, limit=limit)


def test_a_long_lived_wrapped_sol_account_is_not_closed() -> None:
    case = _case("wsol quote, spl base")
    quote = buy_exact_base(case.state, case.fees, 10**9)
    swap = swap_instruction(quote, case.state, case.fees, user=case.user, limit=quote.limit(100))
    closing = swap_sequence(swap, case.state, case.user, Existing())
    keeping = swap_sequence(swap, case.state, case.user, Existing(), keep_wsol=True)
    assert closing[:-1] == keeping
    assert bytes(closing[-1].data) == b"\x09"
