"""Doctor: everything that must be right before money moves, asked in the order in which it depends on each other."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from fractions import Fraction

from solders.pubkey import Pubkey

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import AMM_PROGRAM
from pumpswap.app.checks import Check, CheckStatus, failed
from pumpswap.app.protocol import check_protocol
from pumpswap.chain.balances import wallet_holdings
from pumpswap.chain.node import Commitment
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import NotFound, PumpSwapError
from pumpswap.sdk.connection import ChainConnection
from pumpswap.settings import Settings
from pumpswap.storage.database import open_database
from pumpswap.units import format_units
from pumpswap.wallet import Keystore, default_keystore_path, read_keystore

__all__ = ["examine"]

_LEAST_FREE_BYTES = 500 * 1024 * 1024
_MOST_SKEW_SECONDS = 30
_OK, _WARNING = CheckStatus.OK, CheckStatus.WARNING


async def examine(settings: Settings, pool: Pubkey | None = None) -> AsyncIterator[Check]:
    """All checks, each as soon as it is done. ``pool`` is an address or a mint to show a price of."""
    yield _disk(settings)
    yield _database(settings)
    wallet, check = _wallet(settings)
    yield check
    try:
        connection = ChainConnection(settings)
    except PumpSwapError as error:
        yield failed("configuration", error)
        return
    yield Check("configuration", _OK, f"network {settings.chain.network}, {len(settings.chain.endpoints)} endpoint(s)")
    try:
        try:
            await connection.open()
        except PumpSwapError as error:
            yield failed("network", error)
            return
        async for check in _online(connection, wallet, pool):
            yield check
    finally:
        await connection.aclose()


async def _online(connection: ChainConnection, wallet: Keystore | None, pool: Pubkey | None) -> AsyncIterator[Check]:
    node = connection.node
    for health in await node.refresh():
        latency = "" if health.latency_ms is None else f", {health.latency_ms:.0f} ms"
        lag = f", {health.lag_slots} slots behind" if health.lag_slots else ""
        text = f"{health.name}: slot {health.slot:,}{latency}{lag}{f'; {health.note}' if health.note else ''}"
        usable = health.is_usable and not health.failures_in_a_row
        hint = "" if usable else "it is left out until it answers again"
        yield Check("endpoint", _OK if usable else _WARNING, text, hint)
    yield await _clock(connection)
    states: list[PoolState] = []
    if pool is not None:
        try:
            state = await connection.pool(pool)
        except PumpSwapError as error:
            yield failed("pool", error)
        else:
            states.append(state)
            yield Check("pool", _OK, f"{state.address}: {_price(state)} SOL per token, slot {state.slot:,}")
    payer = wallet.public_key if wallet is not None else None
    for check in await check_protocol(connection, states, payer=payer):
        yield check
    if wallet is not None:
        yield await _balance(connection, wallet)


def _disk(settings: Settings) -> Check:
    folder = settings.data_dir
    existing = next((one for one in (folder, *folder.parents) if one.exists()), folder)
    free = shutil.disk_usage(existing).free
    text = f"{folder}: {free / 2**30:.1f} GiB free"
    if free < _LEAST_FREE_BYTES:
        return Check("disk", _WARNING, text, "make room: what cannot be stored is not traded")
    return Check("disk", _OK, text)


def _database(settings: Settings) -> Check:
    try:
        with open_database(settings.database_target) as database:
            where, runs = database.location, len(database.runs())
    except PumpSwapError as error:
        return failed("database", error)
    return Check("database", _OK, f"{where} opens, {runs} run(s) in it")


def _wallet(settings: Settings) -> tuple[Keystore | None, Check]:
    try:
        keystore = read_keystore(default_keystore_path(settings))
    except NotFound:
        return None, Check("wallet", _WARNING, "there is none yet", "needed for live trading: pumpswap wallet create")
    except PumpSwapError as error:
        return None, failed("wallet", error)
    configured = settings.wallet.public_key
    if configured is not None and configured != str(keystore.public_key):
        text = f"the keystore is of {keystore.public_key}, the settings want {configured}"
        return None, Check("wallet", CheckStatus.FAILED, text, "change wallet.public_key or wallet.keystore", 4)
    if keystore.limits is None:
        hint = "live trading needs them: pumpswap wallet limits"
        return keystore, Check("wallet", _WARNING, f"{keystore.public_key}, without limits", hint)
    return keystore, Check("wallet", _OK, f"{keystore.public_key}, limits are set")


async def _clock(connection: ChainConnection) -> Check:
    """Against the chain's own time, as the newest final transaction of anybody tells it."""
    now = connection.clock.now_ns() // NS_PER_SECOND
    try:
        lines = await connection.node.signatures_for(AMM_PROGRAM, limit=1, commitment=Commitment.CONFIRMED)
    except PumpSwapError as error:
        return failed("clock", error)
    told = lines[0].block_time if lines else None
    if told is None:
        return Check("clock", _OK, "the chain has no recent transaction to compare with")
    ahead = told - now
    if ahead > _MOST_SKEW_SECONDS:
        hint = "set this machine's clock: ages of states and limits of a day are reckoned by it"
        return Check("clock", _WARNING, f"{ahead} s behind the chain", hint)
    return Check("clock", _OK, "not behind the chain's newest transaction")


async def _balance(connection: ChainConnection, wallet: Keystore) -> Check:
    try:
        held = await wallet_holdings(connection.node, wallet.public_key)
    except PumpSwapError as error:
        return failed("balance", error)
    tokens = len([one for one in held.accounts if one.units])
    wrapped = format_units(held.wrapped_lamports, 9)
    text = f"{format_units(held.sol_lamports, 9)} SOL ({wrapped} wrapped), {tokens} token(s)"
    if held.native_lamports == 0:
        return Check("balance", _WARNING, text, "send SOL to it; on the practice chain: pumpswap localnet airdrop")
    return Check("balance", _OK, text)


def _price(state: PoolState) -> str:
    exact = state.spot_price * Fraction(10) ** (state.base_decimals - state.quote_decimals)
    return f"{float(exact):.6g}"
