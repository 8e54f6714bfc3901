"""``pumpswap reconcile`` against a practice chain: found without a key, told, repaired only after a yes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pumpswap.localnet.process import RunningLocalnet
from tests.cli.practice import PASSWORD, SOL, practice_chain
from tests.cli.running import answer, parsed, refusal, run
from tests.crash.practice import rpc
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")


@pytest.fixture(scope="module")
def localnet() -> Iterator[RunningLocalnet]:
    with practice_chain(slot_ms=50, seed=4, test_methods=True) as running:
        yield running


@pytest.fixture
def chain(localnet: RunningLocalnet, tmp_path: Path) -> tuple[str, ...]:
    return ("--url", localnet.http_url, "--data-dir", str(tmp_path))


@pytest.fixture
def wallet(chain: tuple[str, ...], localnet: RunningLocalnet, monkeypatch: pytest.MonkeyPatch) -> str:
    """A wallet with 10 SOL whose books are open; from here on nobody knows its password."""
    monkeypatch.setenv("PUMPSWAP_WALLET_PASSWORD", PASSWORD)
    key = str(answer("wallet", "create", *chain[2:])["public_key"])
    monkeypatch.delenv("PUMPSWAP_WALLET_PASSWORD")
    give(localnet, key, 10)
    found = answer("reconcile", *chain)
    assert (found["status"], found["events"], found["differences"]) == ("clean", [], {})
    return key


def give(localnet: RunningLocalnet, key: str, sol: int) -> None:
    answer("localnet", "airdrop", key, str(sol), "--url", localnet.http_url)
    rpc(localnet, "localnet_advance", 2)


def conjure(localnet: RunningLocalnet, key: str, lamports: int) -> None:
    """Change the wallet without a transaction."""
    rpc(localnet, "localnet_setAccount", {"address": key, "owner": "1" * 32, "lamports": lamports, "data": []})
    rpc(localnet, "localnet_advance", 2)


def test_there_must_be_a_wallet(chain: tuple[str, ...]) -> None:
    assert "wallet create" in refusal(13, "reconcile", *chain)["hint"]


def test_what_came_from_outside_is_told_once(chain: tuple[str, ...], localnet: RunningLocalnet, wallet: str) -> None:
    give(localnet, wallet, 3)
    result = run("reconcile", *chain)
    assert result.exit_code == 0, result.output
    assert "deposit" in result.stdout and "+3 SOL" in result.stdout
    assert f"The books agree with wallet {wallet}" in " ".join(result.stdout.split())
    assert answer("reconcile", *chain)["events"] == []
    assert answer("ledger", "check", *chain[2:])["balanced"] is True


def test_a_difference_stays_until_it_is_repaired_after_a_yes(
    chain: tuple[str, ...], localnet: RunningLocalnet, wallet: str
) -> None:
    conjure(localnet, wallet, 10 * SOL + 5)
    result = run("reconcile", *chain)
    assert result.exit_code == 1
    assert "DIFFERENT" in result.stdout and "+0.000000005 SOL" in result.stdout
    refused = run("reconcile", "--repair", *chain, input="n\n")
    assert refused.exit_code != 0
    assert parsed(run("--json", "reconcile", *chain).stdout)["differences"] == {"SOL": "5"}
    assert run("--json", "reconcile", "--repair", *chain).exit_code == 2
    repaired = run("reconcile", "--repair", *chain, input="y\n")
    assert repaired.exit_code == 0, repaired.output
    assert "Booked as unexplained" in repaired.stdout
    assert answer("reconcile", *chain)["status"] == "clean"


def test_repair_with_json_and_yes_says_what_it_booked(
    chain: tuple[str, ...], localnet: RunningLocalnet, wallet: str
) -> None:
    conjure(localnet, wallet, 10 * SOL - 7)
    found = answer("reconcile", "--repair", "--yes", *chain)
    assert (found["status"], found["differences"]) == ("repaired", {})
    (event,) = found["events"]
    assert (event["kind"], event["signature"]) == ("unexplained", None)
    assert event["moves"] == [{"asset": "SOL", "units": "-7", "kind": "foreign"}]
