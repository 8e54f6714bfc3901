"""Reading what the user points at: a file, standard input, or text on the command line."""

from __future__ import annotations

import binascii
import json
import sys
from typing import Any

from pumpswap.errors import BadInput, NotFound, UsageError

__all__ = ["bytes_of_text", "json_object", "one_source", "read_source"]


def one_source(file: str | None, base64: str | None, hex_text: str | None, *, example: str) -> bytes:
    """The content of whichever source is given: exactly one of a file (``-`` is standard input) and two texts."""
    given = [source for source in (file, base64, hex_text) if source is not None]
    if not given:
        raise UsageError("nothing to decode", hint=f"name a file, - for standard input, --base64 or --hex: {example}")
    if len(given) > 1:
        raise UsageError("more than one thing to decode", hint="one of FILE, --base64 and --hex")
    if file is not None:
        return read_source(file)
    return bytes_of_text(base64, "base64") if base64 is not None else bytes_of_text(hex_text or "", "hex")


def read_source(file: str) -> bytes:
    """All bytes of a file or, for ``-``, of standard input."""
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        with open(file, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        raise NotFound(f"there is no file {file}", hint="check the path; - reads standard input") from None
    except IsADirectoryError:
        raise BadInput(f"{file} is a folder", hint="name a file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInput(f"{file} cannot be read: {reason}", hint="check the path and its permissions") from None


def bytes_of_text(text: str, encoding: str) -> bytes:
    """Bytes of ``base64`` or ``hex`` text; white space and a leading 0x do not matter. Raises BadInput."""
    packed = "".join(text.split())
    try:
        if encoding == "hex":
            return binascii.unhexlify(packed.removeprefix("0x"))
        return binascii.a2b_base64(packed, strict_mode=True)
    except ValueError as error:
        raise BadInput(
            f"this is no {encoding}: {error}", hint=f"was it cut? {len(packed)} characters arrived"
        ) from None


def json_object(content: bytes, name: str) -> dict[str, Any]:
    """The JSON object in ``content``. Raises BadInput for anything else."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{name} is no JSON: {error}", hint="was it cut, or is it another kind of file?") from None
    if not isinstance(document, dict):
        raise BadInput(f"{name} is JSON, but no object", hint="it should start with {")
    return document
