"""Programs and settings from a folder, and the folder from an endpoint."""

from __future__ import annotations

import asyncio
import random
import shutil
from pathlib import Path

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.amm import buy_exact_quote, current_schedule
from pumpswap.amm.addresses import AMM_FEE_CONFIG, AMM_PROGRAM, FEES_PROGRAM, GLOBAL_CONFIG, PUMP_PROGRAM, WSOL_MINT
from pumpswap.chain.node import ChainAccount
from pumpswap.errors import BadInput, NotFound, ProtocolDrift
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.localnet.pools import PoolSpec, create_pool, pool_state, schedule_of, wallet
from pumpswap.localnet.programs import account_json, load_programs, read_account
from pumpswap.localnet.pull import pull
from tests.localnet.practice import SOL, program_folder, swap
from tests.support.material import requires_material

needs_programs = requires_material("chain", "programs")
LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")


def dump_in(folder: Path) -> Path:
    """A copy of the recorded dump that may be damaged."""
    for part in ("programs", "accounts"):
        shutil.copytree(program_folder() / part, folder / part, copy_function=shutil.copyfile)
        (folder / part).chmod(0o755)
    return folder


@needs_programs
def test_a_dated_dump_is_loaded_with_the_settings_of_its_own_day() -> None:
    chain = LocalChain()
    loaded = load_programs(chain, program_folder())
    assert loaded.source == "2026-06-11"
    assert set(chain.programs) == {AMM_PROGRAM, FEES_PROGRAM, PUMP_PROGRAM}
    assert {GLOBAL_CONFIG, AMM_FEE_CONFIG} <= set(loaded.accounts)
    recorded = read_account(program_folder() / "accounts" / "amm_fee_config.2026-06-11.json")
    assert chain.account(AMM_FEE_CONFIG) == recorded
    assert schedule_of(chain).fee_config != current_schedule().fee_config


@needs_programs
def test_a_missing_program_or_setting_names_the_command_that_gets_it(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as missing:
        load_programs(LocalChain(), tmp_path)
    assert "pumpswap localnet pull" in missing.value.hint
    folder = dump_in(tmp_path / "dump")
    next((folder / "accounts").glob("amm_global_config.2026-06-11.json")).unlink()
    chain = LocalChain()
    with pytest.raises(NotFound, match=str(GLOBAL_CONFIG)) as missing:
        load_programs(chain, folder)
    assert "pumpswap localnet pull" in missing.value.hint
    assert chain.programs == {}
    (folder / "programs" / "MANIFEST.md").unlink()
    with pytest.raises(NotFound, match="manifest"):
        load_programs(LocalChain(), folder)


@needs_programs
@pytest.mark.parametrize("damage", ["gzip", "elf", "account"])
def test_damaged_files_are_refused_by_name(tmp_path: Path, damage: str) -> None:
    folder = dump_in(tmp_path)
    packed = folder / "programs" / "pump_amm.so.gz"
    if damage == "gzip":
        packed.write_bytes(packed.read_bytes()[:1_000])
    elif damage == "elf":
        packed.unlink()
        (folder / "programs" / "pump_amm.so").write_bytes(b"no program")
    else:
        (folder / "accounts" / "amm_fee_config.2026-06-11.json").write_text('{"pubkey": "x"}')
    with pytest.raises(BadInput, match=r"pump_amm\.so|amm_fee_config"):
        load_programs(LocalChain(), folder)


def test_an_account_file_round_trips(tmp_path: Path) -> None:
    account = ChainAccount(Keypair.from_seed(b"k" * 32).pubkey(), AMM_PROGRAM, 2**63 + 5, bytes(range(200)))
    path = tmp_path / "account.json"
    path.write_bytes(account_json(account))
    assert read_account(path) == account


@needs_programs
def test_a_pulled_folder_gives_the_same_chain_again(tmp_path: Path) -> None:
    chain = LocalChain(seed=3)
    load_programs(chain, program_folder())
    rng = random.Random(1)
    state, other = create_pool(chain, PoolSpec("cashback"), rng), create_pool(chain, PoolSpec(), rng)
    chain.advance(2)
    pulled = asyncio.run(pull(LocalNode(chain), tmp_path, [state.address]))
    assert pulled.slot == chain.slot - 1
    assert (pulled.genesis_hash, pulled.pools) == (chain.genesis_hash, [str(state.address)])
    again = LocalChain()
    assert load_programs(again, tmp_path).source == f"slot {chain.slot - 1}"
    assert again.programs == chain.programs
    for address in (GLOBAL_CONFIG, AMM_FEE_CONFIG, WSOL_MINT, state.address, state.pool.pool_quote_token_account):
        assert again.account(address) == chain.account(address)
    assert again.account(other.address) is None
    key = wallet(again, 10 * SOL)
    quote = buy_exact_quote(state, schedule_of(again), SOL)
    assert again.submit(swap(again, key, state, quote, quote.limit(0))).err is None
    assert pool_state(again, state).base_reserve == state.after(quote).base_reserve


@needs_programs
def test_a_second_pull_replaces_the_first(tmp_path: Path) -> None:
    chain = LocalChain()
    load_programs(chain, program_folder())
    state = create_pool(chain, PoolSpec(), random.Random(1))
    asyncio.run(pull(LocalNode(chain), tmp_path, [state.address]))
    asyncio.run(pull(LocalNode(chain), tmp_path))
    assert not (tmp_path / "accounts" / f"{state.address}.json").exists()
    assert load_programs(LocalChain(), tmp_path).accounts


def test_a_pull_from_a_chain_without_the_programs_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="has no program pump_amm"):
        asyncio.run(pull(LocalNode(LocalChain()), tmp_path / "new"))
    assert not (tmp_path / "new").exists()


@needs_programs
def test_a_pull_refuses_what_is_no_pool_and_what_is_no_upgradeable_program(tmp_path: Path) -> None:
    chain = LocalChain()
    load_programs(chain, program_folder())
    with pytest.raises(NotFound, match="is no pool"):
        asyncio.run(pull(LocalNode(chain), tmp_path / "new", [WSOL_MINT]))
    chain.set_account(ChainAccount(PUMP_PROGRAM, LOADER, SOL, b"\3" + bytes(35)))
    with pytest.raises(ProtocolDrift, match="pump is not upgradeable"):
        asyncio.run(pull(LocalNode(chain), tmp_path / "new"))
    assert not (tmp_path / "new").exists()
