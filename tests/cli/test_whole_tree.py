"""A walk over the whole command tree: every command runs, answers in JSON, exits as it says; a new one needs a row."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from solders.pubkey import Pubkey

from pumpswap.cli.lazy import LazyGroup
from pumpswap.market.lake import Lake, LakeWriter
from tests.cli.running import answer, refusal, run
from tests.cli.samples import write_samples
from tests.cli.test_help import ALL, command_at
from tests.market.lake.rows import swap
from tests.support.snapshot_rows import CollectorFile


def acts(path: tuple[str, ...]) -> bool:
    """Whether it does something by itself: every command, and a group that needs none."""
    found = command_at(path)
    return not isinstance(found, LazyGroup) or found.invoke_without_command


PASSWORD = "correct horse battery staple"
STRANGER = str(Pubkey(b"\7" * 32))
SIGNATURE = "1" * 64
LEAVES = [path for path in ALL if acts(path)]
GROUPS = [path for path in ALL if isinstance(command_at(path), LazyGroup)]
NOWHERE = "--url http://127.0.0.1:9 --network localnet"

# Path → invocations with their exit codes, run in this order with --json in a folder with books, a wallet, a settings
# file and samples, and without any chain: {pool} and {mint} are of a position in the books.
CASES: dict[tuple[str, ...], list[tuple[str, int]]] = {
    ("demo",): [("--fast --minutes 1", 0), ("--minutes 0", 2)],
    ("paper", "replay"): [("gecko.db", 0), ("no-such-folder", 3)],
    ("backtest", "run"): [
        ("simulated:7 --length 1m --strategy momentum --impact naive", 0),
        ("none", 3),
        ("simulated --strategy none", 2),
        ("simulated --html page.txt", 2),
        ("simulated --set risk.nothing=1", 2),
    ],
    ("backtest", "repeat"): [("1", 0), ("1 --source simulated:8", 1), ("99", 3)],
    ("backtest", "list"): [("", 0), ("--strategy none", 0), ("--most 0", 2)],
    ("backtest", "compare"): [("1 2", 0), ("1 1", 2), ("1 99", 3), ("1", 2), ("1 --live 1", 0)],
    ("backtest", "report"): [("1 --html page.html", 0), ("99", 3)],
    ("backtest", "lookahead"): [
        ("simulated:7 --length 2m --strategy momentum --cuts 1", 0),
        ("simulated:7 --cuts 0", 2),
        ("no-such-folder", 3),
    ],
    ("tune", "run"): [
        (
            (
                "simulated:7 --length 2m --strategy momentum --space exits.stop_loss_bps=500|900"
                " --jobs 1 --null-draws 1 --network-draws 1"
            ),
            0,
        ),
        ("simulated:7 --length 2m --strategy momentum --space exits.stop_loss_bps=20000", 4),
        ("simulated:7 --space nothing", 2),
        ("no-such-folder --space exits.stop_loss_bps=500|900", 3),
    ],
    ("tune", "list"): [("", 0), ("--most 0", 2)],
    ("tune", "report"): [("1", 0), ("99", 3)],
    ("run",): [("--market simulated --fast --duration 1m", 0), ("--mode auto", 4), (f"--duration 1s {NOWHERE}", 4)],
    ("live", "check"): [(NOWHERE, 11), ("", 4)],
    ("live", "test-trade"): [(f"--yes {NOWHERE}", 11)],
    ("quote",): [("--buy-sol 1", 0), ("", 2), (f"{{mint}} --buy-sol 1 {NOWHERE}", 11)],
    ("buy",): [(f"{{mint}} 0.1 {NOWHERE}", 11), ("{mint}", 2)],
    ("sell",): [(f"{{mint}} 5 {NOWHERE}", 11), ("{mint} much", 2)],
    ("pause",): [("", 6), ("--run 99", 3)],
    ("resume",): [("", 6)],
    ("exits-only",): [("", 6)],
    ("halt",): [("", 6)],
    ("stop",): [("", 6), ("--run 99", 3)],
    ("panic",): [("--yes", 6)],
    ("approve",): [("", 6)],
    ("decline",): [("d000001", 6)],
    ("why",): [("o000001", 0), ("nothing", 3), ("", 6)],
    ("status",): [("", 6), ("--run 99", 3)],
    ("watch",): [("--for 1s", 0), ("--run 99", 3)],
    ("dashboard",): [("--port 0 --for 1s", 0), ("--port 0 --host 0.0.0.0", 4)],
    ("positions", "list"): [("", 0), ("--all", 0), ("--run 99", 3)],
    ("positions", "show"): [("{pool}", 0), ("nothing", 3)],
    ("positions", "close"): [(f"{{mint}} {NOWHERE}", 11)],
    ("positions", "adopt"): [("{mint} --cost-zero --yes", 3)],
    ("positions", "ignore"): [("{mint}", 3)],
    ("execute-signal",): [
        ("--pool-id {pool} --database gecko.db " + NOWHERE, 7),
        ("--pool-id {pool} --database gecko.db --dry-run " + NOWHERE, 7),
        ("", 2),
    ],
    ("list-positions",): [("", 0), ("--all", 0), ("--run 99", 3)],
    ("performance-report",): [("", 0), ("--days 1", 0), ("--days 0", 2)],
    ("report",): [
        ("", 0),
        ("--period week", 0),
        ("--html --csv tables", 0),
        ("--html report.txt", 2),
        ("--on 2026-11-02", 2),
        ("--period day list", 2),
        ("--run 99", 3),
    ],
    ("report", "list"): [("", 0)],
    ("report", "compare"): [("1 2", 0), ("1 1", 2), ("1 99", 3), ("", 2), ("--paper", 3)],
    ("report", "metrics"): [("", 0), ("--evidence nowhere", 3), ("--market no-such-folder", 3)],
    ("report", "refused"): [("", 0), ("--run 99", 3)],
    ("alerts", "list"): [("", 0), ("--unseen --level error --most 1", 0), ("--topic nothing", 3)],
    ("alerts", "test"): [("", 4), ("--topic nothing", 3)],
    ("alerts", "ack"): [("--all", 0), ("", 2), ("999999", 3)],
    ("alerts", "mute"): [("entry --for 8h", 0), ("", 0), ("nothing", 3), ("--subject x", 2)],
    ("alerts", "unmute"): [("entry", 0), ("--all", 0), ("", 2)],
    ("alerts", "deliveries"): [("", 0), ("--status failed", 0)],
    ("alerts", "topics"): [("", 0)],
    ("ledger", "check"): [("", 0)],
    ("ledger", "show"): [("", 0)],
    ("export", "trades"): [("", 0), ("--format xml", 2)],
    ("export", "ledger"): [("", 0)],
    ("export", "tax-lots"): [("", 0)],
    ("reconcile",): [(NOWHERE, 11)],
    ("runs", "list"): [("", 0)],
    ("collect",): [("--once --database nowhere/none/x.db --network", 2)],
    ("data", "list"): [("", 0)],
    ("data", "verify"): [("", 0)],
    ("data", "download"): [("not-an-address", 2)],
    ("data", "backfill"): [(f"{{pool}} {NOWHERE}", 11)],
    ("data", "record"): [(f"{{pool}} --duration 1s {NOWHERE}", 11)],
    ("data", "export"): [("swaps", 0), ("nothing", 2)],
    ("data", "bars"): [("--seconds 60", 0)],
    ("data", "compact"): [("", 0)],
    ("data", "export-qlib"): [("--source qlib_csv --out qlib_data", 0), ("--source none --out q", 3)],
    ("data", "check-qlib"): [("qlib_data", 0), ("none", 3)],
    ("db", "check"): [("", 0), ("none.db", 3)],
    ("db", "backup"): [("books.zip", 0)],
    ("db", "restore"): [("books.zip restored.sqlite", 0), ("none.zip other.sqlite", 3)],
    ("db", "upgrade"): [("", 0)],
    ("db", "downgrade"): [("0042", 2)],
    ("db", "vacuum"): [("", 0)],
    ("db", "attach"): [("--dry-run gecko.db", 0), ("none.db", 3)],
    ("db", "detach"): [("none.db --yes", 3)],
    ("signal", "run"): [("--simulated 8", 0), ("", 2)],
    ("signal", "compare"): [("none", 3), ("", 2)],
    ("signal", "follow"): [(f"--wallet {STRANGER} --for 0.1 {NOWHERE}", 11), ("", 4)],
    ("signal", "q50", "inspect"): [("none.csv", 3)],
    ("signal", "q50", "at"): [("2026-01-01 none.csv", 3)],
    ("pool", "show"): [(f"{{pool}} {NOWHERE}", 11)],
    ("pool", "find"): [(f"{{mint}} {NOWHERE}", 11)],
    ("pool", "new"): [(NOWHERE, 11)],
    ("pool", "watch"): [(f"{{pool}} --for 0.1 {NOWHERE}", 11)],
    ("pool", "decode"): [("pool.json", 0), ("none.json", 3)],
    ("screen",): [("--offline facts.json", 0), (f"{{mint}} {NOWHERE}", 11)],
    ("event", "decode"): [("transaction.json", 0), ("none.json", 3)],
    ("tx", "show"): [(f"{SIGNATURE} {NOWHERE}", 11)],
    ("init",): [("--config new.yaml", 0), ("--config new.yaml", 4), ("--preset none", 2)],
    ("config", "show"): [("", 0), ("--changed", 0), ("risk.max_positon_sol", 2)],
    ("config", "set"): [
        ("risk.max_position_sol 0.2 --config set.yaml", 0),
        ("exits.stop_loss_bps -1 --config set.yaml", 4),
    ],
    ("config", "edit"): [("--config set.yaml", 0)],
    ("config", "validate"): [("", 0), ("wrong.yaml", 4), ("none.yaml", 3)],
    ("config", "schema"): [("", 0)],
    ("config", "import"): [("plan.yaml", 0), ("wrong.yaml", 4)],
    ("config", "host-copy"): [("both.yaml config.yaml", 0), ("both.yaml both.yaml", 2)],
    ("host", "install-cli"): [(".", 0), ("none/x.py", 3)],
    ("host", "uninstall-cli"): [(".", 0), (".", 3)],
    ("wallet", "create"): [("second", 0), ("second", 2)],
    ("wallet", "import"): [("third --from none.json", 3)],
    ("wallet", "list"): [("", 0)],
    ("wallet", "show"): [("", 0), ("none", 3)],
    ("wallet", "unlock"): [("--no-keyring", 0)],
    ("wallet", "limits"): [("", 0)],
    ("wallet", "wrap"): [(f"0.1 {NOWHERE}", 11)],
    ("wallet", "unwrap"): [(NOWHERE, 11)],
    ("wallet", "close-empty"): [(NOWHERE, 11)],
    ("doctor",): [(NOWHERE, 11)],
    ("nautilus", "check"): [("", 4)],  # NautilusTrader has environments of its own
    ("nautilus", "catalog"): [("gecko.db catalog", 4)],
    ("protocol", "check"): [(NOWHERE, 11)],
    ("localnet", "start"): [("--programs none", 3)],
    ("localnet", "status"): [("--url http://127.0.0.1:9", 6)],
    ("localnet", "market"): [("1 --url http://127.0.0.1:9", 6)],
    ("localnet", "rows"): [("--once --url http://127.0.0.1:9", 6)],
    ("localnet", "airdrop"): [(f"{STRANGER} 1 --url http://127.0.0.1:9", 6)],
    ("localnet", "pull"): [("--from http://127.0.0.1:9", 11)],
    ("completion",): [("bash", 0), ("tcsh", 2)],
    ("version",): [("", 0), ("more", 2)],
}

# What a command needs that another one makes.
BEFORE = {
    ("db", "restore"): "db backup books.zip",
    ("host", "uninstall-cli"): "host install-cli .",
    ("data", "check-qlib"): "data export-qlib --source qlib_csv --out qlib_data",
    ("report", "compare"): "demo --fast --minutes 1 --seed 3",
    **dict.fromkeys(
        [("backtest", "repeat"), ("backtest", "compare"), ("backtest", "report")],
        "backtest run simulated:7 --length 2m --strategy momentum",
    ),
    ("tune", "report"): "tune run simulated:7 --length 2m --strategy momentum --jobs 1 --null-draws 0"
    " --space exits.stop_loss_bps=500|900",
}
# Lines of data, one object each: the columns are the schema.
ROWS = {("export",), ("data",)}


@dataclass(frozen=True)
class World:
    """The folder in which everything is run, and a position of its books."""

    folder: Path
    pool: str
    mint: str

    def arguments(self, line: str) -> list[str]:
        return line.format(pool=self.pool, mint=self.mint).split()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The folder as it is made once."""
    folder = tmp_path_factory.mktemp("tree")
    with pytest.MonkeyPatch.context() as patch:
        entered(folder, patch)
        write_samples(folder)
        answer("demo", "--fast", "--minutes", "5")
        position = answer("list-positions", "--all")["positions"][0]
        pool, mint = position["pair_address"], position["mint_address"]
        CollectorFile.made(folder / "gecko.db").add(pool, mint, 1_790_000_000 * 10**9)
        with LakeWriter(Lake(folder / "data" / "lake")) as writer:
            writer.add("swaps", [swap(n, pool) for n in range(3)], source="chain")
        (folder / "plan.yaml").write_text("pumpswap: {stop_loss_percent: 15}\n")
        (folder / "wrong.yaml").write_text("risk: {max_positon_sol: 1}\n")
        (folder / "both.yaml").write_text("dexes: {}\npumpswap: {stop_loss_percent: 15}\n")
        assert run("wallet", "create", "-q").exit_code == 0
    return World(folder, pool, mint)


