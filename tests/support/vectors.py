"""Golden vectors and how to turn them into our objects. Their origin and keys: tests/golden/README.md."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm import FeeConfig, Fees, FeeSchedule, FeeTier, GlobalConfig, Pool, PoolState
from pumpswap.amm.codec import ZERO_KEY

GOLDEN = Path(__file__).resolve().parent.parent / "golden"


@cache
def load(name: str) -> Any:
    """One golden file."""
    return json.loads((GOLDEN / f"{name}.json").read_text())


def key(text: str) -> Pubkey:
    return Pubkey.from_string(text)


def _fees(entry: dict[str, str]) -> Fees:
    return Fees(*(int(entry[name]) for name in ("lp_fee_bps", "protocol_fee_bps", "creator_fee_bps")))


def _tiers(rows: list[dict[str, Any]]) -> tuple[FeeTier, ...]:
    return tuple(FeeTier(int(row["market_cap_lamports_threshold"]), _fees(row["fees"])) for row in rows)


@cache
def fee_config(name: str) -> FeeConfig:
    entry = load("configs")["fee_configs"][name]
    return FeeConfig(
        flat_fees=_fees(entry["flat_fees"]),
        fee_tiers=_tiers(entry["fee_tiers"]),
        stable_fee_tiers=_tiers(entry["stable_fee_tiers"]),
        exotic_flat_fees=_fees(entry["exotic_flat_fees"]),
    )


@cache
def global_config(name: str = "on") -> GlobalConfig:
    account = GlobalConfig.decode(base64.b64decode(load("configs")["global_config_accounts"]["on"]["data_b64"]))
    if name == "on":
        return account
    return msgspec.structs.replace(account, creator_fee_configurable=False, max_configurable_creator_fee_bps=0)


@cache
def schedule(
    config: str = "on", fees: str = "oct2026", buyback_bps: int | None = None, disable_flags: int = 0
) -> FeeSchedule:
    changes: dict[str, int] = {"disable_flags": disable_flags}
    if buyback_bps is not None:
        changes["buyback_basis_points"] = buyback_bps
    return FeeSchedule(msgspec.structs.replace(global_config(config), **changes), fee_config(fees))


def pool(**fields: Any) -> Pool:
    """A Pool with zero keys where a test does not care."""
    blank = {
        "pool_bump": 255,
        "index": 0,
        "creator": ZERO_KEY,
        "base_mint": ZERO_KEY,
        "quote_mint": ZERO_KEY,
        "lp_mint": ZERO_KEY,
        "pool_base_token_account": ZERO_KEY,
        "pool_quote_token_account": ZERO_KEY,
        "lp_supply": 0,
    }
    return Pool(**{**blank, **fields})


def vector_state(identity: dict[str, Any], figures: dict[str, Any]) -> PoolState:
    """State of the simulator, multi-hop and error vectors: ``pool`` and ``state`` objects."""
    return PoolState(
        pool=pool(
            creator=key(identity["creator"]),
            base_mint=key(identity["base_mint"]),
            quote_mint=key(identity["quote_mint"]),
            coin_creator=key(identity["coin_creator"]),
            is_mayhem_mode=identity["is_mayhem_mode"],
            is_cashback_coin=identity.get("is_cashback_coin", False),
            creator_fee_bps=int(identity["creator_fee_bps"]),
            virtual_quote_reserves=int(figures["virtual_quote_reserves"]),
            protocol_fees=int(figures.get("protocol_fees", 0)),
            creator_fees=int(figures.get("creator_fees", 0)),
            lp_supply=int(figures.get("lp_supply", 0)),
        ),
        address=ZERO_KEY,
        base_reserve=int(figures["base_vault"]),
        quote_vault=int(figures["quote_vault"]),
        base_supply=int(figures["base_supply"]),
    )


def quote_state(inputs: dict[str, Any]) -> PoolState:
    """State of a quote vector."""
    figures = {
        "base_vault": inputs["base_reserve"],
        "quote_vault": inputs["quote_reserve"],
        "base_supply": inputs["base_mint_supply"],
        "virtual_quote_reserves": inputs["virtual_quote_reserves"],
    }
    return vector_state(inputs, figures)


def instruction_state(recorded: dict[str, Any]) -> PoolState:
    """State of an instruction vector: a whole decoded pool account beside its balances."""
    fields = {name: _value(value) for name, value in recorded["pool"].items()}
    return PoolState(
        pool=Pool(**fields),
        address=key(recorded["pool_key"]),
        base_reserve=int(recorded["pool_base_amount"]),
        quote_vault=int(recorded["pool_quote_amount"]),
        base_supply=int(recorded["base_mint_supply"]),
        base_token_program=key(recorded["base_token_program"]),
        quote_token_program=key(recorded["quote_token_program"]),
    )


def _value(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return int(value) if value.lstrip("-").isdigit() and len(value) < 32 else key(value)
