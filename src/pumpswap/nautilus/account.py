"""The account that Nautilus sees is our ledger: SOL and every token of an instrument, to the last unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nautilus_trader.model.objects import AccountBalance, Currency

from pumpswap.model import SOL as SOL_ASSET
from pumpswap.model import Order, TradeSide
from pumpswap.nautilus.money import sol, tokens
from pumpswap.portfolio.portfolio import Portfolio

__all__ = ["Held", "balances_of", "held_of"]

Held = dict[str, tuple[int, int]]  # (total, locked) in raw units, by asset


def held_of(portfolio: Portfolio, orders: Iterable[Order], mints: Iterable[str]) -> Held:
    """What the books have of SOL and of these mints, zeros included: Nautilus keeps what it is not told.

    ``locked`` is what orders on their way may take.
    """
    waiting = list(orders)
    spent = sum(order.quote_lamports for order in waiting if order.side is TradeSide.BUY)
    cash = max(portfolio.cash, 0)
    held = {SOL_ASSET: (cash, min(spent, cash))}
    for mint in mints:
        units = max(portfolio.ledger.balance(mint), 0)
        sold = sum(order.base_units for order in waiting if order.side is TradeSide.SELL and order.mint == mint)
        held[mint] = (units, min(sold, units))
    return held


def balances_of(held: Held, currencies: Mapping[str, Currency]) -> list[AccountBalance]:
    """The same for Nautilus; ``currencies`` are the tokens', by mint. Raises BadInput beyond what it can hold."""
    made = []
    for asset, (total, locked) in held.items():
        parts = (total, locked, total - locked)
        if asset == SOL_ASSET:
            made.append(AccountBalance(*map(sol, parts)))
        else:
            made.append(AccountBalance(*(tokens(units, currencies[asset]) for units in parts)))
    return made
