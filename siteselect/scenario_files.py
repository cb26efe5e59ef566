"""Scenario files: TOML with ``extends`` and overrides by dotted keys.

TOML and not YAML, because YAML reads ``01`` as 1 and ``no`` as false: fatal for INSEE codes.
Tables are merged key by key onto the base (or the defaults), lists are replaced whole, and the
text ``"none"`` removes an optional value. Every difference is kept as a :class:`Change`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import tomli_w
from pydantic import BaseModel, ValidationError

from siteselect.errors import Fault, FaultLog, InputError, nearest_name
from siteselect.messages import Msg
from siteselect.scenario import MEASURES, GroupRule, Scenario, SizeClass
from siteselect.scenario_edits import embed_edits

Tree = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """One key that differs from what the scenario extends: ``key: old → new``."""

    key: str
    old: object
    new: object
    origin: str

    def __str__(self) -> str:
        return f"{self.key}: {self.old!r} → {self.new!r} ({self.origin})"


@dataclass(frozen=True)
class LoadedScenario:
    """A scenario, the file it came from and the changes made on the way."""

    scenario: Scenario
    path: Path | None
    changes: tuple[Change, ...]


def load_scenario(source: str | Path, *, overrides: Sequence[str] = ()) -> LoadedScenario:
    """Read a scenario file, what it extends, and ``key=value`` overrides.

    Parameters
    ----------
    source
        a TOML file, or the name of an embedded scenario (``reference``).
    overrides
        texts ``dotted.key=value``; the value is read as TOML, a bare word as text.

    Raises
    ------
    InputError
        every fault found: missing file, bad TOML, unknown key (with the nearest valid one),
        misspelt criterion, value out of range, weights that sum to zero, circular ``extends``.
    """
    return open_base(source, overrides=overrides).derive({}, "")


GRID_TABLES = ("named", "sweep", "design")


@dataclass(frozen=True)
class ScenarioBase:
    """A scenario file resolved but not checked yet, from which others are derived.

    ``grid`` holds the tables that make many scenarios of one (:mod:`siteselect.batches`).
    """

    path: Path
    tree: Mapping[str, Any]
    changes: tuple[Change, ...]
    grid: Mapping[str, Any]

    def with_step(self, step: Mapping[str, Any], origin: str) -> ScenarioBase:
        """The same with a few more keys (nested tables), not checked yet."""
        embedded = embed_edits(dict(step), self.path.parent)
        tree, changed = _apply(dict(self.tree), embedded, origin)
        return replace(self, tree=tree, changes=self.changes + changed)

    def derive(self, step: Mapping[str, Any], origin: str) -> LoadedScenario:
        """The scenario with a few more keys (nested tables). Raises InputError as a file does."""
        whole = self.with_step(step, origin)
        return LoadedScenario(_validate(dict(whole.tree), self.path), self.path, whole.changes)


def open_base(
    source: str | Path, *, overrides: Sequence[str] = (), grids: bool = False
) -> ScenarioBase:
    """Read a file, what it extends, and overrides; with ``grids`` set its grid tables apart.

    Raises
    ------
    InputError
        missing file, bad TOML, circular ``extends``, an override that is not ``key=value``.
    """
    path = _find(source)
    return base_of(_read(path), path, overrides=overrides, grids=grids)


def base_of(
    tree: Mapping[str, Any], path: Path, *, overrides: Sequence[str] = (), grids: bool = False
) -> ScenarioBase:
    """As :func:`open_base`, for the content of a file that need not be written yet."""
    rest = dict(tree)
    grid = {name: rest.pop(name) for name in GRID_TABLES if grids and name in rest}
    merged, changes = _extended(path, rest, ())
    base = ScenarioBase(path, merged, changes, grid)
    for text in overrides:
        base = base.with_step(read_override(text), f"--set {text}")
    return base


def scenario_from_mapping(tree: Mapping[str, Any]) -> LoadedScenario:
    """A scenario from nested mappings (Python callers); the same checks as a file."""
    merged, changes = _apply(_defaults(), embed_edits(dict(tree), Path()), "python")
    return LoadedScenario(_validate(merged, None), None, changes)


def dump_scenario(scenario: Scenario) -> str:
    """The resolved scenario as TOML that :func:`load_scenario` reads back to the same object."""
    defaults = Scenario().model_dump(mode="json")
    return tomli_w.dumps(_without_none(scenario.model_dump(mode="json"), defaults))


def embedded_scenarios() -> dict[str, Path]:
    """Scenarios shipped with siteselect: name → file (installed wheel or source tree)."""
    package = Path(str(resources.files("siteselect")))
    roots = (package / "_scenarios", package.parent / "scenarios")
    return {
        file.stem: file
        for root in reversed(roots)
        if root.is_dir()
        for file in sorted(root.glob("*.toml"))
    }


def _find(source: str | Path) -> Path:
    path = Path(source).expanduser()
    if path.is_file():
        return path
    embedded = embedded_scenarios()
    if str(source) in embedded:
        return embedded[str(source)]
    near = nearest_name(path.stem, embedded)
    raise InputError(
        Fault(
            Msg("there is no such scenario file"),
            file=path,
            remedy=Msg("did you mean {near}?", near=near)
            if near
            else Msg("scenarios shipped: {names}", names=", ".join(embedded) or "—"),
        )
    )


def _resolve(path: Path, above: tuple[Path, ...]) -> tuple[Tree, tuple[Change, ...]]:
    """The merged tree of a file, and what it changes from what it extends."""
    if path.resolve() in above:
        raise InputError(
            Fault(
                Msg("scenarios extend each other in a circle"),
                file=path,
                where="extends",
                remedy=Msg("remove one of the extends"),
            )
        )
    return _extended(path, _read(path), above)


def _extended(path: Path, tree: Tree, above: tuple[Path, ...]) -> tuple[Tree, tuple[Change, ...]]:
    """The tree of a file merged onto what it extends."""
    tree = embed_edits(tree, path.parent)
    base = tree.pop("extends", None)
    if base is None:
        return _apply(_defaults(), tree, path.name)[0], ()
    if not isinstance(base, str):
        raise InputError(
            Fault(
                Msg("extends must name one scenario file"),
                file=path,
                where="extends",
                value=base,
                remedy=Msg('write extends = "reference.toml"'),
            )
        )
    base_path = path.parent / base
    if not base_path.is_file():
        base_path = _find(base)
    parent, _ = _resolve(base_path, (*above, path.resolve()))
    return _apply(parent, tree, path.name)


def _read(path: Path) -> Tree:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(
            Fault(
                Msg("the file is not UTF-8 text"),
                file=path,
                where=f"octet {error.start}",
                remedy=Msg("save it as UTF-8"),
            )
        ) from error
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            Fault(
                Msg("this is not valid TOML: {error}", error=error),
                file=path,
                remedy=Msg("correct that line; texts are written between quotes"),
            )
        ) from error


def read_override(text: str) -> Tree:
    """``dotted.key=value`` as a nested table; raises InputError where it is none."""
    key, sign, value = text.partition("=")
    if sign and key.strip():
        for candidate in (value, json.dumps(value.strip(), ensure_ascii=False)):
            try:
                return tomllib.loads(f"{key} = {candidate}")
            except tomllib.TOMLDecodeError:
                continue
    raise InputError(
        Fault(
            Msg("an override is written key=value"),
            where="--set",
            value=text,
            remedy=Msg("for example --set count=40"),
        )
    )


def _defaults() -> Tree:
    tree: Tree = Scenario().model_dump(mode="json")
    return tree


def _apply(base: Tree, step: Tree, origin: str) -> tuple[Tree, tuple[Change, ...]]:
    merged = _merge(base, step)
    before, after = dict(_leaves(base)), dict(_leaves(merged))
    keys = [*before, *(key for key in after if key not in before)]
    return merged, tuple(
        Change(key, before.get(key), after.get(key), origin)
        for key in keys
        if before.get(key) != after.get(key)
    )


def _merge(base: Any, step: Any) -> Any:
    if isinstance(base, dict) and isinstance(step, dict):
        return {
            key: _merge(base[key], step[key])
            if key in base and key in step
            else _merge(None, step[key])
            if key in step
            else base[key]
            for key in [*base, *(key for key in step if key not in base)]
        }
    return None if step == "none" else step


def _leaves(tree: Any, prefix: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            yield from _leaves(value, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, tree


def _without_none(tree: Any, defaults: Any = None) -> Any:
    """TOML has no null: a value removed is left out, or "none" where leaving it out would bring
    its default back.
    """
    if isinstance(tree, dict):
        known = defaults if isinstance(defaults, dict) else {}
        return {
            key: "none" if value is None else _without_none(value, known.get(key))
            for key, value in tree.items()
            if value is not None or known.get(key) is not None
        }
    if isinstance(tree, list):
        return [_without_none(value) for value in tree]
    return tree


def _validate(tree: Tree, path: Path | None) -> Scenario:
    log = FaultLog()
    try:
        scenario = Scenario.model_validate(tree)
    except ValidationError as error:
        for item in error.errors():
            log.faults.append(_fault(item, path))
        _check_criteria_names(tree, path, log)
        raise InputError(log.faults) from error
    _check_criteria_names(tree, path, log)
    _check_meaning(scenario, path, log)
    log.check()
    return scenario


def _fault(item: Mapping[str, Any], path: Path | None) -> Fault:
    location: tuple[str | int, ...] = item["loc"]
    where = ".".join(str(part) for part in location)
    if item["type"] == "extra_forbidden" and where in GRID_TABLES:
        return Fault(
            Msg("this table makes many scenarios of one file"),
            file=path,
            where=where,
            remedy=Msg("run it with siteselect batch"),
        )
    if item["type"] == "extra_forbidden":
        near = nearest_name(str(location[-1]), _fields_at(location[:-1]))
        return Fault(
            Msg("unknown key"),
            file=path,
            where=where,
            remedy=Msg("did you mean {near}?", near=near)
            if near
            else Msg("remove it; valid here: {names}", names=", ".join(_fields_at(location[:-1]))),
        )
    value = item.get("input")
    shown = None if isinstance(value, dict) else value
    if item["type"] == "missing":
        return Fault(
            Msg("the key is missing"), file=path, where=where, remedy=Msg("add it to the scenario")
        )
    return Fault(
        _problem(item),
        file=path,
        where=where,
        value=shown,
        remedy=Msg("correct this value"),
    )


def _problem(item: Mapping[str, Any]) -> Msg:
    """The commonest pydantic errors in words that can be translated."""
    bounds: Mapping[str, Any] = item.get("ctx", {})
    match item["type"]:
        case "greater_than_equal":
            return Msg("the value must be at least {bound}", bound=bounds["ge"])
        case "greater_than":
            return Msg("the value must be above {bound}", bound=bounds["gt"])
        case "less_than_equal":
            return Msg("the value must be at most {bound}", bound=bounds["le"])
        case "literal_error":
            # pydantic joins the last value with an English word.
            known = str(bounds["expected"]).replace("' or '", "', '")
            return Msg("the value must be one of {expected}", expected=known)
        case "int_parsing" | "int_type" | "int_from_float":
            return Msg("a whole number is expected")
        case "float_parsing" | "float_type" | "finite_number":
            return Msg("a number is expected")
        case "string_type":
            return Msg("a text between quotes is expected")
        case "bool_parsing" | "bool_type":
            return Msg("true or false is expected")
        case "tuple_type" | "list_type":
            return Msg("a list between [ ] is expected")
        case "dict_type" | "model_type" | "model_attributes_type":
            return Msg("a table of keys is expected")
    return Msg("the value is not valid: {problem}", problem=item["msg"])


def _fields_at(location: Sequence[str | int]) -> tuple[str, ...]:
    """Valid keys of the settings found by walking down the model."""
    here: Any = Scenario
    for part in location:
        if isinstance(here, type) and issubclass(here, BaseModel) and part in here.model_fields:
            here = _inner(here.model_fields[str(part)].annotation)
    if isinstance(here, type) and issubclass(here, BaseModel):
        extra = ("extends",) if here is Scenario else ()
        return (*here.model_fields, *extra)
    return ()


def _inner(annotation: Any) -> Any:
    """The settings class inside ``tuple[X, ...]``, ``dict[str, X]`` or ``X | None``."""
    if get_origin(annotation) in (tuple, dict, Union, UnionType):
        inner = [_inner(argument) for argument in get_args(annotation)]
        return next(
            (x for x in inner if isinstance(x, type) and issubclass(x, BaseModel)), annotation
        )
    return annotation


def _check_criteria_names(tree: Tree, path: Path | None, log: FaultLog) -> None:
    criteria = tree.get("criteria")
    if not isinstance(criteria, dict):
        return
    for group, valid in MEASURES.items():
        named = criteria.get(group)
        for name in named if isinstance(named, dict) else ():
            if name not in valid:
                near = nearest_name(name, valid) or valid[0]
                log.add(
                    Msg("unknown criterion"),
                    file=path,
                    where=f"criteria.{group}.{name}",
                    value=name,
                    remedy=Msg(
                        "did you mean {near}? known: {names}", near=near, names=", ".join(valid)
                    ),
                )


def _check_meaning(scenario: Scenario, path: Path | None, log: FaultLog) -> None:
    """What no single field can tell."""
    _check_weights(scenario, path, log)
    limits = scenario.constraints
    if limits.region_min > limits.region_max:
        log.add(
            Msg("the least number of sites per region is above the greatest"),
            file=path,
            where="constraints.region_min",
            value=limits.region_min,
            remedy=Msg("lower it to {most} or less", most=limits.region_max),
        )
    rules: tuple[SizeClass | GroupRule, ...] = (*limits.size_classes, *limits.groups)
    for index, rule in enumerate(rules):
        if rule.at_most is not None and rule.at_least > rule.at_most:
            log.add(
                Msg("at_least is above at_most"),
                file=path,
                where=f"constraints: {rule.name or index}",
                value=rule.at_least,
                remedy=Msg("lower it to {most} or less", most=rule.at_most),
            )
        if rule.at_least > scenario.count:
            log.add(
                Msg("at_least asks for more sites than the {count} chosen", count=scenario.count),
                file=path,
                where=f"constraints: {rule.name or index}",
                value=rule.at_least,
                remedy=Msg("lower at_least or raise count"),
            )
    if not (scenario.variants.reuse or scenario.variants.full):
        log.add(
            Msg("no variant is offered, so no site can be developed"),
            file=path,
            where="variants",
            remedy=Msg("set variants.reuse or variants.full to true"),
        )
    both = sorted(set(scenario.locks.include) & set(scenario.locks.exclude))
    for site_id in both:
        log.add(
            Msg("the site is forced in and forced out"),
            file=path,
            where="locks",
            value=site_id,
            remedy=Msg("keep it in one of the two lists"),
        )
    if len(set(scenario.locks.include)) > scenario.count:
        log.add(
            Msg("more sites are forced in than the {count} chosen", count=scenario.count),
            file=path,
            where="locks.include",
            value=len(set(scenario.locks.include)),
            remedy=Msg("raise count or shorten the list"),
        )


def _check_weights(scenario: Scenario, path: Path | None, log: FaultLog) -> None:
    weights = {group: getattr(scenario.weights, group) for group in MEASURES}
    if sum(weights.values()) <= 0:
        log.add(
            Msg("the weights sum to zero, so nothing can be ranked"),
            file=path,
            where="weights",
            value=weights,
            remedy=Msg("give at least one of them a positive value"),
        )
    for group in MEASURES:
        total = sum(criterion.weight for criterion in scenario.criteria.of(group).values())
        if weights[group] > 0 and total <= 0:
            log.add(
                Msg("the weights of the criteria of this group sum to zero"),
                file=path,
                where=f"criteria.{group}",
                remedy=Msg(
                    "give one of them a positive weight, or set weights.{group} to 0", group=group
                ),
            )
