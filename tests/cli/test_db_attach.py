"""``db attach`` and ``db detach`` as a user runs them, and pair addresses compared with a practice chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from solders.pubkey import Pubkey

from pumpswap.cli.lazy import Entry, LazyGroup
from pumpswap.localnet.process import LocalnetOptions, RunningLocalnet, start_process
from pumpswap.sdk.wallet_lock import WalletLock
from pumpswap.storage import open_database
from pumpswap.storage.tables import METADATA
from tests.cli.running import answer as full_answer
from tests.cli.running import parsed, run
from tests.support.host_image import columns, connect, rows, schema
from tests.support.host_tables import run_script
from tests.support.material import material, requires_material
from tests.support.postgres import fresh_database

DB = LazyGroup(
    "db",
    entries={
        "attach": Entry("pumpswap.cli.db_attach:attach", "our tables in your collector's database"),
        "detach": Entry("pumpswap.cli.db_attach:detach", "take them out of it again"),
    },
)
ONE = "DDhdQqQGADb2qmXgn59QBtAdmvasQdMV3MRvFpxW2MfJ"
POOLS = "CREATE TABLE pools (id VARCHAR(200) PRIMARY KEY, address VARCHAR(100), dex_id VARCHAR(100));"


def pool(address: str) -> str:
    return f"INSERT INTO pools VALUES ('solana_{address}', '{address}', 'pumpswap');"


@pytest.fixture(params=["sqlite", "postgresql"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What the user types."""
    file = tmp_path / "gecko.db"
    url = f"sqlite:///{file}" if request.param == "sqlite" else fresh_database()
    run_script(url, POOLS + pool(ONE))
    return str(file) if request.param == "sqlite" else url


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PUMPSWAP_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def url_of(host: str) -> str:
    return host if "://" in host else f"sqlite:///{host}"


def db(*arguments: str, input: str | None = None) -> Result:
    return run(*arguments, group=DB, input=input)


def answer(*arguments: str) -> dict[str, Any]:
    result = db(*arguments, "--json")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return parsed(result.stdout)


def image(host: str) -> object:
    return schema(url_of(host)), rows(url_of(host), columns(url_of(host)))


def test_attach_says_what_it_has_done_and_what_it_could_not(host: str) -> None:
    first = db("attach", host)
    assert first.exit_code == 0, first.output
    assert "column pools.pumpswap_pair_address" in first.stdout
    assert "1 filled, 0 without a readable address left empty" in first.stdout
    assert "this host has no table pool_feature_vectors" in first.stdout
    assert first.stderr.strip() == "Attached."
    again = answer("attach", host)
    assert (again["schema"], again["kept"], again["verified"]) == ("pumpswap.db_attach", True, None)
    assert {step["state"] for step in again["steps"]} == {"present", "skipped"}
    assert again["counts"]["filled"] == "0"
    assert db("attach", host, "-q").stderr == ""


def test_a_dry_run_prints_a_script_that_does_it(host: str) -> None:
    before = image(host)
    printed = db("attach", host, "--dry-run")
    assert printed.exit_code == 0, printed.output
    assert printed.stdout.startswith("-- SQLite" if "://" not in host else "-- PostgreSQL")
    assert "Nothing was changed." in printed.stderr
    assert image(host) == before
    told = answer("attach", host, "--dry-run")
    assert told["kept"] is False
    assert sum(len(step["sql"]) for step in told["steps"]) > 30
    run_script(url_of(host), printed.stdout)
    assert {step["state"] for step in answer("attach", host)["steps"]} == {"present", "skipped"}


def test_detach_shows_its_plan_and_asks(host: str, data_folder: Path) -> None:
    before = image(host)
    answer("attach", host)
    attached = image(host)
    refused = db("detach", host, input="n\n")
    assert refused.exit_code == 130 or refused.exit_code == 1
    assert "These tables are exported and dropped:" in refused.stdout
    assert "These columns go: pools.pumpswap_pair_address" in refused.stdout
    assert image(host) == attached
    assert not data_folder.exists()
    done = db("detach", host, input="y\n")
    assert done.exit_code == 0, done.output
    assert f"rows of {len(METADATA.tables) + 2} tables are in" in done.stdout  # and the attachment, and the version
    assert image(host) == before
    (folder,) = (data_folder / "exports").iterdir()
    assert (folder / "manifest.json").exists()


def test_detach_by_a_script(host: str, tmp_path: Path) -> None:
    before = image(host)
    answer("attach", host)
    refused = db("detach", host, "--json")
    assert refused.exit_code == 2
    assert parsed(refused.stdout)["code"] == "usage_error"
    planned = answer("detach", host, "--dry-run")
    assert (planned["kept"], planned["export"]) == (False, None)
    done = answer("detach", host, "--yes", "--to", str(tmp_path / "out"))
    assert done["export"]["folder"] == str(tmp_path / "out")
    assert done["export"]["rows"]["pumpswap_trades"] == "0"
    assert (
        json.loads((tmp_path / "out" / "manifest.json").read_text())["tables"].keys() == done["export"]["rows"].keys()
    )
    assert [step["sql"] for step in done["steps"]] == [step["sql"] for step in planned["steps"]]
    assert image(host) == before


