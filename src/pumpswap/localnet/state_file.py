"""The whole practice chain in one file: accounts, programs, blocks, history, journal, what is still to be executed.

A header with the version and a SHA-256 comes first; a file that was cut or changed is refused, not guessed at.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from pathlib import Path

import msgspec
from solders.hash import Hash
from solders.pubkey import Pubkey

from pumpswap.chain.node import ChainAccount, ConfirmedTransaction, RanInstruction, TokenBalance
from pumpswap.errors import BadInput, NotFound
from pumpswap.localnet.blockhashes import Block, BlockRing
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.history import History, Landed
from pumpswap.localnet.journal import Change, Journal

__all__ = ["load_chain", "save_chain"]

_MAGIC = b"pumpswap local chain 1\n"
_ANOTHER = "save the chain again with this version, or start a new one"
_AccountRow = tuple[bytes, bytes, int, bytes, bool]
_BlockRow = tuple[int, int, bytes, int]
_InstructionRow = tuple[bytes, list[bytes], bytes, int, int]
_TokenRow = tuple[int, bytes, bytes, bytes, int]


class _LandedRow(msgspec.Struct, array_like=True):
    signature: str
    slot: int
    block_time: int | None
    err: object
    fee: int
    keys: list[bytes]
    pre_balances: list[int]
    post_balances: list[int]
    pre_tokens: list[_TokenRow]
    post_tokens: list[_TokenRow]
    instructions: list[_InstructionRow]
    logs: list[str]
    compute_units: int
    raw: bytes
    writable: list[bytes]
    price: int


class _State(msgspec.Struct):
    seed: int
    start_unix: int
    slot_ms: int
    start_slot: int
    confirm_after: int
    finalize_after: int
    lamports_per_byte: int | None
    forks: int
    drops: int
    first_slot: int
    blocks: list[_BlockRow]
    programs: list[tuple[bytes, bytes]]
    accounts: list[_AccountRow]
    changes: list[tuple[int, bytes, _AccountRow | None]]
    landed: list[_LandedRow]
    waiting: list[tuple[int, bytes]]


def save_chain(chain: LocalChain, path: Path) -> None:
    """Write the chain; the old file stays whole until the new one is. Raises BadInput when that fails."""
    accounts = (chain.account(address) for address in chain.known)
    state = _State(
        seed=chain.seed,
        start_unix=chain.start_unix,
        slot_ms=chain.slot_ms,
        start_slot=chain.start_slot,
        confirm_after=chain.confirm_after,
        finalize_after=chain.finalize_after,
        lamports_per_byte=chain.lamports_per_byte,
        forks=chain.forks,
        drops=chain.drops,
        first_slot=chain.log.first_slot,
        blocks=[(block.slot, block.height, bytes(block.blockhash), block.unix_time) for block in chain.blocks.all],
        programs=[(bytes(program), elf) for program, elf in chain.programs.items()],
        accounts=[_account_row(one) for one in accounts if one is not None],
        changes=[
            (change.slot, bytes(change.address), _account_row(change.before) if change.before is not None else None)
            for change in chain.journal.all
        ],
        landed=[_landed_row(landed) for landed in chain.log],
        waiting=chain.waiting,
    )
    body = zlib.compress(msgspec.msgpack.encode(state), 1)
    draft = path.with_name(path.name + ".draft")
    try:
        draft.write_bytes(_MAGIC + hashlib.sha256(body).digest() + body)
        os.replace(draft, path)
    except OSError as failed:
        raise BadInput(f"{path.name} cannot be written: {failed.strerror}", hint="check folder and disk") from None


def load_chain(path: Path) -> LocalChain:
    """The chain as it was saved. Raises NotFound without the file, BadInput for another version or damage."""
    state = _read(path)
    chain = LocalChain(
        seed=state.seed,
        start_unix=state.start_unix,
        slot_ms=state.slot_ms,
        start_slot=state.start_slot,
        confirm_after=state.confirm_after,
        finalize_after=state.finalize_after,
    )
    chain.blocks = BlockRing(Block(slot, height, Hash(hashed), time) for slot, height, hashed, time in state.blocks)
    chain.set_clock()
    if state.lamports_per_byte is not None:
        chain.set_lamports_per_byte(state.lamports_per_byte)
    for program, elf in state.programs:
        chain.add_program(Pubkey.from_bytes(program), elf)
    for row in state.accounts:
        chain.set_account(_account(row))
    chain.journal = Journal(
        Change(slot, Pubkey.from_bytes(address), _account(row) if row is not None else None)
        for slot, address, row in state.changes
    )
    chain.log = History(state.first_slot)
    for landed in state.landed:
        chain.log.add(_landed(landed))
    chain.forks, chain.drops, chain.waiting = state.forks, state.drops, state.waiting
    return chain


def _read(path: Path) -> _State:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"there is no saved chain {path.name}", hint="start a new one, or check the path") from None
    except OSError as failed:
        raise BadInput(f"{path.name} cannot be read: {failed.strerror}", hint="check the file's rights") from None
    if not data.startswith(_MAGIC):
        raise BadInput(f"{path.name} is no saved chain of this version", hint=_ANOTHER)
    digest, body = data[len(_MAGIC) : len(_MAGIC) + 32], data[len(_MAGIC) + 32 :]
    if hashlib.sha256(body).digest() != digest:
        raise BadInput(f"{path.name} is damaged: its checksum does not fit", hint=_ANOTHER)
    try:
        return msgspec.msgpack.decode(zlib.decompress(body), type=_State)
    except (msgspec.DecodeError, zlib.error) as broken:
        raise BadInput(f"{path.name} cannot be read: {broken}", hint=_ANOTHER) from None


def _account_row(account: ChainAccount) -> _AccountRow:
    return bytes(account.address), bytes(account.owner), account.lamports, account.data, account.executable


def _account(row: _AccountRow) -> ChainAccount:
    address, owner, lamports, data, executable = row
    return ChainAccount(Pubkey.from_bytes(address), Pubkey.from_bytes(owner), lamports, data, executable)


def _landed_row(landed: Landed) -> _LandedRow:
    one = landed.transaction
    return _LandedRow(
        signature=one.signature,
        slot=one.slot,
        block_time=one.block_time,
        err=one.err,
        fee=one.fee,
        keys=[bytes(key) for key in one.keys],
        pre_balances=list(one.pre_balances),
        post_balances=list(one.post_balances),
        pre_tokens=[_token_row(held) for held in one.pre_tokens],
        post_tokens=[_token_row(held) for held in one.post_tokens],
        instructions=[
            (bytes(ran.program), [bytes(key) for key in ran.accounts], ran.data, ran.outer, ran.height)
            for ran in one.instructions
        ],
        logs=list(one.logs),
        compute_units=one.compute_units,
        raw=one.raw,
        writable=sorted(bytes(key) for key in landed.writable),
        price=landed.micro_lamports_per_unit,
    )


def _landed(row: _LandedRow) -> Landed:
    transaction = ConfirmedTransaction(
        signature=row.signature,
        slot=row.slot,
        block_time=row.block_time,
        err=row.err,
        fee=row.fee,
        keys=_keys(row.keys),
        pre_balances=tuple(row.pre_balances),
        post_balances=tuple(row.post_balances),
        pre_tokens=tuple(_token(held) for held in row.pre_tokens),
        post_tokens=tuple(_token(held) for held in row.post_tokens),
        instructions=tuple(
            RanInstruction(Pubkey.from_bytes(program), _keys(accounts), data, outer, height)
            for program, accounts, data, outer, height in row.instructions
        ),
        logs=tuple(row.logs),
        compute_units=row.compute_units,
        raw=row.raw,
    )
    return Landed(transaction, frozenset(_keys(row.writable)), row.price)


def _keys(rows: list[bytes]) -> tuple[Pubkey, ...]:
    return tuple(Pubkey.from_bytes(row) for row in rows)


def _token_row(held: TokenBalance) -> _TokenRow:
    return held.index, bytes(held.mint), bytes(held.owner), bytes(held.token_program), held.units


def _token(row: _TokenRow) -> TokenBalance:
    index, mint, owner, program, units = row
    return TokenBalance(index, Pubkey.from_bytes(mint), Pubkey.from_bytes(owner), Pubkey.from_bytes(program), units)
