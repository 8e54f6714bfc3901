"""Commands that our messages tell people to type: they exist, and so do their options."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import pumpswap
from pumpswap.cli.root import pumpswap as root

SOURCE = Path(pumpswap.__file__).parent
# A line ends with its mark, with the sentence, or where an explanation begins.
LINE = re.compile(r"(?P<mark>`?)\bpumpswap (?P<words>[a-z-][^`\n;:()\"]*)")
WORD = re.compile(r"-{1,2}[a-z][a-z-]*")


def texts_of(tree: ast.AST) -> Iterator[str]:
    """Every text that is no docstring; what is filled in is a word."""
    silent: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            silent.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            silent.update(id(part) for part in node.values)
            parts = (part.value if isinstance(part, ast.Constant) else "FILLED" for part in node.values)
            yield "".join(str(part) for part in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.value


def lines_of(path: Path) -> Iterator[tuple[bool, list[str]]]:
    """Whether it is marked as a command, and its words after ``pumpswap``."""
    for text in texts_of(ast.parse(path.read_text(encoding="utf-8"))):
        for found in LINE.finditer(text):
            yield bool(found["mark"]), found["words"].split()


def options_of(command: click.Command) -> set[str]:
    return {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help", "-h"}


def problem(words: list[str], *, is_marked: bool) -> str:
    """What is wrong with a line; empty when nothing is."""
    context = click.Context(root, info_name="pumpswap")
    current: click.Command = root
    known, rest = options_of(root), list(words)
    while rest and isinstance(current, click.Group):
        found = current.get_command(context, rest[0].rstrip(".,"))
        if found is None:
            break
        current, known = found, known | options_of(found)
        rest.pop(0)
    if isinstance(current, click.Group) and rest and not rest[0].startswith("-") and is_marked:
        return f"no command {rest[0]}"
    if current is root:
        return ""
    used = [name for word in rest if word.startswith("-") for name in WORD.findall(word)]
    return ", ".join(f"no option {name}" for name in used if name not in known)


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_commands_in_our_messages_exist_with_their_options(path: Path) -> None:
    for is_marked, words in lines_of(path):
        wrong = problem(words, is_marked=is_marked)
        assert not wrong, f"{wrong}: pumpswap {' '.join(words)}"


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("quote --buy-sol 1", ""),
        ("wallet limits --max-order SOL", ""),
        ("qoute", "no command qoute"),
        ("wallet qoute", "no command qoute"),
        ("quote --buysol 1", "no option --buysol"),
        ("wallet limits --no-such", "no option --no-such"),
    ],
)
def test_what_is_wrong_is_seen(line: str, wrong: str) -> None:
    assert problem(line.split(), is_marked=True) == wrong
