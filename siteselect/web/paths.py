"""The only place that turns a name sent by somebody into a path of this machine.

A name is a name: letters, digits, dot, dash, underscore, not beginning with a dot. What it leads
to must lie in the folder asked for, and no part of it may be a symbolic link.
"""

from __future__ import annotations

import re
from pathlib import Path

from siteselect.errors import Fault, InputError
from siteselect.messages import Msg
from siteselect.pack import MANIFEST as PACK_MANIFEST
from siteselect.pack import embedded_packs
from siteselect.rundir import is_run
from siteselect.scenario_files import embedded_scenarios
from siteselect.web.settings import Settings

NAME = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}"
_NAME = re.compile(NAME)
_RESERVED = frozenset(
    ("con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(10)))
)
"""Names that are devices on some systems."""


class NotFoundError(InputError):
    """There is nothing of this name (404)."""


class ConflictError(InputError):
    """Somebody else changed it meanwhile (409)."""


def checked_name(name: str, *, where: str = "name") -> str:
    """The name, where it is one. Raises InputError."""
    stem = name.partition(".")[0].lower()
    if _NAME.fullmatch(name) and not name.endswith(".") and stem not in _RESERVED:
        return name
    raise InputError(
        Fault(
            Msg("this cannot be a name"),
            where=where,
            value=name[:120],
            remedy=Msg("use letters without accents, digits, dashes, underscores and dots"),
        )
    )


def inside(folder: Path, name: str) -> Path:
    """The place of a name in a folder; a symbolic link there is refused.

    Raises
    ------
    InputError
        the text is no name, or a link stands there.
    """
    place = folder / checked_name(name)
    if place.is_symlink() or place.resolve().parent != folder.resolve():
        raise InputError(
            Fault(
                Msg("a link stands here, which the application does not follow"),
                value=name,
                remedy=Msg("put the folder or the file itself there"),
            )
        )
    return place


class Workspace:
    """The folders of the application by what is in them."""

    def __init__(self, settings: Settings) -> None:
        self.packs = settings.packs
        self.runs = settings.runs
        self.scenarios = settings.scenarios

    def make(self) -> None:
        """Make the folders that are not there yet. Raises InputError where that is impossible."""
        for folder in (self.packs, self.runs, self.scenarios):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InputError(
                    Fault(
                        Msg("this folder cannot be made: {error}", error=error.strerror or error),
                        file=folder,
                        remedy=Msg("choose a folder with room where you may write"),
                    )
                ) from error

    def pack_folders(self) -> dict[str, Path]:
        """Packs that can be chosen, by name; the embedded ones first."""
        found = dict(embedded_packs())
        for folder in _listed(self.packs):
            if folder.name not in found and (folder / PACK_MANIFEST).is_file():
                found[folder.name] = folder
        return found

    def pack_folder(self, name: str) -> Path:
        """Folder of a pack. Raises NotFoundError."""
        return _found(self.pack_folders(), name, Msg("there is no data pack of this name"))

    def scenario_files(self) -> dict[str, Path]:
        """Scenarios by name: the planner's own, then those shipped."""
        own = {path.stem: path for path in _listed(self.scenarios) if path.suffix == ".toml"}
        shipped = {k: v for k, v in embedded_scenarios().items() if k not in own}
        return {**own, **shipped}

    def scenario_file(self, name: str) -> Path:
        """File of a scenario. Raises NotFoundError."""
        return _found(self.scenario_files(), name, Msg("there is no scenario of this name"))

    def own_scenario(self, name: str) -> Path:
        """Where a scenario of the planner's is written. Raises InputError."""
        return inside(self.scenarios, f"{checked_name(name)}.toml")

    def is_own(self, path: Path) -> bool:
        """Whether a scenario file is the planner's."""
        return path.parent == self.scenarios

    def may_name_run(self, name: str) -> bool:
        """Whether a directory of the store has a name that can be asked for, and is no link."""
        return bool(_NAME.fullmatch(name)) and not (self.runs / name).is_symlink()

    def run_folder(self, name: str) -> Path:
        """Directory of a finished run. Raises NotFoundError."""
        place = inside(self.runs, name)
        if not is_run(place):
            raise NotFoundError(
                Fault(
                    Msg("there is no finished run of this name"),
                    value=name,
                    remedy=Msg("choose one of the list"),
                )
            )
        return place


def _listed(folder: Path) -> list[Path]:
    """What stands in a folder under a good name, links left out."""
    try:
        found = sorted(folder.iterdir())
    except OSError:
        return []
    return [one for one in found if _NAME.fullmatch(one.name) and not one.is_symlink()]


def _found(known: dict[str, Path], name: str, message: Msg) -> Path:
    if checked_name(name) not in known:
        raise NotFoundError(Fault(message, value=name, remedy=Msg("choose one of the list")))
    return known[name]
