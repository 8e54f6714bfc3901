"""What the tables of back-tests mean, column by column."""

from __future__ import annotations

from pumpswap.storage.dictionary.words import RUN_ID, Meaning

__all__ = ["TRYING"]

_DATA = "hash of the history, over every step of it"
_ENGINE = "hash of the package's own code that decides a result: versions may be equal between releases"

TRYING: dict[str, Meaning] = {
    "pumpswap_backtests": Meaning(
        "What decided a back-test and what came out, beside its run and its books. The same key gives the same result, "
        "to the byte.",
        {
            "run_id": RUN_ID,
            "key": "the first 16 digits of the hash of `spec`",
            "name": "what its owner calls it; may be the empty text",
            "strategy": "name of its strategy",
            "impact": "`counterfactual`: the market feels our trades; `naive`: it does not",
            "data_sha256": _DATA,
            "version": "version of the package",
            "engine_sha256": _ENGINE,
            "twin_run_id": "the run of the other impact that was made with it; empty where there is none",
            "spec": "everything that decides the result, JSON",
            "ledger_sha256": "hash of its ledger",
            "result_sha256": "hash of `result`",
            "result": "what came out, JSON: its very bytes are repeated",
        },
    ),
    "pumpswap_sweeps": Meaning(
        "Searches for good settings: one row each.",
        {
            "sweep_id": "number of the search, given by the database",
            "key": "the first 16 digits of the hash of `spec`",
            "name": "what its owner calls it; may be the empty text",
            "method": "`grid`, `random` or `optuna`",
            "data_sha256": _DATA,
            "version": "version of the package",
            "engine_sha256": _ENGINE,
            "trials": "how many trials it has when it is done",
            "seed": "seed of its random numbers, as text",
            "started_ns": "when it began",
            "finished_ns": "when it was done; empty until then, and while it waits to be resumed",
            "spec": "everything that decides its trials, JSON",
            "summary": "its figures at the end, JSON",
        },
    ),
    "pumpswap_trials": Meaning(
        "The trials of searches: one set of settings on one part of the history.",
        {
            "sweep_id": "the search that it belongs to",
            "number": "its place in the search",
            "role": "what its part of the history is for, as its search names it: `whole`, `train`, `test`",
            "params": "the settings that were tried, JSON",
            "net_lamports": "what it has earned, what is still held valued as if sold",
            "fills": "orders that were filled",
            "rounds": "rounds that were closed",
            "max_drawdown_lamports": "deepest fall of its equity from its highest",
            "sharpe": "Sharpe ratio over its own periods, for queries; empty where there is none",
            "path": "`kernel` or `engine`: which of the two equal ways computed it",
            "result": "all of it, MessagePack",
        },
    ),
}
