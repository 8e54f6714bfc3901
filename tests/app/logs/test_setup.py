"""What goes where: stderr for people, all of it for machines and into the file; and everything as before afterwards."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from pumpswap.app.logs.setup import RUN_LOGGER, begun_logging, log_path
from pumpswap.execution.correlation import ORDER
from pumpswap.settings import LogSettings, Settings

TOKEN = "S3CR3T-ENDP01NT-T0K3N"
_ours = logging.getLogger("pumpswap.engine.tending")
_theirs = logging.getLogger("somebody.else")


def settings(tmp_path: Path, **logs: object) -> Settings:
    return Settings.model_validate(
        {"data_dir": tmp_path, "logs": logs, "chain": {"endpoints": [{"url": f"https://rpc.example.org/{TOKEN}"}]}}
    )


def talk() -> None:
    _ours.debug("ours-debug")
    _ours.info("ours-info")
    _ours.warning("ours-warning", extra={"feed": "pools"})
    _ours.error("ours-error")
    logging.getLogger(RUN_LOGGER).warning("run-warning")
    _theirs.info("theirs-info")
    _theirs.warning("theirs-%s", "warning")


def events(text: str) -> list[str]:
    return [json.loads(line)["event"] for line in text.splitlines()]


@pytest.mark.parametrize(
    ("manner", "told"),
    [
        ({}, ["ours-warning", "ours-error", "theirs-warning"]),
        ({"quiet": True}, ["ours-error"]),
        ({"verbose": 1}, ["ours-info", "ours-warning", "ours-error", "run-warning", "theirs-warning"]),
        ({"verbose": 2}, ["ours-debug", "ours-info", "ours-warning", "ours-error", "run-warning", "theirs-warning"]),
    ],
)  # fmt: skip
def test_for_people_stderr_has_complaints_and_more_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], manner: dict[str, int], told: list[str]
) -> None:
    with begun_logging(settings(tmp_path), **manner):  # type: ignore[arg-type]
        talk()
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[3] for line in lines] == told


def test_a_line_carries_what_it_is_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with begun_logging(settings(tmp_path)):
        talk()
    assert "ours-warning  feed=pools  (pumpswap.engine.tending)" in capsys.readouterr().err


def test_a_file_and_json_have_all_of_the_level(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = ["ours-info", "ours-warning", "ours-error", "run-warning", "theirs-warning"]
    with begun_logging(settings(tmp_path, file="logs/engine.log", format="json")):
        talk()
    assert events(capsys.readouterr().err) == told
    assert events((tmp_path / "logs" / "engine.log").read_text()) == told


def test_a_file_beside_console_lines_has_more_than_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with begun_logging(settings(tmp_path, file="a.log", level="debug")):
        talk()
    assert "ours-debug" in (tmp_path / "a.log").read_text()
    assert "ours-debug" not in capsys.readouterr().err


def test_the_order_that_the_code_at_work_is_about_is_in_every_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with begun_logging(settings(tmp_path, format="json")):
        before = ORDER.set("o000007")
        _ours.warning("deep-below")
        ORDER.reset(before)
        _ours.warning("afterwards")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first["order"] == "o000007"
    assert "order" not in second


def test_a_secret_in_a_traceback_is_taken_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with begun_logging(settings(tmp_path, file="a.log")):
        try:
            raise ValueError(f"https://rpc.example.org/{TOKEN} said no, and {TOKEN} too")
        except ValueError:
            _ours.exception("feed-failed")
    told = capsys.readouterr().err + (tmp_path / "a.log").read_text()
    assert "ValueError: " in told
    assert TOKEN not in told


def test_afterwards_everything_is_as_before(tmp_path: Path) -> None:
    root, ours = logging.getLogger(), logging.getLogger("pumpswap")
    before = (list(root.handlers), root.level, ours.level)
    with begun_logging(settings(tmp_path, file="a.log", level="debug")):
        assert ours.isEnabledFor(logging.DEBUG)
    assert (list(root.handlers), root.level, ours.level) == before


def test_a_relative_name_is_below_the_data_folder(tmp_path: Path) -> None:
    assert log_path(settings(tmp_path)) is None
    assert log_path(settings(tmp_path, file="a.log")) == tmp_path / "a.log"
    assert log_path(Settings(data_dir=tmp_path, logs=LogSettings(file=Path("/var/log/p.log")))) == Path(
        "/var/log/p.log"
    )
