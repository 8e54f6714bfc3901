"""Accounts in every length they ever had: decoded as published, encoded back to the same bytes, refused by name."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from pumpswap.amm import (
    BondingCurve,
    FeeConfig,
    Fees,
    FeeTier,
    GlobalConfig,
    GlobalVolumeAccumulator,
    Mint,
    Pool,
    SharingConfig,
    TokenAccount,
    UserVolumeAccumulator,
)
from pumpswap.amm.accounts import SharingStatus
from pumpswap.amm.pool import KNOWN_POOL_LENGTHS, POOL_DISCRIMINATOR
from pumpswap.errors import MalformedAccount
from tests.support.material import material, requires_material
from tests.support.vectors import load, pool

DECODERS: dict[str, Callable[[bytes], Any]] = {
    "BondingCurve": BondingCurve.decode,
    "FeeConfig": FeeConfig.decode,
    "GlobalConfig": GlobalConfig.decode,
    "GlobalVolumeAccumulator": GlobalVolumeAccumulator.decode,
    "Mint": Mint.decode,
    "Pool": Pool.decode,
    "SharingConfig": SharingConfig.decode,
    "TokenAccount": TokenAccount.decode,
    "UserVolumeAccumulator": UserVolumeAccumulator.decode,
}
OURS = ("account_len", "tail")  # fields of a Pool that the chain does not have
ACCOUNTS: list[dict[str, Any]] = load("accounts")["vectors"]
POOLS = [{"account": "Pool", **vector} for vector in load("pools_287")["vectors"]]
POOL_VECTORS = [vector for vector in ACCOUNTS + POOLS if vector["account"] == "Pool"]


def plain(value: Any) -> Any:
    """JSON form with every integer as a decimal string, whatever the file at hand does."""
    if isinstance(value, Pool):
        value = {name: getattr(value, name) for name in Pool.FIELDS}
    value = msgspec.to_builtins(value, enc_hook=str)
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items() if name not in OURS}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return str(value) if type(value) is int else value


def label(vector: dict[str, Any]) -> str:
    return f"{vector['account']}-{vector['len']}"


def of_kind(kind: str) -> list[bytes]:
    return [base64.b64decode(vector["data_b64"]) for vector in ACCOUNTS if vector["account"] == kind]


@pytest.mark.parametrize("vector", ACCOUNTS + POOLS, ids=label)
def test_an_account_of_any_length_decodes_and_what_it_lacks_is_zero(vector: dict[str, Any]) -> None:
    data = base64.b64decode(vector["data_b64"])
    assert len(data) == vector["len"]
    assert plain(DECODERS[vector["account"]](data)) == plain(vector["decoded"])


@pytest.mark.parametrize("vector", POOL_VECTORS, ids=label)
def test_a_pool_keeps_its_length_and_its_unknown_tail(vector: dict[str, Any]) -> None:
    data = base64.b64decode(vector["data_b64"])
    for original in (data, data.ljust(287, b"\0") + b"\x07unknown" * 9):
        decoded = Pool.decode(original)
        assert decoded.encode() == original
        assert decoded.account_len == len(original)


@pytest.mark.parametrize("vector", POOL_VECTORS, ids=label)
def test_a_pool_cut_at_any_length_from_211_bytes_decodes_and_round_trips(vector: dict[str, Any]) -> None:
    data = base64.b64decode(vector["data_b64"])
    assert len(data) in KNOWN_POOL_LENGTHS
    for length in range(211, len(data)):
        assert Pool.decode(data[:length]).encode() == data[:length]
    for length in range(211):
        with pytest.raises(MalformedAccount):
            Pool.decode(data[:length])


def test_a_pool_grows_as_extend_account_grows_it() -> None:
    for vector in POOL_VECTORS:
        data = base64.b64decode(vector["data_b64"])
        grown = Pool.decode(data).grown()
        assert grown.encode() == data.ljust(301, b"\0")
        assert grown.grown() is grown
        assert plain(grown) == plain(vector["decoded"])


def test_a_field_newer_than_the_account_cannot_be_encoded_into_it() -> None:
    with pytest.raises(MalformedAccount, match="245 bytes"):
        pool(virtual_quote_reserves=-1, account_len=245, tail=b"").encode()


@pytest.mark.parametrize("offset", [243, 244, 269, 270])
def test_a_pool_with_a_bool_of_2_is_refused(offset: int) -> None:
    data = bytearray(base64.b64decode(POOLS[0]["data_b64"]))
    data[offset] = 2
    with pytest.raises(MalformedAccount, match="bool"):
        Pool.decode(bytes(data))


@pytest.mark.parametrize("kind", ["GlobalConfig", "UserVolumeAccumulator", "GlobalVolumeAccumulator", "BondingCurve"])
def test_an_encoded_account_starts_with_the_bytes_it_came_from(kind: str) -> None:
    for data in of_kind(kind):
        decoded = DECODERS[kind](data)
        encoded = decoded.encode()
        assert encoded.ljust(len(data), b"\0")[: len(data)] == data
        assert not any(encoded[len(data) :])
        assert DECODERS[kind](encoded) == decoded


@pytest.mark.parametrize(
    ("kind", "shortest"),
    [("GlobalConfig", 313), ("UserVolumeAccumulator", 40), ("BondingCurve", 115), ("GlobalVolumeAccumulator", 8)],
)
def test_an_account_cut_anywhere_reads_as_zero_padded_down_to_its_first_layout(kind: str, shortest: int) -> None:
    data = of_kind(kind)[0]
    decode = DECODERS[kind]
    for length in range(shortest, len(data)):
        assert decode(data[:length]) == decode(data[:length].ljust(len(data), b"\0"))
    for length in range(shortest):
        with pytest.raises(MalformedAccount):
            decode(data[:length])


@pytest.mark.parametrize("kind", sorted(set(DECODERS) - {"Mint", "TokenAccount"}))
def test_another_account_is_refused_by_its_discriminator(kind: str) -> None:
    data = of_kind(kind)[0]
    with pytest.raises(MalformedAccount, match=kind) as refused:
        DECODERS[kind](bytes([data[0] ^ 1]) + data[1:])
    assert refused.value.hint


@pytest.mark.parametrize("case", [c for c in load("errors")["cases"] if c["kind"] == "decode"], ids=lambda c: c["why"])
def test_bytes_that_the_official_decoder_refuses_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(MalformedAccount, match=case["account"]):
        DECODERS[case["account"]](base64.b64decode(case["data_b64"]))


# FeeConfig: the length of the account decides


@pytest.mark.parametrize("name", ["oct2026", "sep2026"])
def test_the_live_fee_configs_decode_to_their_published_tiers_and_encode_back(name: str) -> None:
    entry = load("configs")["fee_config_accounts"][name]
    data = base64.b64decode(entry["data_b64"])
    decoded = FeeConfig.decode(data)
    published = load("configs")["fee_configs"][name]
    assert {field: plain(decoded)[field] for field in published} == plain(published)
    assert decoded.encode(len(data)) == data
    assert FeeConfig.decode(decoded.encode(len(data))) == decoded


def test_the_live_global_config_decodes_to_its_published_fields_and_encodes_back() -> None:
    data = base64.b64decode(load("configs")["global_config_accounts"]["on"]["data_b64"])
    decoded = GlobalConfig.decode(data)
    assert plain(decoded) == plain(load("configs")["global_configs"]["on"])
    assert decoded.encode() == data


def test_the_length_of_a_fee_config_decides_which_schedules_it_has_whatever_the_bytes_say() -> None:
    tier = FeeTier(0, Fees(1, 2, 3))
    full = FeeConfig(Fees(25, 5, 0), (tier,), (tier, tier), Fees(20, 5, 5))
    data = full.encode(4097)
    assert FeeConfig.decode(data) == FeeConfig.decode(data + b"\xff" * 50) == full
    assert FeeConfig.decode(data[:4096]) == msgspec.structs.replace(full, exotic_flat_fees=Fees())
    assert FeeConfig.decode(data[:4073]).stable_fee_tiers == (tier, tier)
    assert FeeConfig.decode(data[:4072]) == FeeConfig(Fees(25, 5, 0), (tier,))
    assert FeeConfig.decode(data[:2512]).fee_tiers == (tier,)
    with pytest.raises(MalformedAccount, match="2512"):
        FeeConfig.decode(data[:2511])


@pytest.mark.parametrize("count", [102, 2**31, 2**32 - 1])
def test_a_tier_count_that_does_not_fit_is_refused_without_reserving_room_for_it(count: int) -> None:
    data = bytearray(FeeConfig(Fees(25, 5, 0)).encode(4097))
    data[65:69] = count.to_bytes(4, "little")
    with pytest.raises(MalformedAccount, match="tiers"):
        FeeConfig.decode(bytes(data))


def test_tiers_that_need_more_room_than_the_account_has_are_not_cut() -> None:
    with pytest.raises(MalformedAccount, match="need"):
        FeeConfig(Fees(), tuple(FeeTier(at, Fees()) for at in range(70))).encode(2512)


# Shared creator fees, token accounts, mints


def test_a_shareholder_list_that_does_not_fit_is_refused() -> None:
    data = bytearray(of_kind("SharingConfig")[0])
    assert SharingConfig.decode(bytes(data)).status == SharingStatus.ACTIVE
    for count in (4, 2**32 - 1):
        data[76:80] = count.to_bytes(4, "little")
        with pytest.raises(MalformedAccount, match="shareholders"):
            SharingConfig.decode(bytes(data))


def test_token_accounts_and_mints_are_refused_only_for_their_length() -> None:
    account, mint = of_kind("TokenAccount")[0], of_kind("Mint")[0]
    with pytest.raises(MalformedAccount, match="165"):
        TokenAccount.decode(account[:164])
    with pytest.raises(MalformedAccount, match="82"):
        Mint.decode(mint[:81])


# Recorded mainnet accounts

RECORDED_KINDS = {
    "amm_fee_config": "FeeConfig",
    "amm_global_config": "GlobalConfig",
    "amm_global_volume_accumulator": "GlobalVolumeAccumulator",
    "bonding_curve": "BondingCurve",
    "mint": "Mint",
    "pool": "Pool",
    "pump_fee_config": "FeeConfig",
    "pump_global_volume_accumulator": "GlobalVolumeAccumulator",
    "sharing_config": "SharingConfig",
    "token_account": "TokenAccount",
}


def _triple(row: list[int]) -> dict[str, int]:
    return dict(zip(("lp_fee_bps", "protocol_fee_bps", "creator_fee_bps"), row, strict=True))


def as_fields(kind: str, entry: dict[str, Any]) -> dict[str, Any]:
    """The record's notation (rows of numbers, other names) in the field names of ours."""
    fields = dict(entry)
    if kind == "FeeConfig":
        fields["flat_fees"] = _triple(entry["flat_fees"])
        fields["exotic_flat_fees"] = _triple(entry["exotic_flat_fees"] or [0, 0, 0])
        for name in ("fee_tiers", "stable_fee_tiers"):
            fields[name] = [{"market_cap_lamports_threshold": row[0], "fees": _triple(row[1:])} for row in entry[name]]
    if kind == "SharingConfig":
        fields["shareholders"] = [
            {"pubkey": one["address"], "share_bps": one["share_bps"]} for one in entry["shareholders"]
        ]
    if kind == "TokenAccount":
        fields["is_native"] = entry["rent_exempt_reserve"] if entry["is_native"] else None
    return fields


