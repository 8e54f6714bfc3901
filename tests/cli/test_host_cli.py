"""The bridge: our commands in a program with other versions of click, or with argparse, through one generated file."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pumpswap.app.host_bridge import bridge_text
from pumpswap.cli import pumpswap
from pumpswap.cli.host import bridge_commands
from tests.cli.running import SOURCE, answer, refusal, run

# Versions of click that environments with older solana packages have. Each is installed into a folder aside; where
# that is not possible, those tests are skipped, and the click of this environment is tested all the same.
OLD_CLICKS = ("7.1.2", "8.0.4", "8.1.8")
HERE = importlib.metadata.version("click")

CLICK_PROGRAM = """
import sys, click
@click.group()
def cli():
    pass
@cli.command()
def start():
    click.echo("started")
from pumpswap_bridge import click_group, pumpswap
cli.add_command(pumpswap)
@click.group()
def inner():
    pass
inner.add_command(click_group("pump"))
cli.add_command(inner)
cli()
"""
ARGPARSE_PROGRAM = """
import argparse, sys
parser = argparse.ArgumentParser(prog="host")
parser.add_argument("--config", default="config.yaml")
parser.add_argument("-v", "--verbose", action="store_true")
commands = parser.add_subparsers(dest="command")
commands.add_parser("start").set_defaults(func=lambda arguments: print("started"))
from pumpswap_bridge import add_pumpswap_parser
add_pumpswap_parser(commands)
arguments = parser.parse_args()
assert "click" not in sys.modules
print(arguments.config, file=sys.stderr)
sys.exit(arguments.func(arguments))
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The executable: this source tree, as an installed script would call it."""
    path = tmp_path_factory.mktemp("bin") / "pumpswap"
    code = f"import sys; sys.path.insert(0, {str(SOURCE)!r}); from pumpswap.cli import main; main()"
    path.write_text(f"#!{sys.executable}\n{code}\n")
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def place(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A host's folder with the bridge and its two command lines."""
    folder = tmp_path_factory.mktemp("host")
    assert run("host", "install-cli", str(folder), "--executable", str(program)).exit_code == 0
    (folder / "click_host.py").write_text(CLICK_PROGRAM)
    (folder / "argparse_host.py").write_text(ARGPARSE_PROGRAM)
    return folder


@pytest.fixture(scope="module", params=[*OLD_CLICKS, HERE])
def packages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """PYTHONPATH with a version of click; empty for the one that is here."""
    if request.param == HERE:
        yield ""
        return
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("no uv to install another click with")
    folder = tmp_path_factory.mktemp(f"click-{request.param}")
    wanted = [f"click=={request.param}", "--target", str(folder), "--python", sys.executable, "--no-deps", "--quiet"]
    for offline in (["--offline"], []):
        done = subprocess.run([uv, "pip", "install", *wanted, *offline], capture_output=True, timeout=60)
        if done.returncode == 0:
            yield str(folder)
            return
    pytest.skip(f"click {request.param} cannot be installed here")


