"""Random lives of a wallet: whatever happens to it, our books are the reference's, to the lamport.

`make acceptance` lives ten thousand of them (`ledger-sequences`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pumpswap.portfolio import derive, lots, movements, positions
from pumpswap.storage.database import open_database
from tests.portfolio.random_books import lives
from tests.support.postgres import fresh_database

PART = 50
EVERYTHING = {
    "buy", "sell", "fail", "nothing", "money_in", "money_out", "tokens_in", "tokens_out", "sold_by_hand", "accounts",
    "adopt", "upkeep", "refused", "killed in the middle", "disk failed", "death after", "twice", "restarts",
}  # fmt: skip


@pytest.mark.parametrize("part", range(5))
def test_books_positions_lots_and_sums_are_the_references_whatever_happens(part: int, tmp_path: Path) -> None:
    happened: Counter[str] = Counter()
    with open_database(tmp_path / "books.sqlite") as database:
        for _, life in lives(database, range(part * PART, (part + 1) * PART)):
            happened += life.counts
    assert happened.keys() >= EVERYTHING  # or something was not tested


def test_the_same_on_postgresql() -> None:
    with open_database(fresh_database()) as database:
        assert sum(life.counts["fills"] for _, life in lives(database, range(1_000, 1_012))) > 12


def rounding_up(position: positions.Position, base_units: int, received: int, at_ns: int) -> positions.Position:
    changed = _GIVEN_UP(position, base_units, received, at_ns)
    extra = 1 if changed.is_open and changed.cost_lamports else 0
    return positions.replace(
        changed,
        cost_lamports=changed.cost_lamports - extra,
        realised_lamports=changed.realised_lamports - extra,
    )


_GIVEN_UP = positions._given_up
_IN_ORDER = positions.in_order
_DEPARTURES = movements.departures


@pytest.mark.parametrize(
    ("module", "name", "wrong"),
    [
        (positions, "_given_up", rounding_up),
        (positions, "in_order", lambda held: _IN_ORDER(held)[::-1]),
        (derive, "departures", lambda movement: []),
        (lots, "departures", lambda movement: _DEPARTURES(movement)[:1]),
    ],
    ids=["cost rounded up", "oldest cut first", "foreign tokens not derived", "only the first token of a transaction"],
)
def test_a_wrong_rule_is_found(
    module: object, name: str, wrong: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, wrong)
    with open_database(tmp_path / "books.sqlite") as database, pytest.raises(AssertionError, match="seed"):
        for _ in lives(database, range(2_000, 2_200)):
            pass
