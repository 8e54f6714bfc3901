"""``paper replay`` of a collector's database: the ledger of the same rows in files, and no password anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import answer, refusal, run
from tests.market.export_folder import OTHER_POOL, later
from tests.market.host_tables import candle, seen, traded, write_host
from tests.support.host_tables import create_shape, load_export
from tests.support.material import material, requires_material
from tests.support.postgres import fresh_database

AT = "2025-10-03 16:42:10"


def small_host(url: str) -> str:
    other = seen(id="2", pool_id=f"solana_{OTHER_POOL}", collected_at="2025-10-03 16:45:00+00")
    trades = [traded(later(AT, second), sol=f"2.{second}") for second in range(5)]
    return write_host(url, new_pools_history=[seen(), other], trades=trades, ohlcv_data=[candle()])


def test_a_file_and_a_server_give_the_same_ledger(tmp_path: Path) -> None:
    file = tmp_path / "host.db"
    small_host(f"sqlite:///{file}")
    url = small_host(fresh_database())
    figures = [
        answer("paper", "replay", target, "--data-dir", str(tmp_path / "data"))
        for target in (str(file), f"sqlite:///{file}", url)
    ]
    assert [one["snapshots"] for one in figures] == [2, 2, 2]
    assert [one["swaps"] for one in figures] == [5, 5, 5]
    assert len({one["ledger_sha256"] for one in figures}) == 1
    assert [one["path"] for one in figures[:2]] == [str(file), str(file)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "host.db"]


def test_the_password_of_a_url_is_shown_nowhere(tmp_path: Path) -> None:
    url = small_host(fresh_database()).replace("postgres:@", "postgres:hunter2@")
    data = tmp_path / "data"
    shown = run("paper", "replay", url, "--data-dir", str(data))
    assert shown.exit_code == 0, shown.output
    figures = answer("paper", "replay", url, "--data-dir", str(data))
    assert figures["path"].startswith("postgresql://postgres:***@/test_")
    written = [path for path in data.rglob("*") if path.is_file()]
    assert any(path.suffix == ".html" for path in written)
    assert not any(b"hunter2" in path.read_bytes() for path in written)
    assert "hunter2" not in shown.output + str(figures)


def test_what_cannot_be_replayed_is_refused_by_name(tmp_path: Path) -> None:
    missing = refusal(3, "paper", "replay", f"sqlite:///{tmp_path}/missing.db")
    assert "does not exist" in missing["what"]
    nowhere = refusal(1, "paper", "replay", f"postgresql://me:hunter2@/gecko?host={tmp_path}")
    assert "hunter2" not in str(nowhere)
    assert "is no database of a collector" in refusal(1, "paper", "replay", fresh_database())["what"]
    empty = refusal(1, "paper", "replay", write_host(fresh_database()))
    assert "holds nothing to replay" in empty["what"]
    refusal(4, "paper", "replay", "mysql://host/db")


@requires_material("real", "host_export")
@requires_material("host")
@pytest.mark.parametrize("shape", ["start-up", "alembic"])
def test_the_real_export_gives_the_ledger_of_its_files(tmp_path: Path, shape: str) -> None:
    url = fresh_database() if shape == "start-up" else f"sqlite:///{tmp_path / 'host.db'}"
    create_shape(url, shape)
    load_export(url)
    folder = str(material("real", "host_export"))
    from_files, from_tables = (
        answer("paper", "replay", target, "--data-dir", str(tmp_path / "data")) for target in (folder, url)
    )
    assert from_tables["ledger_sha256"] == from_files["ledger_sha256"]
    assert from_tables["decisions"] == from_files["decisions"]
    assert from_tables["scores_compared"] == (4720 if shape == "start-up" else 0)
