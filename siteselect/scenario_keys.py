"""Every key of a scenario, read off the model: path, type, unit, default, meaning.

The reference page and the JSON schema come from here, so that they cannot differ from what
:class:`~siteselect.scenario.Scenario` accepts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from siteselect.errors import Fault, nearest_name
from siteselect.messages import Msg
from siteselect.scenario import Scenario

UNITS = {
    "_keur_per_ha": "k€/ha",
    "_keur": "k€",
    "_kmh": "km/h",
    "_km": "km",
    "_min": "min",
    "_ha": "ha",
    "_s": "s",
}
"""What the end of a key says of its unit."""
COUNTED = "sites"
"""Unit of the whole numbers of a scenario, but for those below."""
UNCOUNTED = ("seed", "workers")
GRID: Mapping[str, str] = {
    "named": "variants by name: dotted keys and their values",
    "sweep": "full grid: dotted keys and the list of values of each",
    "design": "design of experiments: method, runs, seed, ranges",
}
"""Tables that turn a scenario file into many (siteselect batch)."""
ANY = "*"
"""A key that the planner names: a measured column, a code, a kind of site."""


@dataclass(frozen=True)
class Form:
    """What a program that asks for the value must know of it.

    Attributes
    ----------
    kind
        text, number, integer, boolean, choice, list, table or tables (entries with keys).
    of
        kind of the entries of a list or a table.
    optional
        the text "none" takes the value away.
    exclusive
        the minimum itself is not allowed.
    default
        as JSON; ``None`` where there is none.
    """

    kind: str
    of: str | None = None
    optional: bool = False
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    exclusive: bool = False
    choices: tuple[str, ...] = ()
    default: Any = None


@dataclass(frozen=True)
class Key:
    """One key: ``path`` is dotted, ``*`` a name of the planner's, ``[]`` an entry of a list."""

    path: str
    type: str
    unit: str
    default: str
    meaning: str
    form: Form = Form("text")


def scenario_keys() -> tuple[Key, ...]:
    """Every key, in the order of the model."""
    return tuple(_walk(Scenario, ""))


def scenario_schema() -> dict[str, Any]:
    """JSON schema of a scenario file, for editors (``extends`` included)."""
    schema: dict[str, Any] = _with_none(Scenario.model_json_schema())
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "siteselect scenario"
    extends = {"type": "string", "description": "scenario file that this one starts from"}
    grid = {name: {"type": "object", "description": what} for name, what in GRID.items()}
    schema["properties"] = {"extends": extends, **schema["properties"], **grid}
    return schema


def _with_none(tree: Any) -> Any:
    """TOML has no null: an optional value is taken away by the text ``"none"``."""
    if isinstance(tree, dict):
        if tree == {"type": "null"}:
            return {"const": "none"}
        return {
            key: "none" if key == "default" and value is None else _with_none(value)
            for key, value in tree.items()
        }
    return [_with_none(one) for one in tree] if isinstance(tree, list) else tree


def unknown_key(dotted: str) -> Fault | None:
    """What is wrong with a dotted key that no scenario has; ``None`` where it has one."""
    keys = scenario_keys()
    patterns = {tuple(key.path.split(".")) for key in keys}
    patterns |= {(*key.path.split("."), ANY) for key in keys if key.type.startswith("table of")}
    tables = {path[:depth] for path in patterns for depth in range(1, len(path) + 1)}
    parts = tuple(dotted.split("."))
    if any(_fits(parts, path) for path in tables):
        return None
    near = nearest_name(dotted, {".".join(path) for path in tables})
    return Fault(
        Msg("no scenario has such a key"),
        where=dotted,
        remedy=Msg("did you mean {near}?", near=near)
        if near
        else Msg("siteselect scenario keys lists them all"),
    )


def _fits(parts: tuple[str, ...], path: tuple[str, ...]) -> bool:
    return len(parts) == len(path) and all(
        wanted in (ANY, part) for part, wanted in zip(parts, path, strict=True)
    )


def _walk(model: type[BaseModel], prefix: str) -> Iterator[Key]:
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        inner, form = _inner_model(field.annotation)
        if inner is not None and form == "model":
            yield from _walk(inner, f"{path}.")
            continue
        meaning = field.description or ""
        yield Key(path, _type(field), _unit(name, field), _default(field), meaning, _form(field))
        if inner is not None:
            yield from _walk(inner, f"{path}.{ANY}." if form == "dict" else f"{path}[].")


