"""Following wallets: over recordings, and live on a practice chain, up to the gate's answer."""

from __future__ import annotations

import asyncio
import csv
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest
from solders.pubkey import Pubkey

from pumpswap.amm import current_schedule
from pumpswap.amm.addresses import USDC_MINT
from pumpswap.app.follow import FollowDesk, Followed, follow_chain, follow_recording, learn_past
from pumpswap.clock import format_utc
from pumpswap.errors import BadInput, ConfigError
from pumpswap.market.trade_file import TRADE_COLUMNS
from pumpswap.model import Side, Swap
from pumpswap.risk.gate import PoolView
from pumpswap.sdk import ChainConnection
from pumpswap.settings import FollowedWallet, FollowSettings, Settings
from pumpswap.signals.wallet_record import WalletRecord
from tests.sdk.world import world
from tests.support.market import SOL, START_NS, at, graduate
from tests.support.material import requires_material

WALLET, STRANGER = str(Pubkey.from_bytes(b"w" * 32)), str(Pubkey.from_bytes(b"s" * 32))


def desk(wallet: str = WALLET, *, min_score: float = 75.0, **follow: object) -> FollowDesk:
    wallets = (FollowedWallet(address=wallet),)
    chosen = FollowSettings(wallets=wallets, **follow)  # type: ignore[arg-type]
    return FollowDesk(Settings(follow=chosen, signals={"min_score": min_score}))  # type: ignore[arg-type]


def trade(seconds: float, *, buy: bool, lamports: int = SOL, pool: str = "old", trader: str = WALLET) -> Swap:
    units = int(SOL / graduate().spot_price)
    return Swap(pool, at(seconds), buy, units, lamports, trader)


def taught(rounds: int) -> FollowDesk:
    made = desk()
    for number in range(rounds):
        made.follower.learn(trade(-90_000 + number, buy=True, pool=f"old{number}"))
        made.follower.learn(trade(-80_000 + number, buy=False, lamports=3 * SOL, pool=f"old{number}"))
    return made


def now(observed: float = 0.0) -> PoolView:
    return PoolView(graduate(), at(observed))


def test_nobody_to_follow_is_a_clear_refusal() -> None:
    with pytest.raises(ConfigError, match="nobody is followed"):
        FollowDesk(Settings())


def test_a_good_wallet_is_accepted_by_the_gate_and_a_new_one_refused_with_reasons() -> None:
    swap = replace(trade(0, buy=True), pool=str(graduate().address))
    found = taught(30).hear(swap, now(), START_NS, current_schedule())
    assert found is not None and found.decision is not None
    assert (found.signal.side, bool(found.decision), found.decision.quote_lamports > 0) == (Side.LONG, True, True)
    refused = taught(0).hear(swap, now(), START_NS, current_schedule())
    assert refused is not None and refused.decision is not None
    assert [verdict.policy for verdict in refused.decision.refusals] == ["signal"]


def test_the_other_gates_refuse_a_good_wallet_too() -> None:
    swap = replace(trade(0, buy=True), pool=str(graduate().address))
    stale = taught(30).hear(swap, now(-61), START_NS, current_schedule())
    assert stale is not None and stale.decision is not None
    assert [verdict.policy for verdict in stale.decision.refusals] == ["fresh state"]
    unread = taught(30).hear(swap, PoolView(None, None, "the node is away"), START_NS, current_schedule())
    assert unread is not None and unread.decision is not None
    assert unread.signal.side is Side.HOLD
    assert "the node is away" in [verdict.text for verdict in unread.decision.refusals]


def test_a_trade_whose_money_nobody_could_tell_is_in_no_record() -> None:
    made, unread = taught(0), PoolView(None, None, "the node is away")
    for buy in (True, False):
        found = made.hear(trade(0, buy=buy), unread, START_NS, current_schedule())
        assert found is not None and found.signal.side is (Side.HOLD if buy else Side.SHORT)
    assert made.follower.record(WALLET) == WalletRecord()
    made.hear(trade(0, buy=True), now(), START_NS, current_schedule())
    assert made.follower.record(WALLET).buys == 1


def test_sells_are_signals_and_need_no_gate_here() -> None:
    found = taught(3).hear(trade(0, buy=False, pool="p"), now(), START_NS, current_schedule())
    assert found is not None and (found.signal.side, found.decision) == (Side.SHORT, None)


