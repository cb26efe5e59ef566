"""The build file: which official file plays which role in a pack (``build.toml``).

Everything in it can be left out but the file and its role; columns are found by their usual
official names, and named under ``columns`` where they have others.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from siteselect.errors import Fault, FaultLog, InputError, nearest_name
from siteselect.messages import Msg
from siteselect.territories import SCOT

BUILD_FILE = "build.toml"
InputRole = Literal[
    "communes",
    "contours",
    "labour",
    "facilities",
    "roads",
    "rail",
    "friches",
    "economic_sites",
    "applications",
    "landcover",
    "ocsge",
    "consumption",
    "objectives",
    "territories",
    "exclusions",
    "outlines",
]
ROLES: tuple[str, ...] = get_args(InputRole)
FacilityClass = Literal[
    "motorway", "rail_freight", "port", "airport", "station", "substation", "siding"
]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Area(_Strict):
    """The territory of the pack: sites lie in it, communes in it and around it."""

    regions: tuple[str, ...] = ()
    departements: tuple[str, ...] = ()
    epci: tuple[str, ...] = ()
    communes: tuple[str, ...] = ()
    margin_km: float = Field(
        60.0, ge=0, description="communes this near the area stay: people commute across borders"
    )
    under_raster: bool = Field(
        False, description="sites that the land cover does not cover are left out, not refused"
    )

    @property
    def everywhere(self) -> bool:
        """No territory is named: the whole country."""
        return not (self.regions or self.departements or self.epci or self.communes)


class Input(_Strict):
    """One file of the planner."""

    role: InputRole
    file: str
    title: str = ""
    licence: str = "à préciser"
    attribution: str = "à préciser"
    vintage: str = ""
    layer: str | None = Field(None, description="layer of a GeoPackage, sheet of a workbook")
    columns: dict[str, str] = Field(
        default_factory=dict, description="our name = the name in the file"
    )
    words: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="applications: our column = { answer = our word }"
    )
    where: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="rows read: column = [values]"
    )
    facility_class: FacilityClass | None = Field(None, alias="class")
    approximate: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="rows whose position is approximate: column = [values]"
    )
    position_assumed: bool = Field(False, description="every position is approximate")
    kind: str = Field("", description="territories, exclusions: what they are (scot, natura2000…)")
    effect: Literal["exclude", "flag"] = "exclude"
    buffer_m: float = Field(0.0, ge=0)
    min_share: float = Field(
        0.0, ge=0, le=1, description="share of a footprint in the zone from which it is excluded"
    )
    legend: str | None = Field(None, description="landcover: CSV, or corine")
    resolution_m: float | None = Field(None, gt=0)
    speed_factor: float = Field(
        0.85, gt=0, le=1, description="speed driven as a share of the speed limit"
    )
    interchanges: bool = Field(
        False, description="roads: derive motorway accesses from the slip roads"
    )
    gap_m: float = Field(0.0, ge=0, description="roads: ends nearer than this are joined")
    level: Literal["commune", "epci", "scot", "departement", "region"] = "commune"
    reduction: float = Field(0.5, ge=0, le=1, description="consumption: objective of reduction")
    floor_ha: float = Field(1.0, ge=0, description="consumption: guaranteed to each commune")
    pool_floor: bool = Field(False, description="consumption: pool the guarantee above communes")
    site_kind: Literal["brownfield", "extension", "greenfield"] | None = None

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True
    )

    @property
    def is_scot(self) -> bool:
        """Whether the file lists the SCoT and their communes, however the kind is written."""
        return self.role == "territories" and self.kind.strip().casefold() == SCOT


class Plan(_Strict):
    """A build file."""

    name: str = ""
    title: str = ""
    note: str = ""
    base: str = Field("france", description="pack that gives what the inputs do not")
    keep_simulated: bool = Field(
        False, description="keep the simulated layers of the base where nothing real replaces them"
    )
    folder: str = Field(".", description="where the files are, from the build file")
    area: Area = Area()
    inputs: tuple[Input, ...] = Field(..., min_length=1)

    def of(self, role: str) -> tuple[Input, ...]:
        """The inputs of a role, in the order of the file."""
        return tuple(one for one in self.inputs if one.role == role)


def read_plan(path: Path, *, files: Path | None = None) -> tuple[Plan, Path]:
    """The plan of a build file, and the folder its files are in (``files`` wins over its own).

    Raises
    ------
    InputError
        every fault: it cannot be read, an unknown key (with the nearest), an unknown role, a
        file that is not there, an option its role needs.
    """
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            Fault(
                Msg("the build file cannot be read: {error}", error=error),
                file=path,
                remedy=Msg("see the guide of data for an example"),
            )
        ) from error
    try:
        plan = Plan.model_validate(tree)
    except ValidationError as error:
        raise InputError(_told(item, path) for item in error.errors()) from error
    folder = (files or path.parent / Path(plan.folder).expanduser()).resolve()
    check_plan(plan, folder, path)
    return plan, folder


def check_plan(plan: Plan, folder: Path, path: Path) -> None:
    """Every file is there and every input has what its role needs. Raises InputError."""
    log = FaultLog()
    for number, one in enumerate(plan.inputs, start=1):
        where = f"inputs[{number}] ({one.role})"
        if not (folder / one.file).is_file():
            siblings = sorted(p.name for p in (folder / one.file).parent.glob("*"))
            near = nearest_name(Path(one.file).name, siblings)
            log.add(
                Msg("there is no such file"),
                file=path,
                where=where,
                value=str(folder / one.file),
                remedy=Msg("did you mean {near}?", near=near)
                if near
                else Msg("the files are looked for in {folder}", folder=folder),
            )
        if one.role == "facilities" and one.facility_class is None:
            log.add(
                Msg("what these places are is not said"),
                file=path,
                where=where,
                remedy=Msg("add class = one of {names}", names=", ".join(get_args(FacilityClass))),
            )
        if one.role in ("territories", "exclusions") and not one.kind:
            log.add(
                Msg("what these areas are is not said"),
                file=path,
                where=where,
                remedy=Msg('add kind, for instance kind = "natura2000"'),
            )
        if (
            one.role == "consumption"
            and one.level == SCOT
            and not any(other.is_scot for other in plan.of("territories"))
        ):
            log.add(
                Msg("caps are asked for each SCoT, but no file says which communes each SCoT has"),
                file=path,
                where=where,
                remedy=Msg("add an input of {keys}", keys='role = "territories", kind = "scot"'),
            )
        if one.role == "landcover" and one.legend is None:
            log.add(
                Msg("the raster has no legend"),
                file=path,
                where=where,
                remedy=Msg('add legend = "corine", or the name of a CSV'),
            )
    for role in ("landcover", "communes"):
        if len(plan.of(role)) > 1:
            log.add(
                Msg("only one file may have the role {role}", role=role),
                file=path,
                remedy=Msg("keep one of them"),
            )
    if plan.of("landcover") and plan.of("ocsge"):
        log.add(
            Msg("a pack has one land cover: a raster or OCS GE, not both"),
            file=path,
            remedy=Msg("keep OCS GE, which is finer"),
        )
    log.check()


def _told(item: object, path: Path) -> Fault:
    error = dict(item)  # type: ignore[call-overload]
    place = [str(part) for part in error["loc"]]
    valid: tuple[str, ...]
    if (place and place[-1] == "role") or (error["type"] == "literal_error" and "role" in place):
        valid = ROLES
        near = nearest_name(str(error.get("input")), valid)
    elif error["type"] == "extra_forbidden":
        model = Input if place[0] == "inputs" else Area if place[0] == "area" else Plan
        valid = tuple(f.alias or name for name, f in model.model_fields.items())
        near = nearest_name(place[-1], valid)
    else:
        valid, near = (), None
    return Fault(
        Msg("this key is unknown")
        if error["type"] == "extra_forbidden"
        else Msg("{problem}", problem=error["msg"]),
        file=path,
        where=".".join(place),
        value=error.get("input") if not isinstance(error.get("input"), dict | list) else None,
        remedy=Msg("did you mean {near}?", near=near)
        if near
        else Msg("known: {names}", names=", ".join(valid))
        if valid
        else Msg("correct it"),
    )