def _inner_model(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """The settings inside an annotation, and whether it is one, a dict or a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, "model"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is dict:
        return _inner_model(arguments[1])[0], "dict"
    if origin is tuple:
        return _inner_model(arguments[0])[0], "list"
    return None, ""


def _type(field: FieldInfo) -> str:
    words, bounds = _words(field.annotation), _bounds(field.metadata)
    first, comma, last = words.partition(", or ")
    return f"{first}{bounds}{comma}{last}"


def _words(annotation: Any) -> str:
    """A type in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = [
            item
            for one in arguments[1:]
            for item in (one.metadata if isinstance(one, FieldInfo) else [one])
        ]
        return _words(arguments[0]) + _bounds(inner)
    if origin in (Union, UnionType):
        kinds = [_words(one) for one in arguments if one is not NoneType]
        return " or ".join(kinds) + ', or "none"'
    if origin is Literal:
        return " | ".join(f'"{one}"' for one in arguments)
    if origin is tuple:
        return f"list of {_words(arguments[0])}"
    if origin is dict:
        return f"table of {_words(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "tables"
    return {bool: "true or false", int: "whole number", float: "number", str: "text"}[annotation]


def _bounds(metadata: list[Any]) -> str:
    signs = ((Ge, "ge", "≥"), (Gt, "gt", ">"), (Le, "le", "≤"), (Lt, "lt", "<"))
    found = [
        f"{sign} {getattr(item, name):g}"
        for item in metadata
        for kind, name, sign in signs
        if isinstance(item, kind)
    ]
    return f" {', '.join(found)}" if found else ""


def _form(field: FieldInfo) -> Form:
    """The same for a program; bounds and choices are those of the entries in a list or table."""
    kind, of, metadata = _kind(field.annotation)
    bounds = [*field.metadata, *metadata]

    def bound(*signs: Any) -> float | None:
        found = [getattr(b, n) for b in bounds for sign, n in signs if isinstance(b, sign)]
        return float(found[0]) if found else None

    default = None if field.is_required() else field.get_default(call_default_factory=True)
    return Form(
        kind=kind,
        of=of,
        optional=NoneType in get_args(field.annotation),
        required=field.is_required(),
        minimum=bound((Ge, "ge"), (Gt, "gt")),
        maximum=bound((Le, "le"), (Lt, "lt")),
        exclusive=any(isinstance(one, Gt) for one in bounds),
        choices=_choices(field.annotation),
        default=to_jsonable_python(default),
    )


def _kind(annotation: Any) -> tuple[str, str | None, list[Any]]:
    """Kind of a value, of its entries, and the bounds written into the annotation."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        kind, of, deeper = _kind(arguments[0])
        given = [
            item
            for one in arguments[1:]
            for item in (one.metadata if isinstance(one, FieldInfo) else [one])
        ]
        return kind, of, [*deeper, *given]
    if origin in (Union, UnionType):
        return _kind(next(one for one in arguments if one is not NoneType))
    if origin is Literal:
        return "choice", None, []
    if origin in (tuple, dict):
        inner, _, bounds = _kind(arguments[0] if origin is tuple else arguments[1])
        if inner == "tables":
            return "tables" if origin is tuple else "table", "tables", []
        return "list" if origin is tuple else "table", inner, bounds
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "tables", None, []
    kinds = {bool: "boolean", int: "integer", float: "number", str: "text"}
    return kinds[annotation], None, []


def _choices(annotation: Any) -> tuple[str, ...]:
    """The texts allowed, wherever in an annotation they are listed; values, not keys."""
    if get_origin(annotation) is Literal:
        return tuple(str(one) for one in get_args(annotation))
    inner = get_args(annotation)
    if get_origin(annotation) is dict:
        inner = inner[1:]
    return next((found for one in inner if (found := _choices(one))), ())


def _unit(name: str, field: FieldInfo) -> str:
    if "whole number" in _words(field.annotation):
        return "" if name in UNCOUNTED or name.endswith("_year") else COUNTED
    return next((unit for end, unit in UNITS.items() if name.endswith(end)), "")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "none"
    if isinstance(value, dict) and any(isinstance(one, BaseModel) for one in value.values()):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


def reference_page() -> str:
    """``docs/scenario-reference.md``: one table a section, written from the model."""
    lines = [_HEAD]
    section = None
    for key in scenario_keys():
        heading = key.path.partition(".")[0] if "." in key.path else ""
        if heading != section:
            section = heading
            lines += ["", f"## `[{heading}]`" if heading else "## At the top of the file", ""]
            lines += ["| key | type | unit | default | meaning |", "|---|---|---|---|---|"]
        cells = (f"`{key.path}`", key.type, key.unit or "—", f"`{key.default}`", key.meaning)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


_HEAD = """\
# Every key of a scenario

Written from the model by `siteselect scenario keys --markdown`; a test fails when it is not
current. `*` stands for a name of yours (a measured column, an INSEE code, a kind of site), `[]`
for an entry of a list. TOML has no null: the text `"none"` takes an optional value away. The same
as a JSON schema for editors: `siteselect scenario schema` (`docs/scenario.schema.json`). The
tables `[named]`, `[sweep]` and `[design]`, which make many scenarios of one file, are explained in
`docs/batch.md`."""
