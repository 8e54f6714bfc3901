"""Extensions of a mint: their names, and the parameters that say who may do what."""

from __future__ import annotations

import base64
import contextlib
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from pumpswap.chain.token_extensions import mint_controls, mint_extensions, risky_extensions
from pumpswap.errors import MalformedAccount
from pumpswap.localnet.token_bytes import extended_mint, mint, transfer_fee_mint
from pumpswap.model import MintControls, TransferFee
from tests.support.material import material, requires_material

ALICE, BOB = Pubkey.from_bytes(b"a" * 32), Pubkey.from_bytes(b"b" * 32)
NOBODY = bytes(32)


def test_a_classic_mint_has_no_extensions_and_nobody_controls_it() -> None:
    assert mint_extensions(mint(1, 6)) == ()
    assert mint_controls(mint(1, 6)) == MintControls()


def test_a_transfer_fee_is_read_with_what_is_announced_and_who_may_announce_more() -> None:
    older, newer = struct.pack("<QQH", 3, 50, 10), struct.pack("<QQH", 9, 70, 2_500)
    data = extended_mint(1, 6, {1: bytes(ALICE) + bytes(BOB) + struct.pack("<Q", 5) + older + newer})
    fee = mint_controls(data).transfer_fee
    assert fee == TransferFee(10, 2_500, 9, 50, 70, str(ALICE))
    assert fee.worst_bps == 2_500
    settled = mint_controls(transfer_fee_mint(1, 6, 30)).transfer_fee
    assert settled is not None and (settled.worst_bps, settled.authority) == (30, None)


def test_every_power_over_the_tokens_is_named_with_its_holder() -> None:
    data = extended_mint(
        10,
        6,
        {
            18: bytes(ALICE) * 2,
            3: bytes(ALICE),
            6: b"\x02",
            12: bytes(BOB),
            14: bytes(ALICE) + bytes(BOB),
            26: bytes(BOB) + b"\x01",
            99: b"?",
        },
    )
    found = mint_controls(data)
    assert found.kinds == (
        "metadata-pointer", "mint-close-authority", "default-account-state", "permanent-delegate", "transfer-hook",
        "pausable", "unknown-99",
    )  # fmt: skip
    assert (found.close_authority, found.permanent_delegate) == (str(ALICE), str(BOB))
    assert (found.hook_authority, found.hook_program) == (str(ALICE), str(BOB))
    assert (found.pause_authority, found.is_paused, found.is_frozen_by_default) == (str(BOB), True, True)
    assert risky_extensions(data) == found.kinds[1:]


def test_powers_that_were_given_up_have_no_holder() -> None:
    data = extended_mint(10, 6, {6: b"\x01", 12: NOBODY, 14: NOBODY * 2, 26: NOBODY + b"\0"})
    found = mint_controls(data)
    assert found.kinds == ("default-account-state", "permanent-delegate", "transfer-hook", "pausable")
    assert found == MintControls(kinds=found.kinds)


@pytest.mark.parametrize(("kind", "size"), [(1, 107), (3, 31), (6, 0), (12, 31), (14, 63), (26, 32)])
def test_an_extension_that_is_too_short_for_its_parameters_is_refused(kind: int, size: int) -> None:
    with pytest.raises(MalformedAccount):
        mint_controls(extended_mint(1, 6, {kind: bytes(size)}))


@pytest.mark.parametrize("data", [b"", bytes(81), bytes(165), mint(1, 6).ljust(165, b"\0") + b"\x02"])
def test_bytes_that_are_no_mint_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedAccount):
        mint_controls(data)


@given(st.binary(max_size=120), st.dictionaries(st.integers(1, 40), st.binary(max_size=130), max_size=5))
def test_any_bytes_are_read_or_refused_and_names_are_never_lost(tail: bytes, extensions: dict[int, bytes]) -> None:
    data = extended_mint(5, 6, extensions)
    try:
        found = mint_controls(data)
    except MalformedAccount:
        assert any(len(value) < 108 for value in extensions.values())
    else:
        assert found.kinds == mint_extensions(data)
        assert len(found.kinds) == len(extensions)
    with contextlib.suppress(MalformedAccount):
        mint_controls(mint(5, 6).ljust(165, b"\0") + b"\x01" + tail)


@requires_material("chain", "accounts")
def test_a_real_pump_coin_of_token_2022_gives_nobody_power() -> None:
    folder = material("chain")
    assert folder is not None
    raw = json.loads((folder / "accounts" / "mint_token_2022.2026-08-10.24QHKVts.json").read_text())
    found = mint_controls(base64.b64decode(raw["account"]["data"][0]))
    assert found == MintControls(kinds=("metadata-pointer", "token-metadata"))
