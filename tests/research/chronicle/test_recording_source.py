"""Recordings that tell prices alone: every state is told, nothing claims to be exact."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpswap.amm.acts import Told
from pumpswap.errors import BadInput, NotFound
from pumpswap.market.host_export import HostExport
from pumpswap.research.chronicle.sources import open_chronicle
from pumpswap.research.chronicle.step import Exactness
from pumpswap.research.chronicle.verify import verify
from tests.market.export_folder import OTHER_POOL, POOL, snapshot, trade, write_export

ROWS = [
    snapshot(),
    snapshot(id="2", collected_at="2025-10-03 10:50:58.5-06", dex_id="meteora-dbc", pool_id=f"solana_{OTHER_POOL}"),
    snapshot(id="3", collected_at="2025-10-03 11:41:58.5-06", reserve_in_usd="60000"),
]
TIMES = [
    {"id": "1", "pool_created_at_utc": "2025-10-03T16:40:44Z", "collected_at_utc": "2025-10-03T16:41:58.5Z"},
    {"id": "2", "pool_created_at_utc": "2025-10-03T16:40:44Z", "collected_at_utc": "2025-10-03T16:50:58.5Z"},
    {"id": "3", "pool_created_at_utc": "2025-10-03T16:40:44Z", "collected_at_utc": "2025-10-03T17:41:58.5Z"},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_export(tmp_path, ROWS, trades=[trade("2025-10-03 16:42:10"), trade("2025-10-03 16:43:10", "sell")])


def test_a_host_export_tells_what_it_tells_in_paper(folder: Path) -> None:
    chronicle = open_chronicle(folder)
    steps, updates = list(chronicle.steps()), list(HostExport(folder).updates())
    assert [(step.at_ns, step.pool, step.swap, step.snapshot) for step in steps] == [
        (one.at_ns, one.pool, one.swap, one.snapshot) for one in updates
    ]
    for step, update in zip(steps, updates, strict=True):
        if update.state is not None:
            assert step.after == update.state
            assert isinstance(step.act, Told)
            assert step.exactness is Exactness.TOLD
        if update.obstacle:
            assert (step.after, step.obstacle) == (None, update.obstacle)
    found = verify(chronicle)
    assert (found.exact, found.differing) == (0, 0)
    assert found.told == chronicle.counts["depth inferred"] == chronicle.counts["told"] > 2
    assert any("inferred" in text for text in chronicle.assumptions)
    assert chronicle.complete == {}


def test_its_identity_is_that_of_what_it_says(folder: Path, tmp_path: Path) -> None:
    one = open_chronicle(folder)
    assert one.identity == open_chronicle(folder).identity
    assert one.identity.source["kind"] == "host export"
    part = open_chronicle(folder, pools=(POOL,), since_ns=next(one.steps()).at_ns + 1)
    assert {step.pool for step in part.steps()} == {POOL}
    assert part.identity.sha256 != one.identity.sha256


def test_what_is_no_recording_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_chronicle(tmp_path / "absent")
    (tmp_path / "text.csv").write_text("a,b\n1,2\n")
    with pytest.raises(BadInput):
        open_chronicle(tmp_path / "text.csv")
    (tmp_path / "stream.jsonl").write_text("{}\n")
    with pytest.raises(BadInput):
        open_chronicle(tmp_path / "stream.jsonl")
