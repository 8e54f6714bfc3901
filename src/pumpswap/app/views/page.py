"""Page: a part of a list, and where the next part begins."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pumpswap.errors import UsageError
from pumpswap.storage.browse import Place

__all__ = ["LARGEST_PAGE", "PAGE_SIZE", "Page", "PageWish", "page_of", "place_of", "place_text"]

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")
R = TypeVar("R")

PAGE_SIZE = 50
LARGEST_PAGE = 200
_PLACE = re.compile(r"(0|[1-9][0-9]{0,18})-(0|[1-9][0-9]{0,18})", re.ASCII)
_MOST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class PageWish:
    """How many rows, and after which place: None for the first page."""

    size: int = PAGE_SIZE
    before: Place | None = None

    def __post_init__(self) -> None:
        """Raises UsageError for a size that no page has."""
        if not 1 <= self.size <= LARGEST_PAGE:
            raise UsageError(f"a page of {self.size} rows", hint=f"1 to {LARGEST_PAGE}")

    @classmethod
    def of(cls, size: int = PAGE_SIZE, before: str = "") -> PageWish:
        """From what a link says. Raises UsageError for a place that is none."""
        return cls(size, place_of(before) if before else None)


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    """``next`` is what ``PageWish.of`` takes for the next page; None: this is the last one."""

    items: tuple[T_co, ...]
    next: str | None


def page_of(found: Sequence[R], wish: PageWish, place: Callable[[R], Place], shown: Callable[[R], T]) -> Page[T]:
    """A page of rows of which one more was asked for than the page has: that one tells whether it goes on."""
    here = found[: wish.size]
    goes_on = len(found) > wish.size
    return Page(tuple(map(shown, here)), place_text(place(here[-1])) if goes_on else None)


def place_text(place: Place) -> str:
    """As links and programs have it."""
    return f"{place.at_ns}-{place.number}"


def place_of(text: str) -> Place:
    """Inverse of ``place_text``. Raises UsageError."""
    found = _PLACE.fullmatch(text)
    numbers = tuple(map(int, found.groups())) if found else ()
    if not numbers or max(numbers) > _MOST:
        raise UsageError("that is no place in a list", hint="take `next` of the page before as it is")
    return Place(*numbers)
