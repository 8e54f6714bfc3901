"""Which runs there are, and which of them engines keep."""

from __future__ import annotations

from pathlib import Path

from pumpswap.app.views.runs import runs
from pumpswap.clock import ManualClock
from pumpswap.model import Heartbeat
from pumpswap.settings import Settings
from pumpswap.storage import open_database
from tests.support.statements import statements_of

NOW = 10**18


def test_runs_are_told_in_few_questions_however_many_were_never_finished(tmp_path: Path) -> None:
    settings, clock = Settings(data_dir=tmp_path), ManualClock(NOW)
    with open_database(settings.database_target) as database:
        asked = []
        for count in (5, 40):
            while database.count_runs() < count:
                database.start_run("paper", database.count_runs(), settings={"a": 1})
            beats = {count: NOW, count - 1: NOW - 10**15}
            for run_id, at_ns in beats.items():
                database.run(run_id).states.beat(Heartbeat(at_ns, 1, 7, "paper"))
            with statements_of(database) as seen:
                found = runs(database, settings, clock)
            asked.append(len(seen))
            assert found.total == count
            assert [row.run_id for row in found.rows] == list(range(count, 0, -1))
            database.run(count).finish(5, {})
            assert [row.run_id for row in found.rows if row.is_running] == [count]
        assert asked[0] == asked[1]