@requires_material("chain", "accounts", "decoded.json")
def test_recorded_mainnet_accounts_decode_to_their_published_fields() -> None:
    folder = material("chain", "accounts")
    assert folder is not None
    index = json.loads((folder / "index.json").read_text())
    kinds = {entry["file"]: entry["kind"] for entry in (index if isinstance(index, list) else index.values())}
    seen: dict[str, int] = {}
    for file, entry in json.loads((folder / "decoded.json").read_text()).items():
        kind = RECORDED_KINDS.get(kinds[file])
        if kind is None:  # accounts of other programs that no trade reads
            assert kinds[file] == "fee_program_global"
            continue
        data = base64.b64decode(json.loads((folder / file).read_text())["account"]["data"][0])
        decoded = DECODERS[kind](data)
        actual, published = plain(decoded), plain(as_fields(kind, entry))
        shared = actual.keys() & published.keys()
        assert len(shared) >= min(len(actual), 2), file
        assert {name: actual[name] for name in shared} == {name: published[name] for name in shared}, file
        missing = {name: value for name, value in actual.items() if name not in published}
        blank: Any = ("0", False, str(Pubkey.default()), [str(Pubkey.default())] * 7, [str(Pubkey.default())] * 8)
        assert all(value in blank for value in missing.values()), (file, missing)
        if isinstance(decoded, Pool):
            assert decoded.encode() == data, file
        seen[kind] = seen.get(kind, 0) + 1
    assert seen.keys() == set(RECORDED_KINDS.values())
    assert (seen["Pool"], seen["GlobalConfig"], seen["FeeConfig"]) == (8, 3, 5)


