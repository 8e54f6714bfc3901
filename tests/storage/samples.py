"""One plausible object of each kind; tests change what they are about."""

from __future__ import annotations

from typing import Any

from pumpswap.amm import BuyQuote, SellQuote
from pumpswap.model import (
    SOL,
    Costs,
    Decision,
    EntryKind,
    Filled,
    Intent,
    LedgerEntry,
    Mark,
    Order,
    Position,
    Side,
    Signal,
    SizingStep,
    TradeSide,
    Verdict,
)

POOL, MINT = "Pool1111", "Mint1111"
NS = 1_793_577_600 * 10**9  # 2026-11-02 00:00 UTC
SIGNAL = Signal(POOL, NS, Side.LONG, 82.5, 0.825, "base", ("volume up 40 %",), MINT, "TEST")


def buy_quote(**changes: Any) -> BuyQuote:
    fields = {
        "gross_quote": 988_142_291,
        "lp_fee": 1_976_285,
        "protocol_fee": 494_072,
        "creator_fee": 9_387_352,
        "cashback": 0,
        "buyback_fee": 247_036,
        "lp_bps": 20,
        "protocol_bps": 5,
        "creator_bps": 95,
        "base_reserve": 184_400_623_951_633,
        "effective_quote_reserve": 95_392_576_430,
        "base_out": 1_890_565_428_945,
        "total_quote": 1_000_000_000,
        "spendable_quote": 1_000_000_000,
    }
    return BuyQuote(**{**fields, **changes})


def sell_quote(**changes: Any) -> SellQuote:
    fields = {
        "gross_quote": 500_000_000,
        "lp_fee": 1_000_000,
        "protocol_fee": 250_000,
        "creator_fee": 0,
        "cashback": 4_750_000,
        "buyback_fee": 0,
        "lp_bps": 20,
        "protocol_bps": 5,
        "creator_bps": 95,
        "base_reserve": 184_400_623_951_633,
        "effective_quote_reserve": 2**64 + 5,
        "base_in": 900_000_000_000,
        "user_quote_out": 494_000_000,
    }
    return SellQuote(**{**fields, **changes})


def decision(number: int = 1, **changes: Any) -> Decision:
    intent = Intent(TradeSide.BUY, POOL, MINT, NS, "base score 82.5", SIGNAL)
    fields: dict[str, Any] = {
        "decision_id": f"d{number:06d}",
        "intent": intent,
        "accepted": True,
        "verdicts": (Verdict("liquidity", True, "95.39 SOL of 20 needed", {"depth": "95392576430"}),),
        "sizing": (SizingStep("per trade", 10**9, "1 SOL"),),
        "quote_lamports": 10**9,
    }
    return Decision(**{**fields, **changes})


def order(number: int = 1, **changes: Any) -> Order:
    fields: dict[str, Any] = {
        "order_id": f"o{number:06d}",
        "decision_id": f"d{number:06d}",
        "side": TradeSide.BUY,
        "pool": POOL,
        "mint": MINT,
        "created_ns": NS,
        "limit": 1_800_000_000_000,
        "quote": buy_quote(),
        "quote_lamports": 10**9,
        "slippage_bps": 500,
        "reason": "base score 82.5",
    }
    return Order(**{**fields, **changes})


def filled(number: int = 1, **changes: Any) -> Filled:
    costs = Costs(network_fee=5_000, priority_fee=30_000, rent_paid=2_039_280)
    fields: dict[str, Any] = {
        "order_id": f"o{number:06d}",
        "at_ns": NS + 800_000_000,
        "slot": 460_000_147,
        "executed": buy_quote(base_out=1_880_000_000_000),
        "costs": costs,
        "signature": "paper-1",
    }
    return Filled(**{**fields, **changes})


def entry(sequence: int = 1, units: int = 10**9, **changes: Any) -> LedgerEntry:
    fields: dict[str, Any] = {"at_ns": NS, "asset": SOL, "kind": EntryKind.DEPOSIT}
    return LedgerEntry(sequence=sequence, units=units, **{**fields, **changes})


def position(**changes: Any) -> Position:
    fields: dict[str, Any] = {
        "pool": POOL,
        "mint": MINT,
        "round": 1,
        "opened_ns": NS,
        "base_units": 1_880_000_000_000,
        "cost_lamports": 1_000_035_000,
        "bought_lamports": 1_000_035_000,
        "rent_lamports": 2_039_280,
        "buys": 1,
        "last_trade_ns": NS,
        "name": "TEST / SOL",
    }
    return Position(**{**fields, **changes})


def mark(**changes: Any) -> Mark:
    fields: dict[str, Any] = {
        "pool": POOL,
        "at_ns": NS + 10**9,
        "state_ns": NS,
        "base_units": 1_880_000_000_000,
        "value_lamports": 1_200_000_000,
    }
    return Mark(**{**fields, **changes})