def called(
    place: Path, script: str, *arguments: str, packages: str = "", **changes: str
) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PUMPSWAP", "PYTHON"))}
    env |= {"PYTHONPATH": packages, "PUMPSWAP_DATA_DIR": str(place / "data"), **changes}
    command = [sys.executable, str(place / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=60, cwd=place, input="{}")


def test_through_click_of_another_version_everything_passes(place: Path, packages: str) -> None:
    listing = called(place, "click_host.py", "pumpswap", "--help", packages=packages)
    assert listing.returncode == 0, listing.stderr
    for name, entry in pumpswap.entries.items():
        assert f"  {name} " in listing.stdout
        assert entry.help.split()[0] in listing.stdout
    version = called(place, "click_host.py", "pumpswap", "--json", "version", packages=packages)
    assert version.returncode == 0
    assert f'"click": "{HERE}"' in version.stdout  # ours, not the host's
    usage = called(place, "click_host.py", "inner", "pump", "quote", "--buysol", "1", packages=packages)
    assert usage.returncode == 2
    assert "did you mean --buy-sol?" in usage.stderr
    assert called(place, "click_host.py", "start", packages=packages).stdout == "started\n"
    help_page = called(place, "click_host.py", "pumpswap", "quote", "--help", packages=packages)
    assert help_page.stdout.startswith("Usage: pumpswap quote")


def test_through_argparse_everything_behind_the_command_is_ours(place: Path) -> None:
    version = called(place, "argparse_host.py", "--config", "mine.yaml", "pumpswap", "--json", "-v", "version")
    assert version.returncode == 0, version.stderr
    assert '"schema": "pumpswap.version"' in version.stdout
    assert version.stderr == "mine.yaml\n"
    missing = called(place, "argparse_host.py", "pumpswap", "--config", "none.yaml", "config", "show")
    assert missing.returncode == 4
    assert "none.yaml does not exist" in missing.stderr
    listing = called(place, "argparse_host.py", "pumpswap", "--help")
    assert listing.returncode == 0
    assert "performance-report" in listing.stdout
    assert called(place, "argparse_host.py", "start").stdout == "started\n"
    assert "pumpswap" in called(place, "argparse_host.py", "--help").stdout
    piped = called(place, "argparse_host.py", "pumpswap", "pool", "decode", "-")
    assert piped.returncode == 1  # {} from standard input is no account


def test_a_program_that_is_nowhere_is_a_clear_error(place: Path) -> None:
    for script in ("click_host.py", "argparse_host.py"):
        named = called(place, script, "pumpswap", "version", PUMPSWAP_EXECUTABLE="/nowhere/pumpswap")
        assert named.returncode == 127
        assert "Error: PUMPSWAP_EXECUTABLE names /nowhere/pumpswap" in named.stderr
    bridge = (place / "pumpswap_bridge.py").read_text()
    aside = place / "elsewhere"
    aside.mkdir()
    moved = [f"EXECUTABLE = {''!r}" if line.startswith("EXECUTABLE =") else line for line in bridge.splitlines()]
    (aside / "pumpswap_bridge.py").write_text("\n".join(moved))
    (aside / "click_host.py").write_text(CLICK_PROGRAM)
    lost = called(aside, "click_host.py", "pumpswap", "version", PATH="/nowhere")
    assert lost.returncode == 127
    assert "PUMPSWAP_EXECUTABLE" in lost.stderr
    assert called(aside, "click_host.py", "pumpswap", "--help", PATH="/nowhere").returncode == 0


def test_the_path_and_the_argument_find_it_too(place: Path, program: Path) -> None:
    by_path = called(place, "click_host.py", "pumpswap", "version", PATH=f"{program.parent}:{os.environ['PATH']}")
    assert by_path.returncode == 0
    code = (
        f"import sys; from pumpswap_bridge import call; sys.exit(call(['pool', 'decode'], executable={str(program)!r}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=place, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 2
    assert "nothing to decode" in ran.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_what_is_run_and_its_exit_code_passes(place: Path, tmp_path: Path, number: int) -> None:
    """The program that is run takes its time to end, and the one with the bridge waits for it."""
    slow = tmp_path / "slow"
    slow.write_text(
        f"#!{sys.executable}\nimport signal, sys\n"
        "def end(*_):\n    print('ended', flush=True)\n    sys.exit(42)\n"
        "signal.signal(signal.SIGTERM, end)\nsignal.signal(signal.SIGINT, end)\n"
        "print('running', flush=True)\nsignal.pause()\n"
    )
    slow.chmod(0o755)
    env = {**os.environ, "PUMPSWAP_EXECUTABLE": str(slow)}
    command = [sys.executable, str(place / "argparse_host.py"), "pumpswap", "run"]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    if number == signal.SIGINT:  # as a terminal does: all of the group
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    assert (said, process.returncode) == ("ended\n", 42)


def test_the_file_is_for_old_pythons_and_needs_nothing_but_click(place: Path) -> None:
    tree = ast.parse((place / "pumpswap_bridge.py").read_text(), feature_version=(3, 8))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported == {"argparse", "click", "os", "shutil", "signal", "subprocess", "sys", "threading"}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]


@pytest.mark.parametrize(
    "executable",
    ["/srv/@COMMANDS@/pumpswap", "/srv/@ABOUT@/@VERSION@", "/a'b\"c/pump\\swap", "/x\n/\\g<0>", "/é/p", ""],
)
def test_the_file_has_the_program_s_path_as_it_is(executable: str) -> None:
    text = bridge_text(bridge_commands(), "about: 'it'", "1.0", executable)
    world: dict[str, object] = {}
    exec(compile(text, "pumpswap_bridge.py", "exec"), world)
    assert (world["EXECUTABLE"], world["ABOUT"], world["VERSION"]) == (executable, "about: 'it'", "1.0")


def test_its_list_is_the_whole_command_tree() -> None:
    from tests.cli.test_help import ALL

    def paths(commands: object, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        assert isinstance(commands, tuple)
        for one in commands:
            yield (*above, one.name)
            yield from paths(one.below, (*above, one.name))

    assert list(paths(bridge_commands())) == [path for path in ALL if path]


def test_a_file_that_is_not_ours_is_never_touched(tmp_path: Path) -> None:
    own = tmp_path / "pumpswap_bridge.py"
    own.write_text("# mine\n")
    assert refusal(2, "host", "install-cli", str(tmp_path))["what"] == f"{own} is not a bridge of ours"
    assert refusal(2, "host", "uninstall-cli", str(own))["what"] == f"{own} is not a bridge of ours"
    assert own.read_text() == "# mine\n"
    other = answer("host", "install-cli", str(tmp_path / "trading.py"))
    assert Path(other["file"]).read_text().startswith("# pumpswap-bridge:")
    assert answer("host", "install-cli", str(tmp_path / "trading.py"))["file"] == other["file"]  # again, for an upgrade
    assert answer("host", "uninstall-cli", str(tmp_path / "trading.py")) == {
        "schema": "pumpswap.host_uninstall_cli", "version": 1, "file": other["file"], "warnings": [],
    }  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pumpswap_bridge.py"]
    refusal(3, "host", "uninstall-cli", str(tmp_path / "trading.py"))
    refusal(3, "host", "install-cli", str(tmp_path / "none" / "trading.py"))


def test_the_group_itself_is_attached_to_any_group_of_this_environment() -> None:
    @click.group()
    def host() -> None:
        """Another program."""

    host.add_command(pumpswap)
    result = run("pumpswap", "config", "show", "risk.max_positon_sol", group=host)
    assert result.exit_code == 2
    assert "did you mean risk.max_position_sol?" in result.stderr
