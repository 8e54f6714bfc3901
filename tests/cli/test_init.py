"""``pumpswap init``: a first file that is right, starts on paper, and never switches mainnet on."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpswap.settings import Settings, read_settings
from pumpswap.settings.presets import PRESETS, preset_text
from tests.cli.running import answer, refusal, run
from tests.cli.terminal import on_a_terminal


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PUMPSWAP_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def made() -> Settings:
    return read_settings(Path("pumpswap.yaml"), environment={}).settings


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_becomes_the_file_as_it_is(preset: str) -> None:
    result = run("init", "--preset", preset, "--yes")
    assert result.exit_code == 0
    assert Path("pumpswap.yaml").read_text() == preset_text(preset)
    assert "on paper" in result.stderr
    steps = [line.split("#")[0].strip() for line in result.stderr.splitlines() if line.startswith("  pumpswap")]
    assert steps == ["pumpswap doctor", "pumpswap run --market simulated --fast", "pumpswap run"]


def test_a_file_that_is_there_is_not_written_over_without_force() -> None:
    Path("pumpswap.yaml").write_text("risk: {}\n")
    assert refusal(4, "init", "--yes")["what"] == "pumpswap.yaml exists already"
    assert Path("pumpswap.yaml").read_text() == "risk: {}\n"
    assert answer("init", "--force")["preset"] == "careful"
    assert made().risk.max_open_positions == 5
    assert refusal(2, "init", "--preset", "reckless")["what"].startswith("--preset: 'reckless'")


def test_another_file_can_be_named() -> None:
    assert answer("init", "--config", "folder/mine.yaml")["file"] == "folder/mine.yaml"
    assert Path("folder/mine.yaml").is_file()


def asked(folder: Path, **answers: str) -> str:
    """``pumpswap init`` on a terminal, where each question gets its line; what it said."""
    exit_code, said = on_a_terminal(["init", "--preset", "standard"], list(answers.items()), cwd=folder, hidden="URL")
    assert exit_code == 0, said
    return said


def test_on_a_terminal_it_asks_and_mainnet_stays_off(here: Path) -> None:
    said = asked(here, Network="mainnet", URL="https://host.example/S3CR3T", Database="gecko.db")
    settings = made()
    assert settings.chain.network == "mainnet"
    assert settings.chain.allow_mainnet is False
    assert settings.chain.endpoints[0].url.get_secret_value() == "https://host.example/S3CR3T"
    assert settings.database_target == "sqlite:///gecko.db"
    assert "S3CR3T" not in said
    assert "pumpswap db attach" in said
    assert "# mainnet, devnet or localnet" in Path("pumpswap.yaml").read_text()


def test_every_question_may_be_left_unanswered(here: Path) -> None:
    asked(here, Network="", Database="")
    assert Path("pumpswap.yaml").read_text() == preset_text("standard")


def test_the_practice_chain_needs_no_url(here: Path) -> None:
    asked(here, Network="localnet", Database="")
    assert made().chain.network == "localnet"
    assert made().chain.endpoints[0].url.get_secret_value() == "http://127.0.0.1:8899"


def test_a_data_folder_that_cannot_be_is_said_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    file = tmp_path / "pumpswap.yaml"
    error = refusal(4, "init", "--yes", "--config", str(file), "--data-dir", str(tmp_path / "file" / "data"))
    assert "cannot be used" in error["what"]
    assert "--data-dir" in error["hint"]
    assert not file.exists()
