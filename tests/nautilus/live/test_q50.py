"""The Q50 strategy in a node over a practice chain: on the curve with play money, and with real transactions."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from pumpswap.settings import load_settings
from pumpswap.storage.database import open_database
from pumpswap.storage.run import Run
from tests.nautilus.live.nodes import NodeProcess, Stage, stage
from tests.support.material import requires_material
from tests.support.plan_workflow import GOOD, SHORT, q50_frame

pytestmark = requires_material("chain", "programs")

HOUR = 3_600
# A machine that is busy elsewhere lets the practice chain's node lag: what was not sent is wished again soon.
SECTIONS: dict[str, Any] = {
    "risk": {"kelly_fraction": "0", "base_position_fraction": "0.01"},
    "run": {"check_seconds": 3},
}


def write_frame(folder: Path, *kinds: Any) -> Path:
    """A frame whose newest row is of this moment; none of these: it ended long ago."""
    now_ns = time.time_ns()
    start_ns = now_ns - (len(kinds) - 1) * HOUR * 10**9 if kinds else now_ns - 100 * HOUR * 10**9
    return q50_frame(folder, kinds or (SHORT,), start_ns=start_ns, step_seconds=HOUR)


async def filled(here: Stage, node: NodeProcess, side: str) -> dict[str, Any]:
    event = await node.event("OrderFilled")
    told = await node.state()
    await here.check(told)
    assert told["orders"][event["id"]]["side"] == side
    return {"id": event["id"], **told}


async def unreadable(here: Stage, frame: Path) -> None:
    """A file that is no frame is a fault of the run: entries stop, and somebody is told. What was read stays in use."""
    frame.write_text("what is this\n")

    def fault(run: Run) -> str | None:
        risk = run.states.risk()
        return None if risk is None else dict(risk.faults).get("strategies")

    reason = await here.stored(fault)
    assert reason.startswith("Q50-001: the Q50 frame ")
    with open_database(load_settings(here.file).database_target) as database:
        told = [one.text for one in database.alerts.all() if (one.topic, one.subject) == ("fault", "strategies")]
    assert told == [f"no entries: {reason}"]


async def killed(here: Stage, node: NodeProcess) -> NodeProcess:
    """The next process: it knows what is held, and does not buy the row again."""
    await node.kill()
    node = await here.start(q50={})
    told = await node.state()
    await here.check(told)
    assert [(one["strategy"], one["open"]) for one in told["positions"]] == [("Q50-001", True)]
    await asyncio.sleep(2)
    told = await node.state()
    buys = [one for one in told["orders"].values() if (one["side"], one["status"]) == ("BUY", "FILLED")]
    assert len(buys) == 1
    return node


@pytest.mark.parametrize("mode", ["paper", "live"])
def test_it_trades_by_the_frame_and_goes_on_after_a_kill(tmp_path: Path, mode: str) -> None:
    """A row that comes is bought, once; a process that dies comes back to its position; a short row sells it. With play
    money nobody is killed: the books are the same ones.
    """

    async def go() -> None:
        frame = write_frame(tmp_path)
        q50 = {"path": str(frame), "warm_up_quotes": 2}
        async with stage(tmp_path, mode, q50=q50, **SECTIONS) as here:
            node = await here.start(q50={})
            write_frame(tmp_path, GOOD)
            told = await filled(here, node, "BUY")
            bought = told["id"]
            assert list(told["books"]["held"]) == [here.pool]
            assert told["orders"][bought]["strategy"] == "Q50-001"
            if mode == "live":
                node = await killed(here, node)
            else:
                await unreadable(here, frame)

            write_frame(tmp_path, GOOD, SHORT)
            told = await filled(here, node, "SELL")
            assert told["books"]["held"] == {}
            assert [one for one in told["positions"] if one["open"]] == []
            await here.check(await node.stop())
            (counts,) = [line for line in node.lines if line["kind"] == "counts"]
            assert (counts["filled"]["sell"], counts["sales"], counts["closed"]) == (1, 1, 1)
            assert counts["ticks"] > 4  # those of the process before among them
            assert not [text for text in node.errors if "never awaited" in text or "Traceback" in text], node.errors

            run = here.run()
            rows = run.q50_history.rows()
            traded = [row for row in rows if row["execution_status"] == "filled"]
            assert {row["execution_status"] for row in rows} <= {"filled", "denied", "refused"}
            assert [(row["nautilus_order_id"], row["execution_status"]) for row in traded] == [
                (bought, "filled"),
                (told["id"], "filled"),
            ]
            stored = run.states.load("nautilus/statistics/Q50-001")
            assert stored is not None
            assert {name: stored[name] for name in stored if name != "at_ns"} == {
                name: counts[name] for name in counts if name != "kind"
            }

    asyncio.run(go())
