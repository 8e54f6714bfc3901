"""Numbers of 128 bits in compiled code against Python's own."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from pumpswap.research.kernel import acting, quotes, rates, u128
from pumpswap.research.kernel.trial import flows, momentum
from pumpswap.research.kernel.u128 import kernel_sha256, sha256_of
from pumpswap.units import U64_MAX

_EDGES = [0, 1, 2, (1 << 32) - 1, 1 << 32, (1 << 32) + 1, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, U64_MAX - 1, U64_MAX]
WORDS = st.one_of(
    st.sampled_from(_EDGES),
    st.integers(0, U64_MAX),
    st.integers(0, 64).flatmap(lambda bits: st.integers(0, 2**bits - 1)),
)


@njit
def _divided(high: Any, low: Any, divisor: Any) -> Any:
    return u128.div128_by_64(high, low, divisor)


@njit
def _divided_by_more(high: Any, low: Any, divisor_high: Any, divisor_low: Any) -> Any:
    return u128.div128_by_128(high, low, divisor_high, divisor_low)


@njit
def _multiplied(left: Any, right: Any) -> Any:
    return u128.mul64(left, right)


@njit
def _less(high: Any, low: Any, other_high: Any, other_low: Any) -> Any:
    return u128.is_less(high, low, other_high, other_low)


def words(*values: int) -> tuple[np.uint64, ...]:
    return tuple(np.uint64(value) for value in values)


def whole(pair: Any) -> int:
    return int(pair[0]) << 64 | int(pair[1])


@given(WORDS, WORDS)
def test_a_product(left: int, right: int) -> None:
    assert whole(_multiplied(*words(left, right))) == left * right


@given(WORDS, WORDS, WORDS)
def test_a_quotient_of_64_bits(high: int, low: int, divisor: int) -> None:
    divisor = max(divisor, 1)
    high %= divisor
    found = _divided(*words(high, low, divisor))
    assert (int(found[0]), int(found[1])) == divmod(high << 64 | low, divisor)


@given(
    st.one_of(st.integers(0, 1 << 52), st.integers((1 << 50) - 4, (1 << 50) + 4)),
    st.one_of(st.integers(1, 1 << 63), st.integers((1 << 62) - 4, (1 << 62) + 4)),
    st.integers(-3, 3),
)
def test_a_quotient_next_to_a_whole_number(quotient: int, divisor: int, off: int) -> None:
    """Where a float alone would say one too few or too many, and where its share of the work ends."""
    dividend = max(quotient * divisor + off, 0)
    found = _divided(*words(dividend >> 64, dividend & U64_MAX, divisor))
    assert (int(found[0]), int(found[1])) == divmod(dividend, divisor)


@given(WORDS, WORDS, WORDS, WORDS)
def test_a_quotient_of_any_divisor(high: int, low: int, divisor_high: int, divisor_low: int) -> None:
    divisor = divisor_high << 64 | max(divisor_low, 1)
    found = _divided_by_more(*words(high, low, divisor_high, max(divisor_low, 1)))
    assert whole(found) == (high << 64 | low) // divisor


@given(WORDS, WORDS, WORDS, WORDS)
def test_an_order(high: int, low: int, other_high: int, other_low: int) -> None:
    found = _less(*words(high, low, other_high, other_low))
    assert bool(found) is ((high << 64 | low) < (other_high << 64 | other_low))


@pytest.mark.parametrize("module", [u128, quotes, rates], ids=lambda module: module.__name__.rsplit(".", 1)[1])
def test_no_plain_integer_meets_a_u64_in_compiled_arithmetic(module: Any) -> None:
    """A u64 with a literal of Python becomes a float, or a signed number, without a word: bits are masked and shifted
    by named u64 only.
    """
    tree, wrong = ast.parse(inspect.getsource(module)), []
    for function in ast.walk(tree):
        decorators = getattr(function, "decorator_list", [])
        if not any(isinstance(one, ast.Name) and one.id in ("compiled", "inner", "inlined") for one in decorators):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.BinOp):
                for side in (node.left, node.right):
                    if isinstance(side, ast.Constant) and isinstance(
                        node.op, (ast.Div, ast.BitAnd, ast.BitOr, ast.RShift)
                    ):
                        wrong.append(f"line {node.lineno}: {ast.unparse(node)}")
    assert wrong == []


def test_what_is_kept_on_disk_belongs_to_all_of_the_sources_of_the_kernel(tmp_path: Path) -> None:
    """numba itself only looks at a function's own file: what others were changed to would be played by old code."""
    for made in (quotes._evaluate, acting._replay, flows._flows, momentum.play):
        assert made.machine_code._cache._cache_file._source_stamp == kernel_sha256()
    room = tmp_path / "trial"
    room.mkdir()
    (room / "one.py").write_text("ONE = 1")
    before = sha256_of(tmp_path)
    (room / "one.py").write_text("ONE = 2")
    assert sha256_of(tmp_path) != before
