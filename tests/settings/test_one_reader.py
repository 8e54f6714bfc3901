"""One source of settings (M12): nobody but this room reads a settings file or the environment."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pumpswap.nautilus
from pumpswap.settings.environment import OTHERS
from tests.support.material import ROOT

SOURCE = ROOT / "src" / "pumpswap"


def modules(word: str) -> Iterator[tuple[str, ast.Module]]:
    """Modules in whose text a word stands at all."""
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if word in text:
            yield path.relative_to(SOURCE).as_posix(), ast.parse(text)


def imported(tree: ast.Module) -> set[str]:
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return found | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_only_the_settings_read_yaml() -> None:
    readers = {name for name, tree in modules("yaml") if "yaml" in {one.partition(".")[0] for one in imported(tree)}}
    assert readers
    assert all(name.startswith("settings/") for name in readers), readers


def test_only_the_settings_and_the_wallet_s_password_read_the_environment() -> None:
    readers = {
        name
        for word in ("environ", "getenv")
        for name, tree in modules(word)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == word  # of os, whatever it is called
    }
    assert readers == {"settings/loading.py", "wallet/passwords.py"}


def test_every_variable_that_is_named_in_the_repository_is_a_setting_or_listed() -> None:
    from pumpswap.settings.environment import our_variables

    named: set[str] = set()
    for path in (*(ROOT / "docs").glob("*.md"), ROOT / "README.md", *(ROOT / "scripts").glob("*.sh")):
        named |= set(re.findall(r"\bPUMPSWAP_[A-Z0-9_]*", path.read_text(encoding="utf-8")))
    keys = {name for name in named if "__" in name and not name.endswith(("__", "__KEY"))}
    unknown = [given.problem for given in our_variables(dict.fromkeys(keys, "1")) if "no such setting" in given.problem]
    assert unknown == []
    constants = set(pumpswap.nautilus.__all__)  # Python names of the adapter, as PUMPSWAP_CLIENT_ID
    named -= constants | {"PUMPSWAP_", "PUMPSWAP_DATA_DIR"}
    plain = {name for name in named if "__" not in name}
    assert plain <= set(OTHERS), plain - set(OTHERS)


def test_the_templates_of_the_package_are_in_the_package() -> None:
    assert sorted(path.name for path in Path(SOURCE / "settings" / "presets").glob("*.yaml")) == [
        "careful.yaml",
        "research.yaml",
        "standard.yaml",
    ]
