"""The page about the endpoint lists every series that is served, and the page about alerts every word of a chat."""

from __future__ import annotations

import re

import yaml
from prometheus_client import CollectorRegistry

from pumpswap.app.chat.words import WORDS
from pumpswap.app.metering.families import Families
from tests.support.material import ROOT

PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
ALERTS = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8").split("\n## Remote commands\n")[1]


def test_the_table_is_that_of_the_code() -> None:
    registry = CollectorRegistry()
    labels = {metric._name: metric._labelnames for metric in vars(Families(registry)).values()}
    lines = [
        f"| `{metric.name}{'_total' if metric.type == 'counter' else ''}` | {metric.type} "
        f"| {', '.join(labels[metric.name])} | {metric.documentation} |"
        for metric in registry.collect()
    ]
    assert re.findall(r"^\| `pumpswap_.*$", PAGE, re.MULTILINE) == lines


def test_rules_ask_for_series_that_there_are() -> None:
    (rules,) = re.findall(r"^```yaml\n(# rules\.yml.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    asked = " ".join(rule["expr"] for group in yaml.safe_load(rules)["groups"] for rule in group["rules"])
    names = set(re.findall(r"pumpswap_[a-z_]+", asked))
    assert len(names) == 5
    assert all(f"| `{name}` |" in PAGE for name in names)


def test_every_word_of_a_chat_is_on_its_page() -> None:
    table = "\n".join(line for line in ALERTS.splitlines() if line.startswith("|"))
    named = {
        text.split()[0] for row in table.splitlines() for text in re.findall(r"`([a-z-]+[A-Z ]*)`", row.split("|")[1])
    }
    assert named == set(WORDS) - {"help"}
    for row in table.splitlines()[2:]:
        words = re.findall(r"`([a-z-]+)", row.split("|")[1])
        assert all(WORDS[word].is_action == row.rstrip().endswith("yes |") for word in words), row
