"""``pumpswap pool new`` against a practice chain on which the real programs make pools."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from click.testing import Result

from pumpswap.localnet.server import LocalServer, ServerOptions
from tests.cli.running import refusal, run
from tests.market.graduating import MIGRATED_LAMPORTS, Founders
from tests.support.material import requires_material


def test_bounds_without_follow_are_refused() -> None:
    assert refusal(2, "pool", "new", "--for", "3")["what"] == "--for and --max-pools belong to --follow"
    assert refusal(2, "pool", "new", "--max-pools", "3")["hint"] == "add --follow, or leave them out"


@asynccontextmanager
async def served(founders: Founders) -> AsyncIterator[str]:
    async with LocalServer(founders.chain, ServerOptions(slot_ms=0)).serve() as urls:
        yield urls.http


async def called(*arguments: str) -> Result:
    """The command in a thread of its own: the chain is served in this one."""
    return await asyncio.to_thread(run, *arguments)


@requires_material("chain", "programs")
@pytest.mark.asyncio
async def test_graduates_by_default_and_everything_with_all() -> None:
    founders = Founders.on_new_chain(11)
    graduate, own = founders.graduate(), founders.anybody(index=4)
    founders.chain.advance(3)
    async with served(founders) as url:
        told = json.loads((await called("--json", "pool", "new", "--url", url)).stdout)
        every = json.loads((await called("--json", "pool", "new", "--all", "--url", url)).stdout)
        page = (await called("pool", "new", "--all", "--url", url)).stdout
        few = await called("pool", "new", "--all", "--lines", "1", "--url", url)
    assert (told["schema"], told["version"], told["is_all"]) == ("pumpswap.new_pools", 1, False)
    (pool,) = told["pools"]
    assert (pool["address"], pool["origin"], pool["quote_units"]) == (
        str(graduate),
        "graduated",
        str(MIGRATED_LAMPORTS),
    )
    assert pool["lp_burned"] == {"numerator": "1", "denominator": "1"}
    assert [(one["address"], one["origin"]) for one in every["pools"]] == [
        (str(graduate), "graduated"),
        (str(own), "permissionless"),
    ]
    assert every["pools"][1]["creator"] == str(founders.user.pubkey())
    assert f"graduated      {graduate}" in page and f"permissionless {own}" in page
    assert "206,900,000 tokens, 84.990359056 SOL" in page and "100 %" in page
    assert max(map(len, page.splitlines())) <= 80
    assert str(own) in few.stdout and str(graduate) not in few.stdout


@requires_material("chain", "programs")
@pytest.mark.asyncio
async def test_nothing_new_is_said_so() -> None:
    founders = Founders.on_new_chain(12)
    async with served(founders) as url:
        nothing = await called("pool", "new", "--url", url)
        timed = await called("pool", "new", "--follow", "--for", "0.4", "--all", "--url", url)
    assert nothing.exit_code == 0 and "No coin graduated in the last 50 transactions" in nothing.stderr
    assert timed.exit_code == 0 and "0 pool(s) in 0.4 s." in timed.stderr


@requires_material("chain", "programs")
@pytest.mark.asyncio
async def test_followed_pools_come_one_per_line_as_they_are_made() -> None:
    founders = Founders.on_new_chain(13)
    async with served(founders) as url:
        arguments = ("--json", "pool", "new", "--follow", "--all", "--max-pools", "3", "--for", "60", "--url", url)
        command = asyncio.ensure_future(called(*arguments))
        while not command.done():
            if len(founders.made) < 20:
                founders.graduate() if len(founders.made) % 2 else founders.anybody(index=len(founders.made))
            founders.chain.advance()
            await asyncio.sleep(0.05)
        result = await command
    assert result.exit_code == 0, result.output
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert len({one["address"] for one in told}) == 3
    for one in told:
        assert one["schema"] == "pumpswap.new_pool"
        is_graduate = one["address"] in {str(each) for each in founders.graduates}
        assert one["origin"] == ("graduated" if is_graduate else "permissionless")
