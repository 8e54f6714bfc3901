"""Programs and settings accounts from a folder onto the practice chain.

The folder is what ``localnet pull`` writes (``manifest.json``, ``programs/``, ``accounts/``), or a dated dump:
``programs/*.so.gz`` with a ``MANIFEST.md`` that says the date, and ``accounts/NAME.DATE.json`` in the shape of
``solana account --output json``. Of a dated dump only the accounts of the programs' own date are taken.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import AMM_FEE_CONFIG, AMM_PROGRAM, FEES_PROGRAM, GLOBAL_CONFIG, PUMP_PROGRAM
from pumpswap.chain.node import ChainAccount
from pumpswap.errors import BadInput, NotFound
from pumpswap.localnet.chain import LocalChain

__all__ = ["MANIFEST_NAME", "PROGRAM_NAMES", "LoadedPrograms", "account_json", "load_programs", "read_account"]

PROGRAM_NAMES: Mapping[str, Pubkey] = {"pump_amm": AMM_PROGRAM, "pump_fees": FEES_PROGRAM, "pump": PUMP_PROGRAM}
MANIFEST_NAME = "manifest.json"
_DATED_MANIFEST = "MANIFEST.md"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_PULL = "get the programs with: pumpswap localnet pull"


@dataclass(frozen=True, slots=True)
class LoadedPrograms:
    """What was installed. ``source`` is the date of a dump or the slot of a pull."""

    source: str
    accounts: tuple[Pubkey, ...]


def load_programs(chain: LocalChain, folder: Path) -> LoadedPrograms:
    """Install PumpSwap, Pump Fees and Pump with their settings. Set accounts of pools come along if they were pulled.

    Raises NotFound when a program or a settings account is missing, BadInput for a broken file.
    """
    if not folder.is_dir():
        raise NotFound(f"there is no folder {folder}", hint=_PULL)
    elves = {program: _elf(folder, name) for name, program in PROGRAM_NAMES.items()}
    source, paths = _account_files(folder)
    accounts = [read_account(path) for path in paths]
    missing = {GLOBAL_CONFIG, AMM_FEE_CONFIG} - {account.address for account in accounts}
    if missing:
        names = ", ".join(sorted(map(str, missing)))
        raise NotFound(f"{folder} lacks the settings accounts {names}", hint=_PULL)
    for program, elf in elves.items():
        chain.add_program(program, elf)
    for account in accounts:
        chain.set_account(account)
    return LoadedPrograms(source, tuple(account.address for account in accounts))


def read_account(path: Path) -> ChainAccount:
    """One account file, as the Solana command line writes it. Raises BadInput."""
    try:
        raw: Any = msgspec.json.decode(path.read_bytes())
        fields = raw["account"]
        data = base64.b64decode(fields["data"][0], validate=True)
        owner, address = Pubkey.from_string(fields["owner"]), Pubkey.from_string(raw["pubkey"])
        return ChainAccount(address, owner, int(fields["lamports"]), data, bool(fields["executable"]))
    except (OSError, msgspec.DecodeError, binascii.Error, LookupError, TypeError, ValueError) as broken:
        raise BadInput(f"{path.name} is no account file: {broken}", hint=_PULL) from None


def account_json(account: ChainAccount) -> bytes:
    """An account in the shape that ``read_account`` reads."""
    fields = {
        "lamports": account.lamports,
        "data": [base64.b64encode(account.data).decode(), "base64"],
        "owner": str(account.owner),
        "executable": account.executable,
        "rentEpoch": 2**64 - 1,
        "space": len(account.data),
    }
    return msgspec.json.encode({"pubkey": str(account.address), "account": fields})


def _account_files(folder: Path) -> tuple[str, Sequence[Path]]:
    files = sorted((folder / "accounts").glob("*.json"))
    pulled = folder / MANIFEST_NAME
    if pulled.exists():
        try:
            manifest: Any = msgspec.json.decode(pulled.read_bytes())
            source = f"slot {int(manifest['slot'])}"
        except (OSError, msgspec.DecodeError, LookupError, TypeError, ValueError) as broken:
            raise BadInput(f"{pulled.name} cannot be read: {broken}", hint=_PULL) from None
        return source, files
    try:
        date = _DATE.search((folder / "programs" / _DATED_MANIFEST).read_text())
    except OSError:
        date = None
    if date is None:
        raise NotFound(f"{folder} has no manifest that dates its programs", hint=_PULL)
    return date[0], [path for path in files if date[0] in path.name.split(".")]


def _elf(folder: Path, name: str) -> bytes:
    for path in (folder / "programs" / f"{name}.so.gz", folder / "programs" / f"{name}.so"):
        if path.exists():
            return _read_elf(path, path.stat().st_mtime_ns)
    raise NotFound(f"the program {name} is not in {folder / 'programs'}", hint=_PULL)


@lru_cache(16)
def _read_elf(path: Path, _changed_ns: int) -> bytes:
    try:
        data = path.read_bytes()
        elf = gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError, gzip.BadGzipFile) as broken:
        raise BadInput(f"{path.name} cannot be read: {broken}", hint=_PULL) from None
    if elf[:4] != b"\x7fELF":
        raise BadInput(f"{path.name} is no Solana program", hint=_PULL)
    return elf
