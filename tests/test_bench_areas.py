"""An area of benchmarks that was interrupted goes on with the topics that are left."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks.figures import Figures
from benchmarks.report import Area
from tests.support.kept import Kept


class Topic(ModuleType):
    """One that counts how often it is measured."""

    def __init__(self, name: str, holds: bool) -> None:
        super().__init__(name)
        self.holds, self.measured = holds, 0

    def measure(self) -> Figures:
        self.measured += 1
        return Figures(self.__name__, ["ours 2"], {"ours": 2.5}, [("twice the peer", self.holds)], ["best of five"])


def test_what_has_held_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, broken = topics = Topic("whole", True), Topic("broken", False)
    for topic in topics:
        monkeypatch.setitem(sys.modules, f"benchmarks.trial.{topic.__name__}", topic)
    area = Area("trial", "A trial.", ("whole", "broken"), lambda: tmp_path)
    monkeypatch.setattr(area, "kept", lambda: Kept(tmp_path, "sources"))
    printed = []
    for arguments in (["--no-evidence"], ["--no-evidence", "--resume"]):
        assert area.run(arguments) == 1
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert "held: twice the peer" in printed[0] and "BROKEN: twice the peer" in printed[0]
    assert (whole.measured, broken.measured) == (1, 2)
    assert area.run(["--no-evidence"]) == 1 and whole.measured == 2
