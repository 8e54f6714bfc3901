"""One key changes, everything else stays byte for byte."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.errors import ConfigError
from pumpswap.settings.keys import all_keys, find_key
from pumpswap.settings.presets import PRESETS, preset_text
from pumpswap.settings.yaml_edit import rendered, with_value, without_sections
from pumpswap.settings.yaml_file import parse_yaml

TEXT = """\
# my settings
risk:            # limits
  max_open_positions: 5   # five
  # max_position_sol: 1   # cap

# about exits
exits: {stop_loss_bps: 1500}
run:
  signals:
    - analyser   # the first
    - q50
chain:
# the end
"""


def changed(key: str, value: Any, text: str = TEXT) -> str:
    found = find_key(key)
    assert found is not None
    return with_value(text, found, value)


@pytest.mark.parametrize(
    ("key", "value", "before", "after"),
    [
        ("risk.max_open_positions", "7", "max_open_positions: 5   # five", "max_open_positions: 7   # five"),
        ("risk.max_position_sol", "0.5", "  # max_position_sol: 1   # cap", "  max_position_sol: 0.5  # cap"),
        ("exits.stop_loss_bps", "9", "{stop_loss_bps: 1500}", "{stop_loss_bps: 9}"),
        ("exits.max_hold_seconds", "9", "{stop_loss_bps: 1500}", "{stop_loss_bps: 1500, max_hold_seconds: 9}"),
        (
            "run.signals",
            ["follow"],
            "  signals:\n    - analyser   # the first\n    - q50\n",
            "  signals: [follow]\n",
        ),
        ("chain.network", "devnet", "chain:\n", "chain:\n  network: devnet\n"),
        ("risk.cooldown_seconds", "9", "# five\n", "# five\n  cooldown_seconds: 9\n"),
        ("risk.require_screen", "true", "# five\n", "# five\n  require_screen: true\n"),
        ("wallet.public_key", "123", "# the end\n", "# the end\n\nwallet:\n  public_key: '123'\n"),
        ("data_dir", "data", "# my settings\n", "# my settings\ndata_dir: data\n"),
    ],
)
def test_only_the_key_itself_changes(key: str, value: Any, before: str, after: str) -> None:
    assert TEXT.count(before) == 1
    assert changed(key, value) == TEXT.replace(before, after)


def test_an_empty_file_and_one_without_a_last_line_end() -> None:
    assert changed("risk.slippage_bps", "7", "") == "risk:\n  slippage_bps: 7\n"
    assert changed("data_dir", "x", "# a") == "# a\ndata_dir: x\n"
    assert changed("risk.cooldown_seconds", "7", "risk:\n  slippage_bps: 7") == (
        "risk:\n  slippage_bps: 7\n  cooldown_seconds: 7\n"
    )
    assert changed("risk.cooldown_seconds", "7", "risk: {}\n") == "risk: {cooldown_seconds: 7}\n"


@pytest.mark.parametrize(
    "text",
    [
        "{risk: {slippage_bps: 7}}\n",
        "risk: 5\n",
        "base: &b {slippage_bps: 7}\nrisk: *b\n",
        "risk:\n  slippage_bps: |\n    7\n",
    ],
)
def test_a_layout_that_cannot_be_changed_safely_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        changed("risk.slippage_bps", "8", text)
    assert "config edit" in caught.value.hint


def test_a_number_stays_as_it_was_written() -> None:
    assert "max_position_sol: 0.000000001\n" in changed("risk.max_position_sol", "0.000000001", "")
    assert yaml.safe_load(changed("risk.max_position_sol", "1e-9", ""))["risk"]["max_position_sol"] == "1e-9"
    assert rendered(None) == "null"
    assert rendered(["a b", "1"]) == "[a b, '1']"


@pytest.mark.parametrize("preset", PRESETS)
def test_sections_are_cut_out_of_a_file_with_their_comments(preset: str) -> None:
    text = preset_text(preset)
    document = parse_yaml(text, "it")
    for section in document:
        left = without_sections(text, [section])
        assert parse_yaml(left, "it") == {name: value for name, value in document.items() if name != section}
    assert without_sections(text, []) == text


_KEYS = [name for name, key in all_keys().items() if key.annotation in (int, bool)]


@given(
    st.lists(st.tuples(st.sampled_from(_KEYS), st.integers(0, 10**9)), min_size=1, max_size=6),
    st.sampled_from([TEXT, "", *(preset_text(name) for name in PRESETS)]),
)
def test_any_number_of_changes_gives_the_document_that_was_meant(changes: list[tuple[str, int]], text: str) -> None:
    meant = parse_yaml(text, "it")
    comments = [line for line in text.splitlines() if line.startswith("#")]
    for key, number in changes:
        text = changed(key, str(number), text)
        section, name = key.split(".")
        meant[section] = {**(meant.get(section) or {}), name: number}
    assert parse_yaml(text, "it") == meant
    assert [line for line in text.splitlines() if line.startswith("#")] == comments


@given(st.decimals(0, 10**6, places=9))
def test_any_amount_comes_back_exactly(amount: Decimal) -> None:
    text = changed("risk.max_position_sol", f"{amount:f}", "")
    stored = yaml.safe_load(text)["risk"]["max_position_sol"]
    assert Decimal(str(stored)) == amount
