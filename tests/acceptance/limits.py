"""A hundred thousand signals in wild markets, with faults and restarts: no limit is exceeded at any instant."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from pathlib import Path

from tests.acceptance.check import Check, Findings, Progress
from tests.support.limit_draws import draw_ops, draw_settings
from tests.support.limit_world import Episode, run_episode, shortened
from tests.support.stored_episode import StoredEpisode
from tests.support.why_numbers import complaints_about

__all__ = ["LIMITS"]

SIGNALS = 100_000
OPS = 400
STORED_EVERY = 10  # episodes whose restarts read everything back from SQLite


def run(seed: int, progress: Progress) -> Findings:
    """Episodes with settings of their own, until enough signals were put to the gate."""
    totals: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    failures: list[str] = []
    number = 0
    with tempfile.TemporaryDirectory(prefix="pumpswap-limits-") as folder:
        while totals["signals"] < SIGNALS:
            played = _played(seed + number, Path(folder), is_stored=number % STORED_EVERY == 0)
            number += 1
            checker = played.checker
            totals.update(
                signals=played.signals, accepted=checker.accepted, refused=checker.refused, restarts=played.restarts
            )
            totals["orders in flight at most"] = max(totals["orders in flight at most"], played.most_in_flight)
            totals["decisions worked out again"] += len(played.decisions)
            failures += [text for decision in played.decisions for text in complaints_about(decision)]
            if isinstance(played, StoredEpisode):
                failures += played.unexplained
                totals["explained by why"] += len(played.decisions)
            refusals.update(verdict.policy for decision in played.decisions for verdict in decision.refusals)
            if checker.found:
                failures.append(_told(played, seed + number - 1))
            progress(min(totals["signals"], SIGNALS), SIGNALS)
    figures = {
        "episodes": number,
        "stored_episodes": -(-number // STORED_EVERY),
        **{name.replace(" ", "_"): count for name, count in totals.items()},
        "violations_or_unexplained": len(failures),
        "refusals_in_the_sample": dict(refusals.most_common()),
    }
    table = [f"{name:<28} {count:>10,}" for name, count in totals.items()]
    notes = ["faults: rejections, denials, unknown outcomes with late fills, broken strategies and models, stale feeds"]
    return Findings(figures, table, failures, notes)


def _played(seed: int, folder: Path, *, is_stored: bool) -> Episode:
    rng = random.Random(seed)
    rules, ops = draw_settings(rng), draw_ops(rng, OPS)
    episode = StoredEpisode(seed, rules, folder=folder) if is_stored else Episode(seed, rules, mode=_mode_of(seed))
    return run_episode(episode, ops)


def _mode_of(seed: int) -> str:
    """In every fourth episode a person has to agree with each entry."""
    return "approve" if seed % 4 == 3 else "paper"


def _told(played: Episode, seed: int) -> str:
    """The violation, and the least that leads to it (where the database is not part of it)."""
    violation = played.checker.found[0]
    if isinstance(played, StoredEpisode):
        return f"{violation} in the stored episode {seed}"
    rng = random.Random(seed)
    rules, ops = draw_settings(rng), draw_ops(rng, OPS)
    least = shortened(lambda: Episode(seed, rules, mode=_mode_of(seed)), ops, violation.limit)
    return f"{violation} in episode {seed}: {least}"


LIMITS = Check("limits", f"{SIGNALS:,} random signals and market moves against every limit", lambda: None, run)
