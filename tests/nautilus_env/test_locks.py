"""The environments of the adapter, looked at from the one that has no NautilusTrader."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.util import find_spec

import pytest

import pumpswap.nautilus
from pumpswap.errors import ConfigError
from pumpswap.nautilus.check import examine, installed_version
from pumpswap.settings import Settings
from tests.cli.running import run
from tests.support.environments import environment_python
from tests.support.material import ROOT

VERSIONS = ("1.221", "1.231")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
without = pytest.mark.skipif(find_spec("nautilus_trader") is not None, reason="NautilusTrader is here")


@pytest.mark.parametrize("version", VERSIONS)
def test_each_supported_version_has_a_lock_and_an_environment(version: str) -> None:
    lock = (ROOT / "requirements" / f"nautilus-{version}.txt").read_text(encoding="utf-8")
    (pinned,) = re.findall(r"^nautilus-trader==(\S+)", lock, flags=re.MULTILINE)
    assert pinned.startswith(f"{version}.")
    bootstrap = (ROOT / "scripts" / "bootstrap.sh").read_text(encoding="utf-8")
    assert f"nautilus-{version}" in bootstrap
    assert environment_python(f"nautilus-{version}").parent.parent.name == f".venv-nautilus-{version}"


def test_the_extra_takes_both_versions_and_no_second_major() -> None:
    extra = PROJECT["optional-dependencies"]["nautilus"]
    assert "nautilus_trader>=1.221,<2" in extra
    assert "nautilus" not in "".join(PROJECT["optional-dependencies"]["all"])


def test_no_other_lock_has_it() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        if lock.stem not in {f"nautilus-{version}" for version in VERSIONS}:
            assert "nautilus-trader==" not in lock.read_text(encoding="utf-8"), lock.name


@without
def test_without_it_names_say_how_to_get_it() -> None:
    """One name of each file; the curve itself knows nothing of NautilusTrader, and loads."""
    of_files = {home: name for name, home in pumpswap.nautilus._HOME.items()}
    assert {"backtest.curve", "backtest.feed"} <= of_files.keys()
    for home, name in of_files.items():
        if home not in ("backtest.curve", "backtest.feed"):
            with pytest.raises(ConfigError, match="NautilusTrader is not installed") as refused:
                getattr(pumpswap.nautilus, name)
            assert "pip install 'pumpswap[nautilus]'" in refused.value.hint


@without
def test_without_it_the_check_fails_and_asks_nothing_more() -> None:
    assert installed_version() is None
    (only,) = examine(Settings())
    assert (only.name, only.exit_code) == ("nautilus_trader", 4)
    result = run("nautilus", "check", "--json")
    assert (result.exit_code, json.loads(result.stdout)["nautilus_trader"]) == (4, None)


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        pumpswap.nautilus.Nothing  # noqa: B018
