"""Writing a settings file: whole or not at all, for its owner only when it is new."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from pumpswap.errors import ConfigError
from pumpswap.settings.host_file import refuse_host_file
from pumpswap.settings.nearest import shown_path

__all__ = ["write_settings_file"]

_FOR_ITS_OWNER = 0o600  # an endpoint's URL often carries an access token


def write_settings_file(path: Path, text: str, *, replace: bool = True, for_host: bool = False) -> None:
    """Write ``text``; after a power cut the file is the old one or the new one. A file that is there keeps its mode.

    Raises ConfigError when there is a file and ``replace`` is not wanted, when it is the host's, which only what is
    meant ``for_host`` may take the place of, or when the system refuses.
    """
    if shown_path(path) != str(path):
        hint = "63 characters at most; was it a private key? Nobody saw it, and nothing was written"
        raise ConfigError("a name in that path is too long", hint=hint)
    if path.exists() and not replace:
        raise ConfigError(f"{path} exists already", hint="--force writes over it; `pumpswap config edit` changes it")
    if path.exists() and not for_host:
        refuse_host_file(path)
    real = Path(os.path.realpath(path))  # a link stays a link
    mode = stat.S_IMODE(real.stat().st_mode) if real.exists() else _FOR_ITS_OWNER
    aside = real.with_name(f".{real.name}.{os.getpid()}.new")
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode), "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(text.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(aside, real)
    except OSError as broken:
        with suppress(OSError):
            aside.unlink()
        hint = "check the path, its permissions and the disk"
        raise ConfigError(f"{path} cannot be written: {broken.strerror}", hint=hint) from None
