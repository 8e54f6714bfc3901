"""A known key, password and endpoint token go through every command and failure, and are found nowhere (P37 to P41)."""

from __future__ import annotations

import base64
import json
import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.cli import pumpswap
from pumpswap.errors import GuardRefused, KeystoreDamaged, WrongPassword
from pumpswap.localnet.process import LocalnetOptions, RunningLocalnet, start_process
from pumpswap.wallet import PasswordSources, Secret, read_keystore, unlock
from tests.cli.running import SOURCE
from tests.cli.test_help import ALL, command_at
from tests.support.material import material, requires_material
from tests.wallet.test_guard import pay
from tests.wallet.trades import compiled, trade

SEED = bytes(range(201, 233))
KEY = Keypair.from_seed(SEED)
PASSWORD = "zebra-quartz-zebra-quartz"
WRONG = "walrus-onyx-walrus-onyx"
TOKEN = "S3CR3T-ENDP01NT-T0K3N"
STRANGER = str(Keypair.from_seed(bytes(32)).pubkey())
SIGNATURE = str(KEY.sign_message(b"never sent"))

_LISTED = json.dumps(list(SEED)).strip("[]")
KEY_FORMS = (
    str(KEY),  # base58 of both halves
    SEED.hex(),
    bytes(KEY).hex(),
    _LISTED,
    _LISTED.replace(" ", ""),
    base64.b64encode(SEED).decode(),
    base64.b64encode(bytes(KEY)).decode()[:40],
    str(Pubkey.from_bytes(SEED)),
    repr(SEED),
)
NEEDLES: tuple[bytes, ...] = (*(form.encode() for form in (*KEY_FORMS, PASSWORD, WRONG, TOKEN)), SEED)


@dataclass
class Haystack:
    """Everything that was said, by where it was said."""

    said: dict[str, bytes] = field(default_factory=dict)

    def add(self, where: str, content: str | bytes) -> None:
        self.said[where] = content.encode() if isinstance(content, str) else content

    def check(self) -> None:
        for where, content in self.said.items():
            for needle in NEEDLES:
                assert needle not in content, f"{needle[:12]!r}… is in {where}"


@pytest.fixture(scope="module")
def localnet() -> Iterator[RunningLocalnet]:
    with start_process(LocalnetOptions(programs=material("chain"), market=1, slot_ms=50)) as running:
        yield running


@pytest.fixture(scope="module")
def coin(localnet: RunningLocalnet) -> str:
    """A coin with a canonical pool, as the first two pools of a market are."""
    pools = CliRunner().invoke(pumpswap, ["localnet", "market", "1", "--url", localnet.http_url, "--json"])
    return str(json.loads(pools.stdout)["pools"][0]["base_mint"])


@dataclass
class Place:
    """A data folder with the known wallet, and where its endpoint is."""

    folder: Path
    url: str
    coin: str
    key_file: Path

    @property
    def secret_settings(self) -> Path:
        """A settings file with a token in every place that takes one, beside the data folder."""
        file = self.folder.parent / "secret.yaml"
        url = f"http://127.0.0.1:9/{TOKEN}"
        file.write_text(
            f"chain: {{endpoints: [{{url: '{url}', ws_url: 'ws://me:{TOKEN}@127.0.0.1:9'}}]}}\n"
            f"sending: {{jito_url: '{TOKEN}'}}\ndatabase: {{url: 'postgresql://me:{TOKEN}@127.0.0.1:1/books'}}\n"
        )
        return file

    @property
    def chain(self) -> list[str]:
        return ["--url", f"{self.url}/?api-key={TOKEN}", "--network", "localnet"]


