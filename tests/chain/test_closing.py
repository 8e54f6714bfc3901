"""What ``async with`` does for whatever keeps connections open."""

from __future__ import annotations

import asyncio

import pytest

from pumpswap.chain.closing import Closing


class Line(Closing):
    is_open = True

    async def aclose(self) -> None:
        self.is_open = False


async def _use(line: Line, *, fails: bool) -> None:
    async with line as entered:
        assert entered is line and line.is_open
        if fails:
            raise ValueError("in use")


def test_the_end_closes_it() -> None:
    line = Line()
    asyncio.run(_use(line, fails=False))
    assert not line.is_open


def test_an_error_closes_it_too_and_is_not_lost() -> None:
    line = Line()
    with pytest.raises(ValueError, match="in use"):
        asyncio.run(_use(line, fails=True))
    assert not line.is_open
