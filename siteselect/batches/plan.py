"""What a batch will run: files, folders, grids and objects → scenarios with their place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from siteselect.batches.grid import steps_of
from siteselect.errors import Fault, InputError, SiteSelectError
from siteselect.i18n import Lang
from siteselect.messages import Msg
from siteselect.pack import DataPack, open_pack
from siteselect.rulebook import open_rulebook
from siteselect.rundir import run_id
from siteselect.scenario import Scenario
from siteselect.scenario_files import (
    Change,
    LoadedScenario,
    ScenarioBase,
    open_base,
    scenario_from_mapping,
)

Source: TypeAlias = "str | Path | Scenario | LoadedScenario | ScenarioBase | Mapping[str, Any]"


@dataclass(frozen=True)
class Planned:
    """One scenario of a batch: what it is, where its run goes, or why it cannot be run.

    Attributes
    ----------
    keys
        dotted keys that its grid sets, for the columns of the synthesis.
    folder
        name of its run directory in the store.
    error
        why the scenario is refused; the others are run all the same.
    """

    name: str
    loaded: LoadedScenario | None = None
    keys: Mapping[str, Any] = field(default_factory=dict)
    pack: DataPack | None = None
    run_id: str = ""
    folder: str = ""
    error: SiteSelectError | None = None

    @property
    def changes(self) -> tuple[Change, ...]:
        """What differs from the scenario it extends."""
        return self.loaded.changes if self.loaded else ()

    @property
    def title(self) -> str:
        """Title of the scenario, its name where it cannot be read."""
        return self.loaded.scenario.title if self.loaded else self.name


@dataclass(frozen=True)
class Plan:
    """The scenarios of a batch, names unique; two may share one run."""

    runs: tuple[Planned, ...]
    lang: Lang = "fr"

    @property
    def batch_id(self) -> str:
        """Twelve digits over names and runs: the same call gives the same batch."""
        text = "\n".join(f"{one.name} {one.folder}" for one in self.runs)
        return hashlib.sha256(f"{self.lang}\n{text}".encode()).hexdigest()[:12]


def plan_batch(
    sources: Source | Iterable[Source] | Mapping[str, Source],
    *,
    overrides: Sequence[str] = (),
    lang: Lang = "fr",
) -> Plan:
    """Read everything a batch names; a scenario that is wrong is kept with its error.

    Parameters
    ----------
    sources
        scenario files, grids, folders of them, embedded names, objects; or objects by name.
    overrides
        ``dotted.key=value`` for every file.

    Raises
    ------
    InputError
        there is no scenario at all, or a path does not exist.
    """
    packs = _Packs()
    found = [one for name, source in _listed(sources) for one in _read(name, source, overrides)]
    if not found:
        raise InputError(
            Fault(
                Msg("there is no scenario to run"),
                where="batch",
                remedy=Msg("name scenario files, grids, or folders that hold some (*.toml)"),
            )
        )
    return Plan(tuple(_placed(one, packs, lang) for one in _unique(found)), lang)


def _listed(
    sources: Source | Iterable[Source] | Mapping[str, Source],
) -> Iterator[tuple[str | None, Source]]:
    if isinstance(sources, str | Path | Scenario | LoadedScenario | ScenarioBase):
        yield None, sources
    elif isinstance(sources, Mapping):
        if set(sources) & set(Scenario.model_fields):  # one scenario, not scenarios by name
            yield None, sources
        else:
            yield from ((str(name), value) for name, value in sources.items())
    else:
        yield from ((None, source) for source in sources)


def _read(name: str | None, source: Source, overrides: Sequence[str]) -> Iterator[Planned]:
    if isinstance(source, str | Path):
        path = Path(source).expanduser()
        if not path.is_dir():
            yield from _read_file(name, source, overrides, missing=True)
        else:
            for file in sorted(path.glob("*.toml")):
                yield from _read_file(name, file, overrides)
        return
    if isinstance(source, ScenarioBase):
        yield from _of_base(name or source.path.stem, source)
        return
    label = name or "scenario"
    try:
        if isinstance(source, LoadedScenario):
            loaded = source
        elif isinstance(source, Scenario):
            loaded = LoadedScenario(source, None, ())
        else:
            loaded = scenario_from_mapping(source)
    except SiteSelectError as error:
        yield Planned(label, error=error)
    else:
        yield Planned(label, loaded, {change.key: change.new for change in loaded.changes})


def _read_file(
    name: str | None, source: str | Path, overrides: Sequence[str], *, missing: bool = False
) -> Iterator[Planned]:
    """The scenarios of one file. Raises InputError where there is no such file."""
    label = name or Path(source).stem
    if missing and not Path(source).expanduser().exists():
        open_base(source)  # an embedded name; otherwise says what is missing
    try:
        base = open_base(source, overrides=overrides, grids=True)
    except SiteSelectError as error:
        yield Planned(label, error=error)
        return
    yield from _of_base(label, base)


def _of_base(label: str, base: ScenarioBase) -> Iterator[Planned]:
    """The scenarios that the grid of a file makes of it; the file alone without a grid."""
    try:
        steps = steps_of(base.grid, file=base.path)
    except SiteSelectError as error:
        yield Planned(label, error=error)
        return
    for step in steps:
        full = "-".join(part for part in (label, step.name) if part)
        try:
            loaded = base.derive(step.tree(), base.path.name)
        except SiteSelectError as error:
            yield Planned(full, keys=step.keys, error=error)
        else:
            yield Planned(full, loaded, step.keys)


def _unique(found: Sequence[Planned]) -> Iterator[Planned]:
    """Names that differ: a number is added to those that come again."""
    seen: dict[str, int] = {}
    taken = {one.name for one in found}
    for one in found:
        count = seen[one.name] = seen.get(one.name, 0) + 1
        name = one.name
        while count > 1 and name in taken:
            name = f"{one.name}-{count}"
            count += 1
        taken.add(name)
        yield replace(one, name=name)


class _Packs:
    """Each pack opened and checked once."""

    def __init__(self) -> None:
        self._opened: dict[tuple[str, Path | None], DataPack | SiteSelectError] = {}

    def of(self, loaded: LoadedScenario) -> DataPack:
        key = (loaded.scenario.pack, loaded.path.parent if loaded.path else None)
        if key not in self._opened:
            try:
                self._opened[key] = open_pack(key[0], relative_to=key[1])
            except SiteSelectError as error:
                self._opened[key] = error
        pack = self._opened[key]
        if isinstance(pack, SiteSelectError):
            raise pack
        return pack


def _placed(one: Planned, packs: _Packs, lang: Lang) -> Planned:
    if one.loaded is None:
        return one
    try:
        pack = packs.of(one.loaded)
        rulebook = open_rulebook(one.loaded.scenario.land.regime)
    except SiteSelectError as error:
        return replace(one, error=error)
    name = run_id(one.loaded.scenario, pack, rulebook)
    # the reasons in the tables are written in one language
    return replace(one, pack=pack, run_id=name, folder=name if lang == "fr" else f"{name}-{lang}")
