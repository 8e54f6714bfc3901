"""Reading a settings file: YAML, with every key once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pumpswap.errors import ConfigError
from pumpswap.settings.nearest import shown, shown_path

__all__ = ["parse_yaml", "read_yaml"]


class _Loader(yaml.SafeLoader):
    """A key that is there twice is an error: YAML says so, and PyYAML would take the last one silently.

    Keys are looked at as they are written, before ``<<`` brings in others: those may be overridden.
    """

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """The mapping. Raises YAMLError for a key that is there twice."""
        node = super().compose_mapping_node(anchor)
        seen: set[object] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue
            is_merge = key_node.tag == "tag:yaml.org,2002:merge"
            key = key_node.value if is_merge else self.construct_object(key_node)
            if key in seen:
                line = key_node.start_mark.line + 1
                raise yaml.YAMLError(f"line {line}: the key {shown(str(key))!r} is there twice")
            seen.add(key)
        return node


def parse_yaml(text: str, name: str) -> dict[str, Any]:
    """The mapping in ``text``; an empty text is an empty one. Raises ConfigError naming ``name``."""
    try:
        document = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as broken:
        problem = " ".join(str(broken).split())
        raise ConfigError(f"{name} is no readable YAML: {problem}", hint="check the indentation and quotes") from None
    except RecursionError:
        raise ConfigError(
            f"{name} is no readable YAML: it is nested too deeply", hint="`pumpswap config schema` has all keys"
        ) from None
    if document is None:
        return {}
    if not isinstance(document, dict) or not all(isinstance(key, str) for key in document):
        raise ConfigError(f"{name} is no mapping of sections", hint="it should look like: risk: {max_position_sol: 1}")
    return document


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a file. Raises ConfigError, which names the file."""
    return parse_yaml(read_text(path), shown_path(path))


def read_text(path: Path) -> str:
    """The text of a settings file. Raises ConfigError."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{shown_path(path)} does not exist", hint="check the path") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{shown_path(path)} is no UTF-8 text", hint="save it as UTF-8") from None
    except OSError as broken:
        raise ConfigError(
            f"{shown_path(path)} cannot be read: {broken.strerror}", hint="check the path and its rights"
        ) from None
