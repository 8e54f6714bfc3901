"""JSON-RPC 2.0: bytes to calls, results to bytes. Batches are lists; a call without an id gets no answer."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from pumpswap.errors import NodeRefused
from pumpswap.localnet.rpc_errors import INVALID_REQUEST, PARSE_ERROR
from pumpswap.localnet.rpc_params import Params

__all__ = ["Call", "encode", "failure", "read_calls", "success"]

_NO_ID = object()


@dataclass(frozen=True, slots=True)
class Call:
    """One request. ``is_silent``: the caller wants no answer."""

    id: object
    method: str
    params: object
    is_silent: bool

    def parameters(self) -> Params:
        """The positional parameters. Raises NodeRefused when they are no list."""
        return Params(self.params)

    def text(self, index: int) -> str:
        """A parameter that may be a string; empty when it is none."""
        values = self.params
        found = values[index] if isinstance(values, list) and index < len(values) else None
        return found if isinstance(found, str) else ""


def read_calls(body: bytes) -> tuple[list[Call | NodeRefused], bool]:
    """The calls of a body, and whether it is a batch. What is no call stands as a refusal in its place."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return [NodeRefused("Parse error", code=PARSE_ERROR)], False
    if not isinstance(document, list):
        return [_call(document)], False
    if not document:
        return [NodeRefused("Invalid request", code=INVALID_REQUEST)], False
    return [_call(each) for each in document], True


def success(call: Call, result: object) -> dict[str, object]:
    """The answer of a call that was served."""
    return {"jsonrpc": "2.0", "result": result, "id": call.id}


def failure(refused: NodeRefused, id_: object = None) -> dict[str, object]:
    """The answer of a call that was refused."""
    error: dict[str, object] = {"code": refused.code, "message": refused.what}
    if refused.data is not None:
        error["data"] = refused.data
    return {"jsonrpc": "2.0", "error": error, "id": id_}


def encode(document: object) -> bytes:
    """Bytes for the wire."""
    return msgspec.json.encode(document)


def _call(document: object) -> Call | NodeRefused:
    if not isinstance(document, dict) or document.get("jsonrpc") != "2.0":
        return NodeRefused("Invalid request", code=INVALID_REQUEST)
    method, id_ = document.get("method"), document.get("id", _NO_ID)
    if not isinstance(method, str) or not (id_ is _NO_ID or id_ is None or isinstance(id_, (str, int, float))):
        return NodeRefused("Invalid request", code=INVALID_REQUEST)
    return Call(None if id_ is _NO_ID else id_, method, document.get("params"), id_ is _NO_ID)
