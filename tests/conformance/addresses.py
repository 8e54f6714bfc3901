"""Derived addresses, and the instructions that need nothing but addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from solders.pubkey import Pubkey

from pumpswap.amm import Existing, addresses
from pumpswap.amm.instructions import fees, liquidity
from pumpswap.amm.instructions.sequences import collect_sequence
from tests.conformance.cases import TOKEN, TOKEN_2022, WSOL, Cases
from tests.conformance.instructions import described
from tests.conformance.node import Oracle
from tests.conformance.report import Tally

__all__ = ["ADDRESSES", "compare_addresses"]

ADDRESSES: dict[str, Callable[[dict[str, Any]], Pubkey]] = {
    "global_config": lambda a: addresses.GLOBAL_CONFIG,
    "event_authority": lambda a: addresses.AMM_EVENT_AUTHORITY,
    "global_volume_accumulator": lambda a: addresses.GLOBAL_VOLUME_ACCUMULATOR,
    "fee_config": lambda a: addresses.AMM_FEE_CONFIG,
    "pump_pool_authority": lambda a: addresses.pool_authority(a["mint"]),
    "canonical_pool": lambda a: addresses.canonical_pool(a["mint"], a["quote_mint"]),
    "pool": lambda a: addresses.pool_address(a["index"], a["creator"], a["base_mint"], a["quote_mint"]),
    "lp_mint": lambda a: addresses.lp_mint(a["pool"]),
    "lp_ata": lambda a: addresses.ata(a["owner"], a["lp_mint"], addresses.TOKEN_2022_PROGRAM),
    "user_volume_accumulator": lambda a: addresses.user_volume_accumulator(a["user"]),
    "creator_vault_authority": lambda a: addresses.creator_vault_authority(a["coin_creator"]),
    "creator_vault_ata": lambda a: addresses.creator_vault_ata(a["coin_creator"], a["quote_mint"], a["token_program"]),
    "pool_v2": lambda a: addresses.pool_v2(a["base_mint"]),
    "boost_vault_authority": lambda a: addresses.boost_vault_authority(a["pool"]),
    "boost_vault": lambda a: addresses.boost_vault(a["pool"], a["quote_mint"], a["token_program"]),
    "fee_sharing_config": lambda a: addresses.sharing_config(a["mint"]),
    "bonding_curve": lambda a: addresses.bonding_curve(a["mint"]),
    "metadata": lambda a: addresses.metadata(a["mint"]),
    "ata": lambda a: addresses.ata(a["owner"], a["mint"], a["token_program"]),
}

# Each builder with the parameters it takes; keys but for flags.
SINGLES: dict[str, tuple[tuple[str, ...], Callable[[dict[str, Any]], Any]]] = {
    "extendAccount": (("account", "user"), lambda p: liquidity.extend_account(p["account"], p["user"])),
    "syncUserVolumeAccumulator": (("user",), lambda p: fees.sync_user_volume_accumulator(p["user"])),
    "initUserVolumeAccumulator": (
        ("user", "payer"),
        lambda p: fees.init_user_volume_accumulator(p["user"], p["payer"]),
    ),
    "closeUserVolumeAccumulator": (("user",), lambda p: fees.close_user_volume_accumulator(p["user"])),
    "setCoinCreator": (("pool", "base_mint"), lambda p: fees.set_coin_creator(p["pool"], p["base_mint"])),
    "transferCreatorFeesToPumpV2Instruction": (
        ("payer", "coin_creator", "quote_mint", "quote_token_program"),
        lambda p: fees.transfer_creator_fees_to_pump_v2(
            p["payer"], p["coin_creator"], p["quote_mint"], p["quote_token_program"]
        ),
    ),
    "raw:transfer_creator_fees_to_pump": (
        ("coin_creator",),
        lambda p: fees.transfer_creator_fees_to_pump(p["coin_creator"]),
    ),
    "raw:claim_cashback": (
        ("user", "quote_mint", "quote_token_program", "user_token_account"),
        lambda p: fees.claim_cashback(p["user"], p["quote_mint"], p["quote_token_program"], p["user_token_account"]),
    ),
    "raw:claim_token_incentives": (
        ("user", "payer", "mint", "token_program"),
        lambda p: fees.claim_token_incentives(p["user"], p["payer"], p["mint"], p["token_program"]),
    ),
    "collectCoinCreatorFee": (
        ("coin_creator", "quote_mint", "quote_token_program", "vault_exists", "user_ata_exists", "payer"),
        lambda p: collect_sequence(
            p["coin_creator"],
            p["quote_mint"],
            p["quote_token_program"],
            Existing(user_base=p["vault_exists"], user_quote=p["user_ata_exists"]),
            payer=p["payer"],
        ),
    ),
}


def _parameter(cases: Cases, name: str) -> Any:
    if name == "index":
        return cases.random.choice([0, 1, 255, 256, 65_535])
    if name.endswith("_exists"):
        return cases.chance(0.5)
    if name.endswith("token_program"):
        return cases.random.choice([TOKEN, TOKEN_2022])
    if name == "quote_mint":
        return WSOL if cases.chance(0.5) else cases.key()
    if name == "payer" and cases.chance(0.3):
        return None
    return cases.key()


def as_keys(parameters: dict[str, Any]) -> dict[str, Any]:
    """Our side takes Pubkeys where the oracle takes text."""
    return {name: Pubkey.from_string(one) if isinstance(one, str) else one for name, one in parameters.items()}


_ARGUMENTS = {
    "pump_pool_authority": ("mint",),
    "canonical_pool": ("mint", "quote_mint"),
    "pool": ("index", "creator", "base_mint", "quote_mint"),
    "lp_mint": ("pool",),
    "lp_ata": ("lp_mint", "owner"),
    "user_volume_accumulator": ("user",),
    "creator_vault_authority": ("coin_creator",),
    "creator_vault_ata": ("coin_creator", "quote_mint", "token_program"),
    "pool_v2": ("base_mint",),
    "boost_vault_authority": ("pool",),
    "boost_vault": ("pool", "quote_mint", "token_program"),
    "fee_sharing_config": ("mint",),
    "bonding_curve": ("mint",),
    "metadata": ("mint",),
    "ata": ("owner", "mint", "token_program"),
}


def compare_addresses(cases: Cases, oracle: Oracle, tally: Tally, count: int) -> None:
    """``count`` rounds through every derivation and every small instruction, with random keys."""
    for _ in range(max(count // 10, 1)):
        for name, derive in ADDRESSES.items():
            args = {one: _parameter(cases, one) for one in _ARGUMENTS.get(name, ())}
            theirs = oracle.ask("address", name=name, args=args)
            tally.compare("derived addresses", str(derive(as_keys(args))), theirs, name=name, args=args)
        for builder, (names, build) in SINGLES.items():
            params = {one: _parameter(cases, one) for one in names}
            if builder == "collectCoinCreatorFee":
                if params["quote_mint"] == WSOL:
                    params["quote_token_program"] = TOKEN  # its only program
            elif "payer" in params and params["payer"] is None:
                params["payer"] = cases.key()
            theirs = oracle.ask("instructions", builder=builder, params=params, recipient_index=0)
            made = build(as_keys(params))
            ours = [described(one) for one in (made if isinstance(made, list) else [made])]
            tally.compare("other instructions", ours, theirs, builder=builder, params=params)
