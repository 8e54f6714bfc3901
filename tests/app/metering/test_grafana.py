"""The board asks for nothing that is not served, with no label that it has not, and shows all that there is."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, ProcessCollector

from pumpswap.app.metering.families import Families
from tests.support.material import ROOT

BOARD = json.loads((ROOT / "docs" / "grafana" / "pumpswap.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = BOARD["panels"]
ASKED = [(panel["title"], target["expr"]) for panel in PANELS for target in panel.get("targets", [])]
FROM_PROMETHEUS = {"instance", "le"}


def served() -> dict[str, set[str]]:
    """Series and their labels."""
    registry = CollectorRegistry()
    families = Families(registry)
    ProcessCollector(registry=registry)
    labels = {metric._name: set(metric._labelnames) for metric in vars(families).values()}
    found = {}
    for metric in registry.collect():
        own = labels.get(metric.name, set())
        ends = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(metric.type, [""])
        found |= {f"{metric.name}{end}": own for end in ends}
    return found


SERVED = served()


@pytest.mark.parametrize(("title", "asked"), ASKED)
def test_every_series_of_the_board_is_served_with_its_labels(title: str, asked: str) -> None:
    names = set(re.findall(r"\b(?:pumpswap|process)_[a-z_]+", asked))
    assert names, title
    assert names <= set(SERVED), title
    allowed = FROM_PROMETHEUS.union(*(SERVED[name] for name in names))
    grouped = {label for by in re.findall(r"by \(([^)]*)\)", asked) for label in by.split(", ")}
    matched = set(re.findall(r"([a-z_]+)=~?\"", asked))
    assert grouped | matched <= allowed, title
    assert '{instance=~"$instance"' in asked


def test_every_series_of_ours_is_on_the_board() -> None:
    shown = {name for _, asked in ASKED for name in re.findall(r"pumpswap_[a-z_]+", asked)}
    ours = {name for name in SERVED if name.startswith("pumpswap_") and not name.endswith(("_sum", "_count"))}
    assert ours == shown


def test_legends_name_labels_that_there_are() -> None:
    for panel in PANELS:
        for target in panel.get("targets", []):
            names = re.findall(r"(?:pumpswap|process)_[a-z_]+", target["expr"])
            wanted = set(re.findall(r"{{(.*?)}}", target["legendFormat"]))
            assert wanted <= set().union(*(SERVED[name] for name in names)), panel["title"]


def test_panels_have_numbers_of_their_own_and_do_not_overlap() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


def test_it_names_no_installation_of_somebody() -> None:
    assert {panel["datasource"]["uid"] for panel in PANELS if "datasource" in panel} == {"${datasource}"}
    assert [one["name"] for one in BOARD["templating"]["list"]] == ["datasource", "instance"]
