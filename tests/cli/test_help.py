"""Help: every command in the table exists, says what its table line says, and has examples that work."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pumpswap.cli import pumpswap
from pumpswap.cli.lazy import Command, LazyGroup
from tests.cli.running import run
from tests.cli.samples import write_samples


def every_command(group: LazyGroup = pumpswap, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    ctx = click.Context(group, info_name="pumpswap")
    for name in group.list_commands(ctx):
        found = group.get_command(ctx, name)
        if isinstance(found, LazyGroup):
            yield from every_command(found, (*path, name))
        else:
            yield (*path, name)


def command_at(path: tuple[str, ...]) -> click.Command:
    found: click.Command = pumpswap
    for name in path:
        assert isinstance(found, LazyGroup)
        found = found.get_command(click.Context(found), name) or pytest.fail(name)
    return found


ALL = list(every_command())


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_explains_itself_with_examples(path: tuple[str, ...]) -> None:
    found = command_at(path)
    assert isinstance(found, (Command, LazyGroup))
    assert found.help
    assert found.examples
    for width in ("80", "120"):
        page = run(*path, "--help").stdout
        assert page.startswith(" ".join(["Usage: pumpswap", *path]))
        examples = page.partition("\nExamples:\n")[2]
        for example in found.examples:
            assert f"  {example.line}\n" in examples, width
            assert "pumpswap" in example.line


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_options_all_say_what_they_do(path: tuple[str, ...]) -> None:
    for param in command_at(path).params:
        if isinstance(param, click.Option) and not param.hidden:
            assert param.help, param.name


@pytest.mark.parametrize("path", [path for path in ALL if path], ids=" ".join)
def test_table_lines_are_one_short_line(path: tuple[str, ...]) -> None:
    parent = command_at(path[:-1])
    assert isinstance(parent, LazyGroup)
    line = parent.entries[path[-1]].help
    assert 10 < len(line) <= 60
    assert not line.endswith(".")


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_example_works(path: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of one command run in order, in a folder with the files that they name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PUMPSWAP_DATA_DIR", str(tmp_path / "data"))
    write_samples(tmp_path)
    found = command_at(path)
    assert isinstance(found, (Command, LazyGroup))
    for example in found.examples:
        if example.needs:
            continue
        line, _, target = example.line.partition(" > ")
        program, *arguments = shlex.split(line)
        assert program == "pumpswap"
        result = run(*arguments)
        assert result.exit_code == 0, (example.line, result.output)
        assert result.stdout
        if target:
            Path(target).write_text(result.stdout)
