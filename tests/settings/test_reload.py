"""Hot reload: what is safe is taken over, what is not is named, what is wrong changes nothing."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from pumpswap.clock import NS_PER_SECOND, ManualClock
from pumpswap.settings import read_settings
from pumpswap.settings.keys import all_keys
from pumpswap.settings.reload import Reloaded, SettingsReload, is_safe, safe_keys


class Watched:
    """A settings file that is watched; the clock is moved by hand."""

    def __init__(self, tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> None:
        self.file = tmp_path / "pumpswap.yaml"
        self.clock = ManualClock()
        self.loads = 0
        self._stamp = 1_000_000_000_000_000_000
        self._environment = environment or {}
        self.write(text)
        self.reload = SettingsReload(self._load_first(), self._load, self.clock)

    def _load_first(self):  # type: ignore[no-untyped-def]
        return read_settings(self.file, environment=self._environment)

    def _load(self):  # type: ignore[no-untyped-def]
        self.loads += 1
        return self._load_first()

    def write(self, text: str) -> None:
        """With a time stamp of its own, whatever the file system's grain."""
        self.file.write_text(text)
        self._stamp += 1_000_000_000
        os.utime(self.file, ns=(self._stamp, self._stamp))

    def poll(self) -> Reloaded | None:
        self.clock.advance_to(self.clock.now_ns() + NS_PER_SECOND)
        return self.reload.poll()

    def polled(self) -> Reloaded:
        assert self.poll() is None, "it may not be complete yet"
        found = self.poll()
        assert found is not None
        return found


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path, "risk: {max_position_sol: 1}\n")


def test_nothing_happens_while_nothing_changes(watched: Watched) -> None:
    assert [watched.poll() for _ in range(5)] == [None] * 5
    assert watched.loads == 0


def test_a_safe_key_is_taken_over(watched: Watched) -> None:
    watched.write("risk: {max_position_sol: 0.5}\nexits: {stop_loss_bps: 900}\n")
    found = watched.polled()
    told = ["risk.max_position_sol: 1 → 0.5", "exits.stop_loss_bps: 2000 → 900"]
    assert [str(change) for change in found.applied] == told
    assert found.restart == ()
    assert found.settings.risk.max_position_sol == Decimal("0.5")
    assert watched.reload.settings is found.settings
    assert watched.poll() is None


def test_an_unsafe_key_is_named_and_not_taken_over(watched: Watched) -> None:
    watched.write("risk: {max_position_sol: 0.5}\nrun: {strategy: plan-loop}\nexits: {short_signal_bps: 1}\n")
    found = watched.polled()
    assert [change.key for change in found.applied] == ["risk.max_position_sol"]
    assert [change.key for change in found.restart] == ["exits.short_signal_bps", "run.strategy"]
    assert found.settings.run.strategy == "follow-signals"
    assert found.settings.exits.short_signal_bps == 10_000


def test_a_wrong_file_changes_nothing_and_the_next_right_one_counts(watched: Watched) -> None:
    watched.write("risk: {max_positon_sol: 0.5}\n")
    found = watched.polled()
    assert "did you mean max_position_sol?" in found.error
    assert found.settings.risk.max_position_sol == 1
    assert watched.poll() is None  # told once
    watched.write("risk: {max_position_sol: 0.25}\n")
    assert watched.polled().settings.risk.max_position_sol == Decimal("0.25")


def test_a_file_that_is_written_for_a_while_is_read_when_it_has_settled(watched: Watched) -> None:
    for part in ("risk", "risk: {max", "risk: {max_position_sol: 2}\n"):
        watched.write(part)
        assert watched.poll() is None
    found = watched.poll()
    assert found is not None
    assert found.settings.risk.max_position_sol == 2
    assert watched.loads == 1


def test_a_file_that_was_only_touched_is_not_read_again(watched: Watched) -> None:
    watched.write("risk: {max_position_sol: 1}\n")
    assert (watched.poll(), watched.poll(), watched.loads) == (None, None, 0)


def test_a_file_that_is_gone_changes_nothing_and_counts_when_it_is_back(watched: Watched) -> None:
    watched.file.unlink()
    assert watched.poll() is None
    gone = watched.poll()
    assert gone is not None
    assert "does not exist" in gone.error
    watched.write("risk: {max_position_sol: 3}\n")
    assert watched.polled().settings.risk.max_position_sol == 3


@pytest.mark.parametrize("text", [None, "", "  \n"])
def test_without_a_text_the_defaults_do_not_come_into_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    file, clock = Path("pumpswap.yaml"), ManualClock()
    file.write_text("risk: {max_position_sol: 0.02}\n")
    # As the commands do it: no file is named, the one of the working folder counts when there is one.
    reload = SettingsReload(read_settings(environment={}), lambda: read_settings(environment={}), clock)

    def polled() -> list[str]:
        found = []
        for _ in range(5):
            clock.advance_to(clock.now_ns() + NS_PER_SECOND)
            found.append(reload.poll())
        return [one.error for one in found if one is not None]

    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    assert polled() == ["pumpswap.yaml " + ("does not exist" if text is None else "is empty")]
    assert reload.settings.risk.max_position_sol == Decimal("0.02")
    assert polled() == []
    file.write_text("risk: {max_position_sol: 0.02, max_open_positions: 3}\n")
    assert polled() == [""]
    assert (reload.settings.risk.max_position_sol, reload.settings.risk.max_open_positions) == (Decimal("0.02"), 3)


def test_a_file_that_goes_while_it_is_read_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    watched = Watched(tmp_path, "risk: {max_position_sol: 1}\n")

    def load():  # type: ignore[no-untyped-def]
        watched.file.unlink()
        return read_settings(environment={})

    watched.reload = SettingsReload(read_settings(environment={}), load, watched.clock)
    watched.write("risk: {max_position_sol: 2}\n")
    found = watched.polled()
    assert (found.error, found.settings.risk.max_position_sol) == ("pumpswap.yaml does not exist", Decimal(1))


def test_the_environment_still_wins(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "risk: {max_position_sol: 1}\n", {"PUMPSWAP_RISK__MAX_POSITION_SOL": "9"})
    watched.write("risk: {max_position_sol: 2, max_open_positions: 3}\n")
    found = watched.polled()
    assert [change.key for change in found.applied] == ["risk.max_open_positions"]
    assert found.settings.risk.max_position_sol == 9


def test_a_secret_is_not_told(watched: Watched) -> None:
    watched.write("chain: {endpoints: [{url: https://host.example/S3CR3T}]}\nrisk: {max_position_sol: 1}\n")
    found = watched.polled()
    assert [change.key for change in found.restart] == ["chain.endpoints"]
    assert "S3CR3T" not in str(found)


def test_it_looks_once_a_second_at_most(watched: Watched) -> None:
    watched.write("risk: {max_position_sol: 2}\n")
    assert watched.poll() is None
    assert [watched.reload.poll() for _ in range(3)] == [None] * 3
    assert watched.poll() is not None


def test_the_safe_keys_are_limits_and_exits() -> None:
    safe = set(safe_keys())
    assert {"risk.max_position_sol", "exits.stop_loss_bps", "run.approve_seconds"} <= safe
    assert {name.partition(".")[0] for name in safe} == {"risk", "exits", "run"}
    built_once = ("risk.require_screen", "risk.max_state_age_seconds", "exits.short_signal_bps", "signals.min_score")
    assert not any(map(is_safe, built_once))
    assert not any(is_safe(name) for name in all_keys() if name.startswith(("chain.", "wallet.", "database.")))
