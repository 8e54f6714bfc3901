"""Orders that another system has named: each name is one order, also for the next process."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpswap.errors import StorageError
from pumpswap.storage import Database, Run, migrate, open_database
from pumpswap.storage.engines import make_engine
from tests.storage import samples, stranger


def _order(run: Run, number: int, name: str) -> None:
    run.save_decision(samples.decision(number))
    run.save_order(samples.order(number, client_order_id=name))


def test_an_order_is_found_by_the_name_that_another_system_gave_it(database: Database) -> None:
    run, other = database.start_run("test", 1), database.start_run("test", 2)
    _order(run, 1, "O-20261126-001-1")
    _order(run, 2, "")
    _order(run, 3, "")
    _order(other, 1, "O-20261126-001-1")  # the same name in another run is another order
    found = run.ids.order_of_client("O-20261126-001-1")
    assert found == samples.order(1, client_order_id="O-20261126-001-1")
    assert [one.client_order_id for one in run.orders()] == ["O-20261126-001-1", "", ""]
    assert run.ids.order_of_client("") is None
    assert run.ids.order_of_client("O-20261126-001-2") is None


def test_a_name_is_given_once_in_a_run(database: Database) -> None:
    run = database.start_run("test", 1)
    _order(run, 1, "O-1")
    with pytest.raises(StorageError):
        _order(run, 2, "O-1")
    assert [one.order_id for one in run.orders()] == ["o000001"]


def test_an_upgrade_leaves_earlier_orders_without_a_name(target: str | Path) -> None:
    with open_database(target) as database:
        _order(database.start_run("test", 1), 1, "")
    engine = make_engine(target)
    migrate.downgrade(engine, "0008")
    assert "client_order_id" not in stranger.columns_of(target, "pumpswap_orders")
    migrate.upgrade(engine)
    engine.dispose()
    with open_database(target) as database:
        (header,) = database.runs()
        assert [*database.run(header.run_id).orders()] == [samples.order(1)]
