"""A short run in every test run; ``make fuzz`` is the long one."""

from __future__ import annotations

from typing import Any

import pytest

from pumpswap.amm import Pool
from pumpswap.errors import MalformedAccount
from tests.fuzz import __main__ as command
from tests.fuzz import run as fuzz
from tests.fuzz.run import DECODERS, run

CANNOT_REFUSE = {"events_from_logs", "events_from_inner_instructions", "failure_from_logs"}  # they count instead


def test_random_and_mutated_bytes_meet_values_and_named_errors_only() -> None:
    outcome = run(3_000, seed=20_261_010)
    assert outcome.offender is None, outcome.offender
    assert outcome.strings == 3_000
    assert outcome.within_memory
    for name, count in outcome.counts.items():
        assert count.accepted > 30, name
        assert (count.refused > 30) == (name not in CANNOT_REFUSE), name
        assert count.accepted + count.refused + count.nothing == 3_000


def test_a_seed_makes_the_same_strings_again() -> None:
    assert run(200, seed=1).table() == run(200, seed=1).table() != run(200, seed=2).table()


def test_anything_but_a_named_error_is_reported_with_its_bytes() -> None:
    def fragile(data: bytes) -> object:
        if data.startswith(b"\xf1"):
            raise IndexError("out of range")
        raise MalformedAccount("no")

    outcome = run(3_000, seed=1, decoders={"fragile": fragile})
    assert outcome.offender is not None
    assert outcome.offender.decoder == "fragile"
    assert outcome.offender.error == "IndexError: out of range"
    assert outcome.offender.data.startswith(b"\xf1")
    assert outcome.counts["fragile"].refused == outcome.offender.number


def test_a_pool_that_does_not_encode_back_to_its_bytes_is_an_offender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pool, "encode", lambda self: b"")
    outcome = run(3_000, seed=1, decoders={"Pool": DECODERS["Pool"]})
    assert outcome.offender is not None
    assert "encode" in outcome.offender.error


def test_the_command_prints_a_table_keeps_the_figures_and_succeeds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept: dict[str, Any] = {}
    monkeypatch.setattr(command, "write_evidence", lambda name, figures, notes: kept.update({name: figures}))
    assert command.main(["--count", "50", "--seed", "7"]) == 0
    assert kept["fuzz"]["strings"] == 50
    assert kept["fuzz"]["decoders"].keys() == DECODERS.keys()
    printed = capsys.readouterr().out
    assert "seed 7" in printed
    assert all(name in printed for name in DECODERS)


def test_the_command_fails_with_the_bytes_of_the_first_offender(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(data: bytes) -> object:
        raise RecursionError(len(data))

    monkeypatch.setitem(fuzz.DECODERS, "broken", broken)
    monkeypatch.setattr(command, "write_evidence", lambda *_: pytest.fail("a failed run is no evidence"))
    assert command.main(["--count", "50", "--seed", "7"]) == 1
    assert "broken broke on string 0 of seed 7: RecursionError" in capsys.readouterr().out
