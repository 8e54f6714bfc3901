"""``localnet pull``: programs, settings and pools from any endpoint into a folder that ``load_programs`` reads."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm import GlobalConfig, Pool
from pumpswap.amm.addresses import (
    AMM_FEE_CONFIG,
    AMM_PROGRAM,
    FEES_PROGRAM,
    GLOBAL_CONFIG,
    GLOBAL_VOLUME_ACCUMULATOR,
    MAYHEM_PROGRAM,
    PUMP_FEE_CONFIG,
    PUMP_GLOBAL,
    PUMP_PROGRAM,
    SYSTEM_PROGRAM,
    TOKEN_PROGRAM,
    WSOL_MINT,
    ata,
    boost_vault,
    creator_vault_ata,
)
from pumpswap.chain.node import ChainAccount, Node
from pumpswap.errors import BadInput, NotFound, ProtocolDrift
from pumpswap.localnet.programs import MANIFEST_NAME, PROGRAM_NAMES, account_json

__all__ = ["Pulled", "pull"]

_UPGRADEABLE_LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")
_PROGRAM_TAG, _PROGRAM_DATA_TAG = 2, 3
_PROGRAM_DATA_HEADER = 45
_CALL = 100
_SETTINGS = (
    GLOBAL_CONFIG,
    AMM_FEE_CONFIG,
    GLOBAL_VOLUME_ACCUMULATOR,
    PUMP_FEE_CONFIG,
    PUMP_GLOBAL,
    WSOL_MINT,
    Pubkey.find_program_address([b"global_volume_accumulator"], PUMP_PROGRAM)[0],
    Pubkey.find_program_address([b"fee-program-global"], FEES_PROGRAM)[0],
    Pubkey.find_program_address([b"global-params"], MAYHEM_PROGRAM)[0],
    Pubkey.find_program_address([b"sol-vault"], MAYHEM_PROGRAM)[0],
)
_ANOTHER_ENDPOINT = "is the endpoint on mainnet? Compare with: pumpswap doctor"


class Pulled(msgspec.Struct, frozen=True):
    """What the manifest says. ``slot`` is the oldest one that anything was read at."""

    slot: int
    genesis_hash: str
    programs: dict[str, int]
    accounts: int
    pools: list[str]


async def pull(node: Node, folder: Path, pools: Sequence[Pubkey] = ()) -> Pulled:
    """Fetch everything and only then write it; an older pull in the folder is replaced.

    Raises NotFound when a program, a setting or a pool is not there, ProtocolDrift for a program that is not
    upgradeable or a pool of an unknown layout, BadInput when the folder cannot be written, ChainError from the node.
    """
    reader = _Reader(node)
    elves = await _programs(reader)
    settings = await reader.read(_SETTINGS)
    missing = [address for address in (GLOBAL_CONFIG, AMM_FEE_CONFIG) if address not in settings]
    if missing:
        raise NotFound(f"{node.name} has no settings account {missing[0]}", hint=_ANOTHER_ENDPOINT)
    accounts = dict(settings)
    config = GlobalConfig.decode(settings[GLOBAL_CONFIG].data)
    accounts |= await reader.read([ata(owner, WSOL_MINT, TOKEN_PROGRAM) for owner in _recipients(config)])
    accounts |= await _pools(reader, pools, config)
    done = Pulled(
        slot=reader.oldest_slot,
        genesis_hash=await node.genesis_hash(),
        programs={name: len(elf) for name, elf in elves.items()},
        accounts=len(accounts),
        pools=[str(pool) for pool in pools],
    )
    _write(folder, elves, accounts, done)
    return done


class _Reader:
    """Reads in calls of 100, and remembers how old the oldest answer is."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.oldest_slot = 2**63

    async def read(self, addresses: Sequence[Pubkey]) -> dict[Pubkey, ChainAccount]:
        """Those that exist."""
        found: dict[Pubkey, ChainAccount] = {}
        for at in range(0, len(addresses), _CALL):
            answer = await self.node.accounts(addresses[at : at + _CALL])
            self.oldest_slot = min(self.oldest_slot, answer.slot)
            found |= {account.address: account for account in answer.accounts if account is not None}
        return found


