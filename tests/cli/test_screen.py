"""``pumpswap screen``, offline and on a practice chain: verdicts, exit codes, and what is said of what is missing."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import TOKEN_2022_PROGRAM
from pumpswap.clock import SystemClock
from pumpswap.errors import BadInput
from pumpswap.localnet import token_bytes
from pumpswap.localnet.process import LocalnetOptions, RunningLocalnet, start_process
from pumpswap.model import TokenFacts
from pumpswap.sdk.facts_file import facts_json, facts_of_json
from tests.cli.running import answer, parsed, refusal, run
from tests.crash.practice import rpc
from tests.signals.screens.coins import MINT, NOW_NS, POOL, good, holders, pooled, swap, traded
from tests.support.material import material, requires_material

DELEGATE = Pubkey.from_bytes(b"d" * 32)
YOUNG = {"PUMPSWAP_SCREEN__MIN_AGE_SECONDS": "0", "PUMPSWAP_SCREEN__MIN_SWAPS": "3"}


def file_of(facts: TokenFacts, folder: Path) -> str:
    path = folder / "facts.json"
    path.write_text(json.dumps(facts_json(facts)))
    return str(path)


def checks_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in document["checks"]}


def screened(exit_code: int, *arguments: str) -> dict[str, Any]:
    result = run("--json", "screen", *arguments)
    assert result.exit_code == exit_code, result.output
    return parsed(result.stdout)


def test_a_safe_token_exits_with_0_and_an_unsafe_one_with_7(tmp_path: Path) -> None:
    found = answer("screen", "--offline", file_of(good(), tmp_path))
    assert (found["verdict"], found["is_safe"], found["objections"]) == ("safe", True, [])
    assert (found["mint"], found["pool"]) == (MINT, POOL)
    bad = screened(7, "--offline", file_of(pooled(is_canonical=False), tmp_path))
    assert bad["verdict"] == "unsafe"
    assert checks_of(bad)["canonical pool"]["verdict"] == "unsafe"
    assert len(bad["objections"]) == 1


def test_unknown_is_not_safe_either(tmp_path: Path) -> None:
    facts = good(holders=None, unread={"holders": "the node lists none"})
    found = screened(7, "--offline", file_of(facts, tmp_path))
    assert (found["verdict"], found["is_safe"]) == ("unknown", False)
    assert found["objections"] == ["not known: the node lists none"] * 2


def test_people_see_every_check_with_its_reason(tmp_path: Path) -> None:
    result = run("screen", "--offline", file_of(pooled(lp_minted_units=None), tmp_path))
    assert result.exit_code == 7
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "✓ mint authority given up: nobody can make new tokens" in lines
    assert "? LP burned not known: the LP mint could not be read" in lines
    assert "? unknown: of 21 checks 20 safe, 0 unsafe, 1 unknown" in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_old_facts_say_how_old_they_are(tmp_path: Path) -> None:
    result = run("screen", "--offline", file_of(good(), tmp_path))
    assert "as of 2026-09-21 14:13:20 UTC" in result.stdout
    assert "Warning: these facts were read" in result.stderr and "ago" in result.stderr
    (told,) = answer("screen", "--offline", file_of(good(), tmp_path))["warnings"]
    assert told.startswith("these facts were read") and told.endswith("the token may have changed since")
    now = good(at_ns=SystemClock().now_ns())
    assert run("screen", "--offline", file_of(now, tmp_path)).stderr == ""


def test_what_a_node_says_steers_no_terminal(tmp_path: Path) -> None:
    facts = good(mint="\x1b[2Jmint", holders=None, unread={"holders": "\x1b[31mred\nrows"})
    result = run("screen", "--offline", file_of(facts, tmp_path))
    assert "\x1b" not in result.stdout
    assert "\\x1b[31mred\\nrows" in result.stdout


def test_a_file_named_like_a_key_is_not_repeated(tmp_path: Path) -> None:
    key = "5x" * 44
    for name in (key, f"{key}.json"):
        assert key not in str(refusal(2, "screen", "--offline", name))


def test_facts_survive_their_file_exactly(tmp_path: Path) -> None:
    for facts in (good(), pooled(lp_minted_units=2**63), TokenFacts("mint", 1, unread={"pool": "none"})):
        told = json.loads(json.dumps(facts_json(facts)))
        assert facts_of_json(told) == facts
    assert facts_json(good())["basics"]["supply_units"] == str(10**15)
    assert facts_json(good())["trading"]["swaps"][0]["quote_reserve"] == str(85 * 10**9)
    # What does not fit the 53 bits of other languages' numbers is text.
    assert (facts_json(good())["at_ns"], facts_json(good())["age"]["since_ns"]) == (
        str(NOW_NS), str(NOW_NS - 86_400 * 10**9),
    )  # fmt: skip


def test_files_that_are_no_facts_are_refused_with_a_reason(tmp_path: Path) -> None:
    assert "does not exist" in refusal(3, "screen", "--offline", str(tmp_path / "none.json"))["what"]
    for content, reason in (("{", "no JSON"), ("{}", "missing required field"), ('{"mint": 1, "at_ns": 2}', "mint")):
        (tmp_path / "bad.json").write_text(content)
        assert reason in refusal(1, "screen", "--offline", str(tmp_path / "bad.json"))["what"]
    (tmp_path / "bad.json").write_text("[" * 200_000)
    assert "nested too deeply" in refusal(1, "screen", "--offline", str(tmp_path / "bad.json"))["what"]
    assert "either a mint or a file" in refusal(2, "screen")["what"]
    both = (str(Keypair().pubkey()), "--offline", str(tmp_path / "bad.json"))
    assert "either a mint or a file" in refusal(2, "screen", *both)["what"]


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (pooled(lp_minted_units=-1), "lp_minted_units"),
        (good(holders=holders(-30)), "units"),
        (traded([swap(1, "w", is_buy=True, quote=-5)]), "base_units"),
    ],
)
def test_amounts_below_nothing_are_no_facts(facts: TokenFacts, name: str) -> None:
    with pytest.raises(BadInput, match=f"{name} is -"):
        facts_of_json(json.loads(json.dumps(facts_json(facts))))


@pytest.fixture(scope="module")
def localnet() -> Iterator[RunningLocalnet]:
    folder = material("chain")
    assert folder is not None
    options = LocalnetOptions(programs=folder, market=2, slot_ms=50, seed=3, test_methods=True)
    with start_process(options) as running:
        yield running


@pytest.fixture
def where(localnet: RunningLocalnet, tmp_path: Path) -> tuple[str, ...]:
    return ("--url", localnet.http_url, "--data-dir", str(tmp_path))


@pytest.fixture
def coin(localnet: RunningLocalnet) -> str:
    """A canonical pool that bots have begun to trade on."""
    found = answer("localnet", "market", "1", "--url", localnet.http_url)
    mint, pool = str(found["pools"][0]["base_mint"]), str(found["pools"][0]["address"])
    for _ in range(200):
        lines = rpc(localnet, "getSignaturesForAddress", pool)
        if sum(line["err"] is None for line in lines) >= 8:
            return mint
        time.sleep(0.05)
    raise AssertionError("the bots do not trade")


@requires_material("chain", "programs")
def test_a_coin_of_the_practice_chain_is_screened_and_again_from_its_file(
    where: tuple[str, ...], coin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in YOUNG.items():
        monkeypatch.setenv(name, value)
    result = run("--json", "screen", coin, *where)
    found = parsed(result.stdout)
    checks = checks_of(found)
    for name in ("mint authority", "freeze authority", "transfer hook", "canonical pool", "LP burned", "age",
                 "liquidity drop", "FDV to liquidity"):  # fmt: skip
        assert checks[name]["verdict"] == "safe", checks[name]
    assert checks["LP burned"]["figures"]["burned"] == 1
    assert found["facts"]["unread"] == {}
    assert len(found["facts"]["trading"]["swaps"]) >= 3
    (tmp_path / "kept.json").write_text(result.stdout)
    again = run("--json", "screen", "--offline", str(tmp_path / "kept.json"))
    assert again.exit_code == result.exit_code
    assert parsed(again.stdout) == found


@requires_material("chain", "programs")
def test_a_token_2022_mint_with_a_permanent_delegate_and_a_fee_is_unsafe(
    where: tuple[str, ...], localnet: RunningLocalnet, coin: str
) -> None:
    fee = b"\0" * 16 + (300).to_bytes(2, "little")
    data = token_bytes.extended_mint(10**15, 6, {1: bytes(72) + fee + fee, 12: bytes(DELEGATE)})
    mint = Keypair().pubkey()
    account = {"address": str(mint), "owner": str(TOKEN_2022_PROGRAM), "lamports": 10**9}
    rpc(localnet, "localnet_setAccount", {**account, "data": [base64.b64encode(data).decode(), "base64"]})
    rpc(localnet, "localnet_advance", 3)
    found = screened(7, str(mint), *where)
    checks = checks_of(found)
    assert checks["transfer fee"]["reason"] == "300 bps of every transfer; at most 0"
    assert checks["permanent delegate"]["reason"] == f"{DELEGATE} can take or burn your tokens"
    assert checks["canonical pool"]["verdict"] == "unknown"
    assert (found["verdict"], found["pool"]) == ("unsafe", None)


@requires_material("chain", "programs")
def test_one_question_that_the_node_refuses_leaves_the_others(
    where: tuple[str, ...], localnet: RunningLocalnet, coin: str
) -> None:
    methods = ["getTokenLargestAccounts", "getProgramAccounts"]
    rpc(localnet, "localnet_fault", {"kind": "false_error", "methods": methods, "times": 1_000})
    try:
        found = screened(7, coin, *where)
    finally:
        rpc(localnet, "localnet_clearFaults")
    checks = checks_of(found)
    assert {name for name, check in checks.items() if "getTokenLargestAccounts" in check["reason"]} == {
        "top holder",
        "top ten holders",
    }
    assert checks["mint authority"]["verdict"] == "safe"


@requires_material("chain", "programs")
def test_what_is_no_token_is_not_found_and_no_network_is_no_verdict(where: tuple[str, ...]) -> None:
    assert "there is no mint" in refusal(3, "screen", str(Keypair().pubkey()), *where)["what"]
    nowhere = ("--url", "http://127.0.0.1:9", *where[2:])
    assert refusal(11, "screen", str(Keypair().pubkey()), *nowhere)["what"].startswith("127.0.0.1:9")
