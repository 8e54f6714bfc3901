"""How a command fails: one clear line and what to do next, or a JSON object, and a stable exit code.

Exit codes ride on the exception itself, because under a foreign click group our ``main`` never runs.
"""

from __future__ import annotations

import difflib
import errno
import json
import os
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, Any

import click

from pumpswap.cli.formats import printable
from pumpswap.cli.options import GlobalOptions, given_options
from pumpswap.errors import ProtocolDrift, PumpSwapError, TradeRefused

__all__ = ["BadValue", "Failure", "NoSuchCommand", "reported"]

_DRIFT_HINT = "the bytes may be cut or damaged; if they are complete, stop trading and upgrade pumpswap"


# What a call got wrong is repeated to its writer, but not what may be a key: a seed in hex has 64 characters, a private
# key 87 or 88 in base58. Paths are longer, and have slashes.
_LONG_WORD = re.compile(r"[^\s/'\"()]{64,}")


class BadValue(click.BadParameter):
    """A value that an option cannot take, with its own hint."""

    def __init__(self, message: str, *, hint: str = "", param_hint: str | None = None) -> None:
        super().__init__(message, param_hint=param_hint)
        self.hint = hint


class NoSuchCommand(click.UsageError):
    """A command that is not there, and those that are."""

    def __init__(self, name: str, known: Sequence[str], ctx: click.Context) -> None:
        super().__init__(f"there is no command {name!r}", ctx)
        self.name = name
        self.known = known


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said about a failure."""

    code: str
    exit_code: int
    what: str
    hint: str
    extra: dict[str, Any] = field(default_factory=dict)
    cause: BaseException | None = None


class Failure(click.ClickException):
    """A failure that is ready to be shown. click shows it and exits with ``exit_code``, attached or not."""

    def __init__(self, answer: Answer, options: GlobalOptions) -> None:
        super().__init__(answer.what)
        self.answer = answer
        self.exit_code = answer.exit_code  # type: ignore[misc]  # click reads it from the instance
        self._options = options

    def show(self, file: IO[Any] | None = None) -> None:
        try:
            if self._options.json:
                click.echo(json.dumps(self.as_json(), indent=2), file=file)
            else:
                self._show_text(file)
        except BrokenPipeError:
            abandon_stdout()

    def as_json(self) -> dict[str, Any]:
        """The object that ``--json`` prints."""
        answer = self.answer
        said = {"code": answer.code, "exit_code": answer.exit_code, "what": answer.what, "hint": answer.hint}
        return {"schema": "pumpswap.error", "version": 1, **said, **answer.extra}

    def _show_text(self, file: IO[Any] | None) -> None:
        from pumpswap.cli.output import stderr_console

        console = stderr_console(self._options, file)
        answer = self.answer
        if answer.cause is not None and self._options.verbose:
            console.out("".join(traceback.format_exception(answer.cause)).rstrip(), highlight=False)
        console.print("Error: ", style="bold red", end="")
        console.out(printable(answer.what), highlight=False)
        if answer.hint:
            console.print("Hint:  ", style="cyan", end="")
            console.out(printable(answer.hint), highlight=False)


@contextmanager
def reported(ctx: click.Context) -> Iterator[None]:
    """Turn whatever leaves the block into a Failure. click's own Exit and a closed pipe pass through."""
    try:
        yield
    except (click.exceptions.Exit, Failure):
        raise
    except (KeyboardInterrupt, click.Abort):
        answer = Answer("interrupted", 130, "interrupted", "what was finished before is kept")
        raise Failure(answer, given_options(ctx)) from None
    except click.ClickException as error:
        raise Failure(_of_click(error, ctx), given_options(ctx)) from error
    except PumpSwapError as error:
        raise Failure(_of_ours(error, ctx), given_options(ctx)) from error
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        raise Failure(_of_system(error), given_options(ctx)) from error
    except Exception as error:
        raise Failure(_of_bug(error), given_options(ctx)) from error


def abandon_stdout() -> None:
    """Nobody reads stdout any more: send what is still buffered nowhere, so that Python exits without a word."""
    # Where stdout is no real file, nothing is left to be flushed at exit either.
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _of_ours(error: PumpSwapError, ctx: click.Context) -> Answer:
    hint = error.hint or (_DRIFT_HINT if isinstance(error, ProtocolDrift) else f"see {ctx.command_path} --help")
    extra: dict[str, Any] = {}
    if isinstance(error, TradeRefused):
        extra = {"program_code": error.code, "program_error": error.name}
    return Answer(_slug(error), error.exit_code, error.what, hint, extra, error)


def _of_click(error: click.ClickException, ctx: click.Context) -> Answer:
    where = getattr(error, "ctx", None) or ctx
    listed = f"see {where.command_path} --help"
    hint = getattr(error, "hint", "") or listed
    what = error.format_message()
    if isinstance(error, click.NoSuchOption):
        what = f"there is no option {error.option_name}"
        names = [name for param in where.command.get_params(where) for name in (*param.opts, *param.secondary_opts)]
        hint = _did_you_mean(error.option_name, names, listed)
    elif isinstance(error, NoSuchCommand):
        hint = _did_you_mean(error.name, error.known, listed)
    elif isinstance(error, click.MissingParameter):
        what = f"{_name_of(error)} is missing"
        choices = getattr(getattr(error.param, "type", None), "choices", ())
        hint = f"one of {', '.join(choices)} ({listed})" if choices else listed
    elif isinstance(error, click.BadParameter):
        what = f"{_name_of(error)}: {error.message}"
    is_usage = isinstance(error, click.UsageError)
    what = _LONG_WORD.sub("…", _sentence(what))
    return Answer("usage_error" if is_usage else "error", error.exit_code, what, hint)


def _of_system(error: OSError) -> Answer:
    what = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
    return Answer("system_error", 1, what, "the system refused this: check the path, its permissions and the disk",
                  cause=error)  # fmt: skip


def _of_bug(error: Exception) -> Answer:
    lines = str(error).splitlines() or [""]
    what = f"this is a bug in pumpswap: {type(error).__name__}: {lines[0]}".rstrip(": ")
    return Answer("bug", 1, what, "run it again with -v for the traceback, and report it", cause=error)


def _name_of(error: click.BadParameter) -> str:
    if error.param_hint:
        return error.param_hint if isinstance(error.param_hint, str) else ", ".join(error.param_hint)
    if error.param is None:
        return "this call"
    if isinstance(error.param, click.Argument):
        return error.param.human_readable_name
    return max((*error.param.opts, *error.param.secondary_opts), key=len)


def _did_you_mean(name: str, known: Sequence[str], otherwise: str) -> str:
    # One letter resembles nothing: an unknown "-x" is not guessed at.
    if len(name) <= 2:
        return otherwise
    # Two swapped letters of a short word are a little farther away; then only the nearest one is worth a guess.
    near = difflib.get_close_matches(name, known, n=2, cutoff=0.7)
    similar = near or difflib.get_close_matches(name, known, n=1, cutoff=0.66)
    return f"did you mean {' or '.join(similar)}? ({otherwise})" if similar else otherwise


def _sentence(text: str) -> str:
    """click's messages in our form: one line, no capital, no full stop."""
    text = " ".join(text.split()).rstrip(".")
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _slug(error: PumpSwapError) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()
