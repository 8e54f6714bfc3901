"""JSON Schema of a settings file, for editors: every key with its type, range, default and meaning."""

from __future__ import annotations

from typing import Any

from pumpswap.settings.keys import comments_of, section_of
from pumpswap.settings.section import Section
from pumpswap.settings.tree import Settings

__all__ = ["EDITOR_HINT", "SCHEMA_FILE", "settings_schema"]

SCHEMA_FILE = "pumpswap.schema.json"
# The YAML language server of most editors reads this line.
EDITOR_HINT = f"# yaml-language-server: $schema={SCHEMA_FILE}"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def settings_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of ``pumpswap.yaml``. Amounts may be numbers or texts, as the file may write them."""
    schema = Settings.model_json_schema(mode="validation")
    definitions: dict[str, Any] = schema.setdefault("$defs", {})
    models: dict[str, type[Section]] = {"Settings": Settings}
    _collect(models)
    for name, body in (*definitions.items(), ("Settings", schema)):
        model = models.get(name)
        for key, field in body.get("properties", {}).items():
            field.pop("title", None)
            comment = comments_of(model).get(key) if model else None
            section = section_of(key) if name == "Settings" else None
            text = comment or _first_line(section)
            if section is not None:
                # A section whose keys are all commented out is empty, which YAML reads as null.
                body["properties"][key] = {"anyOf": [{"$ref": field["$ref"]}, {"type": "null"}], "description": text}
            elif text:
                field["description"] = text
        body.pop("title", None)
    sections = dict(schema["properties"])
    profile = {"type": "object", "properties": sections, "additionalProperties": False}
    schema["properties"] |= {
        "profile": {"type": "string", "description": "the profile that counts where --profile names none"},
        "profiles": {
            "type": "object",
            "description": "named sets of sections that are laid over the rest of the file",
            "additionalProperties": profile,
        },
    }
    return {"$schema": _DRAFT, "title": "pumpswap.yaml", **schema}


def _collect(found: dict[str, type[Section]]) -> None:
    for each in Section.__subclasses__():
        found[each.__name__] = each


def _first_line(section: type[Section] | None) -> str:
    return "" if section is None or not section.__doc__ else section.__doc__.splitlines()[0]
