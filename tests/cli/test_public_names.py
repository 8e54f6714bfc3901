"""The public names of the package: listed, sorted, lazy, and the same for people and for type checkers."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys

import pytest

import pumpswap
from tests.cli.running import environment


def test_public_names_are_sorted_and_unique() -> None:
    names = pumpswap.__all__
    assert len(set(names)) == len(names)
    shouting = [name for name in names if name.isupper()]
    classes = [name for name in names if name[0].isupper() and not name.isupper()]
    others = [name for name in names if name[0].islower() or name[0] == "_"]
    assert names == sorted(shouting) + sorted(classes) + sorted(others)


@pytest.mark.parametrize("name", pumpswap.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(pumpswap, name) is not None
    assert name in dir(pumpswap)


def test_type_checkers_see_exactly_the_public_names() -> None:
    tree = ast.parse(inspect.getsource(pumpswap))
    (block,) = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    homes = {
        alias.name: statement.module
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    assert sorted(homes) == sorted(set(pumpswap.__all__) - {"__version__"})
    for name, home in homes.items():
        assert getattr(sys.modules[home or ""], name) is getattr(pumpswap, name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Pol'"):
        pumpswap.Pol  # noqa: B018


def test_importing_the_package_loads_nothing_else() -> None:
    code = "import sys, pumpswap; print([name for name in sys.modules if name.startswith('pumpswap.')])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment(), timeout=60
    )
    assert run.stdout.strip() == "[]"
