"""Hosts that nobody has seen: made by hand, half made, odd, locked, or not to be touched by this login."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from pumpswap.errors import ConfigError, NotFound, PumpSwapError, StorageError, TimedOut
from pumpswap.storage import migrate, open_database
from pumpswap.storage.engines import make_engine
from pumpswap.storage.host.attach import attach
from pumpswap.storage.host.detach import detach
from pumpswap.storage.host.plan import Plan, Step, StepState
from tests.storage.host.booking import book
from tests.support import host_image
from tests.support.host_image import connect
from tests.support.host_tables import run_script
from tests.support.postgres import fresh_database

# 32 bytes in base58; "Pool1111" and the like of the other tests are none.
ONE = "DDhdQqQGADb2qmXgn59QBtAdmvasQdMV3MRvFpxW2MfJ"
TWO = "45kCNp7YTTnmWsxJ1SgT54G8K8RjL7J3LPJom3r4GUpc"
POOLS = (
    "CREATE TABLE pools (id VARCHAR(200) PRIMARY KEY, address VARCHAR(100), dex_id VARCHAR(100), name VARCHAR(200));"
)


def pool(address: str, dex: str = "pumpswap", pool_id: str | None = None) -> str:
    return f"INSERT INTO pools (id, address, dex_id) VALUES ('{pool_id or f'solana_{address}'}', '{address}', '{dex}');"


def step(plan: Plan, start: str) -> Step:
    (found,) = [one for one in plan.steps if one.text.startswith(start)]
    return found


def pairs(url: str) -> dict[str, str | None]:
    with connect(url) as connection:
        return dict(connection.execute("SELECT id, pumpswap_pair_address FROM pools").fetchall())


def image(url: str) -> object:
    return host_image.schema(url), host_image.rows(url, host_image.columns(url))


def round_trip(url: str, folder: Path) -> Plan:
    """Attach, twice, and detach; the host must be as it was."""
    before = image(url)
    plan = attach(url, 1)
    assert not attach(url, 2).changes_anything
    detach(url, folder / "export", 3)
    assert image(url) == before
    return plan


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


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for command in (
        lambda: attach(tmp_path / "no" / "host.sqlite", 1),
        lambda: detach(tmp_path / "no.db", tmp_path, 1),
    ):
        with pytest.raises(NotFound, match="does not exist"):
            command()
    assert list(tmp_path.iterdir()) == []


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


@pytest.mark.parametrize("name", ["pumpswap_trades", "pumpswap_positions", "q50_trading_history"])
def test_a_table_made_by_hand_from_the_plan_is_refused(small_host: str, name: str) -> None:
    by_hand = f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, pool_id VARCHAR(200) REFERENCES pools (id), n INTEGER);"
    run_script(small_host, f"{POOLS}{by_hand} INSERT INTO {name} (id) VALUES (7);")
    before = image(small_host)
    for dry_run in (True, False):
        with pytest.raises(StorageError, match=f"there is a table {name} that pumpswap has not made") as refused:
            attach(small_host, 1, dry_run=dry_run)
        assert image(small_host) == before
    run_script(small_host, refused.value.hint.split(": ")[1].split(";")[0])  # what the hint says
    attach(small_host, 1)
    with connect(small_host) as connection:
        assert connection.execute(f"SELECT id FROM {name}_by_hand").fetchall() == [(7,)]


def test_an_index_with_a_name_of_ours_is_refused(small_host: str) -> None:
    index = "CREATE INDEX idx_pumpswap_trades_timestamp ON elsewhere (t);"
    run_script(small_host, f"{POOLS} CREATE TABLE elsewhere (t INTEGER); {index}")
    with pytest.raises(StorageError, match="the index idx_pumpswap_trades_timestamp of the table elsewhere") as refused:
        attach(small_host, 1)
    run_script(small_host, refused.value.hint.split(";")[0])
    attach(small_host, 1)


PLAN = """
CREATE TABLE pumpswap_trades (id INTEGER PRIMARY KEY, pool_id VARCHAR(200) REFERENCES pools (id), mint_address VARCHAR
    NOT NULL, pair_address VARCHAR, action VARCHAR NOT NULL, sol_amount DECIMAL, block_timestamp BIGINT);