# Any account, any bytes

U64S = st.integers(0, 2**64 - 1)
KEYS = st.binary(min_size=32, max_size=32).map(Pubkey.from_bytes)
FEES = st.builds(Fees, U64S, U64S, U64S)
TIERS = st.lists(st.builds(FeeTier, st.integers(0, 2**128 - 1), FEES), max_size=30).map(tuple)
ANY_POOL = st.builds(
    Pool,
    pool_bump=st.integers(0, 255),
    index=st.integers(0, 2**16 - 1),
    **dict.fromkeys(("creator", "base_mint", "quote_mint", "lp_mint", "coin_creator"), KEYS),
    **dict.fromkeys(("pool_base_token_account", "pool_quote_token_account"), KEYS),
    **dict.fromkeys(("lp_supply", "creator_fee_bps", "protocol_fees", "creator_fees"), U64S),
    **dict.fromkeys(("is_mayhem_mode", "is_cashback_coin", "can_edit_creator_fee", "is_holder_reward"), st.booleans()),
    virtual_quote_reserves=st.integers(-(2**127), 2**127 - 1),
)
ANY_GLOBAL_CONFIG = st.builds(
    GlobalConfig,
    **dict.fromkeys(("admin", "admin_set_coin_creator_authority", "whitelist_pda", "boost_authority"), KEYS),
    reserved_fee_recipient=KEYS,
    **dict.fromkeys(("lp_fee_basis_points", "protocol_fee_basis_points", "coin_creator_fee_basis_points"), U64S),
    **dict.fromkeys(("buyback_basis_points", "max_configurable_creator_fee_bps"), U64S),
    disable_flags=st.integers(0, 255),
    **dict.fromkeys(("protocol_fee_recipients", "buyback_fee_recipients"), st.tuples(*[KEYS] * 8)),
    reserved_fee_recipients=st.tuples(*[KEYS] * 7),
    **dict.fromkeys(("mayhem_mode_enabled", "is_cashback_enabled", "boost_enabled"), st.booleans()),
    creator_fee_configurable=st.booleans(),
)


