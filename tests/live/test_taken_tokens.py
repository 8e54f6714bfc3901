"""Somebody takes a part of what a live engine holds: its stop-loss sells what is left, at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair

from pumpswap.amm.addresses import ata
from pumpswap.localnet.pools import fund_tokens
from pumpswap.model import Denied, ExitKind, Filled, Order, Outcome, TradeSide
from tests.execution.live_world import SEED, WALLET
from tests.live.rig import Rig
from tests.localnet.practice import signed
from tests.support.material import requires_material

pytestmark = [requires_material("chain", "programs"), pytest.mark.asyncio]


def take_half(rig: Rig, units: int, *, is_signed: bool) -> None:
    """By a transaction of the same key elsewhere, or by magic that no history tells of."""
    chain, pool = rig.world.chain, rig.now()
    mint, program = pool.pool.base_mint, pool.base_token_program
    if not is_signed:
        fund_tokens(chain, WALLET, mint, program, units - units // 2)
        chain.advance(1)
        return
    there = fund_tokens(chain, Keypair().pubkey(), mint, program, 1)
    accounts = [
        AccountMeta(ata(WALLET, mint, program), False, True),
        AccountMeta(there, False, True),
        AccountMeta(WALLET, True, False),
    ]
    step = Instruction(program, b"\x03" + (units // 2).to_bytes(8, "little"), accounts)
    receipt = chain.submit(signed(Keypair.from_seed(SEED), [step], chain.blocks.newest.blockhash))
    assert receipt.err is None, receipt
    chain.advance(40)


@pytest.mark.parametrize("is_signed", [True, False], ids=["explained", "unexplained"])
async def test_a_stop_loss_sells_what_somebody_has_left(tmp_path: Path, is_signed: bool) -> None:
    rig = Rig(tmp_path, sections={"exits": {"stop_loss_bps": 1_000}})
    await rig.start()
    assert await rig.until_held()
    assert rig.held is not None
    units = rig.held.base_units
    rig.books._comparison._sleep = rig.sleep  # it gives the history a moment: of the chain, not of the machine
    take_half(rig, units, is_signed=is_signed)
    rig.others_sell(0.3)
    rest = units - units // 2
    sales: list[tuple[Order, Outcome]] = []
    for _ in range(200):
        await rig.beat()
        sales = [(order, outcome) for order, outcome in rig.told.outcomes if order.side is TradeSide.SELL]
        if sales and isinstance(sales[-1][1], Filled):
            break
    (first, denied), (second, filled) = sales
    assert isinstance(denied, Denied) and denied.rule == "insufficient funds"
    assert (first.base_units, second.base_units) == (units, rest)
    assert isinstance(filled, Filled) and second.is_urgent and filled.costs.rent_returned == 0
    assert second.slippage_bps == first.slippage_bps, "that was no failure of the price"
    assert (second.created_ns - denied.at_ns) <= 7 * 10**9
    for _ in range(40):
        await rig.beat()
    if is_signed:
        assert rig.held is None
    else:
        assert rig.held.base_units == units // 2
        state = rig.engine.desk.parts.exits.state(rig.pool)
        assert state is not None and (state.wanted, state.blocked_ns > 0) == (ExitKind.STOP_LOSS, True)
    assert len(rig.told.outcomes) == 3, "nothing more is tried of what is not there"
    rig.world.close()
