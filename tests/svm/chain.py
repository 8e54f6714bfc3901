"""LiteSVM with the three mainnet programs and the settings accounts of 2026-06-11."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.rent import Rent
from solders.transaction import Transaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata
from solders.transaction_status import InstructionErrorCustom, TransactionErrorInstructionError

from pumpswap.amm import FeeConfig, FeeSchedule, GlobalConfig
from pumpswap.amm.addresses import (
    AMM_FEE_CONFIG,
    AMM_PROGRAM,
    FEES_PROGRAM,
    GLOBAL_CONFIG,
    PUMP_PROGRAM,
    SYSTEM_PROGRAM,
)
from tests.support.material import material

NOW = 1_781_136_000  # 2026-06-11 00:00 UTC, the day the programs and settings were read
RENT_EPOCH = 2**64 - 1
SIGNATURE_FEE = 5_000

_PROGRAMS = {"pump_amm": AMM_PROGRAM, "pump_fees": FEES_PROGRAM, "pump": PUMP_PROGRAM}
_SETTINGS_OF_THE_DAY = "*.2026-06-11.json"
_WSOL_MINT_FILE = "mint_wsol.2025-05.So111111.json"
_SELF_CALL = bytes.fromhex("e445a52e51cb9a1d")
_DISABLE_FLAGS_AT = 56


class Receipt(NamedTuple):
    """A transaction that went through. ``events`` are the AMM's own, as discriminator + payload."""

    logs: list[str]
    events: list[bytes]
    logged_events: list[bytes]
    fee: int
    compute_units: int
    inner: list[tuple[Pubkey, bytes, list[Pubkey]]]


class Failure(NamedTuple):
    """A transaction that was rejected. ``code`` is None when the runtime itself refused; ``name`` is then its word."""

    code: int | None
    name: str
    logs: list[str]
    fee: int
    compute_units: int


class Chain:
    """One practice chain. It is one state: two markets on it share the fee recipients, as on mainnet."""

    def __init__(self) -> None:
        # Logs are cut by default, and duplicates of old signatures would be refused: both are off here.
        self.svm = LiteSVM().with_log_bytes_limit(None).with_transaction_history(0)
        for name, program in _PROGRAMS.items():
            self.svm.add_program(program, _program(name))
        for path in sorted(_accounts().glob(_SETTINGS_OF_THE_DAY)):
            self.put(*read_account(path))
        self.put(*read_account(_accounts() / _WSOL_MINT_FILE))
        self.set_time(NOW)

    def set_time(self, unix_timestamp: int) -> None:
        clock = self.svm.get_clock()
        clock.unix_timestamp = unix_timestamp
        self.svm.set_clock(clock)

    def set_lamports_per_byte(self, lamports: int) -> None:
        """Another price of rent; mainnet lowered it in 2026."""
        self.svm.set_rent(Rent(lamports))

    def rent(self, size: int) -> int:
        return self.svm.minimum_balance_for_rent_exemption(size)

    def put(self, address: Pubkey, account: Account) -> None:
        self.svm.set_account(address, account)

    def write(self, address: Pubkey, owner: Pubkey, data: bytes, *, lamports: int | None = None) -> None:
        """Sets an account, rent-exempt unless ``lamports`` says otherwise."""
        balance = self.rent(len(data)) if lamports is None else lamports
        self.put(address, Account(balance, data, owner, False, RENT_EPOCH))

    def remove(self, address: Pubkey) -> None:
        self.put(address, Account(0, b"", SYSTEM_PROGRAM, False, 0))

    def fund(self, address: Pubkey, lamports: int) -> None:
        self.put(address, Account(lamports, b"", SYSTEM_PROGRAM, False, RENT_EPOCH))

    def account(self, address: Pubkey) -> Account | None:
        found = self.svm.get_account(address)
        return found if found is not None and found.lamports else None

    def lamports(self, address: Pubkey) -> int:
        found = self.svm.get_account(address)
        return found.lamports if found is not None else 0

    def disable(self, flags: int) -> None:
        """Sets GlobalConfig.disable_flags; 0 opens everything again."""
        config = self.svm.get_account(GLOBAL_CONFIG)
        assert config is not None
        data = bytearray(config.data)
        data[_DISABLE_FLAGS_AT] = flags
        self.put(GLOBAL_CONFIG, Account(config.lamports, bytes(data), config.owner, False, RENT_EPOCH))

    def schedule(self) -> FeeSchedule:
        """The fee schedule as the accounts on this chain say it."""
        config, fees = self.svm.get_account(GLOBAL_CONFIG), self.svm.get_account(AMM_FEE_CONFIG)
        assert config is not None and fees is not None
        return FeeSchedule(GlobalConfig.decode(bytes(config.data)), FeeConfig.decode(bytes(fees.data)))

    def send(self, instructions: Sequence[Instruction], signer: Keypair) -> Receipt | Failure:
        """Signs and executes one transaction."""
        # A new block hash makes every transaction unique, so that the same trade can be sent twice.
        self.svm.expire_blockhash()
        blockhash = self.svm.latest_blockhash()
        message = Message.new_with_blockhash(list(instructions), signer.pubkey(), blockhash)
        outcome = self.svm.send_transaction(Transaction([signer], message, blockhash))
        if isinstance(outcome, FailedTransactionMetadata):
            return _failure(outcome)
        return _receipt(outcome, message.account_keys)


