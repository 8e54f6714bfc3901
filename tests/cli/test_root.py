"""The group itself: help, global options, failures and exit codes, alone and attached to another group."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest

from pumpswap import __version__
from pumpswap.cli import pumpswap
from pumpswap.cli.lazy import Command, LazyGroup
from pumpswap.cli.output import Output, pass_output
from pumpswap.errors import ConfigError, LedgerMismatch, NotFound, ProtocolDrift, PumpSwapError, TradeRefused
from tests.cli.running import SOURCE, answer, environment, parsed, process, refusal, run


@contextmanager
def raising(error: BaseException) -> Iterator[None]:
    """A command ``break`` that raises."""

    @click.command("break", cls=Command)
    def break_() -> None:
        raise error

    pumpswap.add_command(break_)
    try:
        yield
    finally:
        del pumpswap.commands["break"]


def test_help_fits_the_terminal_and_lists_commands_in_the_order_of_a_newcomer() -> None:
    result = run("--help")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    listed = [line.split()[0] for line in lines[lines.index("Commands:") + 1 :] if line.startswith("  ")]
    assert listed[:8] == ["demo", "paper", "run", "status", "watch", "dashboard", "live", "quote"]


def test_a_bare_name_shows_help_as_talk_and_is_a_usage_error() -> None:
    for arguments in ((), ("pool",), ("event",)):
        result = run(*arguments)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert result.stderr.startswith("Usage: pumpswap")


def test_global_options_without_a_command_are_a_usage_error() -> None:
    assert refusal(2, "-q")["what"] == "missing command"


@pytest.mark.parametrize(
    ("arguments", "what", "hint"),
    [
        (["qoute"], "there is no command 'qoute'", "did you mean quote?"),
        (["zzz"], "there is no command 'zzz'", "see pumpswap --help"),
        (["pool", "decod"], "there is no command 'decod'", "did you mean decode?"),
        (["quote", "--buysol", "1"], "there is no option --buysol", "did you mean --buy-sol?"),
        (["--jsno", "quote"], "there is no option --jsno", "did you mean --json?"),
        (["quote", "-x"], "there is no option -x", "see pumpswap quote --help"),
        (["quote", "--buy-sol"], "option '--buy-sol' requires an argument", "see pumpswap quote --help"),
        (["quote", "--buy-sol", "1", "2"], "[MINT]: '2' is no Solana address", "an address is 32 to 44"),
        (["completion"], "SHELL is missing", "one of bash, zsh, fish"),
        (["completion", "tcsh"], "SHELL: 'tcsh' is not one of", "see pumpswap completion --help"),
    ],
)
def test_a_wrong_call_is_one_line_and_a_hint(arguments: list[str], what: str, hint: str) -> None:
    error = refusal(2, *arguments)
    assert error["code"] == "usage_error"
    assert error["what"].startswith(what)
    assert error["hint"].startswith(hint)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--json", "quote", "--buy-sol", "1"],
        ["quote", "--json", "--buy-sol", "1"],
        ["quote", "--buy-sol", "1", "--json"],
    ],
)
def test_json_may_stand_anywhere(arguments: list[str]) -> None:
    assert parsed(run(*arguments).stdout)["schema"] == "pumpswap.quote"


def test_global_options_reach_the_command_from_both_sides() -> None:
    seen: list[Output] = []

    @click.command("look", cls=Command)
    @pass_output
    def look(out: Output) -> None:
        seen.append(out)

    inner = LazyGroup("inner")
    inner.add_command(look)
    group = _group_of(inner)
    result = run(
        "-v", "--config", "a.yaml", "--profile", "x", "inner", "-q", "look", "-v", "--yes", "--profile", "y",
        "--data-dir", "data", "--no-color", group=group,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    options = seen[0].options
    assert (options.verbose, options.quiet, options.yes, options.no_color, options.json) == (2, True, True, True, False)
    assert (options.config, options.profile, options.data_dir) == (Path("a.yaml"), "y", Path("data"))


@pytest.mark.parametrize(
    ("error", "exit_code", "code"),
    [
        (PumpSwapError("broken", hint="do"), 1, "pump_swap_error"),
        (NotFound("broken", hint="do"), 3, "not_found"),
        (ConfigError("broken", hint="do"), 4, "config_error"),
        (TradeRefused("broken", code=6004, name="ExceededSlippage", hint="do"), 8, "trade_refused"),
        (ProtocolDrift("broken", hint="do"), 12, "protocol_drift"),
        (LedgerMismatch("broken", hint="do"), 1, "ledger_mismatch"),
    ],
)
def test_errors_of_ours_exit_with_their_code(error: PumpSwapError, exit_code: int, code: str) -> None:
    with raising(error):
        said = refusal(exit_code, "break")
    assert (said["code"], said["what"], said["hint"]) == (code, str(error), "do")


def test_a_program_error_shows_number_name_and_plain_words() -> None:
    with raising(TradeRefused("too dear", code=6004, name="ExceededSlippage", hint="quote again")):
        assert run("break").stderr == "Error: too dear (6004 ExceededSlippage)\nHint:  quote again\n"
        error = parsed(run("break", "--json").stdout)
    assert (error["program_code"], error["program_error"]) == (6004, "ExceededSlippage")


@pytest.mark.parametrize("error", [PumpSwapError("broken"), ProtocolDrift("broken")])
def test_an_error_without_a_hint_still_says_what_to_do(error: PumpSwapError) -> None:
    with raising(error):
        assert refusal(error.exit_code, "break")["hint"]


def test_an_unexpected_error_is_called_a_bug_and_hides_its_traceback() -> None:
    with raising(ZeroDivisionError("nothing\nto divide")):
        error = refusal(1, "break")
        assert error["code"] == "bug"
        assert error["what"] == "this is a bug in pumpswap: ZeroDivisionError: nothing"
        assert "-v" in error["hint"]
        for verbose in (["-v", "break"], ["break", "-v"]):
            talk = run(*verbose).stderr
            assert "Traceback (most recent call last)" in talk
            assert "Error: this is a bug" in talk


def test_a_refusing_system_is_no_bug(tmp_path: Path) -> None:
    with raising(PermissionError(13, "Permission denied", str(tmp_path))):
        error = refusal(1, "break")
    assert error["code"] == "system_error"
    assert error["what"] == f"{tmp_path}: Permission denied"


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_exits_with_130(interrupt: BaseException) -> None:
    with raising(interrupt):
        assert refusal(130, "break")["code"] == "interrupted"


def test_an_error_never_steers_the_terminal() -> None:
    with raising(PumpSwapError("red \x1b[31m [bold]text[/]", hint="line\nbreak")):
        assert run("break").stderr == "Error: red \\x1b[31m [bold]text[/]\nHint:  line\\nbreak\n"


@pytest.mark.parametrize(
    ("arguments", "stderr"),
    [([], "\nNext:\n  \\x1b[1m\nWarning: look\n"), (["-q"], "Warning: look\n"), (["--json"], "")],
)
def test_remarks_can_be_silenced_and_warnings_cannot(arguments: list[str], stderr: str) -> None:
    @click.command("talk", cls=Command)
    @pass_output
    def talk(out: Output) -> None:
        out.say("\nNext:\n  \x1b[1m")
        out.warn("look")
        if out.json:
            out.emit("talk", {})

    result = run("talk", *arguments, group=_group_of(talk))
    assert result.stderr == stderr
    if arguments == ["--json"]:
        assert parsed(result.stdout)["warnings"] == ["look"]


def _group_of(*commands: click.Command) -> LazyGroup:
    group = LazyGroup("pumpswap", is_root=True)
    for each in commands:
        group.add_command(each)
    return group


class TestAttached:
    """Under a foreign group whose own ``main`` knows nothing of us."""

    @staticmethod
    def host() -> click.Group:
        @click.group()
        @click.option("--json", "own_json", is_flag=True)
        @click.pass_context
        def host(ctx: click.Context, own_json: bool) -> None:
            ctx.obj = {"host": True}

        host.add_command(pumpswap)
        return host

    def test_commands_work_and_leave_the_hosts_object_alone(self) -> None:
        result = run("pumpswap", "quote", "--buy-sol", "1", "--json", group=self.host())
        assert result.exit_code == 0
        assert parsed(result.stdout)["schema"] == "pumpswap.quote"

    @pytest.mark.parametrize(
        ("arguments", "exit_code"),
        [
            (["quote"], 2),
            (["quote", "--nope"], 2),
            (["nope"], 2),
            (["quote", "--buy-sol", "1", "--state", "nope.json"], 3),
            (["quote", "--buy-base", "206900000"], 8),
            (["pool", "decode", "--hex", "00" * 300], 12),
        ],
    )
    def test_exit_codes_and_hints_are_the_same(self, arguments: list[str], exit_code: int) -> None:
        result = run("pumpswap", *arguments, group=self.host())
        assert result.exit_code == exit_code
        assert result.stderr.startswith("Error: ")
        assert "\nHint:  " in result.stderr
        in_json = run("pumpswap", "--json", *arguments, group=self.host())
        assert in_json.exit_code == exit_code
        assert json.loads(in_json.stdout)["exit_code"] == exit_code

    def test_without_standalone_mode_the_host_gets_a_click_exception(self) -> None:
        with pytest.raises(click.ClickException) as caught:
            self.host().main(["pumpswap", "quote", "--buy-base", "206900000"], standalone_mode=False)
        assert caught.value.exit_code == 8
        assert "whole base reserve" in caught.value.message

    def test_an_interrupt_is_130_there_too(self) -> None:
        with raising(KeyboardInterrupt()):
            assert run("pumpswap", "break", group=self.host()).exit_code == 130


class TestProcess:
    """What only a real process shows."""

    def test_the_module_is_the_command(self) -> None:
        ran = process("--version")
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"pumpswap {__version__}\n", "")

    def test_failures_leave_stdout_empty(self) -> None:
        ran = process("quote", "--buy-sol", "-1")
        assert (ran.returncode, ran.stdout) == (2, "")
        assert ran.stderr.startswith("Error: --buy-sol: -1 is negative\nHint:  ")

    @pytest.mark.parametrize("arguments", [["quote", "--buy-sol", "1"], ["quote", "--json"], ["--help"]])
    def test_a_closed_pipe_is_no_drama(self, arguments: list[str]) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        command = [sys.executable, "-m", "pumpswap", *arguments]
        with os.fdopen(writer, "w") as stdout:
            ran = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, env=environment(), timeout=60)
        assert ran.stderr == b""

    def test_control_c_exits_with_130(self) -> None:
        def default_signals() -> None:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a test runner in the background may ignore it

        command = [sys.executable, "-m", "pumpswap", "pool", "decode", "-"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment(), preexec_fn=default_signals,
        ) as running:  # fmt: skip
            time.sleep(1.5)
            running.send_signal(signal.SIGINT)
            stdout, stderr = running.communicate(timeout=120)
        assert (running.returncode, stdout) == (130, "")
        assert "interrupted" in stderr
        assert "Traceback" not in stderr

    def test_a_terminal_without_unicode_gets_an_answer(self) -> None:
        command = [sys.executable, "-m", "pumpswap", "quote", "--sell-base", "1000"]
        ran = subprocess.run(
            command, capture_output=True, text=True, env=environment(PYTHONIOENCODING="ascii"), timeout=60
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        assert "you receive" in ran.stdout

    def test_output_for_a_pipe_is_plain_and_not_folded(self) -> None:
        ran = process("quote", "--sell-base", "123456.789012", "--permissionless")
        assert "\x1b" not in ran.stdout
        assert not any(line.endswith(" ") for line in ran.stdout.splitlines())

    @pytest.mark.parametrize(
        ("changes", "arguments", "coloured"),
        [({}, [], True), ({"NO_COLOR": "1"}, [], False), ({}, ["--no-color"], False)],
    )
    def test_colours_are_for_terminals_that_want_them(
        self, changes: dict[str, str], arguments: list[str], coloured: bool
    ) -> None:
        pty = pytest.importorskip("pty")
        for call in (["quote", "--buy-sol", "1"], ["--help"], ["quote"]):
            parent, child = pty.openpty()
            command = [sys.executable, "-m", "pumpswap", *arguments, *call]
            with os.fdopen(child, "wb") as terminal:
                subprocess.run(
                    command, stdin=terminal, stdout=terminal, stderr=terminal, timeout=60,
                    env=environment(TERM="xterm-256color", COLUMNS="100", **changes),
                )  # fmt: skip
                written = os.read(parent, 65_536)
            os.close(parent)
            assert (b"\x1b[" in written) is coloured, written.decode()


def test_light_calls_load_no_heavy_library() -> None:
    heavy = ["alembic", "jinja2", "msgspec", "plotly", "pydantic", "solders", "sqlalchemy"]
    code = (
        "import sys\nfrom pumpswap.cli import main\nsys.argv = ['pumpswap', *sys.argv[1:]]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    calls = [["--help"], ["--version"], ["pool", "--help"], ["quote", "--help"], ["pool", "decode", "--help"]]
    calls += [
        ["event", "decode", "--help"],
        ["demo", "--help"],
        ["paper", "replay", "--help"],
        ["completion", "bash"],
        ["nope", "--json"],
    ]
    for call in calls:
        ran = subprocess.run(
            [sys.executable, "-c", code, *call], capture_output=True, text=True, env=environment(), timeout=60
        )
        assert ran.stderr.strip() == "[]", (call, ran.stderr)


def test_completion_offers_commands_without_loading_them() -> None:
    words = environment(_PUMPSWAP_COMPLETE="bash_complete", COMP_WORDS="pumpswap ", COMP_CWORD="1")
    script = "import sys; sys.argv = ['pumpswap']; from pumpswap.cli import main; main()"
    code = f"import atexit, sys\natexit.register(lambda: print('solders' in sys.modules, file=sys.stderr))\n{script}"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=words, timeout=60)
    assert [line.partition(",")[2] for line in ran.stdout.splitlines()] == list(pumpswap.entries)
    assert ran.stderr == "False\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_of_the_shell(shell: str) -> None:
    script = answer("completion", shell)["script"]
    assert f"_PUMPSWAP_COMPLETE={shell}_complete" in script
    assert run("completion", shell).stdout.strip() == script.strip()


def test_version_names_what_it_runs_on() -> None:
    assert run("version").stdout.startswith(f"pumpswap {__version__} (")
    assert "solders" in run("version", "-v").stdout
    facts = answer("version")
    assert facts["pumpswap_version"] == __version__
    assert facts["libraries"]["click"]


def test_the_package_is_the_one_under_test() -> None:
    assert Path(sys.modules["pumpswap"].__file__ or "").is_relative_to(SOURCE)


@pytest.mark.parametrize("arguments", [["version", "{}"], ["demo", "--seed", "{}"], ["{}"], ["version", "--{}"]])
def test_a_wrong_argument_as_long_as_a_key_is_not_repeated(arguments: list[str]) -> None:
    key = "5x" * 44
    error = refusal(2, *(argument.format(key) for argument in arguments))
    assert key not in str(error)
    assert "…" in error["what"]
    short = refusal(2, *(argument.format("5x") for argument in arguments))
    assert "5x" in short["what"]


@pytest.mark.parametrize(
    ("typed", "meant"), [(("rnu",), "run"), (("positions", "lsit"), "list"), (("ledgre",), "ledger")]
)
def test_swapped_letters_are_understood(typed: tuple[str, ...], meant: str) -> None:
    assert f"did you mean {meant}?" in refusal(2, *typed)["hint"]
