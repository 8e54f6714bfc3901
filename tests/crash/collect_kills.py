"""kill -9 at random moments of a process that collects, and what must be true of its database afterwards."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from dataclasses import replace as changed_copy
from pathlib import Path
from random import Random

from pumpswap.model.collected import trade_identity
from pumpswap.storage.maintenance import Status, check
from tests.storage import stranger
from tests.support.gecko_server import Answer, GeckoServer, Reply, Request, limited, status
from tests.support.gecko_world import GeckoWorld
from tests.support.material import ROOT

__all__ = ["BrokenMarket", "CollectKills", "judge", "run_collect_kills"]

POOLS = 6
TRADED_SECONDS = 2_400
_SLACK_SECONDS = 120  # how late the first answer about a pool may come on a busy machine


class BrokenMarket(AssertionError):
    """Something is lost, doubled, or half there."""


@dataclass
class CollectKills:
    """What happened, for people and for the evidence."""

    kills: int = 0
    killed_in: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    snapshots: int = 0
    candles: int = 0
    trades: int = 0


def run_collect_kills(target: str | Path, seed: int, kills: int) -> CollectKills:
    """Start the real command, kill it, look; at the end let it finish a round. Raises BrokenMarket."""
    rng, done = Random(f"collect {seed}"), CollectKills()
    world = GeckoWorld(pool_count=POOLS, seed=seed, dexes=("pumpswap",), traded_seconds=TRADED_SECONDS)
    began = world.at_seconds = int(time.time())
    with GeckoServer(world) as server, tempfile.TemporaryDirectory(prefix="pumpswap-collect-") as folder:
        server.always("", _hesitant(world, Random(seed)))
        command = _command(server, target, Path(folder))
        for _ in range(kills):
            _kill_once(command, target, rng, done)
            judge(target, world, began)
        # All but the last leave to the next what they have no time for.
        finished = subprocess.run([*command, "--cycles", "2"], cwd=ROOT, capture_output=True, text=True, check=False)
        if finished.returncode:
            raise BrokenMarket(f"it does not go on after the kills: {finished.stderr[-500:]}")
        last = world.at_seconds
        judge(target, world, began, until=last - _SLACK_SECONDS)
    done.rounds = _number(target, "SELECT max(number) FROM pumpswap_collect_cycles")
    for name, table in (("snapshots", "new_pools_history"), ("candles", "ohlcv_data"), ("trades", "trades")):
        setattr(done, name, _number(target, f"SELECT count(*) FROM {table}"))
    return done


def _hesitant(world: GeckoWorld, random: Random) -> Answer:
    """Answers of this moment; some come late, some are faults."""

    def answer(request: Request, right: Reply) -> Reply:
        world.at_seconds = int(time.time())
        dice = random.random()
        if dice < 0.04:
            return random.choice([limited("0.05"), status(500)])
        if dice < 0.06:
            return changed_copy(right, body=right.body[: len(right.body) // 2])
        return changed_copy(right, delay_seconds=random.uniform(0.0, 0.01))

    return answer


def _command(server: GeckoServer, target: str | Path, folder: Path) -> list[str]:
    file = folder / "pumpswap.yaml"
    file.write_text(
        f"collect: {{gecko_url: '{server.gecko_url}', requests_per_minute: 100000, interval_seconds: 1,"
        " follow_seconds: 1, max_retries: 3, pages: 1, watch: false}\nsignals: {min_score: 0}\n",
        encoding="utf-8",
    )
    options = ["--config", str(file), "--data-dir", str(folder)]
    return [sys.executable, "-m", "pumpswap", *options, "collect", "--database", str(target)]


def _kill_once(command: list[str], target: str | Path, rng: Random, done: CollectKills) -> None:
    before = _rows(target)
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if rng.random() < 0.15:
            time.sleep(rng.uniform(0.2, 1.0))  # while it opens, or makes its tables
        else:
            for _ in range(3_000):
                if _rows(target) != before or process.poll() is not None:
                    break
                time.sleep(0.01)
            time.sleep(rng.uniform(0.0, 0.4))
    finally:
        process.kill()
        process.wait()
    done.kills += 1
    done.killed_in["a round" if _is_open(target) else "between rounds"] += 1


def judge(target: str | Path, world: GeckoWorld, began: int, *, until: int | None = None) -> None:
    """Raises BrokenMarket. ``until``: nothing that the service has told before may be missing; None: it may be."""
    if "new_pools_history" not in stranger.tables(target):
        return  # it died before there was anything
    wrong = [finding.text for finding in check(target) if finding.status is Status.FAILED]
    _expect(not wrong, f"db check: {wrong}")
    _judge_pools(target)
    for number in range(POOLS):
        pool_id = f"solana_{world.pool_address(number)}"
        _judge_trades(target, world, number, began, until)
        query = f"SELECT timestamp FROM ohlcv_data WHERE pool_id = '{pool_id}' ORDER BY timestamp"
        starts = [int(start) for (start,) in stranger.query(target, query)]
        wanted = (
            [one for one in range(starts[0], starts[-1] + 1, 60) if (one // 60) % world.gap_every] if starts else []
        )
        _expect(starts == wanted, f"candles of {pool_id} are lost or doubled")
        if until is not None:
            _expect(bool(starts) and starts[-1] >= until - 120, f"the newest candles of {pool_id} are missing")


def _judge_pools(target: str | Path) -> None:
    """Pools, snapshots and the schedule belong together; a round has taken one snapshot of a pool, at most."""
    pools = {one for (one,) in stranger.query(target, "SELECT id FROM pools")}
    followed = {one for (one,) in stranger.query(target, "SELECT pool_id FROM pumpswap_collect_pools")}
    counts = dict(
        map(tuple, stranger.query(target, "SELECT pool_id, count(*) FROM new_pools_history GROUP BY pool_id"))
    )
    _expect(pools == followed == set(counts), "pools, snapshots and the schedule do not belong together")
    cycle = _number(target, "SELECT coalesce(max(number), 0) FROM pumpswap_collect_cycles")
    runs = _number(target, "SELECT coalesce(max(run_count), 0) FROM collection_metadata")
    for pool_id, count in counts.items():
        _expect(runs <= count <= cycle, f"{pool_id}: {count} snapshots in {runs} finished of {cycle} rounds")


def _judge_trades(target: str | Path, world: GeckoWorld, number: int, began: int, until: int | None) -> None:
    pool_id = f"solana_{world.pool_address(number)}"
    ids = [one for (one,) in stranger.query(target, f"SELECT id FROM trades WHERE pool_id = '{pool_id}'")]
    stored = {trade_identity(one) for one in ids}
    _expect(len(stored) == len(ids), f"trades of {pool_id} are doubled")
    if until is None:
        return
    told = set()
    for moment in range((began + _SLACK_SECONDS - TRADED_SECONDS) // 97 + 1, until // 97 + 1):
        trade = world.trade(number, moment)
        if float(trade["attributes"]["volume_in_usd"]) >= 100:
            told.add(trade_identity(trade["id"]))
    _expect(told <= stored, f"{len(told - stored)} trades of {pool_id} are lost")


def _rows(target: str | Path) -> tuple[int, ...]:
    """What changes with every unit; nothing while there are no tables."""
    if isinstance(target, Path) and not target.exists():
        return ()
    tables = ("new_pools_history", "ohlcv_data", "trades")
    present = stranger.tables(target)
    return tuple(_number(target, f"SELECT count(*) FROM {one}") for one in tables if one in present)


def _is_open(target: str | Path) -> bool:
    if not _rows(target):
        return False
    return stranger.query(target, "SELECT 1 FROM pumpswap_collect_cycles WHERE finished_ns IS NULL") != []


def _number(target: str | Path, query: str) -> int:
    ((found,),) = stranger.query(target, query)
    return int(found or 0)


def _expect(is_so: bool, what: str) -> None:
    if not is_so:
        raise BrokenMarket(what)
