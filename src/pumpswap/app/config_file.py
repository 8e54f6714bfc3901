"""What the ``config`` commands do: show what holds, check a file, change one key, translate the plan's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from pumpswap.errors import ConfigError, UsageError
from pumpswap.settings import LoadedSettings, Settings
from pumpswap.settings.host_file import foreign_sections, is_host_file, lay_under, our_parts, plan_and_ours
from pumpswap.settings.keys import Key, all_keys, find_key, meant
from pumpswap.settings.loading import check_document
from pumpswap.settings.nearest import shown
from pumpswap.settings.plan_import import PlanImport, import_plan
from pumpswap.settings.plan_keys import HOST_SECTIONS, PLAN_SECTIONS
from pumpswap.settings.reload import value_at
from pumpswap.settings.write import write_settings_file
from pumpswap.settings.yaml_edit import with_value, without_sections
from pumpswap.settings.yaml_file import parse_yaml, read_text

__all__ = [
    "EffectiveKey", "HostCopy", "KeyChange", "checked_text", "effective_keys", "host_copy", "key_named",
    "place_of_books", "plan_of_file", "plain_value", "profiles_of", "set_key",
]  # fmt: skip

_COPY = "# A copy by `pumpswap config host-copy`: change the file for both, and make the copy again.\n"
_BYTE_ORDER = "\ufeff"  # with which some editors begin a file; it may stand nowhere else
_SECRET = "(secret)"
_WITH_HOST = frozenset(
    {"http", "https", "ws", "wss", "json", "jsons", "xml", "xmls", "form", "forms", "postgresql", "postgres"}
)
_PATHS = ("run.collector", "database.url")  # a path as well as a URL; only the URL may have a password in it


@dataclass(frozen=True, slots=True)
class EffectiveKey:
    """A key with the value that holds. ``origin``: ``default``, a file, a profile, a variable's name, or ``option``."""

    key: Key
    value: Any
    origin: str

    @property
    def is_default(self) -> bool:
        """Whether nobody has set it."""
        return self.origin == "default"


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A key that was set in a file."""

    key: Key
    before: Any
    after: Any
    file: Path


@dataclass(frozen=True, slots=True)
class HostCopy:
    """What a copy for the host leaves out, and what its rules refuse although it is not ours."""

    left_out: tuple[str, ...]
    unknown: tuple[str, ...]


def effective_keys(loaded: LoadedSettings) -> Iterator[EffectiveKey]:
    """Every key with the value that holds, in the order of the tree."""
    for name, key in all_keys().items():
        origin = loaded.origins.get(name) or loaded.origins.get(key.path[0]) or "default"
        yield EffectiveKey(key, value_at(loaded.settings, name), origin)


def plain_value(value: Any, key: Key | None = None) -> Any:
    """A value as JSON has it: decimals as texts, secrets masked, of URLs the host only. ``key``: whose value it is."""
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
        is_path = key is not None and key.name in _PATHS and "://" not in text
        return text if is_path else _masked(text)
    if isinstance(value, BaseModel):
        return {name: plain_value(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(name): plain_value(one) for name, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain_value(one) for one in value]
    return str(value) if isinstance(value, (Decimal, Path)) else value


def place_of_books(settings: Settings) -> str:
    """Where the books are, as a message may say it: a path, or of a URL what is no secret."""
    target = settings.database_target
    return str(target) if isinstance(target, Path) else _masked(target)


def key_named(name: str) -> Key:
    """The key of a dotted name. Raises UsageError, which names the nearest right one."""
    key = find_key(name)
    if key is not None:
        return key
    path = tuple(name.split("."))
    if len(path) == 1 and name in Settings.model_fields:
        keys = [one for one in all_keys() if one.startswith(f"{name}.")]
        raise UsageError(f"{name} is a section", hint=f"name a key of it: {', '.join(keys[:4])}, …")
    likely = meant(path)
    if likely is not None and "." not in likely and len(path) > 1:
        likely = f"{path[0]}.{likely}"
    hint = f"did you mean {likely}?" if likely else "`pumpswap config show` lists all keys"
    raise UsageError(f"{shown(name)}: no such key", hint=hint)


def set_key(file: Path, name: str, value: Any, start: str = "") -> KeyChange:
    """Set one key in a file, comments and order kept; ``start`` is the text of a file that does not exist yet.

    ``value`` may be a text, as the command line has it. Nothing is written when the result would not be valid.
    Raises UsageError for a key that is none, ConfigError otherwise.
    """
    key = key_named(name)
    text = read_text(file) if file.exists() else start
    document = parse_yaml(text, str(file))
    if is_host_file(document):
        hint = "this program never changes it; write the key below `pumpswap:` there yourself"
        raise ConfigError(f"{file} is the host's configuration", hint=hint)
    before = value_at(check_document(document, str(file)), name)
    changed = with_value(text, key, value)
    after = value_at(checked_text(changed, str(file)), name)
    write_settings_file(file, changed)
    return KeyChange(key, before, after, file)


def checked_text(text: str, name: str) -> Settings:
    """The settings that a text makes, profiles checked too. Raises ConfigError with all that is wrong."""
    return check_document(parse_yaml(text, name), name)


def profiles_of(text: str, name: str) -> Sequence[str]:
    """The names of the profiles in a text."""
    found = our_parts(parse_yaml(text, name)).document.get("profiles")
    return tuple(found) if isinstance(found, Mapping) else ()


def plan_of_file(file: Path) -> PlanImport:
    """The plan's keys of a file, in ours: a file with the plan's sections, or the host's with them in it. Sections of
    ours that stand below ``pumpswap`` there are kept, and win.

    Raises ConfigError with everything that cannot be translated, and when the result is not valid.
    """
    document = parse_yaml(read_text(file), str(file))
    known = {*PLAN_SECTIONS, *HOST_SECTIONS}
    problems = [f"{shown(name)}: no section of the plan or of the host" for name in document if name not in known]
    if not any(name in document for name in PLAN_SECTIONS):
        problems.append(f"there is none of the plan's sections: {', '.join(PLAN_SECTIONS)}")
    plan, own = plan_and_ours(document)
    result = import_plan(plan)
    problems += result.problems
    if problems:
        raise _all_of(file, problems)
    lay_under(own, result.document)
    result.document = own
    check_document(result.document, str(file))
    return result


def host_copy(source: Path, target: Path, *, replace: bool = False) -> HostCopy:
    """Write the host a copy of its file without our sections, comments kept. The original is not touched.

    An earlier copy is written over, another file only with ``replace``. Raises UsageError when both are the same file
    or the first has no section of the host's, ConfigError for a file that is there, or cannot be read or cut.
    """
    if target.exists() and target.samefile(source):
        raise UsageError("the copy would replace the file itself", hint="name another file for the host")
    text = read_text(source)
    document = parse_yaml(text, str(source))
    if not is_host_file(document):
        hint = "IN is the file for both: the host's sections, and ours"
        raise UsageError(f"{source} has no section of the host's, so it is no file for both", hint=hint)
    if target.exists() and not replace and not read_text(target).startswith(_COPY):
        hint = "--force writes over it; keep what is there first: nobody else has a copy of it"
        raise ConfigError(f"{target} exists, and is no earlier copy", hint=hint)
    foreign = foreign_sections(document)
    ours = {*PLAN_SECTIONS, *Settings.model_fields, "profiles", "profile"}
    left_out = tuple(name for name in foreign if name in ours)
    our_parts(document)
    bare = without_sections(text, left_out).removeprefix(_COPY)
    write_settings_file(target, _COPY + bare.removeprefix(_BYTE_ORDER), for_host=True)
    return HostCopy(left_out, tuple(name for name in foreign if name not in ours))


def _all_of(file: Path, problems: list[str]) -> ConfigError:
    count = "" if len(problems) == 1 else f" {len(problems)} problems:"
    text = "; ".join(problems) if len(problems) > 1 else problems[0]
    return ConfigError(f"{file}:{count} {text}", hint="`pumpswap config schema` has all keys", problems=tuple(problems))


def _masked(text: str) -> str:
    """Of a URL what is no secret: its kind and host. Messengers have tokens where others have a host."""
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return _SECRET
    if not parts.scheme or (not host and not parts.scheme.startswith("sqlite")):
        return _SECRET
    if not host:
        return text
    return f"{parts.scheme}://{host}/…" if parts.scheme.partition("+")[0] in _WITH_HOST else f"{parts.scheme}://…"
