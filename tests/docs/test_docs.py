"""The documentation is true: links lead somewhere, settings are those of the code, snippets run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from solders.pubkey import Pubkey

from pumpswap.amm import explain
from pumpswap.amm.addresses import AMM_PROGRAM
from pumpswap.settings import Settings
from pumpswap.settings.keys import section_of
from pumpswap.settings.page import settings_table, with_tables
from tests.support.market import graduate
from tests.support.material import ROOT

PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
SECTIONS = {name: section for name in Settings.model_fields if (section := section_of(name)) is not None}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} → {target}"


def test_the_settings_page_has_the_tables_of_the_settings_classes() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert with_tables(text) == text, "python -m pumpswap.settings.page docs/settings.md"


@pytest.mark.parametrize("name", SECTIONS)
def test_the_settings_page_has_a_table_for_every_section(name: str) -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {name}\n")[1].split("\n## ")[0]
    assert settings_table(name) in section
    assert re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE) == list(SECTIONS[name].model_fields)


def test_defaults_are_shown_as_people_write_them() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for name, section in SECTIONS.items():
        table = text.split(f"\n## {name}\n")[1].split("\n## ")[0]
        listed = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", table, flags=re.MULTILINE))
        assert section.model_validate({key: yaml.safe_load(value) for key, value in listed.items()}) == section()


def test_the_python_of_the_core_page_runs() -> None:
    text = (ROOT / "docs" / "core.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    state = graduate()
    world: dict[str, Any] = {
        "pool_account_bytes": state.pool.encode(),
        "pool_address": state.address,
        "base_vault_amount": state.base_reserve,
        "quote_vault_amount": state.quote_vault,
        "mint_supply": state.base_supply,
        "my_key": Pubkey.default(),
    }
    exec(snippet, world)
    assert world["quote"].total_quote <= 10**9
    assert world["limit"] < world["quote"].base_out


def test_the_python_of_the_page_about_your_database_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "host-reading.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(snippet, {})
    assert [path.name for path in tmp_path.iterdir()] == ["gecko.db"]


def test_the_program_codes_on_the_errors_page_carry_their_names() -> None:
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    for code in (6016, 6023, 6039, 6063, 6079):
        row = next(line for line in text.splitlines() if line.startswith("|") and str(code) in line)
        name = explain(AMM_PROGRAM, code).name
        assert name in row or code in (6016, 6039)
