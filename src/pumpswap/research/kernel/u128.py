"""Unsigned arithmetic beyond 64 bits for compiled code: a number of 128 bits is two u64, the high one first.

Everything is u64: compiled code turns a u64 with a plain integer of Python into a float without a word, so every
literal here is one of the constants below.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, wraps
from pathlib import Path
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.core import cgutils as untyped_cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

__all__ = [
    "compiled", "div128_by_128", "div128_by_64", "float_of", "frozen", "inlined", "inner", "is_less", "kernel_sha256",
    "mul64", "mul_div", "mul_div_up", "sha256_of", "soon",
]  # fmt: skip

ZERO, ONE, THIRTY_TWO, SIXTY_THREE = np.uint64(0), np.uint64(1), np.uint64(32), np.uint64(63)
LOW = np.uint64(0xFFFF_FFFF)
MOST = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_TWO_TO_64, _SURE_BELOW, _QUARTER = 2.0**64, 2.0**50, np.uint64(1 << 62)


_njit: Any = njit  # its types know neither all of its options nor what it returns
_intrinsic: Any = intrinsic
_cgutils: Any = untyped_cgutils
# No counting of references: nothing here makes an array or keeps one.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
_INNER: dict[str, Any] = _OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def compiled(function: Any) -> Any:
    """A function of machine code that Python calls, kept on disk; other threads run meanwhile.

    Of several processes that need it one compiles, which takes many seconds; the others wait and read what it has kept.
    """
    made = _njit(cache=True, **_OPTIONS)(function)
    # By itself numba asks only whether the function's own file has changed, and would go on with old code of others.
    made._cache._cache_file._source_stamp = kernel_sha256()

    @wraps(function)
    def call(*arguments: Any) -> Any:
        if made.signatures:
            return made(*arguments)
        with _one_at_a_time(Path(made.stats.cache_path)):
            return made(*arguments)

    call.__dict__["machine_code"] = made
    return call


def inner(function: Any) -> Any:
    """One that only compiled code calls: without what lets Python call it, half of the time that compiling takes."""
    return _njit(**_INNER)(function)


def inlined(function: Any) -> Any:
    """A small one that its callers take in."""
    return _njit(forceinline=True, **_INNER)(function)


@cache
def kernel_sha256() -> str:
    """Of all that compiled code is made from."""
    return sha256_of(Path(__file__).parent)


def sha256_of(folder: Path) -> str:
    """Of every source file of a folder and of those in it."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def frozen(array: Any) -> NDArray[Any]:
    """The same memory, read only, wherever it lies: code is compiled once for our own arrays, files' and Ray's."""
    seen = np.asarray(array).view()
    seen.flags.writeable = False
    return seen


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    with (folder / "compiling.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@_intrinsic
def _product_high(context: Any, left: Any, right: Any) -> Any:
    """The upper half of a product: one instruction of the processor, which Python has no word for."""
    signature = types.uint64(types.uint64, types.uint64)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(arguments[0], wide), builder.zext(arguments[1], wide))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return signature, generate


@_intrinsic
def _leading_zeros(context: Any, value: Any) -> Any:
    signature = types.uint64(types.uint64)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return signature, generate


@_intrinsic
def float_of(context: Any, bits: Any) -> Any:
    """The float that these 64 bits are: a row of words can then hold some."""
    signature = types.float64(types.uint64)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return signature, generate


@_intrinsic
def soon(context: Any, array: Any, at: Any) -> Any:
    """Have the processor fetch a place of an array that is too large for its caches: it will be asked for soon."""
    signature = types.void(array, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        held = context.make_array(kind)(context, builder, arguments[0])
        place = _cgutils.get_item_pointer(context, builder, kind, held, [arguments[1]])
        address, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        fetch = _cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [address, number, number, number]), "llvm.prefetch.p0i8"
        )
        # To be written, kept in all caches, data.
        builder.call(fetch, [builder.bitcast(place, address), number(1), number(3), number(1)])
        return context.get_dummy_value()

    return signature, generate


@inlined
def mul64(left: Any, right: Any) -> Any:
    """(high, low) of a product."""
    return _product_high(left, right), left * right


