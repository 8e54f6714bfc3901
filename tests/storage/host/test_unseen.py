"""Hosts that nobody has seen: made by hand, half made, odd."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from solders.pubkey import Pubkey

from pumpswap.errors import NotFound, StorageError
from pumpswap.storage.host.attach import attach
from pumpswap.storage.host.detach import detach
from pumpswap.storage.host.pairs import bare_address
from pumpswap.storage.host.plan import StepState
from tests.storage.host.booking import book
from tests.storage.host.hosts import ONE, POOLS, TWO, image, pairs, pool, round_trip, step
from tests.support.host_image import connect
from tests.support.host_tables import run_script


def test_an_empty_host(small_host: str, tmp_path: Path) -> None:
    run_script(small_host, POOLS)
    plan = round_trip(small_host, tmp_path)
    assert plan.counts["filled"] == 0
    assert step(plan, "column new_pools_history_enhanced").state is StepState.SKIPPED
    assert "no table new_pools_history_enhanced" in step(plan, "column new_pools_history_enhanced").note


def test_a_database_without_pools_is_no_host(small_host: str) -> None:
    run_script(small_host, "CREATE TABLE trades (id INTEGER PRIMARY KEY);")
    before = image(small_host)
    with pytest.raises(NotFound, match="no table pools") as refused:
        attach(small_host, 1)
    assert "db upgrade" in refused.value.hint
    assert image(small_host) == before


def test_a_view_is_no_table(small_host: str) -> None:
    run_script(small_host, "CREATE TABLE t (id INTEGER); CREATE VIEW pools AS SELECT * FROM t;")
    with pytest.raises(NotFound, match="pools is a view"):
        attach(small_host, 1)


def test_a_column_that_the_user_has_made_is_filled_and_stays(small_host: str, tmp_path: Path) -> None:
    made = "CREATE TABLE pools (id VARCHAR(200) PRIMARY KEY, address VARCHAR(100), dex_id VARCHAR(100),"
    run_script(small_host, f"{made} pumpswap_pair_address VARCHAR);{pool(ONE)}{pool(TWO)}")
    run_script(small_host, f"UPDATE pools SET pumpswap_pair_address = 'mine' WHERE address = '{TWO}'")
    before = image(small_host)
    plan = attach(small_host, 1)
    assert step(plan, "column pools").state is StepState.PRESENT
    assert pairs(small_host) == {f"solana_{ONE}": ONE, f"solana_{TWO}": "mine"}
    assert not attach(small_host, 2).changes_anything
    done = detach(small_host, tmp_path / "export", 3)
    assert done.plan.counts["emptied"] == 1
    assert pairs(small_host) == {f"solana_{ONE}": None, f"solana_{TWO}": "mine"}
    assert image(small_host) == before


def test_a_column_that_holds_no_addresses_is_refused(small_host: str) -> None:
    run_script(small_host, "CREATE TABLE pools (id TEXT PRIMARY KEY, address TEXT, pumpswap_pair_address INTEGER);")
    before = image(small_host)
    with pytest.raises(StorageError, match=r"pools\.pumpswap_pair_address is integer"):
        attach(small_host, 1)
    assert image(small_host) == before


def test_addresses_of_every_kind(small_host: str, tmp_path: Path) -> None:
    rows = [
        pool(ONE),
        pool(f"solana_{TWO}", pool_id=f"solana_{TWO}"),  # prefixed, as the top-pools collector writes
        pool("too short"),
        pool("1" * 44),  # base58, but more than 32 bytes
        pool(f"ethereum_{ONE}", pool_id="other network"),
        pool("So11111111111111111111111111111111111111112", "raydium"),
        "INSERT INTO pools (id, dex_id) VALUES ('no address', 'pumpswap');",
        f"INSERT INTO pools (id, address, dex_id) VALUES ('it''s', '{ONE}?', 'pumpswap');",
    ]
    run_script(small_host, POOLS + "".join(rows))
    plan = round_trip(small_host, tmp_path)
    assert (plan.counts["filled"], plan.counts["unreadable"]) == (2, 5)
    attach(small_host, 1)
    assert {key: value for key, value in pairs(small_host).items() if value} == {
        f"solana_{ONE}": ONE,
        f"solana_{TWO}": TWO,
    }


def test_what_is_filled_is_the_bare_address_or_nothing(small_host: str) -> None:
    rng = random.Random(11)
    good = [str(Pubkey(rng.randbytes(32))) for _ in range(60)] + ["1" * 32]
    spoilt = [one[:-1] for one in good] + [one + "1" for one in good] + [one.replace(one[5], "0") for one in good]
    odd = [
        "",
        " ",
        "solana_",
        "'",
        '"',
        "%",
        "?",
        ":x",
        "\\",
        "Ü" * 44,
        "solana_solana_" + good[0],
        f" {good[1]}",
        f"{good[2]}\n",
    ]
    addresses = [*good, *(f"solana_{one}" for one in good), *spoilt, *odd, *(f"{one}?" for one in good)]
    run_script(small_host, POOLS)
    with connect(small_host) as connection:
        mark = "?" if small_host.startswith("sqlite") else "%s"
        for number, address in enumerate(addresses):
            values = f"VALUES ('{number}', {mark}, 'pumpswap')"
            connection.execute(f"INSERT INTO pools (id, address, dex_id) {values}", (address,))
        connection.commit()
    plan = attach(small_host, 1)
    expected = {str(number): bare_address(address) for number, address in enumerate(addresses)}
    assert pairs(small_host) == expected
    assert plan.counts["filled"] == sum(value is not None for value in expected.values()) >= 122


def test_pools_that_come_later_are_filled_later(small_host: str) -> None:
    run_script(small_host, POOLS + pool(ONE))
    attach(small_host, 1)
    run_script(small_host, pool(TWO))
    assert attach(small_host, 2).counts["filled"] == 1
    assert pairs(small_host)[f"solana_{TWO}"] == TWO


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("CREATE TABLE pools (id VARCHAR(200), address TEXT, dex_id TEXT)", "neither its primary key nor unique"),
        ("CREATE TABLE pools (id TEXT, network TEXT, address TEXT, dex_id TEXT, PRIMARY KEY (id, network))", "neither"),
        ("CREATE TABLE pools (id INTEGER PRIMARY KEY, address TEXT, dex_id TEXT)", "pools.id is integer, not text"),
    ],
)
def test_where_no_key_is_possible_it_is_skipped_and_said(
    small_host: str, tmp_path: Path, table: str, reason: str
) -> None:
    run_script(small_host, f"{table};")
    plan = round_trip(small_host, tmp_path)
    assert step(plan, "column pools").state is StepState.DONE
    for name in ("pumpswap_trades", "pumpswap_positions", "q50_trading_history"):
        found = step(plan, f"key {name}.pool_id")
        assert found.state is StepState.SKIPPED
        assert reason in found.note


def test_a_unique_index_is_as_good_as_a_primary_key(small_host: str, tmp_path: Path) -> None:
    made = "CREATE TABLE pools (id TEXT NOT NULL, address TEXT, dex_id TEXT);"
    run_script(small_host, f"{made} CREATE UNIQUE INDEX pool_ids ON pools (id);{pool(ONE)}")
    plan = round_trip(small_host, tmp_path)
    assert step(plan, "key pumpswap_trades.pool_id").state is StepState.DONE
    attach(small_host, 1)
    book(small_host, ONE)
    with connect(small_host) as connection:
        connection.execute("DELETE FROM pools")
        assert connection.execute("SELECT pool_id FROM pumpswap_trades").fetchall() == [(None,)]


def test_a_partial_index_is_not(small_host: str) -> None:
    made = "CREATE TABLE pools (id TEXT NOT NULL, address TEXT, dex_id TEXT);"
    run_script(small_host, f"{made} CREATE UNIQUE INDEX pool_ids ON pools (id) WHERE dex_id = 'pumpswap';")
    assert step(attach(small_host, 1), "key pumpswap_trades.pool_id").state is StepState.SKIPPED


def test_ids_without_their_network(small_host: str) -> None:
    run_script(small_host, POOLS + pool(ONE, pool_id=ONE) + pool(TWO))
    book(small_host, ONE)
    book(small_host, TWO)
    book(small_host, "nowhere")
    plan = attach(small_host, 1)
    assert (plan.counts["linked"], plan.counts["unlinked"]) == (2, 2)  # a trade and a position each
    assert pairs(small_host) == {ONE: ONE, f"solana_{TWO}": TWO}
    book(small_host, ONE)
    with connect(small_host) as connection:
        found = connection.execute("SELECT pool_id FROM pumpswap_trades ORDER BY id").fetchall()
    assert found == [(ONE,), (f"solana_{TWO}",), (None,), (ONE,)]
    # The host gives its ids their network: our keys follow, and the host is not stopped by them.
    with connect(small_host) as connection:
        connection.execute(f"UPDATE pools SET id = 'solana_{ONE}' WHERE id = '{ONE}'")
        connection.commit()
        found = connection.execute("SELECT pool_id FROM pumpswap_positions ORDER BY id").fetchall()
    assert found == [(f"solana_{ONE}",), (f"solana_{TWO}",), (None,), (f"solana_{ONE}",)]


def test_quoted_columns_extra_tables_and_views_stay(small_host: str, tmp_path: Path) -> None:
    script = f"""
    CREATE TABLE pools ("id" TEXT PRIMARY KEY, "address" TEXT, dex_id TEXT, "the % of; it" TEXT, "order" INTEGER,
        "Ünï" TEXT DEFAULT '%s');
    CREATE TABLE "odd table" ("select" TEXT, pool TEXT REFERENCES pools (id));
    CREATE INDEX "odd % index" ON pools ("order");
    CREATE VIEW all_pools AS SELECT * FROM pools;
    CREATE VIEW counted AS SELECT dex_id, count(*) AS n FROM pools GROUP BY dex_id;
    {pool(ONE)}
    INSERT INTO "odd table" VALUES ('100 %', 'solana_{ONE}');
    """
    run_script(small_host, script)
    plan = round_trip(small_host, tmp_path)
    assert plan.counts["filled"] == 1


def test_names_in_other_letters_are_found_on_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'host.sqlite'}"
    run_script(url, "CREATE TABLE Pools (ID TEXT PRIMARY KEY, Address TEXT, Dex_Id TEXT);")
    run_script(url, pool(ONE))
    assert round_trip(url, tmp_path).counts["filled"] == 1


def test_strict_tables_and_tables_without_rowid(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'host.sqlite'}"
    strict = "CREATE TABLE pools (id TEXT PRIMARY KEY, address TEXT, dex_id TEXT) STRICT, WITHOUT ROWID;"
    run_script(url, strict + "CREATE TABLE new_pools_history_enhanced (id INTEGER PRIMARY KEY) STRICT;" + pool(ONE))
    assert round_trip(url, tmp_path).counts["filled"] == 1


def test_an_enhanced_table_that_is_a_view_is_left_alone(small_host: str, tmp_path: Path) -> None:
    views = (
        "CREATE VIEW new_pools_history_enhanced AS SELECT 1 AS id; CREATE VIEW pool_feature_vectors AS SELECT 1 AS id;"
    )
    run_script(small_host, POOLS + views)
    plan = round_trip(small_host, tmp_path)
    for start in ("column new_pools_history_enhanced", "key q50_trading_history.feature_vector_id"):
        assert step(plan, start).state is StepState.SKIPPED
        assert "is a view" in step(plan, start).note


def test_a_host_that_is_made_anew_is_attached_anew(tmp_path: Path) -> None:
    """SQLite lets the table go although we have a key to it; our rows keep ids that mean something again."""
    url = f"sqlite:///{tmp_path / 'host.sqlite'}"
    run_script(url, POOLS + pool(ONE))
    attach(url, 1)
    book(url, ONE)
    run_script(url, "DROP TABLE pools;" + POOLS + pool(TWO))
    plan = attach(url, 2)
    assert (plan.counts["filled"], plan.counts["unlinked"]) == (1, 2)
    book(url, TWO)


def test_triggers_of_the_host_do_not_answer_our_changes(small_host: str, tmp_path: Path) -> None:
    run_script(small_host, POOLS + pool(ONE) + "CREATE TABLE log (n INTEGER);")
    if small_host.startswith("sqlite"):
        logs = "BEGIN INSERT INTO log VALUES (1); END;"
        run_script(small_host, f"CREATE TRIGGER noted AFTER UPDATE ON pools {logs}")
    else:
        body = "BEGIN INSERT INTO log VALUES (1); RETURN NEW; END"
        run_script(small_host, f"CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$;")
        for name, state in (("a", "ENABLE"), ("b", "DISABLE"), ("c", "ENABLE ALWAYS")):
            run_script(small_host, f"CREATE TRIGGER {name} AFTER UPDATE ON pools FOR EACH ROW EXECUTE FUNCTION noted()")
            run_script(small_host, f"ALTER TABLE pools {state} TRIGGER {name}")
    round_trip(small_host, tmp_path)
    attach(small_host, 1)
    with connect(small_host) as connection:
        assert connection.execute("SELECT count(*) FROM log").fetchone() == (0,)
        connection.execute("UPDATE pools SET name = 'x'")
        fired = 1 if small_host.startswith("sqlite") else 2
        assert connection.execute("SELECT count(*) FROM log").fetchone() == (fired,)
