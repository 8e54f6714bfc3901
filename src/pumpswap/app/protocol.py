"""Does the chain still speak the dialect of this version? Layouts, recipients, switches, instructions (P13 to P15)."""

from __future__ import annotations

from collections.abc import Sequence

from solders.pubkey import Pubkey

from pumpswap.amm import FeeSchedule, PoolState, current_schedule
from pumpswap.amm.addresses import AMM_PROGRAM
from pumpswap.amm.pool import KNOWN_POOL_LENGTHS
from pumpswap.app.checks import Check, CheckStatus, failed
from pumpswap.chain.generation import GenerationProbe, deployment_of
from pumpswap.errors import PumpSwapError
from pumpswap.sdk.connection import ChainConnection

__all__ = ["check_protocol"]

_DRIFT = 12
_UPGRADE = "stop trading and upgrade pumpswap"


async def check_protocol(
    connection: ChainConnection, pools: Sequence[PoolState] = (), *, payer: Pubkey | None = None
) -> list[Check]:
    """All checks; the accounts of ``pools`` are looked at too. What cannot be asked is a failed check, not an error.

    ``payer`` is an account to simulate for; without it one that the settings account names is taken.
    """
    try:
        read = await connection.schedules.read()
    except PumpSwapError as error:
        return [failed("settings accounts", error)]
    schedule = read.schedule
    checks = [_layouts(read.drift, read.slot), _recipients(schedule), *_switches(schedule), _rates(schedule)]
    checks.append(await _program(connection, schedule, payer))
    checks += [_pool(state) for state in pools]
    return checks


def _layouts(drift: Sequence[str], slot: int) -> Check:
    if drift:
        return Check("settings accounts", CheckStatus.FAILED, "; ".join(drift), _UPGRADE, _DRIFT)
    return Check("settings accounts", CheckStatus.OK, f"GlobalConfig and FeeConfig have known layouts, slot {slot}")


def _recipients(schedule: FeeSchedule) -> Check:
    """Trades use the chain's own list, so a change is no error; but code that has the old one fails with 6013."""
    ours, theirs = current_schedule().global_config, schedule.global_config
    lists = (
        ("protocol", ours.protocol_fee_recipients, theirs.protocol_fee_recipients),
        ("mayhem", ours.protocol_recipients(is_mayhem_mode=True), theirs.protocol_recipients(is_mayhem_mode=True)),
        ("buyback", ours.buyback_fee_recipients, theirs.buyback_fee_recipients),
    )
    changed = [name for name, mine, chain in lists if set(mine) != set(chain)]
    if changed:
        text = f"{' and '.join(changed)} recipients differ from those of this version"
        return Check("fee recipients", CheckStatus.WARNING, text, "trades use the chain's list; nothing to do")
    return Check("fee recipients", CheckStatus.OK, "as this version knows them")


def _switches(schedule: FeeSchedule) -> list[Check]:
    config = schedule.global_config
    off = [name for name, is_off in (("buys", config.buys_disabled), ("sells", config.sells_disabled)) if is_off]
    if off:
        hint = "wait; trades would be refused with 6020 or 6021"
        return [Check("switches", CheckStatus.FAILED, f"{' and '.join(off)} are disabled", hint, 8)]
    return [Check("switches", CheckStatus.OK, "buys and sells are on")]


def _rates(schedule: FeeSchedule) -> Check:
    mine, chain = current_schedule().fee_config, schedule.fee_config
    same = (mine.flat_fees, mine.fee_tiers) == (chain.flat_fees, chain.fee_tiers)
    if same:
        return Check("fees", CheckStatus.OK, "flat fees and SOL tiers are those of this version's newest schedule")
    text = "the chain's fees differ from this version's newest schedule"
    return Check("fees", CheckStatus.WARNING, text, "quotes on the chain use its own; offline quotes may be off")


async def _program(connection: ChainConnection, schedule: FeeSchedule, wallet: Pubkey | None) -> Check:
    try:
        deployment = await deployment_of(connection.node, AMM_PROGRAM)
        payer = await _payer(connection, schedule, wallet)
        if payer is None:
            text = f"deployment {deployment}; no funded account to simulate with, so its instructions are not known"
            return Check("program", CheckStatus.WARNING, text, "fund the wallet, then ask again")
        known = await GenerationProbe(connection.node, payer).generations()
    except PumpSwapError as error:
        return failed("program", error)
    names = " and ".join(str(number) for number in sorted(known.known))
    text = f"deployment {deployment} knows swap instructions of generation {names}"
    return Check("program", CheckStatus.OK, text)


async def _payer(connection: ChainConnection, schedule: FeeSchedule, wallet: Pubkey | None) -> Pubkey | None:
    """An account with lamports. Nothing is signed or paid: anybody can stand as the payer of a simulation."""
    config = schedule.global_config
    named = [config.admin, *config.protocol_fee_recipients, *config.buyback_fee_recipients]
    answer = await connection.node.accounts(list(dict.fromkeys([wallet, *named] if wallet else named)))
    funded = (one.address for one in answer.accounts if one is not None and one.lamports and not one.data)
    return next(funded, None)


def _pool(state: PoolState) -> Check:
    size = state.pool.account_len
    name = f"pool {str(state.address)[:8]}…"
    if size not in KNOWN_POOL_LENGTHS or any(state.pool.tail):
        return Check(name, CheckStatus.FAILED, f"{size} bytes: an unknown layout", _UPGRADE, _DRIFT)
    return Check(name, CheckStatus.OK, f"{size} bytes, a known layout")
