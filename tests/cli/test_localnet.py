"""``pumpswap localnet``: each command against a chain in a process of its own, as a person would use it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from solders.keypair import Keypair

from pumpswap.localnet.process import LocalnetOptions, RunningLocalnet, start_process
from pumpswap.market.snapshot_tail import SnapshotTail
from tests.cli.running import answer, environment, parsed, refusal, run
from tests.support.material import material, requires_material

pytestmark = requires_material("chain", "programs")
NOBODY = "http://127.0.0.1:9"
ADDRESS = str(Keypair.from_seed(b"w" * 32).pubkey())


def programs() -> Path:
    folder = material("chain")
    assert folder is not None
    return folder


def ask(url: str, method: str, *params: Any) -> Any:
    return httpx2.post(url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).json()["result"]


@pytest.fixture(scope="module")
def running() -> Iterator[RunningLocalnet]:
    options = LocalnetOptions(programs=programs(), slot_ms=20, market=1, seed=2, start_unix=1_750_000_000)
    with start_process(options) as process:
        yield process


def begin(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pumpswap", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(COLUMNS="100")
    )


def end(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str, str]:
    """Exit code, and what it wrote since the last line that was read."""
    assert process.stdout is not None
    assert process.stderr is not None
    process.send_signal(number)
    try:
        # Not communicate(): it would lose what readline has already taken from the pipe.
        out, err = process.stdout.read(), process.stderr.read()
        return process.wait(20), out, err
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()


def test_status_tells_what_the_chain_itself_says(running: RunningLocalnet) -> None:
    said = answer("localnet", "status", "--url", running.http_url)
    assert said["schema"] == "pumpswap.localnet_status"
    assert said["genesis_hash"] == ask(running.http_url, "getGenesisHash")
    assert (said["slot_ms"], said["test_methods"], said["pools_with_bots"]) == (20, False, said["pools"])
    assert 0 < said["slot"] <= ask(running.http_url, "getSlot", {"commitment": "processed"})
    assert said["unix_time"] >= 1_750_000_000
    assert len(said["programs"]) == 3
    shown = run("localnet", "status", "--url", running.http_url)
    assert shown.exit_code == 0
    assert "every 20 ms" in shown.stdout
    assert "2025-06-15" in shown.stdout


def test_market_opens_pools_on_a_running_chain(running: RunningLocalnet) -> None:
    before = answer("localnet", "status", "--url", running.http_url)
    pools = answer("localnet", "market", "2", "--url", running.http_url)["pools"]
    after = answer("localnet", "status", "--url", running.http_url)
    assert len({each["address"] for each in pools}) == 2
    assert after["pools"] == before["pools"] + 2 == after["pools_with_bots"]
    for each in pools:
        shown_pool = answer("pool", "show", each["address"], "--url", running.http_url)
        assert shown_pool["address"] == each["address"]
        assert each["base_mint"] in json.dumps(shown_pool)
    shown = run("localnet", "market", "1", "--url", running.http_url)
    assert shown.stdout.startswith("coin ")
    assert refusal(2, "localnet", "market", "0", "--url", running.http_url)["code"] == "usage_error"


def test_airdrops_arrive_and_are_confirmed_when_it_returns(running: RunningLocalnet) -> None:
    said = answer("localnet", "airdrop", ADDRESS, "2.5", "--url", running.http_url)
    assert (said["address"], said["lamports"]) == (ADDRESS, "2500000000")
    (status,) = ask(running.http_url, "getSignatureStatuses", [said["signature"]])["value"]
    assert status["err"] is None
    assert status["confirmationStatus"] in ("confirmed", "finalized")
    balance = ask(running.http_url, "getBalance", ADDRESS, {"commitment": "confirmed"})
    assert balance["value"] == 2_500_000_000
    assert refusal(2, "localnet", "airdrop", "nobody", "1", "--url", running.http_url)["hint"]


@pytest.mark.parametrize("command", [["status"], ["market", "1"], ["airdrop", ADDRESS, "1"]])
def test_where_none_is_running_it_says_how_to_start_one(command: list[str]) -> None:
    said = refusal(6, "localnet", *command, "--url", NOBODY)
    assert said["code"] == "not_running"
    assert "localnet start" in said["hint"]


def test_a_pull_from_where_nothing_answers_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "programs"
    said = refusal(11, "localnet", "pull", "--from", NOBODY, "--to", str(folder))
    assert said["hint"]
    assert not folder.exists()


def test_what_was_pulled_into_the_data_folder_is_what_start_finds(running: RunningLocalnet, tmp_path: Path) -> None:
    data = ("--data-dir", str(tmp_path))
    assert refusal(3, *data, "localnet", "start")["code"] == "not_found"
    pulled = answer(*data, "localnet", "pull", "--from", running.http_url)
    assert Path(pulled["folder"]) == tmp_path / "localnet" / "programs"
    process = begin("--json", *data, "localnet", "start", "--port", "0", "--slot-ms", "20", "--seed", "8")
    assert process.stdout is not None
    lines = ""
    while not _is_whole(lines):
        line = process.stdout.readline()
        assert line, "it ended"
        lines += line
    said = parsed(lines)
    assert said["pools"] == []
    assert answer("localnet", "status", "--url", said["http_url"])["genesis_hash"] == said["genesis_hash"]
    # Mainnet's programs, but a chain of its own.
    assert said["genesis_hash"] != pulled["genesis_hash"]
    code, _, err = end(process, signal.SIGINT)
    assert (code, err) == (0, "")


def _is_whole(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def test_start_tells_people_where_it_is_and_what_to_try_and_saves_at_the_end(tmp_path: Path) -> None:
    saved = tmp_path / "chain"
    process = begin(
        "localnet", "start", "--port", "0", "--market", "1", "--programs", str(programs()), "--save-state", str(saved)
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first.startswith("Practice chain: http://127.0.0.1:")
    assert "websocket ws://127.0.0.1:" in first
    code, out, err = end(process, signal.SIGTERM)
    assert code == 0
    assert "canonical" in out
    everything = out + err
    assert f"savedto{saved}" in "".join(everything.split())  # however long the path is, and wherever it is broken
    assert saved.exists()
    assert "Traceback" not in everything


def test_start_on_a_taken_port_says_which_and_ends_with_code_4(running: RunningLocalnet) -> None:
    port = running.http_url.rpartition(":")[2]
    said = refusal(4, "localnet", "start", "--port", port, "--programs", str(programs()))
    assert said["what"] == f"port {port} or {int(port) + 1} is in use"
    assert "--port" in said["hint"]


def test_damaged_and_missing_chains_are_named(tmp_path: Path) -> None:
    (tmp_path / "broken").write_bytes(b"no chain")
    for name, code in (("broken", 1), ("absent", 3)):
        said = refusal(code, "localnet", "start", "--port", "0", "--load-state", str(tmp_path / name))
        assert name in said["what"]
        assert said["hint"]


def test_rows_of_the_bots_pools_are_what_a_run_scores(tmp_path: Path) -> None:
    config = tmp_path / "pumpswap.yaml"
    config.write_text("run: {snapshot_poll_seconds: 1}\n")
    books = ("--data-dir", str(tmp_path), "--config", str(config))
    with start_process(LocalnetOptions(programs=programs(), slot_ms=100, market=1, seed=2)) as chain:
        url = chain.http_url
        assert answer("localnet", "rows", "--once", "--url", url, *books)["rows"] == 1
        (row,) = SnapshotTail(tmp_path / "pumpswap.sqlite").past(0)
        (told,) = ask(url, "localnet_pools")
        assert row.snapshot.pool == told["address"]
        assert row.snapshot.name == f"TRY-{told['baseMint'][:4]} / SOL"
        writer = begin("localnet", "rows", "--every", "1s", "--url", url, *books)
        try:
            text = run("run", "--url", url, "--network", "localnet", "--duration", "12s", *books)
        finally:
            _, written, _ = end(writer, signal.SIGINT)
    assert written.endswith("written.\n")
    assert text.exit_code == 0, text.output
    assert f"TRY-{told['baseMint'][:4]}" in text.output


def test_rows_need_bots(tmp_path: Path) -> None:
    with start_process(LocalnetOptions(programs=programs(), slot_ms=1_000)) as quiet:
        error = refusal(3, "localnet", "rows", "--once", str(tmp_path / "rows.db"), "--url", quiet.http_url)
    assert "localnet market" in error["hint"]
    assert not (tmp_path / "rows.db").exists()
