"""Page: places survive the way through a link; what is no place is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.app.views.page import LARGEST_PAGE, Page, PageWish, page_of, place_of, place_text
from pumpswap.errors import UsageError
from pumpswap.storage.browse import Place

NUMBERS = st.integers(min_value=0, max_value=2**63 - 1)


@given(NUMBERS, NUMBERS)
def test_a_place_comes_back_from_its_text(at_ns: int, number: int) -> None:
    place = Place(at_ns, number)
    assert place_of(place_text(place)) == place


@given(st.text(max_size=50))
def test_any_other_text_is_a_place_or_is_refused(text: str) -> None:
    try:
        place = place_of(text)
    except UsageError:
        return
    assert place_text(place) == text


@pytest.mark.parametrize(
    "text", ["", "-", "1-", "-1", "1-2-3", "01-2", "1-9223372036854775808", "1 -2", "１-２", "1-2\n"]
)
def test_what_is_nearly_a_place_is_none(text: str) -> None:
    with pytest.raises(UsageError):
        place_of(text)


@pytest.mark.parametrize("size", [0, -1, LARGEST_PAGE + 1])
def test_no_page_has_such_a_size(size: int) -> None:
    with pytest.raises(UsageError):
        PageWish(size)


@given(st.lists(st.integers(min_value=1, max_value=10**6), unique=True, max_size=40), st.integers(1, 10))
def test_pages_join_to_the_list(numbers: list[int], size: int) -> None:
    """For any list and any size of its pages."""
    rows = sorted((Place(number // 3, number) for number in numbers), reverse=True)
    found: list[Place] = []
    before = ""
    while True:
        wish = PageWish.of(size, before)
        left = [row for row in rows if wish.before is None or row < wish.before]
        page: Page[Place] = page_of(left[: size + 1], wish, lambda row: row, lambda row: row)
        found += page.items
        if page.next is None:
            break
        before = page.next
    assert found == rows