def read_account(path: Path) -> tuple[Pubkey, Account]:
    """Address and account of one recorded account file."""
    raw = json.loads(path.read_text())
    fields = raw["account"]
    data = base64.b64decode(fields["data"][0])
    owner = Pubkey.from_string(fields["owner"])
    account = Account(fields["lamports"], data, owner, fields["executable"], fields["rentEpoch"])
    return Pubkey.from_string(raw["pubkey"]), account


def _failure(outcome: FailedTransactionMetadata) -> Failure:
    meta, error = outcome.meta(), outcome.err()
    code, name = None, str(error)
    if isinstance(error, TransactionErrorInstructionError):
        if isinstance(error.err, InstructionErrorCustom):
            code = error.err.code
        name = str(error.err).rpartition(".")[2]
    return Failure(code, name, meta.logs(), meta.fee(), meta.compute_units_consumed())


def _receipt(meta: TransactionMetadata, keys: Sequence[Pubkey]) -> Receipt:
    inner = [
        (
            keys[one.instruction().program_id_index],
            one.instruction().data,
            [keys[at] for at in one.instruction().accounts],
        )
        for group in meta.inner_instructions()
        for one in group
    ]
    events = [data[8:] for program, data, _ in inner if program == AMM_PROGRAM and data[:8] == _SELF_CALL]
    return Receipt(meta.logs(), events, _logged_events(meta.logs()), meta.fee(), meta.compute_units_consumed(), inner)


def _logged_events(logs: Sequence[str]) -> list[bytes]:
    """``Program data:`` lines written while the AMM was the running program."""
    found: list[bytes] = []
    running: list[str] = []
    amm = str(AMM_PROGRAM)
    for line in logs:
        words = line.split()
        if words[0] == "Program" and words[2:3] == ["invoke"]:
            running.append(words[1])
        elif words[0] == "Program" and len(words) > 2 and words[2].startswith(("success", "failed")):
            running.pop()
        elif line.startswith("Program data: ") and running and running[-1] == amm:
            found.append(base64.b64decode(words[2]))
    return found


@cache
def _program(name: str) -> bytes:
    return gzip.decompress((_folder("programs") / f"{name}.so.gz").read_bytes())


def _accounts() -> Path:
    return _folder("accounts")


def _folder(name: str) -> Path:
    folder = material("chain", name)
    assert folder is not None, f"the recorded chain material ({name}) is not here; the test should have been skipped"
    return folder