CREATE INDEX idx_pumpswap_trades_pool_id ON pumpswap_trades (pool_id);
CREATE INDEX idx_pumpswap_trades_timestamp ON pumpswap_trades (block_timestamp);
CREATE TABLE pumpswap_positions (id INTEGER PRIMARY KEY, mint_address VARCHAR NOT NULL UNIQUE, is_active BOOLEAN);
CREATE INDEX idx_pumpswap_positions_active ON pumpswap_positions (is_active);
INSERT INTO pumpswap_trades (id, mint_address, action) VALUES (7, 'm', 'buy');
INSERT INTO pumpswap_positions (id, mint_address) VALUES (8, 'm');
"""


def test_who_follows_the_hints_gets_there(small_host: str) -> None:
    """From the tables and indexes of the plan, made by hand, to an attached database: nothing of them is lost."""
    run_script(small_host, POOLS + PLAN)
    for _ in range(10):
        try:
            attach(small_host, 1)
        except StorageError as refused:
            run_script(small_host, refused.hint.removeprefix("keep its rows: ").split(";")[0])
        else:
            break
    book(small_host, ONE)
    with connect(small_host) as connection:
        assert connection.execute("SELECT id FROM pumpswap_trades_by_hand").fetchall() == [(7,)]
        assert connection.execute("SELECT id FROM pumpswap_positions_by_hand").fetchall() == [(8,)]
        assert connection.execute("SELECT count(*) FROM pumpswap_trades").fetchone() == (1,)


def test_an_enhanced_table_that_is_a_view_is_left_alone(small_host: str, tmp_path: Path) -> None:
    views = (
        "CREATE VIEW new_pools_history_enhanced AS SELECT 1 AS id; CREATE VIEW pool_feature_vectors AS SELECT 1 AS id;"
    )
    run_script(small_host, POOLS + views)
    plan = round_trip(small_host, tmp_path)
    for start in ("column new_pools_history_enhanced", "key q50_trading_history.feature_vector_id"):
        assert step(plan, start).state is StepState.SKIPPED
        assert "is a view" in step(plan, start).note


def test_vectors_that_the_host_does_not_have_are_forgotten(small_host: str) -> None:
    open_database(small_host).close()
    run_script(small_host, POOLS + pool(ONE) + pool(TWO, pool_id=TWO))
    run_script(small_host, "CREATE TABLE pool_feature_vectors (id BIGINT PRIMARY KEY);")
    run_script(small_host, "INSERT INTO pool_feature_vectors VALUES (1), (2)")
    rows = [(1, ONE, 1), (2, f"solana_{TWO}", 3), (3, "nowhere", 2)]
    for number, known, vector in rows:
        values = f"({number}, '{known}', {number}, {vector})"
        run_script(
            small_host, f"INSERT INTO q50_trading_history (id, pool_id, timestamp, feature_vector_id) VALUES {values}"
        )
    plan = attach(small_host, 1)
    assert (plan.counts["linked"], plan.counts["unlinked"]) == (2, 2)
    query = "SELECT pool_id, feature_vector_id FROM q50_trading_history ORDER BY id"
    with connect(small_host) as connection:
        assert connection.execute(query).fetchall() == [(f"solana_{ONE}", 1), (TWO, None), (None, 2)]
        connection.execute("DELETE FROM pool_feature_vectors")
        assert connection.execute(query).fetchall() == [(f"solana_{ONE}", None), (TWO, None), (None, None)]


def test_what_others_have_added_to_our_tables_stays(small_host: str) -> None:
    """SQLite makes them anew: indexes and triggers of the user move along, columns that we do not know are refused."""
    open_database(small_host).close()
    run_script(small_host, POOLS + "CREATE TABLE log (n INTEGER); CREATE INDEX mine ON pumpswap_trades (mint_address);")
    if small_host.startswith("sqlite"):
        run_script(small_host, "CREATE TRIGGER t AFTER INSERT ON pumpswap_trades BEGIN INSERT INTO log VALUES (1); END")
    attach(small_host, 1)
    book(small_host, ONE)
    with connect(small_host) as connection:
        if small_host.startswith("sqlite"):
            assert connection.execute("SELECT count(*) FROM log").fetchone() == (1,)
        connection.execute("DROP INDEX mine")


def test_a_column_added_to_our_table_is_refused_where_it_would_be_lost(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'host.sqlite'}"
    open_database(url).close()
    run_script(url, POOLS + "ALTER TABLE pumpswap_trades ADD COLUMN note TEXT;")
    before = image(url)
    with pytest.raises(StorageError, match="other columns than it should: note"):
        attach(url, 1)
    assert image(url) == before


def test_two_attach_at_once_do_it_once(small_host: str) -> None:
    run_script(small_host, POOLS + pool(ONE))
    plans: list[Plan] = []
    threads = [threading.Thread(target=lambda: plans.append(attach(small_host, 1))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(plan.changes_anything for plan in plans) == [False, False, True]


def test_an_older_database_of_ours_is_brought_forward_on_the_way(small_host: str) -> None:
    engine = make_engine(small_host)
    migrate.upgrade(engine, "0001")
    engine.dispose()
    run_script(small_host, POOLS + pool(ONE))
    assert "ALTER TABLE pumpswap_runs ADD COLUMN wallet VARCHAR" in attach(small_host, 1, dry_run=True).sql
    attach(small_host, 1)
    book(small_host, ONE)


def test_down_and_up_again_and_attached_again(small_host: str) -> None:
    run_script(small_host, POOLS + pool(ONE))
    attach(small_host, 1)
    engine = make_engine(small_host)
    migrate.downgrade(engine, "0002")
    migrate.upgrade(engine)
    engine.dispose()
    plan = attach(small_host, 2)
    assert step(plan, "key q50_trading_history.pool_id").state is StepState.DONE
    assert step(plan, "key pumpswap_trades.pool_id").state is StepState.PRESENT
    assert not attach(small_host, 3).changes_anything


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


def test_somebody_elses_open_transaction_is_a_named_error(small_host: str, tmp_path: Path) -> None:
    run_script(small_host, POOLS + pool(ONE))
    commands: list[Callable[[], object]] = [
        lambda: attach(small_host, 1, dry_run=True, lock_ms=200),
        lambda: attach(small_host, 1, lock_ms=200),
        lambda: detach(small_host, tmp_path / "export", 1, lock_ms=200),
    ]
    for command in commands:
        with connect(small_host) as connection:
            connection.execute("UPDATE pools SET name = 'busy'")
            with pytest.raises(TimedOut, match="a lock that somebody else holds") as refused:
                command()
            assert "nothing was changed" in refused.value.what
            connection.rollback()
        if command is not commands[0]:
            attach(small_host, 1)
    assert not (tmp_path / "export").exists()
    assert not (tmp_path / "export.partial").exists()


# ---------------------------------------------------------------- PostgreSQL only: schemas and rights


def at(url: str, user: str | None = None, search_path: str | None = None) -> str:
    """The same database as another login, or with another search path."""
    if user is not None:
        url = url.replace("://postgres", f"://{user}", 1)
    if search_path is not None:
        url += f"&options={quote(f'-csearch_path={search_path}')}"
    return url


@pytest.fixture
def postgres() -> str:
    return fresh_database()


def test_a_host_in_a_schema_of_its_own(postgres: str, tmp_path: Path) -> None:
    run_script(postgres, f'CREATE SCHEMA "Gecko s"; SET search_path = "Gecko s"; {POOLS}{pool(ONE)}')
    for path, own in (('"Gecko\\ s"', "Gecko s"), ("public", "public"), ('public,"Gecko\\ s"', "public")):
        url = at(postgres, search_path=path)
        before = image(postgres)
        plan = attach(url, 1)
        assert "in schema Gecko s" in plan.host
        assert plan.counts["filled"] == 1
        book(url, ONE)
        with psycopg.connect(postgres) as connection:
            query = "SELECT table_schema FROM information_schema.tables WHERE table_name = 'pumpswap_trades'"
            assert connection.execute(query).fetchall() == [(own,)]
            booked = connection.execute(f'SELECT pool_id FROM "{own}".pumpswap_trades').fetchall()  # type: ignore[call-overload]
            assert booked == [(f"solana_{ONE}",)]
        detach(url, tmp_path / str(len(path)), 1)
        assert image(postgres) == before


def test_several_hosts_in_one_database(postgres: str) -> None:
    run_script(postgres, f"CREATE SCHEMA a; CREATE SCHEMA b; SET search_path = a; {POOLS} SET search_path = b; {POOLS}")
    with pytest.raises(StorageError, match="several tables pools: in the schemas a, b") as refused:
        attach(postgres, 1)
    assert "search_path" in refused.value.hint
    attach(at(postgres, search_path="b"), 1)


def test_a_search_path_that_leads_nowhere(postgres: str) -> None:
    run_script(postgres, POOLS)
    with pytest.raises(ConfigError, match="names no schema that exists"):
        attach(at(postgres, search_path="nowhere"), 1)


def roles(postgres: str, *statements: str) -> tuple[str, str]:
    """Two logins whose names are of this database only; ``{owner}`` and ``{other}`` in the statements."""
    name = postgres.partition("/test_")[2].partition("?")[0]
    owner, other = f"owner_{name}", f"other_{name}"
    run_script(postgres, f"CREATE ROLE {owner} LOGIN; CREATE ROLE {other} LOGIN;")
    for statement in statements:
        run_script(postgres, statement.format(owner=owner, other=other))
    return owner, other


def test_rights_that_are_missing_are_named_before_anything_changes(postgres: str) -> None:
    run_script(postgres, POOLS + pool(ONE))
    owner, other = roles(
        postgres, "ALTER TABLE pools OWNER TO {owner}; GRANT CREATE ON SCHEMA public TO {owner}, {other}"
    )
    before = image(postgres)
    for dry_run in (True, False):
        with pytest.raises(StorageError, match=rf"only the owner of pools \({owner}\)"):
            attach(at(postgres, other), 1, dry_run=dry_run)
        assert image(postgres) == before
    run_script(postgres, "ALTER TABLE pools ADD COLUMN pumpswap_pair_address VARCHAR")
    with pytest.raises(StorageError, match="no SELECT right on pools") as refused:
        attach(at(postgres, other), 1)
    run_script(postgres, refused.value.hint.split(": ")[1].replace("your login", other))
    assert attach(at(postgres, other), 1).counts["filled"] == 1


def test_who_may_not_create_tables_is_told_so(postgres: str) -> None:
    run_script(postgres, POOLS)
    owner, _ = roles(postgres, "ALTER TABLE pools OWNER TO {owner}")
    with pytest.raises(StorageError, match="may not create tables in the schema public") as refused:
        attach(at(postgres, owner), 1)
    run_script(postgres, refused.value.hint.split(": ")[1].split(";")[0].replace("your login", owner))
    attach(at(postgres, owner), 1)


def test_a_database_that_can_only_be_read(postgres: str) -> None:
    run_script(postgres, POOLS)
    name = postgres.partition("/test_")[2].partition("?")[0]
    run_script(postgres, f"ALTER DATABASE test_{name} SET default_transaction_read_only = on")
    for dry_run in (True, False):
        with pytest.raises(StorageError, match=r"can only be read|read-only"):
            attach(postgres, 1, dry_run=dry_run)


def test_a_file_that_can_only_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "host.sqlite"
    run_script(f"sqlite:///{file}", POOLS)
    before = file.read_bytes()
    # Root may write everywhere; what the system answers to others is said by its own function.
    monkeypatch.setattr("pumpswap.storage.engines.os.access", lambda path, _mode: Path(path).is_dir())
    with pytest.raises(StorageError, match="cannot be written"):
        attach(file, 1)
    assert file.read_bytes() == before


def test_a_dry_run_leaves_a_file_as_it_was_byte_for_byte(tmp_path: Path) -> None:
    file = tmp_path / "host.sqlite"
    run_script(f"sqlite:///{file}", POOLS + pool(ONE))
    before = file.read_bytes()
    assert attach(file, 1, dry_run=True).changes_anything
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_the_journal_mode_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "host.sqlite"
    run_script(f"sqlite:///{file}", POOLS)
    attach(file, 1)
    open_database(file).close()  # makes it WAL
    attach(file, 2)
    assert detach(file, tmp_path / "export", 3).journal_mode == "delete"
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()


def test_the_printed_sql_does_the_same(small_host: str, tmp_path: Path) -> None:
    """What --dry-run prints, run by hand, makes what attach makes."""
    script = POOLS + pool(ONE) + pool("it''s") + pool("? 100 %s\n x")
    script += "CREATE TABLE new_pools_history_enhanced (id INTEGER);"
    other = f"sqlite:///{tmp_path / 'other.sqlite'}" if small_host.startswith("sqlite") else fresh_database()
    for url in (small_host, other):
        run_script(url, script)
    run_script(other, ";\n".join(attach(other, 1, dry_run=True).sql) + ";")
    attach(small_host, 1)
    assert image(other) == image(small_host)
    assert not attach(other, 2).changes_anything


def test_errors_do_not_tell_the_password(postgres: str) -> None:
    url = postgres.replace("://postgres:", "://postgres:hunter2secret", 1).replace("/test_", "/no_such_")
    with pytest.raises(PumpSwapError) as refused:
        attach(url, 1)
    assert "hunter2secret" not in str(refused.value) + refused.value.hint
