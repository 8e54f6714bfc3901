"""The description of the API as a page: what can be asked, with which words, without a script of anybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

__all__ = ["description_page"]

_HEAD = Markup(
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>REST API · pumpswap</title>'
    '<link rel="icon" href="/static/icon.svg" type="image/svg+xml"><link rel="stylesheet" href="/static/app.css">'
    '</head><body><main id="main">'
)
_INTRODUCTION = Markup(
    "<h1>REST API</h1>"
    "<p>What the pages show, as JSON. Amounts are texts of integers with their unit in the key; times are nanoseconds. "
    "<code>next</code> of a list is <code>before</code> of its next page. Errors are objects with <code>code</code>, "
    "<code>exit_code</code>, <code>what</code> and <code>hint</code>, as on the command line.</p>"
    "<p>Where the dashboard has a token, send it: <code>Authorization: Bearer TOKEN</code>. Without one, actions need "
    "the header <code>X-CSRF-Token</code> with what <code>/api/v1/csrf</code> says. "
    '<a href="{schema}">The whole description (OpenAPI)</a> is for programs. <a href="/">To the overview</a></p>'
)


def description_page(document: Mapping[str, Any], address: str) -> str:
    """``document`` is the OpenAPI description, ``address`` where it can be had."""
    parts = [_HEAD, _INTRODUCTION.format(schema=address)]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts.append(_operation(method, path, operation, document.get("components", {}).get("schemas", {})))
    return Markup("").join([*parts, Markup("</main></body></html>")])


def _operation(method: str, path: str, operation: Mapping[str, Any], named: Mapping[str, Any]) -> Markup:
    head = Markup('<section class="panel"><h2><code>{} {}</code></h2><p>{}</p>').format(
        method.upper(), path, operation.get("description", "").replace("`", "")
    )
    rows = Markup("").join(_parameter(one, named) for one in operation.get("parameters", ()))
    table = Markup("<table><tr><th>parameter</th><th>may be</th><th>is</th></tr>{}</table>").format(rows)
    return head + (table if rows else Markup("")) + Markup("</section>")


def _parameter(one: Mapping[str, Any], named: Mapping[str, Any]) -> Markup:
    row = Markup("<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>")
    about = one.get("description", "").replace("`", "")
    return row.format(one["name"], ", ".join(_values(one["schema"], named)), about)


def _values(schema: Mapping[str, Any], named: Mapping[str, Any]) -> Iterator[str]:
    """``integer from 1 to 200``, ``buy or sell``, ``text``."""
    for given in schema.get("anyOf", (schema,)):
        kind = named[given["$ref"].rsplit("/", 1)[1]] if "$ref" in given else given
        if "enum" in kind:
            yield " or ".join(map(str, kind["enum"]))
        elif kind.get("type") == "array":
            yield f"any of {' or '.join(_values(kind['items'], named))}"
        elif kind.get("type") == "integer":
            most = kind.get("maximum", 0)
            yield f"integer from {kind.get('minimum', 0)}" + (f" to {most}" if 0 < most < 10**6 else "")
        elif kind.get("type") != "null":
            yield {"string": "text", "boolean": "true or false"}.get(kind.get("type", ""), "anything")