@pytest.fixture
def place(localnet: RunningLocalnet, coin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("PUMPSWAP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PUMPSWAP_WALLET_PASSWORD", PASSWORD)
    key_file = tmp_path / "id.json"
    key_file.write_text(json.dumps(list(bytes(KEY))))
    runner = CliRunner()
    assert runner.invoke(pumpswap, ["wallet", "import", "--from", str(key_file)]).exit_code == 0
    limits = ["wallet", "limits", "--max-order", "0.5", "--max-day", "5", "--min-reserve", "0"]
    assert runner.invoke(pumpswap, limits).exit_code == 0
    url = localnet.http_url
    assert runner.invoke(pumpswap, ["localnet", "airdrop", str(KEY.pubkey()), "5", "--url", url]).exit_code == 0
    return Place(tmp_path / "data", url, coin, key_file)


def calls(place: Place) -> dict[tuple[str, ...], list[list[str]]]:
    """Arguments for every command, failures among them. The key itself is an argument too: people do that."""
    chain, coin, nowhere = place.chain, place.coin, ["--url", f"http://127.0.0.1:9/?api-key={TOKEN}"]
    live = ["--live", "--yes"]
    local = ["--url", place.url]
    server, books = f"postgresql://me:{TOKEN}@127.0.0.1:1/books", str(place.folder / "pumpswap.sqlite")
    backup = str(place.folder / "books.zip")
    return {
        ("demo",): [["--fast", "--minutes", "1"]],
        ("run",): [
            ["--market", "simulated", "--fast", "--duration", "1m"],
            ["--mode", "auto", *chain],
            ["--collector", server, "--duration", "1s", *chain],
            ["--duration", "1s", *nowhere],
            ["--market", str(KEY)],
        ],
        ("live", "check"): [[*chain, "--pool", coin], [*chain], [*nowhere], ["--pool", str(KEY), *chain]],
        ("live", "test-trade"): [[*chain, "--pool", coin, "--yes"], [*nowhere, "--yes"], ["--sol", str(KEY)]],
        ("paper", "replay"): [["nothing-here"], [str(KEY)]],
        ("quote",): [["--buy-sol", "1"], [coin, "--buy-sol", "0.1", *chain], [coin, "--buy-sol", "1", *nowhere]],
        ("buy",): [[str(KEY), "0.1", *chain], [SEED.hex(), "0.1", *chain], [coin, "0.1", *chain],
                   [coin, "0.1", *chain, *live], [coin, "3", *chain, *live],
                   [coin, "0.1", *nowhere, *live], [STRANGER, "0.1", *chain, *live]],
        ("sell",): [[coin, "all", *chain, *live], [coin, "5", *chain], [coin, "all", *nowhere]],
        **{(verb,): [[], ["--run", "99"], [*live[1:]]]
           for verb in ("pause", "resume", "exits-only", "halt", "stop", "panic")},
        ("why",): [["o000001"], [coin], [str(KEY)], [SEED.hex()], ["nothing", "--json"]],
        ("approve",): [[], [str(KEY)], [SEED.hex()]],
        ("decline",): [[str(KEY)], [SEED.hex()]],
        ("positions", "list"): [[], ["--all"], ["--refresh", *chain], ["--refresh", *nowhere]],
        ("positions", "show"): [[coin], [str(KEY)]],
        ("positions", "close"): [[coin, *chain], [coin, *chain, *live], [str(KEY), *chain]],
        ("positions", "adopt"): [[coin, "--cost-zero", *chain, "--yes"], [str(KEY), "--cost-zero"]],
        ("positions", "ignore"): [[coin, *chain], [coin, "--undo", *chain], [str(KEY)]],
        ("alerts", "list"): [[], ["--topic", str(KEY)]],
        ("alerts", "test"): [[], [str(KEY)], ["--topic", SEED.hex()]],
        ("alerts", "ack"): [["--all"], [str(KEY)]],
        ("alerts", "mute"): [["entry"], [str(KEY)], ["entry", "--subject", str(KEY)]],
        ("alerts", "unmute"): [["--all"], [SEED.hex()]],
        ("alerts", "deliveries"): [[]],
        ("alerts", "topics"): [[]],
        ("ledger", "check"): [[], ["--run", "99"]],
        ("ledger", "show"): [[], ["--run", "99"]],
        ("export", "trades"): [[], ["--format", "json"]],
        ("export", "ledger"): [[], ["--output", str(place.folder / "ledger.csv")]],
        ("export", "tax-lots"): [[]],
        ("reconcile",): [[*chain], ["--repair", "--yes", *chain], [*nowhere]],
        ("runs", "list"): [[]],
        ("dashboard",): [["--port", "0", "--for", "1s"], ["--host", str(KEY)], ["--port", str(KEY)]],
        ("status",): [[], ["--run", str(KEY)], ["--json"]],
        ("watch",): [["--for", "1s"], ["--run", str(KEY), "--for", "1s"], ["--for", SEED.hex()]],
        ("collect",): [["--once", "--database", server], ["--watch", str(KEY)], ["--duration", SEED.hex()],
                       ["--once", "--database", str(KEY)]],
        ("data", "list"): [[], ["--lake", str(KEY)]],
        ("data", "verify"): [[], ["--lake", str(KEY)]],
        ("data", "export"): [["swaps"], ["swaps", "--pool", str(KEY)], ["swaps", "--output", str(KEY)]],
        ("data", "bars"): [["--seconds", "60"], ["--seconds", "60", "--pool", str(KEY)]],
        ("data", "compact"): [[]],
        ("data", "download"): [[str(KEY)], [SEED.hex()]],
        ("data", "backfill"): [[coin, *chain], [str(KEY), *chain], [coin, "--from", str(KEY)], [coin, *nowhere]],
        ("data", "record"): [[coin, "--duration", "1", *chain], [str(KEY), *chain], [*nowhere]],
        ("data", "export-qlib"): [["--out", "q", "--source", one] for one in (str(KEY), server, "nothing-here")],
        ("data", "check-qlib"): [["no-such-folder"], [str(KEY)]],
        ("db", "check"): [[], [server]],
        ("db", "backup"): [[backup], [backup, server]],
        ("db", "restore"): [[backup, books], [backup, server]],
        ("db", "upgrade"): [[], [server]],
        ("db", "downgrade"): [["0002", server, "--yes"], ["0042"]],
        ("db", "vacuum"): [[], [server]],
        ("db", "attach"): [[books], [server], ["--dry-run", server]],
        ("db", "detach"): [[books, "--yes"], [server, "--yes"]],
        ("pool", "show"): [[coin, *chain], [STRANGER, *chain], [coin, *nowhere]],
        ("pool", "find"): [[coin, *chain], [coin, "--search", *chain]],
        ("pool", "watch"): [[coin, "--for", "0.3", *chain]],
        ("pool", "new"): [[*chain], ["--all", "--follow", "--for", "0.3", *chain], [*nowhere]],
        ("pool", "decode"): [["--hex", "00"]],
        ("screen",): [[coin, *chain], [STRANGER, *chain], [coin, *nowhere], ["--offline", "no-such-file"],
                      ["--offline", str(KEY)], [str(KEY)]],
        ("signal", "run"): [["--simulated", "8", "--top", "1"], [server], [str(KEY), "--chain", *nowhere],
                            ["--simulated", "8", "--pool", str(KEY)], ["--simulated", "8", "--min-score", SEED.hex()]],
        ("signal", "compare"): [["nothing-here"], [server], [str(KEY)], ["--simulated", "1", "--horizon", str(KEY)],
                                ["--simulated", SEED.hex()], ["--threshold", str(KEY)], ["--size-sol", str(KEY)],
                                ["--simulated", "1", "--html", str(KEY)]],
        ("signal", "q50", "inspect"): [["no-such-file"], [str(KEY)], ["no-such-file", "--instrument", str(KEY)]],
        ("signal", "q50", "at"): [["2025-10-05 12:00:00", "no-such-file"], [str(KEY), str(KEY)]],
        ("signal", "follow"): [["--wallet", STRANGER, "--learn", "5", "--for", "0.3", *chain], ["--wallet", str(KEY)],
                               ["--wallet", STRANGER, "--from", "no-such-file"], ["--wallet", STRANGER, *nowhere],
                               ["--wallet", STRANGER, "--from", f"{KEY}.jsonl"]],
        ("event", "decode"): [["--hex", "00"]],
        ("tx", "show"): [[SIGNATURE, *chain], [SIGNATURE, *nowhere]],
        ("wallet", "create"): [["second"], ["second"], [str(KEY)]],
        ("wallet", "import"): [["third", "--from", "-"], ["fourth", "--from", "no-such-file"], [str(KEY)]],
        ("wallet", "list"): [[]],
        ("wallet", "show"): [[], ["none"], [str(KEY)]],
        ("wallet", "unlock"): [["--no-keyring"]],
        ("wallet", "limits"): [[], ["--max-order", "0.4", "--max-day", "5", "--min-reserve", "0"]],
        ("wallet", "wrap"): [["0.1", *chain], ["0.1", *chain, *live], ["0.1", *nowhere, *live]],
        ("wallet", "unwrap"): [[*chain], [*chain, *live]],
        ("wallet", "close-empty"): [[*chain], [*chain, *live]],
        ("execute-signal",): [
            ["--pool-id", coin, *chain], [str(KEY)], ["--pool-id", str(KEY)], ["--pool-id", coin, *nowhere],
            ["--signal", str(KEY)], ["--signal", str(place.key_file), *chain],
            ["--database", server, "--pool-id", coin],
            ["--pool-id", coin, "--dry-run", *chain], ["--pool-id", coin, *chain, *live],
        ],
        ("list-positions",): [[], ["--all"], ["--run", str(KEY)]],
        ("performance-report",): [[], ["--days", str(KEY)], ["--run", "99"]],
        ("report",): [[], ["--html"], ["--html", str(KEY)], ["--csv", str(KEY)], ["--on", SEED.hex()],
                      ["--period", str(KEY)], ["--run", str(KEY)]],
        ("report", "list"): [[]],
        ("report", "compare"): [["1", "2"], [str(KEY), "1"], ["1", "--paper"], ["1", "2", "--within", str(KEY)]],
        ("backtest", "run"): [
            ["simulated:7", "--length", "1m", "--no-books"], [str(KEY)], ["simulated", "--strategy", str(KEY)],
            ["simulated", "--set", f"risk.max_position_sol={KEY}"], ["simulated", "--set", str(KEY)],
            ["simulated", "--param", str(KEY)], ["simulated", "--frame", str(KEY)], ["simulated", "--html", str(KEY)],
            [f"simulated:{KEY}"], [f"postgresql://me:{PASSWORD}@127.0.0.1:1/none"],
        ],
        ("backtest", "repeat"): [["1"], [str(KEY)], ["1", "--source", str(KEY)], ["1", "--strategy", str(KEY)]],
        ("backtest", "list"): [[], ["--data", str(KEY)], ["--strategy", str(KEY)]],
        ("backtest", "compare"): [["1", "2"], [str(KEY), "1"], ["1", "--live", str(KEY)]],
        ("backtest", "report"): [["1"], [str(KEY)], ["1", "--html", str(KEY)]],
        ("backtest", "lookahead"): [
            [str(KEY)], ["simulated", "--strategy", str(KEY)], ["simulated", "--cuts", str(KEY)],
            ["simulated", "--length", "1m", "--allow-read", str(KEY)],
        ],
        ("tune", "run"): [
            [str(KEY), "--space", "exits.stop_loss_bps=1|2"], ["simulated", "--space", str(KEY)],
            ["simulated", "--space", f"strategy.burst_bps={KEY}|2"], ["simulated", "--space", f"{KEY}=1|2"],
            *(["simulated", "--length", "1m", "--space", "exits.stop_loss_bps=1|2", option, str(KEY)]
              for option in ("--walk-forward", "--embargo", "--ray-address", "--resume", "--trials", "--strategy")),
        ],
        ("tune", "list"): [[], ["--most", str(KEY)]],
        ("tune", "report"): [["1"], [str(KEY)]],
        ("report", "metrics"): [[], ["--evidence", str(KEY)], ["--market", str(KEY)]],
        ("report", "refused"): [[], ["--run", str(KEY)]],
        ("init",): [["--yes", "--config", str(place.folder / "new.yaml")], ["--preset", str(KEY)],
                    ["--config", str(KEY)]],
        ("config", "show"): [[], ["--changed"], [str(KEY)], ["--profile", str(KEY)], ["--config", str(KEY)],
                             ["--config", str(place.secret_settings)]],
        ("config", "set"): [[*typed, "--config", str(place.folder.parent / "set.yaml")] for typed in (
            [str(KEY), "1"], ["risk.max_position_sol", str(KEY)], ["wallet.public_key", SEED.hex()],
            ["wallet.public_key", str(KEY)], ["chain.endpoints", f"[{{url: 'http://127.0.0.1:9/{TOKEN}'}}]"])],
        ("config", "edit"): [["--config", str(place.secret_settings)]],
        ("config", "validate"): [[], [str(place.secret_settings)], [str(place.key_file)], [str(KEY)]],
        ("config", "schema"): [[], ["--output", str(KEY)]],
        ("config", "import"): [[str(place.secret_settings)], [str(place.key_file)], [str(KEY)]],
        ("config", "host-copy"): [[str(place.key_file), str(KEY)], ["no-such-file", "out.yaml"]],
        ("host", "install-cli"): [[str(place.folder)], [str(KEY)]],
        ("host", "uninstall-cli"): [[str(place.folder)], [str(KEY)]],
        ("doctor",): [[*chain, "--pool", coin], [*nowhere]],
        ("nautilus", "check"): [[]],
        ("nautilus", "catalog"): [[str(KEY), str(KEY)]],
        ("protocol", "check"): [[*chain], [*nowhere]],
        ("localnet", "start"): [["--programs", "no-such-folder"]],
        ("localnet", "status"): [local, nowhere],
        ("localnet", "market"): [["1", *local]],
        ("localnet", "rows"): [["--once", *local]],
        ("localnet", "airdrop"): [[STRANGER, "1", *local]],
        ("localnet", "pull"): [["--from", nowhere[1]]],
        ("completion",): [["bash"]],
        ("version",): [[], [str(KEY)], [f"--{SEED.hex()}"]],
    }  # fmt: skip


@requires_material("chain", "programs")
def test_p37_p41_no_command_tells_the_key_the_password_or_the_token(
    place: Place, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = calls(place)
    groups = {path[:length] for path in ALL for length in range(len(path))}
    acting = {path for path in groups if getattr(command_at(path), "invoke_without_command", False)}
    commands = {path for path in ALL if path not in groups or path in acting}
    assert commands == set(every), "a command is missing from this test"
    hay, runner = Haystack(), CliRunner()
    caplog.set_level(logging.DEBUG)
    for password in (PASSWORD, WRONG):
        monkeypatch.setenv("PUMPSWAP_WALLET_PASSWORD", password)
        for path, variants in every.items():
            if password == WRONG and "wallet" not in path and path not in (("buy",), ("sell",)):
                continue
            for number, arguments in enumerate(variants):
                for manner in (["-v", "-v"], ["--json"]) if password == PASSWORD else (["-v"],):
                    typed = [*manner, *path, *arguments]
                    result = runner.invoke(pumpswap, typed, input=str(KEY) if path[-1] == "import" else None)
                    hay.add(f"{' '.join(path)} {number} {manner} of {password[:4]}", result.output)
                    if result.exception is not None and not isinstance(result.exception, SystemExit):
                        hay.add(f"{path} {number} exception", repr(result.exception))
    hay.add("the logs", caplog.text)
    for file in place.folder.rglob("*"):
        if file.is_file():
            hay.add(f"file {file.name}", file.read_bytes())
    hay.check()


@requires_material("chain", "programs")
def test_p37_no_argument_and_no_child_of_a_live_trade_has_the_key(place: Place, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    descriptor = os.open(secret, os.O_RDONLY)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PUMPSWAP_WALLET")}
    command = [sys.executable, "-m", "pumpswap", "buy", place.coin, "0.1", "--url", place.url, "--live", "--yes"]
    process = subprocess.Popen(
        [*command, "--password-fd", str(descriptor)],
        env={**clean, "PYTHONPATH": str(SOURCE)},
        pass_fds=(descriptor,),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    hay, looks = Haystack(), 0
    try:
        while process.poll() is None:
            for name in ("cmdline", "environ", "comm"):
                try:
                    content = Path(f"/proc/{process.pid}/{name}").read_bytes()
                except OSError:  # it has just ended
                    continue
                hay.said[name] = hay.said.get(name, b"") + content
                looks += 1
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
    finally:
        process.kill()
        told, complained = process.communicate()
        os.close(descriptor)
    assert process.returncode == 0, complained.decode()
    assert looks > 3
    assert b"Filled" in told
    hay.add("stdout", told)
    hay.add("stderr", complained)
    hay.check()


def failure_of(act: Callable[[], object]) -> tuple[Exception, str]:
    """What is raised, and its traceback with the variables of every frame of ours."""
    with pytest.raises(Exception) as caught:
        act()
    inner = caught.value.with_traceback(caught.tb.tb_next.tb_next if caught.tb.tb_next else None)
    return caught.value, "".join(traceback.TracebackException.from_exception(inner, capture_locals=True).format())


def test_named_refusals_show_nothing_even_with_all_variables(tmp_path: Path) -> None:
    from pumpswap.wallet import create_keystore
    from tests.wallet.test_keystore import CHEAP

    path = tmp_path / "default.json"
    create_keystore(path, Secret(SEED), Secret.of_text(PASSWORD), kdf=CHEAP)
    hay = Haystack()
    wrong = PasswordSources(environment={"PUMPSWAP_WALLET_PASSWORD": WRONG}, warn=lambda _: None)
    right = PasswordSources(environment={"PUMPSWAP_WALLET_PASSWORD": PASSWORD}, warn=lambda _: None)
    signer = unlock(path, right.find)
    hay.add("reprs", "".join(map(repr, (wrong, right, signer, read_keystore(path), Secret.of_text(PASSWORD)))))

    error, text = failure_of(lambda: unlock(path, wrong.find))
    assert isinstance(error, WrongPassword)
    hay.add("wrong password", text)

    content = path.read_bytes()
    path.write_bytes(content.replace(b'"name": "default"', b'"name": "defaulx"'))
    error, text = failure_of(lambda: unlock(path, right.find))
    assert isinstance(error, KeystoreDamaged)
    hay.add("tampered", text)
    path.write_bytes(content)
    path.chmod(0o644)
    error, text = failure_of(lambda: unlock(path, right.find))
    assert isinstance(error, KeystoreDamaged)
    assert "0644" in str(error)
    hay.add("open to others", text)

    ours = trade()
    message = compiled([*ours.steps, pay(KEY.pubkey(), 1)])

    def sign() -> object:
        coroutine = signer.sign(message, ours.plan)
        return coroutine.send(None)

    error, text = failure_of(sign)
    assert isinstance(error, GuardRefused)
    hay.add("foreign instruction", text)
    hay.check()


def test_the_haystack_finds_what_it_looks_for() -> None:
    for needle in NEEDLES:
        hay = Haystack()
        hay.add("somewhere", b"x" + needle + b"y")
        with pytest.raises(AssertionError):
            hay.check()


def test_the_command_tree_has_no_command_that_prints_a_key() -> None:
    for path in ALL:
        assert not {"reveal", "dump", "private"} & set(path)
        # The books and the market's history, and nothing of a wallet.
        assert path[:1] in {("export",), ("data",)} or "export" not in path
    assert isinstance(pumpswap, click.Group)
