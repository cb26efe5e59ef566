"""The remedies of an infeasible scenario as edits of its keys, to be offered as buttons.

The optimiser says what change of one requirement is enough, as a message with its figures; the
requirement is a message too. Here both are read back into the dotted keys that state it. A remedy
without such a key is still shown, as text alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from siteselect.ledger import level_name
from siteselect.messages import Msg
from siteselect.scenario import LEVELS, Scenario

Edits = dict[str, Any]
HEADING = "each of these changes alone is enough, the smallest first:"
NO_CHANGE = "no change of one of these requirements alone was found"


@dataclass(frozen=True)
class Remedy:
    """One change that is enough, and the keys to set: dotted path → new value."""

    text: Msg
    edits: Edits = field(default_factory=dict)


def read_reasons(
    reasons: Sequence[Msg], scenario: Scenario
) -> tuple[tuple[Msg, ...], tuple[Remedy, ...]]:
    """Reasons of an infeasible scenario → the conflict, and the remedies with their edits."""
    conflict: list[Msg] = []
    remedies: list[Remedy] = []
    after = False
    for one in reasons:
        if one.template == HEADING:
            after = True
        elif after:
            remedies.append(Remedy(one, _edits(one, scenario)))
        else:
            conflict.append(one)
    return tuple(conflict), tuple(remedies)


def _edits(text: Msg, scenario: Scenario) -> Edits:
    values = text.values
    inner = values.get("change")
    if isinstance(inner, Msg):  # "… (enough; less may do)", "… (enough; no less than …)"
        return _edits(inner, scenario)
    first, second = values.get("first"), values.get("second")
    if isinstance(first, Msg) and isinstance(second, Msg):  # "…; and …"
        return _both(_edits(first, scenario), _edits(second, scenario))
    if "site" in values:
        return _unlocked(text, str(values["site"]), scenario)
    to, name = values.get("to"), values.get("name")
    if not isinstance(to, int | float):
        return {}
    if not isinstance(name, Msg):
        return {"count": int(to)}
    read = _REQUIREMENTS.get(name.template)
    least = "minimum lowered" in text.template
    return {} if read is None else read(_Change(name.values, to, least), scenario)


def _both(first: Edits, second: Edits) -> Edits:
    """The edits of a joint change; none where one part has none, or both set the same key."""
    if not first or not second or first.keys() & second.keys():
        return {}
    return {**first, **second}


@dataclass(frozen=True)
class _Change:
    """New figure of a requirement: its minimum where ``least``, else its maximum."""

    of: Mapping[str, object]
    to: float
    least: bool

    @property
    def whole(self) -> int:
        return round(self.to)

    @property
    def key(self) -> str:
        return "at_least" if self.least else "at_most"


def _unlocked(text: Msg, site: str, scenario: Scenario) -> Edits:
    side = "include" if "forced in" in text.template else "exclude"
    kept = [one for one in getattr(scenario.locks, side) if one != site]
    return {f"locks.{side}": kept}


def _region(change: _Change, scenario: Scenario) -> Edits:
    return {f"constraints.region_{'min' if change.least else 'max'}": change.whole}


def _epci(change: _Change, scenario: Scenario) -> Edits:
    return {"constraints.max_per_epci": change.whole}


def _size_class(change: _Change, scenario: Scenario) -> Edits:
    return _in_list("size_classes", change, scenario)


def _group(change: _Change, scenario: Scenario) -> Edits:
    return _in_list("groups", change, scenario)


def _in_list(key: str, change: _Change, scenario: Scenario) -> Edits:
    """A list is replaced whole: the same rules, one of them eased."""
    rules = getattr(scenario.constraints, key)
    eased = [
        {**_said(rule), change.key: change.whole} if rule.name == change.of["name"] else _said(rule)
        for rule in rules
    ]
    return {f"constraints.{key}": eased}


def _said(rule: Any) -> dict[str, Any]:
    tree: dict[str, Any] = rule.model_dump(mode="json", exclude_none=True)
    return tree


def _area(change: _Change, scenario: Scenario) -> Edits:
    return {f"constraints.{'min' if change.least else 'max'}_total_usable_ha": round(change.to, 2)}


def _budget(change: _Change, scenario: Scenario) -> Edits:
    return {"constraints.budget_keur": change.whole}


def _separation(change: _Change, scenario: Scenario) -> Edits:
    return {"constraints.separation_km": round(change.to, 4)}


def _programme(change: _Change, scenario: Scenario) -> Edits:
    return {"zan.programme_cap_ha": round(change.to, 2)}


def _cap(change: _Change, scenario: Scenario) -> Edits:
    level = next((one for one in LEVELS if level_name(one) == change.of["level"]), None)
    rules = [_said(rule) for rule in scenario.zan.ledgers]
    eased = next((rule for rule in reversed(rules) if rule["level"] == level), None)
    if eased is None:
        return {}
    eased["caps_ha"] = {**eased.get("caps_ha", {}), str(change.of["code"]): round(change.to, 2)}
    return {"zan.ledgers": rules}


_REQUIREMENTS: Mapping[str, Callable[[_Change, Scenario], Edits]] = {
    "number of sites in region {name}": _region,
    "number of sites in EPCI {name} ({code})": _epci,
    "size class {name}": _size_class,
    "group {name}": _group,
    "total usable area": _area,
    "budget": _budget,
    "at least {km:g} km between two sites": _separation,
    "programme: net artificialisation of the portfolio": _programme,
    "cap of {level} {name} ({code})": _cap,
}
"""The names that :mod:`siteselect.formulate` gives to requirements → the keys that state them."""
