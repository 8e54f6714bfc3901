"""What the tables of whoever looks on mean, column by column."""

from __future__ import annotations

from pumpswap.storage.dictionary.words import ID, MINT, POOL, RUN_ID, Meaning

__all__ = ["INSIGHT"]

INSIGHT: dict[str, Meaning] = {
    "pumpswap_deliveries": Meaning(
        "Messages about alerts on their way to a channel. Stored before they are sent, tried again after a failure and "
        "after a restart.",
        {
            "id": ID,
            "channel": "name of the channel in the settings; its address is never stored",
            "level": "the highest of the alerts in it",
            "title": "its first line",
            "body": "its text",
            "created_ns": "when it was made",
            "due_ns": "when it is tried, or tried again",
            "alerts": "how many alerts it tells of",
            "first_alert": "number of the first of them",
            "last_alert": "number of the last of them",
            "status": "`waiting`, then `sent`, or `failed` when it was given up",
            "tries": "how often it was tried",
            "sent_ns": "when the service took it",
            "error": "what went wrong the last time",
        },
    ),
    "pumpswap_mutes": Meaning(
        "Topics that nobody wants to hear of for a while: such alerts are stored, not sent.",
        {
            "id": ID,
            "topic": "what kind of thing; `*` is everything below critical",
            "subject": "which one; empty: whatever it is about",
            "until_ns": "until when",
            "at_ns": "since when",
            "origin": "who has muted it",
        },
    ),
    "pumpswap_memory": Meaning(
        "What is remembered of no run in particular, one row for each thing, replaced when it changes.",
        {
            "name": "`alerts` (up to which alert messages were made), `reports` (which were written), …",
            "document": "what is remembered, JSON",
            "updated_ns": "when it was written",
        },
    ),
    "pumpswap_spells": Meaning(
        "When the engine was able to buy, and when not, from its own heartbeats. Where no spell is, it did not run.",
        {
            "id": ID,
            "run_id": RUN_ID,
            "started_ns": "start of the process",
            "began_ns": "first heartbeat of the spell",
            "ended_ns": "last heartbeat that said the same",
            "is_able": "whether an entry could have been executed",
            "reason": "what was in the way; empty where nothing was",
        },
    ),
    "pumpswap_what_ifs": Meaning(
        "Refused buys as if they had been made: what the same money would have brought a while later.",
        {
            "run_id": RUN_ID,
            "decision_id": "the refusal",
            "horizon_seconds": "sold again after so long",
            "pool": POOL,
            "mint": MINT,
            "rule": "the first policy that refused",
            "at_ns": "when it was refused",
            "due_ns": "when it is to be measured",
            "spent_lamports": "what it would have cost, by the exact quote of that moment, all venue fees in",
            "base_units": "what it would have got",
            "measured_ns": "when it was measured; empty until then",
            "value_lamports": "what selling would have brought then, all venue fees in; empty when nobody could tell",
            "obstacle": "why nobody could tell; empty otherwise",
        },
    ),
    "pumpswap_pool_points": Meaning(
        "What the engine saw of the pools that it thought about, for charts: at most one row a minute for each.",
        {
            "run_id": RUN_ID,
            "pool": POOL,
            "at_ns": "when it looked so",
            "base_units": "the pool's base reserve",
            "effective_quote_lamports": "the quote reserve that prices: divided by the base reserve it is the price",
            "real_quote_lamports": "what of it is really there, and can be paid out",
        },
    ),
}
