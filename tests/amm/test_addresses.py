"""Derived and fixed addresses."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from solders.pubkey import Pubkey

from pumpswap.amm import addresses
from pumpswap.amm.pool import Pool
from tests.support.material import material, requires_material
from tests.support.vectors import key, load

LP_PROGRAM = addresses.TOKEN_2022_PROGRAM
DERIVATIONS: dict[str, Callable[..., Pubkey]] = {
    "ata": addresses.ata,
    "bonding_curve": lambda mint: addresses.bonding_curve(mint),
    "boost_vault": lambda pool, quote_mint, token_program: addresses.boost_vault(pool, quote_mint, token_program),
    "boost_vault_authority": addresses.boost_vault_authority,
    "canonical_pool": lambda mint, quote_mint: addresses.canonical_pool(mint, quote_mint),
    "creator_vault_ata": lambda coin_creator, quote_mint, token_program: addresses.creator_vault_ata(
        coin_creator, quote_mint, token_program
    ),
    "creator_vault_authority": addresses.creator_vault_authority,
    "event_authority": lambda: addresses.AMM_EVENT_AUTHORITY,
    "fee_config": addresses.fee_config,
    "fee_sharing_config": lambda mint: addresses.sharing_config(mint),
    "global_config": lambda: addresses.GLOBAL_CONFIG,
    "global_volume_accumulator": lambda: addresses.GLOBAL_VOLUME_ACCUMULATOR,
    "lp_ata": lambda lp_mint, owner: addresses.ata(owner, lp_mint, LP_PROGRAM),
    "lp_mint": addresses.lp_mint,
    "metadata": addresses.metadata,
    "pool": addresses.pool_address,
    "pool_v2": addresses.pool_v2,
    "pump_creator_vault": addresses.pump_creator_vault,
    "pump_event_authority": lambda: addresses.PUMP_EVENT_AUTHORITY,
    "pump_fee_config": addresses.fee_config,
    "pump_global": lambda: addresses.PUMP_GLOBAL,
    "pump_holder_rewards": lambda mint: addresses.pump_holder_rewards(mint),
    "pump_pool_authority": lambda mint: addresses.pool_authority(mint),
    "pump_quote_control": addresses.pump_quote_control,
    "pump_user_volume_accumulator": addresses.pump_user_volume_accumulator,
    "user_volume_accumulator": addresses.user_volume_accumulator,
}


@pytest.mark.parametrize("vector", load("pdas")["vectors"], ids=lambda vector: vector["name"])
def test_an_address_is_derived_as_the_official_sdk_derives_it(vector: dict[str, Any]) -> None:
    arguments = {name: value if name == "index" else key(value) for name, value in vector["args"].items()}
    assert DERIVATIONS[vector["name"]](**arguments) == key(vector["address"])


def test_every_derivation_has_a_vector() -> None:
    assert {vector["name"] for vector in load("pdas")["vectors"]} == set(DERIVATIONS)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("GLOBAL_CONFIG", "ADyA8hdefvWN2dbGGWFotbzWxrAvLW83WG6QCVXvJKqw"),
        ("AMM_FEE_CONFIG", "5PHirr8joyTMp9JMm6nW7hNDVyEYdkzDqazxPD7RaTjx"),
        ("PUMP_FEE_CONFIG", "8Wf5TiAheLUqBrKXeYg2JtAFFMWtKdG2BSFgqUcPVwTt"),
        ("AMM_EVENT_AUTHORITY", "GS4CU59F31iL7aR2Q8zVS8DRrcRnXX1yjQ66TqNVQnaR"),
        ("GLOBAL_VOLUME_ACCUMULATOR", "C2aFPdENg4A2HQsmrd5rTw5TaYBX5Ku887cWjbFKtZpw"),
        ("PUMP_GLOBAL", "4wTV1YmiEkRvAtNtsSGPtUrqRYQMe5SKy2uB4Jjaxnjf"),
        ("PUMP_EVENT_AUTHORITY", "Ce6TQqeHC9p8KetsN6JsjHK7UTZk7nasjjnr7XxXp9F1"),
        ("SYSTEM_PROGRAM", "11111111111111111111111111111111"),
    ],
)
def test_the_fixed_addresses_are_those_of_mainnet(name: str, address: str) -> None:
    assert str(getattr(addresses, name)) == address


def test_a_curve_that_stores_no_quote_mint_graduates_into_wrapped_sol() -> None:
    mint = key("A6Zpvj47pSin4YLdUWKRG92x5HGJjtD35sZmJQ6cpump")
    assert addresses.canonical_pool(mint, addresses.SYSTEM_PROGRAM) == addresses.canonical_pool(mint)
    assert addresses.canonical_pool(mint, addresses.USDC_MINT) != addresses.canonical_pool(mint)


def test_an_associated_account_depends_on_the_token_program() -> None:
    owner, mint = addresses.GLOBAL_CONFIG, addresses.USDC_MINT
    legacy = addresses.ata(owner, mint, addresses.TOKEN_PROGRAM)
    assert legacy != addresses.ata(owner, mint, addresses.TOKEN_2022_PROGRAM)


@requires_material("protocol", "vectors", "mainnet.json")
def test_recorded_pools_their_lp_mints_and_vaults_are_where_the_seeds_say() -> None:
    path = material("protocol", "vectors", "mainnet.json")
    assert path is not None
    pools = json.loads(path.read_text())["pools"]
    assert pools
    for recorded in pools:
        fields = {name: key(recorded["decoded"][name]) for name in ("creator", "base_mint", "quote_mint", "lp_mint")}
        creator, base, quote = fields["creator"], fields["base_mint"], fields["quote_mint"]
        index = recorded["decoded"]["index"]
        pool = addresses.pool_address(index, creator, base, quote)
        assert str(pool) == recorded["address"]
        assert addresses.lp_mint(pool) == fields["lp_mint"]
        vaults = ((base, "base_token_program"), (quote, "quote_token_program"))
        for (mint, program), side in zip(vaults, ("base", "quote"), strict=True):
            vault = addresses.ata(pool, mint, key(recorded[program]))
            assert str(vault) == recorded["decoded"][f"pool_{side}_token_account"]
        assert Pool.decode(base64.b64decode(recorded["data_b64"])).is_canonical == recorded["is_pump_pool"]
        if recorded["is_pump_pool"] and index == 0:
            assert addresses.canonical_pool(base, quote) == pool
