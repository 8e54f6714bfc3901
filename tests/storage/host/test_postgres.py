"""What only PostgreSQL has: schemas, rights, partitions."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from pumpswap.errors import ConfigError, PumpSwapError, StorageError
from pumpswap.storage.host.attach import attach
from pumpswap.storage.host.detach import detach
from tests.storage.host.booking import book
from tests.storage.host.hosts import ONE, POOLS, TWO, at, image, pool, roles, round_trip
from tests.support import host_image
from tests.support.host_image import connect
from tests.support.host_tables import run_script
from tests.support.postgres import fresh_database


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


def test_an_owner_who_is_no_superuser_needs_nothing_else(postgres: str, tmp_path: Path) -> None:
    run_script(postgres, POOLS + pool(ONE) + "CREATE TABLE new_pools_history_enhanced (id BIGINT PRIMARY KEY);")
    owner, trader = roles(
        postgres,
        "ALTER TABLE pools OWNER TO {owner}; ALTER TABLE new_pools_history_enhanced OWNER TO {owner};"
        " GRANT CREATE ON SCHEMA public TO {owner}",
    )
    url, before = at(postgres, owner), image(postgres)
    assert attach(url, 1).counts["filled"] == 1
    for things in ("TABLES", "SEQUENCES"):
        run_script(url, f"GRANT ALL ON ALL {things} IN SCHEMA public TO {trader}")
    book(at(postgres, trader), ONE)
    run_script(url, "DELETE FROM pools")
    run_script(url, pool(ONE))
    run_script(url, f"REVOKE ALL ON pools, new_pools_history_enhanced FROM {trader}")
    done = detach(url, tmp_path / "export", 1)
    assert done.export is not None and done.export.rows["pumpswap_trades"] == 1
    schema, rows = host_image.schema(postgres), host_image.rows(postgres, host_image.columns(postgres))
    # GRANT has written down what was granted to the owner by default; nothing else differs.
    assert {**schema, "rights": None} == {**before[0], "rights": None}
    assert rows == before[1]


def test_a_partitioned_table_of_pools(postgres: str, tmp_path: Path) -> None:
    made = "CREATE TABLE pools (id TEXT PRIMARY KEY, address TEXT, dex_id TEXT) PARTITION BY HASH (id);"
    parts = [f"CREATE TABLE p{n} PARTITION OF pools FOR VALUES WITH (MODULUS 2, REMAINDER {n});" for n in (0, 1)]
    run_script(postgres, made + "".join(parts) + pool(ONE) + pool(TWO))
    assert round_trip(postgres, tmp_path).counts["filled"] == 2
    attach(postgres, 1)
    book(postgres, ONE)
    with connect(postgres) as connection:
        connection.execute("DELETE FROM pools")
        assert connection.execute("SELECT pool_id FROM pumpswap_trades").fetchall() == [(None,)]


def test_who_owns_only_one_of_the_tables_is_told_which_other(postgres: str) -> None:
    run_script(postgres, POOLS + "CREATE TABLE new_pools_history_enhanced (id BIGINT PRIMARY KEY);")
    owner, _ = roles(postgres, "ALTER TABLE pools OWNER TO {owner}; GRANT CREATE ON SCHEMA public TO {owner}")
    before = image(postgres)
    with pytest.raises(StorageError, match="only the owner of new_pools_history_enhanced") as refused:
        attach(at(postgres, owner), 1)
    assert image(postgres) == before
    run_script(postgres, refused.value.hint.split("as that login: ")[1].replace("your login", owner))
    attach(at(postgres, owner), 1)


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


def test_errors_do_not_tell_the_password(postgres: str) -> None:
    url = postgres.replace("://postgres:", "://postgres:hunter2secret", 1).replace("/test_", "/no_such_")
    with pytest.raises(PumpSwapError) as refused:
        attach(url, 1)
    assert "hunter2secret" not in str(refused.value) + refused.value.hint