def entered(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.chdir(folder)
    patch.setenv("PUMPSWAP_DATA_DIR", str(folder / "data"))
    patch.setenv("PUMPSWAP_WALLET_PASSWORD", PASSWORD)
    patch.setenv("VISUAL", "true")


@pytest.fixture
def world(made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A copy for one command: no row depends on what another command has left."""
    folder = tmp_path / "tree"
    shutil.copytree(made.folder, folder)
    entered(folder, monkeypatch)
    return World(folder, made.pool, made.mint)


def test_every_command_has_rows_and_every_row_a_command() -> None:
    assert set(CASES) == set(LEAVES), "a new command needs a row in CASES"


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_a_command_answers_in_json_and_exits_as_it_says(path: tuple[str, ...], world: World) -> None:
    if path in BEFORE:
        assert run(*world.arguments(BEFORE[path])).exit_code == 0
    for line, exit_code in CASES[path]:
        result = run("--json", *path, *world.arguments(line))
        shown = f"{' '.join(path)} {line}\n{result.output}"
        assert result.exit_code == exit_code, shown
        documents = documents_of(result.stdout)
        assert documents, shown
        assert documents[-1].get("code") != "bug", shown
        for document in documents:
            if "schema" in document or path[:1] not in ROWS:
                assert str(document["schema"]).startswith("pumpswap."), shown
                assert isinstance(document["version"], int), shown
        if exit_code == 2:
            assert documents[-1]["exit_code"] == 2


def documents_of(text: str) -> list[dict[str, object]]:
    """The objects on stdout: one, or one in each line of a stream."""
    decoder, found, place = json.JSONDecoder(), [], 0
    while place < len(text.rstrip()):
        document, place = decoder.raw_decode(text, place)
        assert isinstance(document, dict)
        found.append(document)
        while place < len(text) and text[place].isspace():
            place += 1
    return found


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_has_an_example_and_an_unknown_option_is_a_usage_error(path: tuple[str, ...]) -> None:
    page = run(*path, "--help")
    assert page.exit_code == 0
    assert "\nExamples:\n" in page.stdout
    assert run(*path, "-h").stdout == page.stdout
    error = refusal(2, *path, "--no-such-option")
    assert error["what"] in ("there is no option --no-such-option", "missing command")


@pytest.mark.parametrize("path", GROUPS, ids=" ".join)
def test_a_group_names_the_command_that_was_meant(path: tuple[str, ...]) -> None:
    group = command_at(path)
    assert isinstance(group, LazyGroup)
    assert run(*path).exit_code == 2 or acts(path)
    name = max(group.entries, key=len)
    assert name in refusal(2, *path, name[:-1])["hint"] or name[:-1] in group.entries
