"""Parameters of a JSON-RPC call, checked while they are read: a wrong one is -32602, never a traceback."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from solders.pubkey import Pubkey
from solders.signature import Signature

from pumpswap.chain.base58 import from_base58
from pumpswap.chain.node import Commitment
from pumpswap.errors import BadInput
from pumpswap.localnet.rpc_errors import invalid_params, invalid_request

__all__ = ["AccountFilter", "Config", "Params", "as_bytes", "as_pubkey", "as_signature"]

_MOST_FILTERS = 4
_MOST_FILTER_BYTES = 128


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """A ``memcmp`` or ``dataSize`` filter; ``size`` -1 for any size."""

    offset: int = 0
    data: bytes = b""
    size: int = -1

    def passes(self, content: bytes) -> bool:
        """Whether an account with this content is wanted."""
        if self.size >= 0 and len(content) != self.size:
            return False
        return content[self.offset : self.offset + len(self.data)] == self.data


class Config:
    """The object with options that stands last in most calls."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def get(self, name: str) -> object:
        """The bare value, None when absent."""
        return self._values.get(name)

    def renamed(self, name: str, new: str) -> Config:
        """The same options with one of them under another name."""
        return Config({**self._values, new: self._values.get(name)})

    def commitment(self, name: str = "commitment", default: Commitment = Commitment.FINALIZED) -> Commitment:
        """A commitment; finalized when the caller says nothing, as everywhere on Solana."""
        value = self._values.get(name)
        if value is None:
            return default
        try:
            return Commitment(value)
        except ValueError:
            names = ", ".join(f"`{each.value}`" for each in Commitment)
            raise invalid_params(f"Invalid params: unknown variant `{value}`, expected one of {names}") from None

    def flag(self, name: str) -> bool:
        """A boolean, false when absent."""
        value = self._values.get(name)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise invalid_params(f"Invalid params: {name} is not a boolean")
        return value

    def integer(self, name: str, default: int = 0) -> int:
        """A whole number from 0."""
        value = self._values.get(name)
        return default if value is None else _whole(value, name)

    def text(self, name: str, default: str = "") -> str:
        """A string."""
        value = self._values.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise invalid_params(f"Invalid params: {name} is not a string")
        return value

    def section(self, name: str) -> Config | None:
        """An object inside the object."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise invalid_params(f"Invalid params: {name} is not an object")
        return Config(value)

    def items(self, name: str) -> Sequence[object]:
        """A list, empty when absent."""
        value = self._values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise invalid_params(f"Invalid params: {name} is not a list")
        return value

    def data_slice(self) -> slice | None:
        """Which part of an account's data is asked for."""
        wanted = self.section("dataSlice")
        if wanted is None:
            return None
        start = wanted.integer("offset")
        return slice(start, start + wanted.integer("length"))

    def filters(self) -> tuple[AccountFilter, ...]:
        """The filters of a query over a program's accounts."""
        asked = self.items("filters")
        if len(asked) > _MOST_FILTERS:
            raise invalid_params(f"Too many filters provided; max {_MOST_FILTERS}")
        return tuple(_filter(each) for each in asked)


class Params:
    """The positional parameters of a call."""

    __slots__ = ("_values",)

    def __init__(self, values: object) -> None:
        if values is None:
            values = []
        if not isinstance(values, list):
            raise invalid_params("Invalid params: expected a list")
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def get(self, index: int) -> object:
        """The bare value, None when absent."""
        return self._values[index] if index < len(self._values) else None

    def text(self, index: int, name: str) -> str:
        """A string that must be there."""
        value = self.get(index)
        if not isinstance(value, str):
            raise invalid_params(f"Invalid params: {name} is not a string")
        return value

    def integer(self, index: int, name: str, default: int | None = None) -> int:
        """A whole number from 0."""
        value = self.get(index)
        if value is None and default is not None:
            return default
        return _whole(value, name)

    def pubkey(self, index: int) -> Pubkey:
        """An address that must be there."""
        return as_pubkey(self.get(index))

    def pubkeys(self, index: int, *, most: int, default: Sequence[Pubkey] | None = None) -> tuple[Pubkey, ...]:
        """A list of addresses."""
        if self.get(index) is None and default is not None:
            return tuple(default)
        return tuple(as_pubkey(each) for each in self._list(index, most))

    def signatures(self, index: int, *, most: int) -> tuple[str, ...]:
        """A list of signatures."""
        return tuple(as_signature(each) for each in self._list(index, most))

    def config(self, index: int) -> Config:
        """The options; none when absent."""
        value = self.get(index)
        if value is None:
            return Config({})
        if not isinstance(value, dict):
            raise invalid_params("Invalid params: expected an object with options")
        return Config(value)

    def _list(self, index: int, most: int) -> Iterator[object]:
        value = self.get(index)
        if not isinstance(value, list):
            raise invalid_params("Invalid params: expected a list")
        if len(value) > most:
            raise invalid_params(f"Too many inputs provided; max {most}")
        return iter(value)


def as_pubkey(value: object) -> Pubkey:
    """An address, as clients write it."""
    if isinstance(value, str):
        try:
            return Pubkey.from_string(value)
        except ValueError:
            pass
    raise invalid_params("Invalid param: Invalid")


def as_signature(value: object) -> str:
    """A signature, as clients write it."""
    if isinstance(value, str):
        try:
            return str(Signature.from_string(value))
        except ValueError:
            pass
    raise invalid_params("Invalid param: Invalid")


def as_bytes(text: str, encoding: str) -> bytes:
    """Bytes that were sent as base58 or base64."""
    try:
        if encoding == "base58":
            return from_base58(text)
        if encoding == "base64":
            return base64.b64decode(text, validate=True)
    except (BadInput, binascii.Error, ValueError) as wrong:
        raise invalid_params(f"invalid {encoding} encoding: {wrong}") from None
    raise invalid_params(f"unsupported encoding: {encoding}. Supported encodings: base58, base64")


def _whole(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**64:
        raise invalid_params(f"Invalid params: {name} is not a whole number")
    return value


def _filter(value: object) -> AccountFilter:
    if not isinstance(value, dict) or len(value) != 1:
        raise invalid_params("Invalid params: a filter is one of dataSize and memcmp")
    config = Config(value)
    if "dataSize" in config:
        return AccountFilter(size=config.integer("dataSize"))
    compare = config.section("memcmp")
    if compare is None:
        raise invalid_params("Invalid params: a filter is one of dataSize and memcmp")
    return AccountFilter(offset=compare.integer("offset"), data=_compared(compare))


def _compared(compare: Config) -> bytes:
    wanted = compare.get("bytes")
    if isinstance(wanted, list):
        if not all(isinstance(each, int) and 0 <= each <= 255 for each in wanted):
            raise invalid_params("Invalid params: memcmp bytes are from 0 to 255")
        data = bytes(wanted)
    elif isinstance(wanted, str):
        data = as_bytes(wanted, compare.text("encoding", "base58"))
    else:
        raise invalid_params("Invalid params: memcmp has no bytes")
    if len(data) > _MOST_FILTER_BYTES:
        raise invalid_request(f"Encoded binary data should be less than {_MOST_FILTER_BYTES} bytes")
    return data