@inlined
def is_less(high: Any, low: Any, other_high: Any, other_low: Any) -> Any:
    """Whether the first of two numbers of 128 bits is below the second."""
    return high < other_high or (high == other_high and low < other_low)


@inlined
def div128_by_64(high: Any, low: Any, divisor: Any) -> Any:
    """(quotient, remainder); needs ``high < divisor``, else the quotient has no room in 64 bits.

    A float says a quotient below 2^50 but for one: its five roundings are off by 2^-51 of it, thus by half a unit. The
    remainder of that lies between -divisor and 2 · divisor, which 64 bits hold, and says the rest. Pools are nearly
    always so small, and then there is no slow division of integers and no branch that the processor could guess wrong.
    """
    told = (float(high) * _TWO_TO_64 + float(low)) / float(divisor)
    if told < _SURE_BELOW and divisor < _QUARTER:
        quotient = np.uint64(np.int64(told))
        rest = np.int64(low - quotient * divisor)
        below, above = np.uint64(rest < 0), np.uint64(rest >= np.int64(divisor))
        return quotient - below + above, np.uint64(rest) + below * divisor - above * divisor
    return _div128_by_64_digits(high, low, divisor)


@inner
def _div128_by_64_digits(high: Any, low: Any, divisor: Any) -> Any:
    """The same for all sizes: Knuth's algorithm D with digits of 32 bits (Hacker's Delight, divlu): two divisions of
    64 bits.
    """
    if high == ZERO:
        quotient = low // divisor
        return quotient, low - quotient * divisor
    shift = _leading_zeros(divisor)
    divisor <<= shift
    first, second = divisor >> THIRTY_TWO, divisor & LOW
    if shift != ZERO:
        high = (high << shift) | (low >> (THIRTY_TWO + THIRTY_TWO - shift))
        low <<= shift
    third, fourth = low >> THIRTY_TWO, low & LOW
    upper = high // first
    rest = high - upper * first
    while upper > LOW or upper * second > ((rest << THIRTY_TWO) | third):
        upper -= ONE
        rest += first
        if rest > LOW:
            break
    middle = (high << THIRTY_TWO) + third - upper * divisor
    lower = middle // first
    rest = middle - lower * first
    while lower > LOW or lower * second > ((rest << THIRTY_TWO) | fourth):
        lower -= ONE
        rest += first
        if rest > LOW:
            break
    remainder = (middle << THIRTY_TWO) + fourth - lower * divisor
    return (upper << THIRTY_TWO) + lower, remainder >> shift


@inner
def div128_by_128(high: Any, low: Any, divisor_high: Any, divisor_low: Any) -> Any:
    """Quotient of 128 bits (high, low), rounded down; bit by bit, for the rare divisor of more than 64 bits."""
    quotient_high = quotient_low = rest_high = rest_low = ZERO
    for _ in range(128):
        carried = rest_high >> SIXTY_THREE
        rest_high = (rest_high << ONE) | (rest_low >> SIXTY_THREE)
        rest_low = (rest_low << ONE) | (high >> SIXTY_THREE)
        high = (high << ONE) | (low >> SIXTY_THREE)
        low <<= ONE
        quotient_high = (quotient_high << ONE) | (quotient_low >> SIXTY_THREE)
        quotient_low <<= ONE
        if carried != ZERO or not is_less(rest_high, rest_low, divisor_high, divisor_low):
            borrow = ONE if rest_low < divisor_low else ZERO
            rest_low -= divisor_low
            rest_high -= divisor_high + borrow
            quotient_low |= ONE
    return quotient_high, quotient_low


@inlined
def mul_div(left: Any, right: Any, divisor: Any) -> Any:
    """left × right ÷ divisor, rounded down; the quotient must have room in 64 bits."""
    high, low = mul64(left, right)
    return div128_by_64(high, low, divisor)[0]


@inlined
def mul_div_up(left: Any, right: Any, divisor: Any) -> Any:
    """The same, rounded up."""
    high, low = mul64(left, right)
    quotient, remainder = div128_by_64(high, low, divisor)
    return quotient + (ONE if remainder != ZERO else ZERO)