async def _programs(reader: _Reader) -> dict[str, bytes]:
    found = await reader.read(list(PROGRAM_NAMES.values()))
    places: dict[str, Pubkey] = {}
    for name, program in PROGRAM_NAMES.items():
        account = found.get(program)
        if account is None:
            raise NotFound(f"{reader.node.name} has no program {name} ({program})", hint=_ANOTHER_ENDPOINT)
        if account.owner != _UPGRADEABLE_LOADER or _tag(account.data) != _PROGRAM_TAG or len(account.data) < 36:
            raise ProtocolDrift(f"the program {name} is not upgradeable any more", hint="upgrade pumpswap")
        places[name] = Pubkey.from_bytes(account.data[4:36])
    elves: dict[str, bytes] = {}
    for name, place in places.items():
        data = (await reader.read([place])).get(place)
        if data is None or _tag(data.data) != _PROGRAM_DATA_TAG or data.data[_PROGRAM_DATA_HEADER:][:4] != b"\x7fELF":
            raise ProtocolDrift(f"the data of program {name} is not where it should be", hint="upgrade pumpswap")
        elves[name] = data.data[_PROGRAM_DATA_HEADER:]
    return elves


async def _pools(reader: _Reader, pools: Sequence[Pubkey], config: GlobalConfig) -> dict[Pubkey, ChainAccount]:
    found = await reader.read(list(pools))
    for address in pools:
        if address not in found or found[address].owner != AMM_PROGRAM:
            raise NotFound(
                f"{address} is no pool on {reader.node.name}", hint="find pools with: pumpswap pool find MINT"
            )
    accounts = dict(found)
    for address in pools:
        pool = Pool.decode(found[address].data)
        mints = await reader.read([pool.base_mint, pool.quote_mint])
        if pool.quote_mint not in mints:
            raise NotFound(f"the quote mint of pool {address} is gone", hint="leave this pool out")
        program = mints[pool.quote_mint].owner
        around = [
            pool.pool_base_token_account,
            pool.pool_quote_token_account,
            pool.lp_mint,
            creator_vault_ata(pool.coin_creator, pool.quote_mint, program),
            boost_vault(address, pool.quote_mint, program),
            *(ata(owner, pool.quote_mint, program) for owner in _recipients(config)),
        ]
        # Again with the pool in one call: a pool and its vaults must be of one slot.
        accounts |= await reader.read([address, pool.base_mint, pool.quote_mint, *around])
    return accounts


def _recipients(config: GlobalConfig) -> list[Pubkey]:
    every = (
        *config.protocol_recipients(is_mayhem_mode=False),
        *config.protocol_recipients(is_mayhem_mode=True),
        *config.buyback_fee_recipients,
    )
    return [owner for owner in dict.fromkeys(every) if owner != SYSTEM_PROGRAM]


def _tag(data: bytes) -> int:
    return int.from_bytes(data[:4], "little")


def _write(folder: Path, elves: dict[str, bytes], accounts: dict[Pubkey, ChainAccount], done: Pulled) -> None:
    manifest = folder / MANIFEST_NAME
    try:
        for part in ("programs", "accounts"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        if manifest.exists():
            # Last written, first removed: a folder with a manifest is whole, and of one pull.
            manifest.unlink()
            for old in (folder / "accounts").glob("*.json"):
                old.unlink()
        for name, elf in elves.items():
            (folder / "programs" / f"{name}.so.gz").write_bytes(gzip.compress(elf, 6, mtime=0))
        for address, account in accounts.items():
            (folder / "accounts" / f"{address}.json").write_bytes(account_json(account))
        manifest.write_bytes(msgspec.json.format(msgspec.json.encode(done), indent=2))
    except OSError as failed:
        raise BadInput(f"{folder.name} cannot be written: {failed.strerror}", hint="check folder and disk") from None
