"""The compiled quotes against the pure Python core on 10 million random questions, most of them at some edge."""

from __future__ import annotations

from collections import Counter

import numpy as np

from tests.acceptance.check import Check, Findings, Progress
from tests.support.kernel_cases import answers_of, differences, drawn

CASES = 10_000_000
_CHUNK = 100_000
_LEAST_AT_EDGES = 0.4


def run(seed: int, progress: Progress) -> Findings:
    """Chunks, each with its own seed, so that a difference can be found again."""
    failures: list[str] = []
    statuses: Counter[int] = Counter()
    edges = 0
    for chunk in range(CASES // _CHUNK):
        batch = drawn(np.random.default_rng([seed, chunk]), _CHUNK)
        failures += [f"seed {seed}, chunk {chunk}: {one}" for one in differences(batch)]
        edges += batch.edges
        found, counts = np.unique(answers_of(batch).status, return_counts=True)
        statuses.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
        progress((chunk + 1) * _CHUNK, CASES)
    if edges < CASES * _LEAST_AT_EDGES:
        failures.append(f"only {edges:,} of {CASES:,} questions lie at an edge")
    names = {0: "quoted", 1: "a pool without reserves"}
    table = [f"{names.get(code, f'refused, {code}'):<36} {count:>12,}" for code, count in sorted(statuses.items())]
    figures = {
        "questions": CASES,
        "at_edges": edges,
        "by_status": {str(code): count for code, count in sorted(statuses.items())},
        "differences": len(failures),
    }
    notes = [
        "status, gross, the three fees, the result and the three rates of every question are the same",
        "families of fees, mayhem, cashback and creators in every combination, under every dated schedule and odd ones",
    ]
    return Findings(figures, table, failures, notes)


KERNEL = Check("kernel", f"the compiled quotes equal amm.quotes on {CASES:,} questions", lambda: None, run)