def test_strangers_and_other_money_are_not_heard() -> None:
    made = taught(0)
    assert made.hear(trade(0, buy=True, trader=STRANGER), now(), START_NS, current_schedule()) is None
    dollars = PoolView(graduate(quote_mint=USDC_MINT), START_NS)
    assert made.hear(trade(0, buy=True), dollars, START_NS, current_schedule()) is None
    assert made.follower.record(WALLET).buys == 0


def tape(folder: Path) -> Path:
    """A tape of trades: the wallet and a stranger buy and sell by turns."""
    pool, rows = str(graduate().address), []
    for number in range(40):
        is_buy, who = number % 4 < 2, WALLET if number % 2 == 0 else STRANGER
        unix = START_NS // 10**9 + 60 * number
        sol, tokens = "1.0", "2434380.5"
        paid, got = (sol, tokens) if is_buy else (tokens, sol)
        rows.append(
            {
                "id": f"solana_{1_000 + number}_tx{number}_{number}_{unix + 5}",
                "pool_id": f"solana_{pool}",
                "block_number": str(1_000 + number),
                "tx_hash": f"tx{number}",
                "tx_from_address": who,
                "from_token_amount": paid,
                "to_token_amount": got,
                "price_usd": "200" if is_buy else "0.00008215642",
                "volume_usd": "200",
                "side": "buy" if is_buy else "sell",
                "block_timestamp": format_utc(unix * 10**9),
                "metadata_json": "{}",
            }
        )
    path = folder / "trades.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*TRADE_COLUMNS, "metadata_json"])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_tape_is_followed_in_order_and_the_record_grows_with_it(tmp_path: Path) -> None:
    made = desk()
    found = list(follow_recording(tape(tmp_path), made))
    assert [one.swap.trader for one in found] == [WALLET] * 20
    assert [one.swap.is_buy for one in found] == [True, False] * 10
    assert made.follower.record(WALLET).rounds == 10
    assert [one.signal.reasons[1][:16] for one in found[:3]] == [
        "no closed round ",
        "no closed round ",
        "1 closed round, ",
    ]
    assert all(one.decision is not None and not one.decision for one in found if one.swap.is_buy)
    whole = [one.signal for one in found]
    assert whole[:5] == [one.signal for one, _ in zip(follow_recording(tape(tmp_path), desk()), range(5), strict=False)]


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wrong.jsonl").write_text("{}\n")
    with pytest.raises(BadInput, match="no recording of a stream"):
        list(follow_recording(tmp_path / "wrong.jsonl", desk()))


@requires_material("chain", "programs")
@pytest.mark.asyncio
async def test_a_followed_wallet_that_trades_on_the_chain_becomes_signals_and_decisions(tmp_path: Path) -> None:
    async with world(tmp_path) as there:
        wallet = str(there.key.pubkey())
        follow = FollowSettings(wallets=(FollowedWallet(address=wallet),), min_rounds=1, quick_sell_seconds=0)
        settings = there.settings.model_copy(update={"follow": follow})
        async with ChainConnection(settings) as connection, there.sdk() as sdk:
            made, heard = FollowDesk(settings), asyncio.Queue[Followed]()

            async def listen() -> None:
                async with aclosing(follow_chain(connection, made)) as signals:
                    async for one in signals:
                        heard.put_nowait(one)

            listening = asyncio.create_task(listen())
            try:
                # Whatever happens after the first look at the wallet's history is heard.
                while not connection.node.health()[0].capabilities.get("signatures_for"):
                    await asyncio.sleep(0.02)
                assert (await sdk.buy(there.mint(), "0.5"))["status"] == "filled"
                first = await asyncio.wait_for(heard.get(), 120)
                assert (await sdk.sell(there.mint()))["status"] == "filled"
                second = await asyncio.wait_for(heard.get(), 120)
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
            assert (first.swap.is_buy, first.swap.trader, first.signal.side) == (True, wallet, Side.HOLD)
            assert first.signal.mint == there.mint()
            assert first.decision is not None and not first.decision
            assert "a record begins with 1 closed rounds, it has 0" in first.signal.reasons
            assert (second.signal.side, second.decision) == (Side.SHORT, None)
            learnt = FollowDesk(settings)
            assert await learn_past(connection, learnt, 100) == 2
            assert learnt.follower.record(wallet) == made.follower.record(wallet)
            assert learnt.follower.record(wallet).rounds == 1
