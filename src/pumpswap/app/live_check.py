"""`pumpswap live check`: what an order needs, tried in order, up to a simulated round trip. Nothing is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence

from solders.pubkey import Pubkey

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import AMM_PROGRAM, WSOL_MINT
from pumpswap.app.checks import Check, CheckStatus, failed, worst_code
from pumpswap.app.live_readiness import store_check
from pumpswap.app.protocol import check_protocol
from pumpswap.chain.node import Commitment
from pumpswap.errors import ChainError, NotFound, ProtocolDrift, PumpSwapError
from pumpswap.market.gap_fill import fetch_transactions
from pumpswap.market.swaps_of import swaps_of
from pumpswap.sdk.connection import ChainConnection
from pumpswap.sdk.round_trip import RoundTrip, simulate_round_trip
from pumpswap.sdk.trading_wallet import LimitedSigner, TradingWallet
from pumpswap.units import format_sol, format_units

__all__ = ["busiest_pool", "live_check"]

_OK, _FAILED = CheckStatus.OK, CheckStatus.FAILED
_LOOKED_AT = 40  # transactions, to find the busiest pool


async def live_check(
    connection: ChainConnection, signer: LimitedSigner, lamports: int, pool: Pubkey | None = None
) -> AsyncIterator[Check]:
    """All checks, each as soon as it is done; the connection is open, so the network is the right one. When none has
    failed, that is stored in the wallet's books.

    Raises what ``TradingWallet.open`` raises: without its books there is nothing to check.
    """
    checks: list[Check] = []
    wallet = await TradingWallet.open(connection, signer, is_patient=False)
    try:
        async for check in _checked(wallet, lamports, pool):
            checks.append(check)
            yield check
        if worst_code(checks) == 0:
            store_check(wallet.books.run, connection.settings, connection.clock.now_ns())
    finally:
        await wallet.aclose()


async def _checked(wallet: TradingWallet, lamports: int, pool: Pubkey | None) -> AsyncIterator[Check]:
    connection, key = wallet.connection, wallet.signer.public_key
    yield Check("wallet", _OK, f"{key} is unlocked, and nobody else trades with it")
    yield _books(wallet)
    yield _limits(wallet, lamports)
    for check in await _endpoints(connection):
        yield check
    for check in await check_protocol(connection, payer=key):
        yield check
    try:
        state = await (busiest_pool(connection) if pool is None else connection.pool(pool))
    except PumpSwapError as error:
        yield failed("pool", error)
        return
    yield Check("pool", _OK, f"{state.address}, slot {state.slot:,}")
    try:
        trip = await simulate_round_trip(connection, state, lamports, key)
    except PumpSwapError as error:
        yield failed("round trip", error)
        return
    for check in _trip(trip):
        yield check


def _books(wallet: TradingWallet) -> Check:
    if wallet.unread:
        text = "; ".join(f"order {order_id}: {error.what}" for order_id, error in wallet.unread.items())
        return Check("books", _FAILED, text, "an order has landed and cannot be read: upgrade pumpswap", 12)
    found = wallet.reconciliation
    waiting = ", ".join(order.order_id for order in wallet.books.unresolved())
    if found is None and waiting:
        text = f"not compared with the wallet: of order {waiting} nobody knows yet whether it has landed"
        return Check("books", CheckStatus.WARNING, text, "a run follows it, and buys nothing until it is known")
    if found is None:
        return Check("books", _FAILED, "an order of before may still land", "wait, then check again", 9)
    if not found.is_balanced:
        return Check("books", _FAILED, "the books and the wallet disagree", "see pumpswap reconcile")
    return Check("books", _OK, f"the books agree with the wallet at slot {found.slot:,}")


def _limits(wallet: TradingWallet, lamports: int) -> Check:
    limits, cash = wallet.signer.limits, wallet.books.portfolio.cash
    assert limits is not None, "the wallet was opened"
    order, day = format_sol(limits.max_order_lamports), format_sol(limits.max_day_lamports)
    told = f"{format_sol(cash)} SOL; {order} an order, {day} a day"
    if cash - lamports < limits.min_reserve_lamports or cash == 0:
        hint = f"{format_sol(limits.min_reserve_lamports)} SOL must stay: send some more to it"
        if held := len(wallet.books.portfolio.positions.open_positions()):  # sold again, it is money again
            told += f"; the rest is in {held} position{'' if held == 1 else 's'}"
            return Check("balance", CheckStatus.WARNING, told, f"{hint}, or nothing is bought until they are sold")
        return Check("balance", _FAILED, told, hint, 10)
    if lamports > min(limits.max_order_lamports, limits.max_day_lamports):
        hint = f"{format_sol(lamports)} SOL are more than the limits allow: check with less"
        return Check("balance", _FAILED, told, hint, 7)
    return Check("balance", _OK, f"{told}, {format_sol(limits.min_reserve_lamports)} stay")


async def _endpoints(connection: ChainConnection) -> list[Check]:
    checks: list[Check] = []
    for health in await connection.node.refresh():
        latency = "" if health.latency_ms is None else f", {health.latency_ms:.0f} ms"
        is_usable = health.is_usable and not health.failures_in_a_row
        status = _OK if is_usable else CheckStatus.WARNING
        hint = "" if is_usable else "it is left out until it answers again"
        note = f"; {health.note}" if health.note else ""
        checks.append(Check("endpoint", status, f"{health.name}: slot {health.slot:,}{latency}{note}", hint))
    if all(check.status is not _OK for check in checks):
        checks.append(Check("endpoints", _FAILED, "none of them can be used", "see chain.endpoints", 11))
    elif len(checks) == 1:
        hint = "a second one takes over when it fails, and is a second witness of what became of an order"
        checks.append(Check("endpoints", CheckStatus.WARNING, "there is only one", hint))
    return checks


def _trip(trip: RoundTrip) -> Sequence[Check]:
    size = f"{format_sol(trip.quote_lamports)} SOL"
    if trip.buy_problem:
        return (Check("buy", _FAILED, f"{size}: it would fail: {trip.buy_problem}", "choose another --pool", 8),)
    bought = f"{format_units(trip.base_units, trip.state.base_decimals)} tokens"
    buy = Check("buy", _OK, f"simulated: {size} for {bought}, generation {trip.generation}")
    if trip.sell_problem:
        return (buy, Check("sell", _FAILED, f"it would fail: {trip.sell_problem}", "choose another --pool", 8))
    how = "simulated in the same transaction" if trip.is_sale_simulated else "by exact arithmetic on the state after"
    sell = Check("sell", _OK, f"{how}: {bought} for {format_sol(trip.returned_lamports)} SOL")
    costs = (
        f"{format_sol(trip.lost_lamports)} SOL would be gone, "
        f"{format_sol(trip.network_fee_lamports)} of it to the network; "
        f"{format_sol(trip.rent_lamports)} SOL of rent come back when the accounts are closed"
    )
    return buy, sell, Check("costs", _OK, costs)


async def busiest_pool(connection: ChainConnection) -> PoolState:
    """The canonical pool priced in SOL that most of the newest transactions have traded in. Raises NotFound."""
    node = connection.node
    lines = await node.signatures_for(AMM_PROGRAM, limit=_LOOKED_AT, commitment=Commitment.CONFIRMED)
    answers = await fetch_transactions(node, [line.signature for line in lines if line.err is None])
    seen = Counter(swap.pool for one in answers if one and not isinstance(one, ChainError) for swap in swaps_of(one))
    for pool, _ in seen.most_common():
        try:
            state = await connection.pool(Pubkey.from_string(pool))
        except (NotFound, ProtocolDrift):
            continue  # not one that this version knows: the next one will do
        if state.pool.is_canonical and state.pool.quote_mint == WSOL_MINT:
            return state
    raise NotFound("nobody has traded in a canonical pool just now", hint="name one with --pool")
