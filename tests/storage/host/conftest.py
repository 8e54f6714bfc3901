"""Host databases for the tests of this folder. The real export is loaded once per combination, then copied."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.host_tables import create_shape, host_rows, insert_rows, load_export
from tests.support.postgres import fresh_database


@dataclass(frozen=True)
class Combination:
    """One of the shapes that are in the field."""

    engine: str
    shape: str
    enhanced: bool
    delta: bool

    def __str__(self) -> str:
        parts = [self.engine, self.shape, "enhanced" if self.enhanced else "", "delta" if self.delta else ""]
        return "-".join(part for part in parts if part)


ENGINES = ("sqlite", "postgresql")
COMBINATIONS = [
    *(Combination(engine, "start-up", enhanced, delta)
      for engine in ENGINES for enhanced in (False, True) for delta in (False, True)),
    *(Combination(engine, "alembic", False, delta) for engine in ENGINES for delta in (False, True)),
]  # fmt: skip

FullHost = Callable[[Combination], str]


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> FullHost:
    made: dict[Combination, str] = {}

    def template(of: Combination) -> str:
        if of not in made:
            file = tmp_path_factory.mktemp("host") / "host.sqlite"
            url = f"sqlite:///{file}" if of.engine == "sqlite" else fresh_database()
            create_shape(url, of.shape, of.enhanced, of.delta)
            load_export(url)
            if of.enhanced:
                insert_rows(url, "new_pools_history_enhanced", list(_enhanced_rows()))
                insert_rows(url, "pool_feature_vectors", [row | {"rsi_14": "0.5"} for row in _vector_rows()])
            made[of] = url
        return made[of]

    return template


@pytest.fixture
def full_host(templates: FullHost, tmp_path: Path) -> FullHost:
    """A new database of a combination, filled with the real export."""

    def copy(of: Combination) -> str:
        url = templates(of)
        if of.engine == "postgresql":
            return fresh_database(url)
        shutil.copy(url.removeprefix("sqlite:///"), tmp_path / "host.sqlite")
        return f"sqlite:///{tmp_path / 'host.sqlite'}"

    return copy


@pytest.fixture(params=ENGINES)
def small_host(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database for a host that the test makes, on each engine."""
    return f"sqlite:///{tmp_path / 'small.sqlite'}" if request.param == "sqlite" else fresh_database()


def _enhanced_rows() -> Iterator[dict[str, str]]:
    """As the enhanced collector would write them, with its quality score."""
    for number, row in enumerate(host_rows("new_pools_history")):
        if row["dex_id"] != "pumpswap" or number % 3:
            continue
        price = row["base_token_price_usd"]
        yield {
            "pool_id": row["pool_id"],
            "timestamp": str(1_759_000_000 + number),
            "datetime": row["collected_at"],
            "collection_interval": "1h",
            "qlib_symbol": f"POOL{number}_SOLANA",
            "collected_at": row["collected_at"],
            "data_quality_score": "40" if number % 2 else "90",
            **{f"{name}_price_usd": price for name in ("open", "high", "low", "close")},
            **{name: row[name] for name in ("volume_usd_h24", "reserve_in_usd", "signal_score")},
        }


def _vector_rows() -> Iterator[dict[str, str]]:
    for row in list(_enhanced_rows())[:20]:
        yield {"pool_id": row["pool_id"], "timestamp": row["timestamp"], "feature_set_version": "v1.0"}
