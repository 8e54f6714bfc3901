"""From a pool-state change to a signed transaction, in this process, with everything stored that must be stored.

One round is what a running system does when a stream tells it of a pool: decode the pool's account and its two vaults,
quote and plan the swap, store order and decision, build the message, let the guard read it, sign, store the attempt.
Both commits are on the disk before the round is over (SQLite, ``synchronous=FULL``). The gate is not in it. A trader
whose gate has judged stores that decision first, in a commit of its own: after each round one more is timed, apart.

The wallet holds SOL and neither account of the pair: the transaction makes both, wraps and buys. It spends all that it
has wrapped, so nothing is unwrapped; the SDK closes the account after it.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from solders.hash import Hash
from solders.keypair import Keypair

from pumpswap.amm import FeeSchedule, Pool, PoolState, TokenAccount, buy_exact_quote
from pumpswap.chain.transaction import ComputeBudget, build_message
from pumpswap.clock import SystemClock
from pumpswap.execution.live_books import LiveBooks
from pumpswap.execution.reservations import Reservation
from pumpswap.execution.swap_plan import SwapChoices, SwapPlan, WalletView, plan_swap
from pumpswap.localnet.token_bytes import token_account
from pumpswap.model import Attempt, Decision, Intent, Order, TradeSide
from pumpswap.storage.database import open_database
from pumpswap.wallet.limits import WalletLimits
from pumpswap.wallet.secret import Secret
from pumpswap.wallet.signers import LocalSigner

__all__ = ["ROUNDS", "WARM_UP", "Reaction", "reaction_figures"]

ROUNDS = 3_000
WARM_UP = 300
SEED = bytes([7]) * 32
SOL = 10**9
BUDGET = ComputeBudget(150_000, 100_000)


class Reaction(NamedTuple):
    """Milliseconds: median and 99th percentile of a whole round, the median of its parts, and a decision by itself.

    ``gated`` are rounds and decisions together: what must be stored when a gate has judged.
    """

    p50: float
    p99: float
    parts: dict[str, float]
    programs: tuple[
        str, ...
    ]  # called by the transaction, in order: the peer must have built the same and one more, which closes an account
    decision_p50: float
    gated_p50: float
    gated_p99: float


def reaction_figures(state: PoolState, schedule: FeeSchedule, folder: Path, generation: int = 1) -> Reaction:
    """Times rounds on a real file below ``folder``."""
    with tempfile.TemporaryDirectory(dir=folder) as place, open_database(Path(place) / "books.sqlite") as database:
        key = Keypair.from_seed(SEED).pubkey()
        run = database.start_run("live", 1, None, {}, wallet=str(key), network="benchmark")
        rounds = _Rounds(state, schedule, LiveBooks(run, key, SystemClock()), generation)
        return asyncio.run(rounds.run())


class _Rounds:
    def __init__(self, state: PoolState, schedule: FeeSchedule, books: LiveBooks, generation: int) -> None:
        self.state, self.schedule, self.books, self.generation = state, schedule, books, generation
        self.signer = LocalSigner(Secret(bytearray(SEED)), WalletLimits(SOL, 10**6 * SOL, 0))
        self.attempts = books.run.attempts
        self.programs: tuple[str, ...] = ()
        self.view = WalletView(self.signer.public_key, 1, 10**6 * SOL, None, None, True)
        pool = state.pool
        self.account = pool.encode()
        self.base_vault, self.quote_vault = pool.pool_base_token_account, pool.pool_quote_token_account

    async def run(self) -> Reaction:
        told = [self._account_bytes(number) for number in range(ROUNDS + WARM_UP)]
        laps, decisions = [], []
        for number in range(ROUNDS + WARM_UP):
            laps.append(await self._round(number, *told[number]))
            decisions.append(self._decision_ms())
        laps, decisions = laps[WARM_UP:], decisions[WARM_UP:]
        totals = [lap[-1] - lap[0] for lap in laps]
        names = ("decode", "quote and plan", "store the order", "build", "guard and sign", "store the attempt")
        parts = {
            name: quantiles([(lap[at + 1] - lap[at]) * 1e3 for lap in laps], n=2)[0] for at, name in enumerate(names)
        }
        _, plan = self._planned(0, self.state)
        self.programs = tuple(str(one.program_id) for one in plan.instructions)
        cuts = quantiles([total * 1e3 for total in totals], n=100)
        gated = quantiles([total * 1e3 + more for total, more in zip(totals, decisions, strict=True)], n=100)
        return Reaction(cuts[49], cuts[98], parts, self.programs, median(decisions), gated[49], gated[98])

    def _decision_ms(self) -> float:
        """One decision of the gate, stored by itself."""
        pool, mint = str(self.state.address), str(self.state.pool.base_mint)
        intent = Intent(TradeSide.BUY, pool, mint, 1, "benchmark", quote_lamports=SOL)
        decision = Decision(self.books.next_decision_id(), intent, True, (), (), SOL, 0)
        began = time.perf_counter()
        self.books.decide(decision)
        return (time.perf_counter() - began) * 1e3

    def _account_bytes(self, number: int) -> tuple[bytes, bytes, bytes]:
        """What a node would tell when somebody has traded: every round another state."""
        state, pool = self.state, self.state.pool
        base = token_account(pool.base_mint, state.address, state.base_reserve + number * 1_000)
        quote = token_account(pool.quote_mint, state.address, state.quote_vault + number)
        return self.account, base, quote

    async def _round(self, number: int, account: bytes, base: bytes, quote: bytes) -> list[float]:
        laps = [time.perf_counter()]
        state = PoolState(
            pool=Pool.decode(account),
            address=self.state.address,
            base_reserve=TokenAccount.decode(base).amount,
            quote_vault=TokenAccount.decode(quote).amount,
            base_supply=self.state.base_supply,
        )
        laps.append(time.perf_counter())
        order, plan = self._planned(number, state)
        laps.append(time.perf_counter())
        self.books.admit(order)
        laps.append(time.perf_counter())
        message = build_message(plan.instructions, self.signer.public_key, Hash.default(), BUDGET)
        laps.append(time.perf_counter())
        signed = await self.signer.sign(message, plan.spend_plan(BUDGET))
        laps.append(time.perf_counter())
        self.attempts.add(
            Attempt(
                order_id=order.order_id,
                number=1,
                signature=str(signed.signatures[0]),
                raw=bytes(signed),
                blockhash=str(Hash.default()),
                last_valid_block_height=150,
                created_ns=1,
                created_slot=1,
                compute_unit_limit=BUDGET.unit_limit,
                compute_unit_price_micro_lamports=BUDGET.unit_price_micro_lamports,
            )
        )
        laps.append(time.perf_counter())
        return laps

    def _planned(self, number: int, state: PoolState) -> tuple[Order, SwapPlan]:
        lamports = SOL // 10 + number
        bought = buy_exact_quote(state, self.schedule, lamports)
        order = Order(
            order_id=self.books.next_order_id(),
            decision_id=self.books.next_decision_id(),
            side=TradeSide.BUY,
            pool=str(state.address),
            mint=str(state.pool.base_mint),
            created_ns=1,
            limit=bought.limit(100),
            quote=bought,
            quote_lamports=lamports,
            slippage_bps=100,
            reason="benchmark",
        )
        plan = plan_swap(order, state, self.schedule, self.view, SwapChoices(self.generation), Reservation())
        assert isinstance(plan, SwapPlan), plan
        return order, plan
