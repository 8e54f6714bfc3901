"""What the tables of the running engine mean, column by column."""

from __future__ import annotations

from pumpswap.storage.dictionary.words import ID, MINT, POOL, RUN_ID, Meaning

__all__ = ["RUNNING"]

RUNNING: dict[str, Meaning] = {
    "pumpswap_states": Meaning(
        "What a running engine must remember over a restart, one row for each thing, replaced when it changes in the "
        "same transaction as what changed it.",
        {
            "run_id": RUN_ID,
            "name": "`risk` (locks, circuit breaker, day, faults), `trading` (what a person has set: only a command "
            "writes it), `exits/…` (the exits of the open round in that pool), `place/…` (where a feed stands), "
            "`shadow` (what paper trades have changed in their pools, which no chain tells), `heartbeat`; of live "
            "runs `heard` (which outcomes risk and exits know of), `capital` (what was put in, as risk knows it), "
            "`live check` (the last one that has passed)",
            "document": "what is remembered, JSON",
            "updated_ns": "when it was written",
        },
    ),
    "pumpswap_commands": Meaning(
        "What somebody at another terminal wants of the running engine (`pumpswap pause`, `halt`, `panic`, …). Stored "
        "first, answered in the same row.",
        {
            "id": ID,
            "run_id": RUN_ID,
            "at_ns": "when it was given",
            "verb": "`pause`, `resume`, `exits-only`, `halt`, `panic`, `close` or `stop`",
            "origin": "who gave it: user, host, process",
            "arguments": "what else it says, JSON",
            "status": "`waiting`, then `done` or `failed`",
            "answer": "what the engine did, in a sentence",
            "done_ns": "when it was answered",
        },
    ),
    "pumpswap_proposals": Meaning(
        "Accepted buys that wait for a person, in the mode `approve`.",
        {
            "run_id": RUN_ID,
            "decision_id": "the decision that is proposed",
            "pool": POOL,
            "mint": MINT,
            "name": "name for people",
            "quote_lamports": "its budget",
            "at_ns": "when it was proposed",
            "expires_ns": "an approval after this does nothing",
            "status": "`waiting`; `approved` or `declined` by a person; then `ordered`, `refused` by the gate when it "
            "was asked again, `declined` or `expired`",
            "origin": "who answered",
            "decided_ns": "when it was answered",
            "acted": "whether the engine has acted on the answer",
            "follow_up": "the decision that its approval led to",
        },
    ),
}
