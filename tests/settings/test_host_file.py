"""One file for the host and for us: ours is read, theirs left alone, and their copy is what their rules accept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pumpswap.app.config_file import host_copy
from pumpswap.errors import ConfigError, UsageError
from pumpswap.settings import read_settings
from pumpswap.settings.host_file import is_host_file, our_parts
from pumpswap.settings.plan_keys import HOST_SECTIONS
from pumpswap.settings.write import write_settings_file
from tests.support.material import material, requires_material

needs_host = requires_material("host", "config.yaml")

OURS = """
# ---- what pumpswap reads
pumpswap:
  stop_loss_percent: 12.5   # the plan's own key
  database: {url: "sqlite:///ours.sqlite"}
  risk:
    max_position_sol: 0.2   # ours
    # max_token_sol: 1

signal_analysis: {pumpswap_boost_factor: 1.1}

exits:
  take_profit_bps: 7000
"""


def host_text() -> str:
    path = material("host", "config.yaml")
    assert path is not None
    return path.read_text(encoding="utf-8")


def host_accepts(text: str) -> dict[str, Any]:
    """The host's rule about sections: any other top-level key stops it ("Extra inputs are not permitted")."""
    document = yaml.safe_load(text)
    assert isinstance(document, dict)
    assert set(document) <= set(HOST_SECTIONS)
    return document


@needs_host
def test_w15_the_host_s_own_file_is_read_and_nothing_of_it_is_ours(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(host_text())
    found = read_settings(file, environment={})
    assert found.origins == {}
    assert found.settings.database.url is None  # the host's database is the host's
    assert set(host_accepts(host_text())) == set(HOST_SECTIONS)


@needs_host
def test_our_sections_of_a_file_for_both(tmp_path: Path) -> None:
    file = tmp_path / "both.yaml"
    file.write_text(host_text() + OURS)
    found = read_settings(file, environment={})
    settings = found.settings
    assert (settings.exits.stop_loss_bps, settings.exits.take_profit_bps) == (1_250, 7_000)
    assert str(settings.risk.max_position_sol) == "0.2"
    assert str(settings.feasibility.boost_factor) == "1.1"
    assert settings.database_target == "sqlite:///ours.sqlite"
    assert found.notes == (
        "pumpswap.stop_loss_percent → exits.stop_loss_bps",
        "signal_analysis.pumpswap_boost_factor → feasibility.boost_factor",
    )


@needs_host
def test_w15_the_copy_for_the_host_is_what_it_accepts_comments_and_all(tmp_path: Path) -> None:
    source, target = tmp_path / "both.yaml", tmp_path / "config.yaml"
    source.write_text(host_text() + OURS)
    done = host_copy(source, target)
    assert done.left_out == ("pumpswap", "signal_analysis", "exits")
    assert done.unknown == ()
    assert host_accepts(target.read_text()) == host_accepts(host_text())
    kept = [line for line in target.read_text().splitlines() if line.strip()]
    theirs = [line for line in host_text().splitlines() if line.strip()]
    assert kept[0].startswith("# A copy by `pumpswap config host-copy`")
    assert kept[1:] == [*theirs, "# ---- what pumpswap reads"]
    assert source.read_text() == host_text() + OURS


@needs_host
def test_a_section_that_neither_knows_is_told(tmp_path: Path) -> None:
    source = tmp_path / "both.yaml"
    source.write_text(host_text() + "\ndiscovery:\n  a: 1\n")
    assert host_copy(source, tmp_path / "config.yaml").unknown == ("discovery",)
    with pytest.raises(ConfigError, match="discovery: no such key"):
        read_settings(source, environment={})
    with pytest.raises(UsageError, match="would replace the file itself"):
        host_copy(source, source)


@needs_host
def test_a_mistake_in_our_part_is_named(tmp_path: Path) -> None:
    source = tmp_path / "both.yaml"
    source.write_text(host_text() + "\npumpswap:\n  stop_los_percent: 5\n  risk: {max_positon_sol: 1}\n")
    with pytest.raises(ConfigError) as caught:
        read_settings(source, environment={})
    assert caught.value.problems == (
        "pumpswap.stop_los_percent: no such key of the plan; did you mean pumpswap.stop_loss_percent?",
        "risk.max_positon_sol: no such key; did you mean max_position_sol?",
    )


def test_the_same_key_twice_is_refused() -> None:
    parts = our_parts({"dexes": {}, "risk": {"slippage_bps": 1}, "pumpswap": {"risk": {"slippage_bps": 2}}})
    assert parts.problems == ("risk.slippage_bps: is there twice, below pumpswap and at the top",)


def test_a_file_with_our_sections_only_is_ours() -> None:
    assert not is_host_file({"risk": {}, "database": {"url": "sqlite:///x"}})
    assert is_host_file({"dexes": {}, "risk": {}})


def test_only_an_earlier_copy_is_written_over(tmp_path: Path) -> None:
    both, target = tmp_path / "both.yaml", tmp_path / "config.yaml"
    both.write_text("\ufeffdexes: {network: solana}\nrisk: {}\n")
    target.write_text("dexes: {network: eth}   # the only one\n")
    with pytest.raises(ConfigError, match=r"config\.yaml exists, and is no earlier copy"):
        host_copy(both, target)
    assert target.read_text() == "dexes: {network: eth}   # the only one\n"
    host_copy(both, target, replace=True)
    first = target.read_text()
    assert host_accepts(first) == {"dexes": {"network": "solana"}}
    both.write_text("dexes: {network: eth}\n")
    host_copy(both, target)
    assert host_accepts(target.read_text()) == {"dexes": {"network": "eth"}}
    again = tmp_path / "again.yaml"
    host_copy(target, again)  # a copy of a copy says so once
    assert again.read_text() == target.read_text()


def test_what_has_no_section_of_the_host_s_is_no_file_for_both(tmp_path: Path) -> None:
    ours, target = tmp_path / "pumpswap.yaml", tmp_path / "config.yaml"
    ours.write_text("risk: {}\ndatabase: {}\n")
    with pytest.raises(UsageError, match="no file for both"):
        host_copy(ours, target, replace=True)
    assert not target.exists()


@pytest.mark.parametrize("text", ["dexes: {}\n", "risk: {}\nwatchlist: {}\n", "dexes: {a: [\n", '"dexes": [}'])
def test_nothing_of_ours_takes_the_place_of_the_host_s_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"config\.yaml is the host's configuration"):
        write_settings_file(file, "risk: {}\n")
    assert file.read_text() == text


def test_a_file_of_ours_that_is_broken_may_be_replaced(tmp_path: Path) -> None:
    file = tmp_path / "pumpswap.yaml"
    file.write_text("risk: {a: [\n")
    write_settings_file(file, "risk: {}\n")
    assert file.read_text() == "risk: {}\n"
