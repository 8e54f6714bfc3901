"""The page about alerts: its table is the table of topics, its settings are right, its examples are told by a run."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import yaml

from pumpswap.alerts.delivery.channels import open_channels
from pumpswap.alerts.topics import TOPICS
from pumpswap.app.run_order import RunOrder
from pumpswap.settings import Settings
from pumpswap.storage.database import open_database
from tests.app.played import played
from tests.support.material import ROOT

PAGE = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")


def test_the_table_lists_every_topic_as_it_is() -> None:
    keys = {topic.name: f"`{topic.setting}`" if topic.setting else "" for topic in TOPICS.values()}
    rows = [f"| {one.name} | {one.level.value} | {one.about} | {keys[one.name]} |" for one in TOPICS.values()]
    assert "\n".join(rows) in PAGE


def test_every_yaml_block_is_right_and_names_topics_that_there_are() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(blocks) >= 4
    for block in blocks:
        chosen = Settings(**yaml.safe_load(dedent(block)))
        assert len(open_channels(chosen.alerts)) == len(chosen.alerts.channels)  # of URLs that apprise takes
        for channel in chosen.alerts.channels:
            assert set(channel.topics) <= TOPICS.keys()


def test_the_examples_are_told_by_the_run_that_the_page_names(tmp_path: Path) -> None:
    found = re.search(r"`pumpswap run --market simulated:9 --fast`:\n\n```\n(.*?)```", PAGE, flags=re.DOTALL)
    assert found is not None
    played(tmp_path, RunOrder("simulated:9", is_fast=True, seconds=1_800))
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        told = {f"{alert.topic}: {alert.text}" for alert in database.alerts.all()}
    examples = found[1].splitlines()
    assert len(examples) == 4
    assert set(examples) <= told


def test_what_to_do_names_topics_that_there_are() -> None:
    table = PAGE.partition("| you read | do |\n|---|---|\n")[2].partition("\n\n")[0]
    named = {topic for row in table.splitlines() for topic in row.split("|")[1].partition(":")[0].strip().split(", ")}
    assert len(named) > 10
    assert named <= TOPICS.keys()
