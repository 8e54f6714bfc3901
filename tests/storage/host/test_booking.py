"""Booking beside a host that deletes, renames and locks what it likes."""

from __future__ import annotations

import random
import sqlite3
import threading
from dataclasses import replace

import psycopg
import pytest

from pumpswap.storage import Database, Run, open_database
from pumpswap.storage.host.attach import attach
from tests.storage import samples
from tests.storage.host.booking import book
from tests.storage.host.hosts import ONE, POOLS, TWO, at, pool, roles
from tests.support.host_image import connect
from tests.support.host_tables import run_script
from tests.support.postgres import fresh_database

WAIT_SECONDS = 20


def booked(url: str, table: str = "pumpswap_trades") -> list[str | None]:
    with connect(url) as connection:
        return [pool_id for (pool_id,) in connection.execute(f"SELECT pool_id FROM {table} ORDER BY id").fetchall()]


def start(database: Database, pool: str) -> Run:
    """A run with an order that only needs its outcome."""
    run = database.start_run("test", 1)
    run.save_decision(samples.decision(intent=replace(samples.decision().intent, pool=pool)))
    run.save_order(samples.order(pool=pool))
    return run


@pytest.mark.parametrize("at_once", [False, True])
def test_without_a_host_the_id_is_the_plans(small_host: str, at_once: bool) -> None:
    book(small_host, ONE, at_once=at_once)
    assert booked(small_host) == booked(small_host, "pumpswap_positions") == [f"solana_{ONE}"]


@pytest.mark.parametrize("at_once", [False, True])
def test_a_pool_that_the_host_does_not_know_has_no_id(small_host: str, at_once: bool) -> None:
    run_script(small_host, POOLS)
    attach(small_host, 1)
    book(small_host, ONE, at_once=at_once)
    assert booked(small_host) == booked(small_host, "pumpswap_positions") == [None]
    run_script(small_host, pool(ONE))
    book(small_host, ONE, at_once=at_once)
    assert booked(small_host) == [None, f"solana_{ONE}"]
    assert attach(small_host, 2).counts["linked"] == 2  # the first trade and its position, now that there is one
    assert booked(small_host) == [f"solana_{ONE}"] * 2


def test_a_host_whose_ids_are_no_texts_has_no_pool_of_ours(small_host: str) -> None:
    run_script(small_host, "CREATE TABLE pools (id INTEGER PRIMARY KEY, address TEXT, dex_id TEXT);")
    attach(small_host, 1)
    book(small_host, ONE)
    assert booked(small_host) == [None]


def test_an_error_that_is_ours_is_still_an_error(small_host: str) -> None:
    run_script(small_host, POOLS + pool(ONE))
    attach(small_host, 1)
    with open_database(small_host) as database:
        run = start(database, ONE)
        run.save_outcome(samples.filled())
        assert run.save_outcome(samples.filled()) is False
        with pytest.raises(Exception, match="is not stored"):
            run.save_outcome(samples.filled(order_id="o9"))


# ---------------------------------------------------------------- at the same moment, on PostgreSQL


@pytest.fixture
def host() -> str:
    url = fresh_database()
    run_script(url, POOLS + pool(ONE) + pool(TWO))
    attach(url, 1)
    return url


@pytest.mark.parametrize("at_once", [False, True])
def test_a_host_that_has_dropped_its_table_does_not_stop_us(host: str, at_once: bool) -> None:
    run_script(host, "DROP TABLE pools CASCADE")
    book(host, ONE, at_once=at_once)
    assert booked(host) == [None]


def test_a_pool_that_is_just_being_deleted_is_not_waited_for(host: str) -> None:
    with open_database(host) as database, psycopg.connect(host) as other:
        run = start(database, ONE)
        other.execute(f"DELETE FROM pools WHERE id = 'solana_{ONE}'")
        run.save_outcome(samples.filled())
        run.save_position(replace(samples.position(), pool=ONE))
        other.commit()
    assert booked(host) == booked(host, "pumpswap_positions") == [None]


def test_a_live_fill_in_a_pool_that_is_just_being_deleted_is_not_held_up(host: str) -> None:
    with psycopg.connect(host) as other:
        other.execute(f"DELETE FROM pools WHERE id = 'solana_{ONE}'")
        book(host, ONE, at_once=True)
        other.commit()
    assert booked(host) == booked(host, "pumpswap_positions") == [None]


def test_a_pool_that_was_deleted_after_our_transaction_began(host: str) -> None:
    with open_database(host) as database:
        run = start(database, ONE)
        with run.batch():
            run.append_entries([samples.entry()])
            run_script(host, f"DELETE FROM pools WHERE id = 'solana_{ONE}'")
            run.save_outcome(samples.filled())
        assert len([*run.trades()]) == len([*run.ledger()]) == 1
    assert booked(host) == [None]


