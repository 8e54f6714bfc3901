"""What stored back-tests are worth: each against everything that was tried on its history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from pumpswap.research.significance.evidence import Evidence
from pumpswap.research.significance.run_evidence import JudgedBy, Try, judged_run
from pumpswap.storage.backtests import StoredBacktest
from pumpswap.storage.database import Database

__all__ = ["JUDGED_BY", "evidence_of", "remembered"]

JUDGED_BY = "judged_by"  # in the summary of a run: no part of the result, which is compared byte by byte


def remembered(found: JudgedBy) -> dict[str, Any]:
    """As it is kept in the summary of a run."""
    return {JUDGED_BY: msgspec.to_builtins(found)}


def evidence_of(database: Database, rows: Sequence[StoredBacktest]) -> dict[int, Evidence]:
    """By run; without those that an older version has stored, which kept nothing to judge them by.

    Counted as tried: back-tests of the same history and impact that differ in anything that decides, and every set of
    the searches on that history. The same back-test made twice is one.
    """
    found: dict[int, Evidence] = {}
    shelves: dict[tuple[str, str], _Shelf] = {}
    for row in rows:
        history = row.data_sha256, row.impact
        if history not in shelves:
            shelves[history] = _Shelf(database, *history)
        evidence = shelves[history].evidence(row)
        if evidence is not None:
            found[row.run_id] = evidence
    return found


class _Shelf:
    """All that was tried on one history, with one impact."""

    def __init__(self, database: Database, data_sha256: str, impact: str) -> None:
        self._kept = {
            run_id: (key, _judged_by(summary)) for run_id, key, summary in database.backtests.tries(data_sha256, impact)
        }
        self._sets = list(_sets(database.backtests.searched_sharpes(data_sha256)))

    def evidence(self, row: StoredBacktest) -> Evidence | None:
        """Of one of them."""
        _, mine = self._kept[row.run_id]
        if mine is None:
            return None
        others: dict[str, Try] = {}
        for key, one in self._kept.values():
            if key != row.key:
                moved = None if one is None or one.moments is None else one.moments.sharpe
                others[key] = Try(mine.period_seconds if one is None else one.period_seconds, moved)
        return judged_run(mine, [*others.values(), *self._sets])


def _judged_by(summary: Mapping[str, object] | None) -> JudgedBy | None:
    kept = None if summary is None else summary.get(JUDGED_BY)
    return None if kept is None else msgspec.convert(kept, JudgedBy)


def _sets(searches: Sequence[tuple[str, list[float | None]]]) -> Iterator[Try]:
    for spec, ratios in searches:
        period = int(msgspec.json.decode(spec)["backtest"]["period_seconds"])
        yield from (Try(period, one) for one in ratios)
