"""The table of topics: complete, and in the words of the settings."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pumpswap.alerts.topics import TOPICS, topic_called
from pumpswap.errors import NotFound
from pumpswap.execution.alarm import TOPIC
from pumpswap.model import AlertLevel, ExitKind
from pumpswap.settings import AlertRules
from tests.support.material import ROOT

SOURCES = sorted((ROOT / "src" / "pumpswap").rglob("*.py"))


def topics_in(path: Path) -> set[str]:
    """Literal topics: the argument after a level, in whatever is called with one."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or getattr(node.func, "attr", "") == "log":
            continue
        for level, topic in zip(node.args, node.args[1:], strict=False):
            is_level = isinstance(level, ast.Attribute) and getattr(level.value, "id", "") == "AlertLevel"
            is_level = is_level or (isinstance(level, ast.Name) and level.id == "level")
            if is_level and isinstance(topic, ast.Constant) and isinstance(topic.value, str):
                found.add(topic.value)
    return found


def test_every_topic_that_is_told_is_in_the_table() -> None:
    told = {topic for path in SOURCES for topic in topics_in(path)}
    assert {"feed", "entry", "stop", "circuit breaker", "executor", "exit failed"} <= told  # they are found at all
    assert told <= TOPICS.keys()
    assert TOPIC in TOPICS


def test_every_rule_of_the_settings_belongs_to_a_topic() -> None:
    keys = {
        key for key in AlertRules.model_fields if not key.endswith("_seconds") or key.startswith(("unknown", "stale"))
    }
    assert {topic.setting for topic in TOPICS.values()} - {""} == keys


def test_the_triggers_are_called_like_their_exits() -> None:
    by_people = {ExitKind.SIGNAL, ExitKind.PANIC, ExitKind.BY_HAND}
    assert {kind.value for kind in set(ExitKind) - by_people} <= TOPICS.keys()


def test_a_topic_is_found_by_its_name_and_a_wrong_one_names_the_right_ones() -> None:
    assert topic_called("rug").level is AlertLevel.CRITICAL
    with pytest.raises(NotFound) as refused:
        topic_called("rugs")
    assert "rug, liquidity flight" in refused.value.hint


def test_each_line_of_help_is_short_enough_for_a_terminal() -> None:
    assert max(len(topic.about) for topic in TOPICS.values()) <= 90
