"""The tutorial is true: its Python runs as it stands and prints what the page shows; so do the examples."""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from pumpswap.app.nautilus_run import chosen_settings
from pumpswap.engine.strategies.q50 import FrameSignaller, frame_loader
from pumpswap.settings import Settings, load_settings
from pumpswap.storage.database import open_database
from pumpswap.wallet import Secret, create_keystore, default_keystore_path
from tests.nautilus.live.nodes import Stage, only_whole, stage
from tests.nautilus.live.test_q50 import SECTIONS
from tests.sdk.world import GENEROUS
from tests.support.material import ROOT, requires_material

PAGE = (ROOT / "docs" / "nautilus-tutorial.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "examples"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)


def python(arguments: Sequence[str], folder: Path) -> str:
    """What a program prints; without pytest in its process, and with every coroutine that nobody awaits an error."""
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", *arguments],
        cwd=folder, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "never awaited" not in done.stderr
    return done.stdout


def with_examples(folder: Path) -> Path:
    """The page says: copy them. No package has them."""
    for name in ("nautilus_backtest.py", "nautilus_node.py"):
        assert f"[examples/{name}](../examples/{name})" in PAGE
        shutil.copy(EXAMPLES / name, folder)
    return folder


BEGIN = "import sys\nlost = []\nsys.unraisablehook = lost.append\n"
END = """
import gc, runpy
runpy.run_path("nautilus_backtest.py", run_name="__main__")
done.engine.dispose()
theirs.engine.dispose()
del done, theirs, strategy
gc.collect()
print([str(one) for one in lost], [name for name in ("pytest", "hypothesis") if name in sys.modules])
"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the page prints, then the example of a back-test, then what was lost: in one process, as users run it."""
    folder = with_examples(tmp_path_factory.mktemp("tutorial"))
    (folder / "pumpswap.yaml").write_text(yaml.safe_dump(yaml.safe_load(blocks("yaml")[0])))
    (folder / "program.py").write_text("\n".join((BEGIN, *blocks("python"), END)))
    return python(["program.py"], folder)


def test_the_pieces_of_the_page_are_one_program(printed: str) -> None:
    assert printed.startswith("".join(blocks("text")))


def test_the_example_of_a_back_test_runs(printed: str) -> None:
    told = printed.removeprefix("".join(blocks("text"))).splitlines()
    assert told[0] == "4120 quotes, 11 fills, 1 rejected"
    assert told[1] == "Nautilus has 46.738006194 SOL, our wallet 46738006194 lamports"


def test_no_coroutine_is_lost_without_pytest_in_the_process(printed: str) -> None:
    """With RuntimeWarning an error, to the end of the engines. Handlers of the plan's own strategy were
    coroutines, which NautilusTrader calls and never awaits.
    """
    assert printed.splitlines()[-1] == "[] []"


@pytest.mark.parametrize("section", yaml.safe_load(blocks("yaml")[1]))
def test_the_endpoint_of_the_page_is_a_setting(section: str) -> None:
    assert section in type(load_settings()).model_fields


def test_the_settings_of_the_page_are_those_of_its_last_step(tmp_path: Path) -> None:
    """All pieces in one file: an endpoint, and a mode in which a node may spend money."""
    first, endpoint, run = (yaml.safe_load(block) for block in blocks("yaml"))
    file = tmp_path / "pumpswap.yaml"
    file.write_text(yaml.safe_dump({**first, **endpoint, "run": {**first["run"], **run["run"]}}))
    settings = chosen_settings(file, "live").settings
    assert (settings.run.mode, settings.run.check_seconds) == ("auto", 60)
    assert settings.chain.network == "localnet"


def rows_of_now(folder: Path) -> None:
    """By the command of the page."""
    (line,) = re.findall(r"^\$ (python -c .*)$", PAGE, flags=re.MULTILINE)
    python(shlex.split(line)[1:], folder)


def test_a_row_of_now_says_long(tmp_path: Path) -> None:
    """So a node that is begun now wishes something, and for as long as the page promises."""
    rows_of_now(with_examples(tmp_path))
    settings = Settings(q50={"path": tmp_path / "frame.csv", "complete_by_rules": True})
    loader = frame_loader(settings)
    loader.load()
    signaller, now_ns = FrameSignaller(loader, settings)(), time.time_ns()
    sides = [signaller.decide(now_ns + seconds * 10**9).side.value for seconds in (0, 60, 120, 180, 240)]
    assert sides == ["long"] * 5


def sealed(here: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wallet of the chain in a keystore, as `wallet create` and `wallet limits` leave it."""
    password = "practice, practice"
    seed = Secret(bytes(here.chain.key)[:32])
    path = default_keystore_path(load_settings(here.file))
    create_keystore(path, seed, Secret(password.encode())).with_limits(GENEROUS, Secret(password.encode()))
    monkeypatch.setenv("PUMPSWAP_WALLET_PASSWORD", password)


@only_whole  # nodes of the same strategy are in tests/nautilus/live
@requires_material("chain", "programs")
@pytest.mark.parametrize("mode", ["paper", "live"])
def test_the_example_of_a_node_trades_and_stops_on_ctrl_c(
    tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With play money and with a transaction: the page's rows of now are bought, with no code but the example's."""

    async def go() -> None:
        with_examples(tmp_path)
        q50 = {"path": str(tmp_path / "frame.csv"), "complete_by_rules": True, "warm_up_quotes": 2}
        async with stage(tmp_path, mode, q50=q50, **SECTIONS) as here:
            if mode == "live":
                sealed(here, monkeypatch)
            await asyncio.to_thread(rows_of_now, tmp_path)
            process = await asyncio.create_subprocess_exec(
                sys.executable, "nautilus_node.py", here.pool, mode,
                cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            rows: list[Any] = []
            try:
                async with asyncio.timeout(60):
                    while not rows and process.returncode is None:
                        await asyncio.sleep(0.2)
                        rows = _filled(here)
                    if process.returncode is None:
                        process.send_signal(signal.SIGINT)
                async with asyncio.timeout(60):
                    output, _ = await process.communicate()
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
            text = output.decode()
            assert process.returncode == 0, text[-3_000:]
            assert "never awaited" not in text
            assert len(rows) == 1

    asyncio.run(go())


def _filled(here: Stage) -> list[Any]:
    """Rows of the record of signals that were bought, as soon as there is a run."""
    with open_database(load_settings(here.file).database_target) as database:
        runs = [one for one in database.runs() if one.kind == here.mode]
        if not runs:
            return []
        return [row for row in database.run(runs[-1].run_id).q50_history.rows() if row["execution_status"] == "filled"]