def test_books_are_not_taken_away_under_a_trader(host: str, tmp_path: Path, data_folder: Path) -> None:
    answer("attach", host)
    with open_database(url_of(host)) as database:
        database.start_run("live", 1, wallet=ONE, network="net")
    attached = image(host)
    lock = WalletLock(data_folder / "locks", Pubkey.from_string(ONE))
    lock.take()
    refused = db("detach", host, "--yes")
    assert refused.exit_code == 1
    assert f"another process is trading with wallet {ONE}" in refused.stderr
    assert db("detach", host, "--dry-run").exit_code == 0
    lock.release()
    if "://" in host:
        with open_database(host) as elsewhere:
            elsewhere.claim(f"wallet {ONE} on net")
            assert "somebody else writes the books of wallet" in db("detach", host, "--yes").stderr
    assert image(host) == attached
    assert answer("detach", host, "--yes", "--to", str(tmp_path / "out"))["export"]["rows"]["pumpswap_runs"] == "1"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (("attach", "no.db"), 3, "no.db does not exist"),
        (("detach", "no.db", "--yes"), 3, "no.db does not exist"),
        (("attach", "mysql://somewhere/x"), 4, "mysql databases are not supported"),
        (("attach", "empty.db"), 3, "there is no table pools"),
        (("detach", "host.db", "--yes"), 3, "this database is not attached"),
        (("attach", "host.db", "--verify"), 4, "there is no endpoint to ask"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], exit_code: int, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    run_script("sqlite:///empty.db", "CREATE TABLE t (n INTEGER);")
    run_script("sqlite:///host.db", POOLS)
    for_people = db(*arguments)
    assert for_people.exit_code == exit_code
    error, hint = for_people.stderr.splitlines()[-2:]
    assert error.startswith("Error: ") and words in error
    assert hint.startswith("Hint:  ")
    for_scripts = db(*arguments, "--json")
    assert for_scripts.exit_code == exit_code
    assert words in parsed(for_scripts.stdout)["what"]


# ---------------------------------------------------------------- with a chain


@pytest.fixture(scope="module")
def localnet() -> Iterator[RunningLocalnet]:
    with start_process(LocalnetOptions(programs=material("chain"), market=2, slot_ms=100, seed=3)) as running:
        yield running


@requires_material("chain", "programs")
def test_pair_addresses_are_compared_with_the_chain(host: str, localnet: RunningLocalnet) -> None:
    chain = ("--url", localnet.http_url)
    (found,) = full_answer("localnet", "market", "1", *chain)["pools"]
    real, mint = found["address"], found["base_mint"]
    run_script(url_of(host), pool(real) + pool(mint))

    told = db("attach", host, *chain, input="n\n")
    assert told.exit_code == 0, told.output
    assert "3 pair addresses compared" in told.stderr
    assert f"solana_{ONE}: {ONE} is no PumpSwap pool: there is no such account" in " ".join(told.stderr.split())
    assert pairs(host) == {f"solana_{one}": one for one in (ONE, real, mint)}

    asked = answer("attach", host, "--verify", *chain)
    assert (asked["verified"]["checked"], asked["verified"]["emptied"]) == ("3", "0")
    reasons = {one["pair_address"]: one["reason"] for one in asked["verified"]["wrong"]}
    assert reasons.keys() == {ONE, mint}
    assert "owns it" in reasons[mint]

    done = answer("attach", host, "--yes", *chain)
    assert done["verified"]["emptied"] == "2"
    assert pairs(host) == {f"solana_{ONE}": None, f"solana_{real}": real, f"solana_{mint}": None}
    # What the chain has refused is not filled again, and nobody is asked twice.
    again = answer("attach", host, *chain)
    assert (again["counts"]["filled"], again["verified"]["wrong"]) == ("0", [])
    assert answer("attach", host, "--no-verify", *chain)["verified"] is None


@requires_material("chain", "programs")
def test_what_the_user_has_written_himself_is_told_and_kept(host: str, localnet: RunningLocalnet) -> None:
    run_script(url_of(host), "ALTER TABLE pools ADD COLUMN pumpswap_pair_address VARCHAR")
    run_script(url_of(host), "UPDATE pools SET pumpswap_pair_address = 'mine'")
    done = answer("attach", host, "--yes", "--url", localnet.http_url)
    (wrong,) = done["verified"]["wrong"]
    assert (wrong["reason"], wrong["filled_by_attach"], done["verified"]["emptied"]) == ("no address", False, "0")
    assert pairs(host) == {f"solana_{ONE}": "mine"}


def test_a_chain_that_does_not_answer_stops_nothing_that_was_not_asked_for(host: str) -> None:
    nobody = ("--url", "http://127.0.0.1:9")
    done = answer("attach", host, *nobody)
    assert done["verified"] is None
    assert "were not compared with the chain" in done["warnings"][0]
    assert db("attach", host, "--verify", *nobody).exit_code == 11


def pairs(host: str) -> dict[str, str | None]:
    with connect(url_of(host)) as connection:
        return dict(connection.execute("SELECT id, pumpswap_pair_address FROM pools").fetchall())