def test_a_row_of_ours_that_the_host_has_just_emptied_can_still_be_written(host: str) -> None:
    """Its DELETE has changed our row after our transaction began: a snapshot could not write it any more."""
    with open_database(host) as database:
        run = start(database, ONE)
        position = replace(samples.position(), pool=ONE)
        run.save_position(position)
        with run.batch():
            run.append_entries([samples.entry()])
            run_script(host, f"DELETE FROM pools WHERE id = 'solana_{ONE}'")
            run.save_mark(samples.mark(pool=ONE))
            run.save_position(replace(position, sells=1))
        assert [one.sells for one in run.positions()] == [1]
    assert booked(host, "pumpswap_positions") == [None]


def test_a_row_of_ours_that_the_host_is_emptying_is_waited_for(host: str) -> None:
    with open_database(host) as database, psycopg.connect(host) as other:
        run = start(database, ONE)
        position = replace(samples.position(), pool=ONE)
        run.save_position(position)
        other.execute(f"DELETE FROM pools WHERE id = 'solana_{ONE}'")
        writer = threading.Thread(target=run.save_position, args=(replace(position, sells=1),))
        writer.start()
        _until_somebody_waits(host)
        other.commit()
        writer.join(WAIT_SECONDS)
        assert not writer.is_alive()
        assert [one.sells for one in run.positions()] == [1]
    assert booked(host, "pumpswap_positions") == [None]


def test_a_delete_that_meets_our_booking_waits_and_succeeds(host: str) -> None:
    deleted: list[int] = []

    def delete() -> None:
        with psycopg.connect(host) as other:
            deleted.append(other.execute(f"DELETE FROM pools WHERE id = 'solana_{ONE}'").rowcount)

    with open_database(host) as database:
        run = start(database, ONE)
        with run.batch():
            run.save_outcome(samples.filled())
            thread = threading.Thread(target=delete)
            thread.start()
            _until_somebody_waits(host)
        thread.join(WAIT_SECONDS)
    assert deleted == [1]
    assert booked(host) == [None]


def _until_somebody_waits(url: str) -> None:
    query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    with psycopg.connect(url, autocommit=True) as watcher:
        pause = threading.Event()
        for _ in range(WAIT_SECONDS * 50):
            (waiting,) = watcher.execute(query).fetchone() or (0,)
            if waiting:
                return
            pause.wait(0.02)
    raise AssertionError("nobody waits")


@pytest.mark.parametrize(
    ("rights", "expected"), [("SELECT", f"solana_{ONE}"), ("SELECT, UPDATE", f"solana_{ONE}"), ("INSERT", None)]
)
def test_a_trader_with_few_rights_on_the_hosts_tables(host: str, rights: str, expected: str | None) -> None:
    _, trader = roles(
        host,
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO {other}; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {other};"
        f" REVOKE ALL ON pools FROM {{other}}; GRANT {rights} ON pools TO {{other}}",
    )
    book(at(host, trader), ONE)
    assert booked(host) == [expected]


def test_a_host_at_work_never_breaks_a_booking(small_host: str) -> None:
    """It inserts and deletes the pools that are traded, as fast as it can, while 40 trades are booked."""
    run_script(small_host, POOLS)
    attach(small_host, 1)
    stop, broken, changes = threading.Event(), [], [0]

    def work() -> None:
        rng = random.Random(5)
        while not stop.is_set():
            address = rng.choice((ONE, TWO))
            try:
                with connect(small_host) as connection:
                    if rng.random() < 0.5:
                        connection.execute(f"DELETE FROM pools WHERE id = 'solana_{address}'")
                    else:
                        connection.execute(f"{pool(address).rstrip(';')} ON CONFLICT DO NOTHING")
                    connection.commit()
                changes[0] += 1
            except (sqlite3.Error, psycopg.Error) as error:
                broken.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        with open_database(small_host) as database:
            runs = [start(database, (ONE, TWO)[number % 2]) for number in range(40)]
            for number, run in enumerate(runs):
                address = (ONE, TWO)[number % 2]
                with run.batch():
                    run.save_outcome(samples.filled())
                    run.save_position(replace(samples.position(), pool=address))
                run.save_mark(samples.mark(pool=address))
                run.save_position(replace(samples.position(), pool=address, sells=1))
    finally:
        stop.set()
        worker.join(WAIT_SECONDS)
    assert broken == []
    assert changes[0] > 0
    assert len(booked(small_host)) == len(booked(small_host, "pumpswap_positions")) == 40
    with connect(small_host) as connection:
        for table in ("pumpswap_trades", "pumpswap_positions"):
            query = f"SELECT count(*) FROM {table} WHERE pool_id IS NOT NULL AND pool_id NOT IN (SELECT id FROM pools)"
            assert connection.execute(query).fetchone() == (0,)
