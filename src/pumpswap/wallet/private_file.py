"""Files for this user only: created closed, refused when open to others, replaced in one step."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from pumpswap.errors import KeystoreDamaged, NotFound, UsageError

__all__ = ["create_private", "read_private", "replace_private"]

_MOST_BYTES = 65_536
_OPEN_TO_OTHERS = 0o077


def create_private(path: Path, content: bytes) -> None:
    """Write a new file with mode 0600; its folder is made with 0700. It is on disk when this returns.

    Raises UsageError when there is a file already: a key is never written over.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = _create(path)
    except FileExistsError:
        raise UsageError(f"{path} exists already", hint="choose another name, or move that file away first") from None
    try:
        _fill(descriptor, content)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
    _sync_folder(path.parent)


def replace_private(path: Path, content: bytes) -> None:
    """Replace a file: after a power cut it holds either the old content or the new, whole."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = _create(aside)
    try:
        _fill(descriptor, content)
        os.replace(aside, path)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise
    _sync_folder(path.parent)


def read_private(path: Path) -> bytes:
    """Content of a file that only its owner can read. Raises NotFound, KeystoreDamaged."""
    try:
        # Without O_NONBLOCK a named pipe in the file's place would hang us for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise NotFound(f"there is no wallet at {path}", hint="pumpswap wallet create, or wallet import") from None
    except OSError as error:
        raise KeystoreDamaged(f"{path} cannot be read: {error.strerror}", hint="check its owner and mode") from None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise KeystoreDamaged(f"{path} is no file", hint="name the keystore file itself")
    with os.fdopen(descriptor, "rb") as stream:
        if found.st_mode & _OPEN_TO_OTHERS:
            mode = stat.S_IMODE(found.st_mode)
            raise KeystoreDamaged(f"{path} is open to other users (mode {mode:04o})", hint=f"chmod 600 {path}")
        content = stream.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise KeystoreDamaged(f"{path} is too long for a keystore", hint="name the keystore file itself")
    return content


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def _fill(descriptor: int, content: bytes) -> None:
    with os.fdopen(descriptor, "wb") as stream:
        os.fchmod(stream.fileno(), 0o600)  # an unusual umask must not take our own rights away
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
