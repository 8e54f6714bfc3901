"""Presets are right, say what they are, and switch nothing on."""

from __future__ import annotations

import pytest

from pumpswap.errors import UsageError
from pumpswap.settings import RiskLimits, Settings
from pumpswap.settings.loading import check_document
from pumpswap.settings.presets import PRESETS, preset_text
from pumpswap.settings.yaml_file import parse_yaml


def settings_of(name: str, text: str | None = None) -> Settings:
    return check_document(parse_yaml(preset_text(name) if text is None else text, name), name)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_valid_and_only_on_paper(name: str) -> None:
    settings = settings_of(name)
    assert settings.run.mode == "paper"
    assert not settings.chain.allow_mainnet
    assert settings.chain.network is None
    assert settings.chain.endpoints == ()
    assert preset_text(name).startswith(f"# pumpswap.yaml: {name}.")


@pytest.mark.parametrize("name", PRESETS)
def test_what_is_commented_out_would_be_right_too(name: str) -> None:
    text = preset_text(name)
    lines = [line.replace("  # ", "  ", 1) if line.startswith("  # ") else line for line in text.splitlines()]
    settings = settings_of(name, "\n".join(lines))
    assert settings.chain.network == "devnet"
    assert not settings.chain.allow_mainnet


def test_standard_is_the_defaults() -> None:
    ours, theirs = settings_of("standard"), Settings()
    assert ours.model_copy(update={"data_dir": theirs.data_dir}) == theirs


def test_careful_risks_less_than_standard_in_every_limit_that_it_names() -> None:
    careful, standard = settings_of("careful").risk, RiskLimits()
    lower = [name for name in careful.model_fields_set if name.startswith(("max_", "base_", "slippage"))]
    assert len(lower) > 10
    for name in lower:
        assert getattr(careful, name) < getattr(standard, name), name
    assert careful.min_liquidity_sol > standard.min_liquidity_sol
    assert careful.require_screen


def test_a_preset_that_is_none() -> None:
    with pytest.raises(UsageError, match="no such preset"):
        preset_text("reckless")
