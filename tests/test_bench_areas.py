"""An area of benchmarks that was interrupted goes on with the topics that are left."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import ClassVar

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


def test_a_long_topic_goes_on_with_the_parts_that_are_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class InParts(ModuleType):
        measured: ClassVar[list[str]] = []
        breaks = True

        def measure_parts(self, part: Callable[..., dict[str, int]]) -> Figures:
            return Figures(
                "Parts", [], {name: part(name, lambda name=name: self._one(name)) for name in ("one", "two")}
            )

        def _one(self, name: str) -> dict[str, int]:
            if name == "two" and self.breaks:
                raise RuntimeError("the power fails")
            self.measured.append(name)
            return {"seconds": len(self.measured)}

    topic = InParts("long")
    monkeypatch.setitem(sys.modules, "benchmarks.trial.long", topic)
    area = Area("trial", "A trial.", ("long",), lambda: tmp_path)
    monkeypatch.setattr(area, "kept", lambda: Kept(tmp_path, "sources"))
    with pytest.raises(RuntimeError):
        area.run(["--no-evidence"])
    topic.breaks = False
    assert area.run(["--no-evidence", "--resume"]) == 0
    assert topic.measured == ["one", "two"]
    assert Kept(tmp_path, "sources").found("long") is not None
