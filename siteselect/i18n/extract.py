"""What the code says: every template of a ``Msg("…")`` call, and of ``_("…")`` in the pages."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, nodes

PACKAGE = Path(__file__).resolve().parents[1]
_NOT_TEMPLATES = frozenset({"messages.py"})  # the class itself rebuilds messages


def source_templates(package: Path = PACKAGE) -> dict[str, tuple[str, ...]]:
    """Every template of the package → the files (relative to its parent) that say it."""
    found: dict[str, set[str]] = {}
    for place, template in _all_calls(package):
        if template is not None:
            found.setdefault(template, set()).add(place.partition(":")[0])
    return {template: tuple(sorted(files)) for template, files in sorted(found.items())}


def not_literal(package: Path = PACKAGE) -> tuple[str, ...]:
    """Places (``file:line``) whose template is no literal: no catalogue can know it."""
    return tuple(place for place, template in _all_calls(package) if template is None)


def placeholders(template: str) -> frozenset[str]:
    """Names of the values that a template takes."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(template) if name)


def _all_calls(package: Path) -> Iterator[tuple[str, str | None]]:
    for path in sorted(package.rglob("*.py")):
        if path.name not in _NOT_TEMPLATES:
            name = path.relative_to(package.parent).as_posix()
            yield from _python_calls(path.read_text(encoding="utf-8"), name)
    for path in sorted(package.rglob("*.j2")):
        name = path.relative_to(package.parent).as_posix()
        yield from _page_calls(path.read_text(encoding="utf-8"), name)


def _python_calls(text: str, name: str) -> Iterator[tuple[str, str | None]]:
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or not _is_msg(node.func):
            continue
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Attribute) and first.attr == "template":
            continue  # a message made elsewhere, filled with other values
        literal = isinstance(first, ast.Constant) and isinstance(first.value, str)
        template = first.value if literal and isinstance(first, ast.Constant) else None
        yield f"{name}:{node.lineno}", template if isinstance(template, str) else None


def _is_msg(function: ast.expr) -> bool:
    return (isinstance(function, ast.Name) and function.id == "Msg") or (
        isinstance(function, ast.Attribute) and function.attr == "Msg"
    )


def _page_calls(text: str, name: str) -> Iterator[tuple[str, str | None]]:
    for node in Environment(autoescape=True).parse(text).find_all(nodes.Call):
        if not isinstance(node.node, nodes.Name) or node.node.name not in ("_", "plural"):
            continue
        for argument in node.args[:1] if node.node.name == "_" else node.args[1:3]:
            template = argument.value if isinstance(argument, nodes.Const) else None
            yield f"{name}:{node.lineno}", template if isinstance(template, str) else None
