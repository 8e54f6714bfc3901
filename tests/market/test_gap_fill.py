"""History since a known line, page by page, and the one order of several histories."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from pumpswap.chain.node import Commitment, ConfirmedTransaction, SignatureInfo
from pumpswap.errors import EndpointDown, RateLimited
from pumpswap.market.gap_fill import fetch_transactions, history_since, merged
from tests.market.test_swaps_of import BUY, confirmed

ADDRESS = Pubkey.from_bytes(b"\x03" * 32)
LINES = [SignatureInfo(f"tx{number}", 100 + number // 3, None) for number in range(25)]


class Node:
    """A history, from old to new; ``knows`` are the signatures that bounds may name."""

    def __init__(self, lines: list[SignatureInfo], knows: set[str] | None = None) -> None:
        self.lines = lines
        self.knows = knows if knows is not None else {line.signature for line in lines}
        self.calls = 0

    async def signatures_for(
        self,
        address: Pubkey,
        *,
        before: str | None = None,
        until: str | None = None,
        limit: int = 1_000,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> tuple[SignatureInfo, ...]:
        assert address == ADDRESS
        self.calls += 1
        found = []
        is_open = before is None or before not in self.knows
        for line in reversed(self.lines):
            if line.signature == until and until in self.knows:
                break
            if is_open:
                found.append(line)
            is_open = is_open or line.signature == before
        return tuple(found[:limit])

    async def transaction(
        self, signature: str, commitment: Commitment = Commitment.CONFIRMED
    ) -> ConfirmedTransaction | None:
        if signature == "limited":
            raise RateLimited("429")
        return None if signature == "absent" else confirmed(BUY, signature=signature)


def since(node: Node, anchor: SignatureInfo | None, page: int) -> list[SignatureInfo]:
    return list(asyncio.run(history_since(node, ADDRESS, anchor, page=page)))


@pytest.mark.parametrize("page", [1, 3, 5, 25, 1_000])
@pytest.mark.parametrize("first", [0, 1, 12, 24])
def test_p20_every_line_since_the_anchor_from_old_to_new_whatever_the_page(page: int, first: int) -> None:
    assert since(Node(LINES), LINES[first], page) == LINES[first + 1 :]
    assert since(Node(LINES), None, page) == LINES


def test_a_node_that_does_not_know_the_anchor_is_stopped_at_its_slot() -> None:
    node = Node(LINES, knows={line.signature for line in LINES} - {"tx12"})
    assert since(node, LINES[12], 5) == [line for line in LINES if line.slot >= LINES[12].slot]
    assert node.calls < 5


def test_a_node_that_repeats_its_first_page_is_refused() -> None:
    with pytest.raises(EndpointDown, match="repeats"):
        since(Node(LINES, knows=set()), None, 5)


def test_transactions_come_in_the_order_they_were_asked_for_with_errors_in_their_places() -> None:
    found = asyncio.run(fetch_transactions(Node([]), ["a", "limited", "absent", "b"], at_once=2))
    assert [one.signature for one in found if isinstance(one, ConfirmedTransaction)] == ["a", "b"]
    assert isinstance(found[1], RateLimited)
    assert found[2] is None


@given(seed=st.integers(0, 2**32), pages=st.integers(1, 4))
def test_merged_histories_keep_the_order_of_each_and_list_each_line_once(seed: int, pages: int) -> None:
    rng = random.Random(seed)
    parts = [[line for line in LINES if rng.randrange(3)] for _ in range(pages)]
    order = merged(parts)
    assert len(order) == len({line.signature for line in order})
    assert {line.signature for line in order} == {line.signature for part in parts for line in part}
    assert [line.slot for line in order] == sorted(line.slot for line in order)
    for part in parts:
        assert [line for line in order if line in part] == part


def test_histories_that_contradict_each_other_still_list_every_line_once() -> None:
    a, b = SignatureInfo("a", 1, None), SignatureInfo("b", 1, None)
    assert merged([[a, b], [b, a]]) == [a, b]
    assert merged([]) == []