@given(ANY_POOL, st.binary(max_size=30))
def test_any_pool_survives_encoding(any_pool: Pool, surplus: bytes) -> None:
    assert Pool.decode(any_pool.encode()) == any_pool
    assert Pool.decode(any_pool.encode() + surplus).encode() == any_pool.encode() + surplus


@given(ANY_GLOBAL_CONFIG)
def test_any_global_config_survives_encoding(config: GlobalConfig) -> None:
    assert GlobalConfig.decode(config.encode()) == config


@given(st.builds(FeeConfig, FEES, TIERS, TIERS, FEES, KEYS, st.integers(0, 255)))
def test_any_fee_config_survives_encoding(config: FeeConfig) -> None:
    assert FeeConfig.decode(config.encode()) == config


@given(st.sampled_from(sorted(DECODERS)), st.binary(max_size=400), st.sampled_from([0, 100, 2600, 4100]))
def test_random_bytes_give_an_account_or_a_named_error(kind: str, noise: bytes, padding: int) -> None:
    start = b"" if kind in ("Mint", "TokenAccount") else of_kind(kind)[0][:8]
    for data in (noise, start + noise + bytes(padding)):
        try:
            decoded = DECODERS[kind](data)
        except MalformedAccount:
            continue
        if isinstance(decoded, Pool):
            assert data.startswith(POOL_DISCRIMINATOR)
            assert decoded.encode() == data
