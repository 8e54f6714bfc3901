"""The pages about configuration and the bridge say what the code does."""

from __future__ import annotations

import re
from typing import Any

import click
import yaml

from pumpswap.settings.environment import BORROWED, OTHERS
from pumpswap.settings.host_file import is_host_file
from pumpswap.settings.loading import check_document
from tests.cli.running import run
from tests.support.material import ROOT

PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
BRIDGE = (ROOT / "docs" / "host-bridge.md").read_text(encoding="utf-8")


def table(heading: str) -> dict[str, str]:
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `([A-Z0-9_]+)` \| (.*) \|$", section, flags=re.MULTILINE))


def test_every_yaml_block_is_right() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        document = yaml.safe_load(block)
        settings = check_document(document, "the page")
        assert str(settings.risk.max_position_sol) == ("0.2" if is_host_file(document) else "0.1")


def test_the_tables_of_variables_are_complete() -> None:
    assert table("What is refused") == OTHERS
    listed = table("Variables of the proof of concept and of the SDK")
    assert set(listed) == set(BORROWED)
    for name, borrowed in BORROWED.items():
        for key in borrowed.keys.split(", "):
            assert f"`{key}`" in listed[name]


def test_the_group_is_attached_as_the_page_says() -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", BRIDGE, flags=re.DOTALL)
    world: dict[str, Any] = {}
    exec(snippet, world)
    group = world["cli"]
    assert isinstance(group, click.Group)
    result = run("pumpswap", "version", "--json", group=group)
    assert result.exit_code == 0
    assert '"schema": "pumpswap.version"' in result.stdout
