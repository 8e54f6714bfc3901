"""The tutorial is true: its Python runs as it stands and prints what the page shows; so do the examples."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from pumpswap.settings import load_settings
from pumpswap.storage.database import open_database
from tests.nautilus.live.nodes import only_whole, stage
from tests.nautilus.live.test_q50 import SECTIONS, write_frame
from tests.support.material import ROOT, requires_material
from tests.support.plan_workflow import GOOD

PAGE = (ROOT / "docs" / "nautilus-tutorial.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "examples"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)


def python(arguments: Sequence[str], folder: Path) -> str:
    """What a program prints; without pytest in its process, and with every coroutine that nobody awaits an error."""
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", *arguments],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(EXAMPLES)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "never awaited" not in done.stderr
    return done.stdout


BEGIN = "import sys\nlost = []\nsys.unraisablehook = lost.append\n"
END = f"""
import gc, runpy
runpy.run_path({str(EXAMPLES / "nautilus_backtest.py")!r}, run_name="__main__")
done.engine.dispose()
theirs.engine.dispose()
del done, theirs, strategy
gc.collect()
print([str(one) for one in lost], [name for name in ("pytest", "hypothesis") if name in sys.modules])
"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the page prints, then the example of a back-test, then what was lost: in one process, as users run it."""
    folder = tmp_path_factory.mktemp("tutorial")
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
    """With RuntimeWarning an error, to the end of the engines. This is what W1 was about."""
    assert printed.splitlines()[-1] == "[] []"


@pytest.mark.parametrize("section", yaml.safe_load(blocks("yaml")[1]))
def test_the_endpoint_of_the_page_is_a_setting(section: str) -> None:
    assert section in type(load_settings()).model_fields


@only_whole  # nodes of the same strategy are in tests/nautilus/live
@requires_material("chain", "programs")
def test_the_example_of_a_node_trades_and_stops_on_ctrl_c(tmp_path: Path) -> None:
    """In the sandbox: a fresh row is bought, with no code but the example's."""

    async def go() -> None:
        frame = write_frame(tmp_path, GOOD)
        async with stage(tmp_path, "paper", q50={"path": str(frame), "warm_up_quotes": 2}, **SECTIONS) as here:
            process = await asyncio.create_subprocess_exec(
                sys.executable, str(EXAMPLES / "nautilus_node.py"), here.pool, "paper",
                cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            told: dict[str, Any] = {}
            try:
                async with asyncio.timeout(60):
                    while not told:
                        await asyncio.sleep(0.2)
                        told = {"rows": rows} if (rows := _filled(here)) else {}
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
            assert len(told["rows"]) == 1

    asyncio.run(go())


def _filled(here: Any) -> list[Any]:
    """Rows of the record of signals that were bought, as soon as there is a run."""
    with open_database(load_settings(here.file).database_target) as database:
        runs = [one for one in database.runs() if one.kind == "paper"]
        if not runs:
            return []
        return [row for row in database.run(runs[-1].run_id).q50_history.rows() if row["execution_status"] == "filled"]
