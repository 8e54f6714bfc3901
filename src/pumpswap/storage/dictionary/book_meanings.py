"""What the tables of holdings mean, column by column; and what attach adds to a host."""

from __future__ import annotations

from pumpswap.storage.dictionary.words import AT_NS, ID, MINT, POOL, RUN_ID, STAMPS, Meaning

__all__ = ["BOOKS", "HOST_COLUMNS", "PLAN", "VIEWS"]

BOOKS: dict[str, Meaning] = {
    "pumpswap_balances": Meaning(
        "Sums of the ledger, written in the same transaction as its entries. `ledger check` counts them anew.",
        {
            "run_id": RUN_ID,
            "asset": "`SOL` or a mint",
            "kind": "kind of the entries that are added up",
            "units": "their exact sum, which may exceed 64 bits",
            "entries": "how many they are",
        },
    ),
    "pumpswap_positions": Meaning(
        "What is held in a pool, round by round: a round begins with the first buy and ends when nothing is left. One "
        "round of a pool is open at a time.",
        {
            "id": ID,
            "run_id": RUN_ID,
            "round": "1 for the first round in this pool",
            "name": "name for people",
            "opened_ns": "when the round began",
            "base_units": "raw units held now",
            "cost_lamports": "what the units still held have cost: average cost, all fees in, rent apart",
            "bought_lamports": "paid in the round, fees and transaction costs in",
            "sold_lamports": "received in the round, after fees and transaction costs",
            "realised_lamports": "what sales have earned over their share of the cost",
            "rent_lamports": "rent laid down that comes back",
            "buys": "number of buys",
            "sells": "number of sales",
            "last_trade_ns": "time of the newest trade",
            "closed_ns": "when nothing was left; empty while the round is open",
            "marked_ns": "time of the last mark of exactly these units; empty from each trade to the next mark",
            "value_lamports": "what a sale of everything would bring now, by the exact quote",
            "mint_address": MINT,
            "pool_id": "the host's key of the pool; empty where an attached host has no such pool",
            "pair_address": POOL,
            "token_amount": "`base_units` in whole tokens; empty while nobody has told the coin's decimals",
            "average_buy_price": "SOL per whole token, from the cost of what is held",
            "total_sol_invested": "`cost_lamports` in SOL",
            "current_value_sol": "`value_lamports` in SOL",
            "unrealized_pnl_sol": "value minus cost, in SOL",
            "unrealized_pnl_percentage": "the same in percent of the cost",
            "first_buy_at": "`opened_ns` as a time, UTC without a zone",
            "last_trade_at": "`last_trade_ns` as a time, UTC without a zone",
            "trade_count": "buys and sales",
            "is_active": "whether the round is open",
            **STAMPS,
        },
    ),
    "pumpswap_adoptions": Meaning(
        "Tokens from outside that their owner made a position, at a cost that he named.",
        {
            "id": ID,
            "run_id": RUN_ID,
            "at_ns": AT_NS,
            "after_sequence": "the ledger entry that it follows",
            "pool": POOL,
            "mint": MINT,
            "name": "name for people",
            "base_units": "raw units that were adopted",
            "cost_lamports": "what they have cost, on their owner's word",
        },
    ),
    "pumpswap_ignored": Meaning(
        "Tokens that are none of our business: their movements are booked, but alarm nobody and stop nothing.",
        {"run_id": RUN_ID, "mint": MINT, "since_ns": "since when", "reason": "why"},
    ),
    "pumpswap_reconciliations": Meaning(
        "Comparisons of the ledger with the chain. Clean ones that follow each other are one row, which moves forward.",
        {
            "id": ID,
            "run_id": RUN_ID,
            "at_ns": AT_NS,
            "slot": "slot of the wallet's state",
            "status": "`clean`, `explained`, `unexplained` or `repaired`",
            "events": "transactions of others that were found and booked, JSON",
            "differences": "what stays unexplained by asset, JSON, numbers as text",
        },
    ),
    "pumpswap_marks": Meaning(
        "What a position would have brought at one moment, by the exact quote of a sale of all of it.",
        {
            "id": ID,
            "run_id": RUN_ID,
            "pool": POOL,
            "at_ns": "when it was valued",
            "state_ns": "age of the pool's state that it was valued at",
            "base_units": "what was valued",
            "value_lamports": "what it would have brought; 0 with an obstacle",
            "obstacle": "why it could not be sold; empty when it could",
        },
    ),
    "pumpswap_equity": Meaning(
        "The equity curve.",
        {
            "id": ID,
            "run_id": RUN_ID,
            "at_ns": "when it was measured",
            "cash_lamports": "lamports in the wallet by the ledger",
            "marks_lamports": "executable value of all that is held",
            "rent_lamports": "rent that was laid down and has not come back",
            "put_in_lamports": "what its owner has put in by then, less what was taken out; empty in older rows",
        },
    ),
    "pumpswap_alerts": Meaning(
        "What somebody must know.",
        {
            "id": ID,
            "run_id": "the run that it is about; empty where it is about none",
            "at_ns": AT_NS,
            "level": "`info`, `warning`, `error` or `critical`",
            "topic": "what kind of thing it is about",
            "subject": "which one: a mint, a pool, an endpoint",
            "text": "what happened, and what to do",
            "acknowledged_ns": "when somebody has seen it",
            "acknowledged_by": "who",
        },
    ),
    "q50_trading_history": Meaning(
        "The plan's own table: the strategy's record of Q50 signals.",
        {
            "id": ID,
            "run_id": "the run that decided about it",
            "pool_id": "the host's key of the pool",
            "timestamp": "time of the signal, Unix seconds",
            "q50_signal": "its Q50",
            "regime_classification": "volatility regime at that time",
            "position_size": "size that was chosen for a buy, SOL; 0 for none, and for a sale",
            "nautilus_order_id": "the client order id of NautilusTrader; `PS-<run>-<order>` of an order without one",
            "execution_status": "`refused`, `analysis` (nothing may be ordered), `accepted` and not ordered yet, then "
            "that of the order: `pending`, `filled`, `rejected`, `denied`, `unknown`",
            "feature_vector_id": "the host's row in `pool_feature_vectors`",
            "created_at": "UTC without a zone",
        },
    ),
    "pumpswap_attachments": Meaning(
        "Only in an attached host's database: what `db attach` has made, so that `db detach` takes away that "
        "and nothing else.",
        {
            "id": ID,
            "at_ns": "when it was made",
            "kind": "`host`, `column`, `key`, `value`, `blank` or `refused`",
            "host_table": "the host's table",
            "name": "what was made there",
            "detail": "what is needed to undo it",
        },
    ),
}


def _named(*lines: str) -> frozenset[str]:
    return frozenset(name for line in lines for name in line.split())


# Columns that the plan names, as it names them. Its own columns without a view are as exact as ours.
PLAN: dict[str, frozenset[str]] = {
    "pumpswap_trades": _named(
        "id pool_id mint_address pair_address action sol_amount token_amount price_per_token signal_score q50_value",
        "vol_regime signal_strength transaction_hash block_timestamp gas_used execution_status pnl_sol pnl_percentage",
        "holding_period_hours created_at updated_at",
    ),
    "pumpswap_positions": _named(
        "id mint_address pool_id token_amount average_buy_price total_sol_invested current_value_sol",
        "unrealized_pnl_sol unrealized_pnl_percentage first_buy_at last_trade_at trade_count is_active created_at",
        "updated_at",
    ),
    "q50_trading_history": _named(
        "pool_id timestamp q50_signal regime_classification position_size nautilus_order_id execution_status",
        "feature_vector_id",
    ),
}

# Views for people: written by us beside the exact columns, in SOL and whole tokens, and never read back.
VIEWS: dict[str, frozenset[str]] = {
    "pumpswap_trades": PLAN["pumpswap_trades"] - _named("id mint_address pair_address action transaction_hash"),
    "pumpswap_positions": PLAN["pumpswap_positions"] - _named("id mint_address"),
}

# (table, column, type, meaning) of what attach adds to a host's own tables.
HOST_COLUMNS = (
    (
        "pools",
        "pumpswap_pair_address",
        "VARCHAR",
        "the pool's address on PumpSwap; filled where `dex_id` is `pumpswap`",
    ),
    ("new_pools_history_enhanced", "pumpswap_available", "BOOLEAN DEFAULT FALSE", "whether PumpSwap can trade it"),
)
