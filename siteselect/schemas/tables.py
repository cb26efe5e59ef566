"""The tables that cross a stage: columns, rules, geometry (see docs/architecture.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandera.pandas as pa

from siteselect.schemas.rules import (
    BOOLEAN,
    GEOMETRY_PROBLEMS,
    INSEE,
    NOT_NEGATIVE,
    NUMBER,
    POSITIVE,
    SIREN,
    TEXT,
    WHOLE,
    Rule,
    among,
)

KINDS = ("brownfield", "extension", "greenfield")
"""As in :mod:`siteselect.scenario` (which lies beside this module, not under it)."""
SITE_STATUSES = (
    "friche potentielle",
    "friche sans projet",
    "friche avec projet",
    "friche reconvertie",
    "inconnu",
    "autre",
    "sans objet",
)
"""Enumeration of ``site_statut``, standard CNIG friches 1.0.6."""
FACILITY_CLASSES = (
    "motorway",
    "rail_freight",
    "port",
    "airport",
    "station",
    "substation",
    "siding",
)
LEVELS = ("commune", "epci", "scot", "departement", "region", "national")
RUN_STATUSES = ("selected", "reserve", "not_selected", "excluded", "forced_in", "forced_out")


@dataclass(frozen=True)
class Cells:
    """One column of a schema."""

    rules: tuple[Rule, ...] = ()
    null: bool = False
    required: bool = True
    unique: bool = False
    choices: tuple[str, ...] = ()

    def pandera(self) -> pa.Column:
        """The column as pandera checks it."""
        chosen = (Rule("among", among(self.choices)),) if self.choices else ()
        checks = [pa.Check(rule.holds, name=rule.name) for rule in (*self.rules, *chosen)]
        return pa.Column(
            checks=checks, nullable=self.null, required=self.required, unique=self.unique
        )


@dataclass(frozen=True)
class Table:
    """One table: its columns, the one that names its rows, and the geometry it must have."""

    columns: Mapping[str, Cells]
    name: str | None = None
    geometry: tuple[str, ...] = ()
    checks: tuple[str, ...] = GEOMETRY_PROBLEMS


_text = Cells((TEXT,))
_text_or_null = Cells((TEXT,), null=True)
_id = Cells((TEXT,), unique=True)
_code = Cells((TEXT, INSEE))
_area = Cells((NUMBER, POSITIVE))
_amount = Cells((NUMBER, NOT_NEGATIVE))
_amount_or_null = Cells((NUMBER, NOT_NEGATIVE), null=True)
_count = Cells((NUMBER, NOT_NEGATIVE, WHOLE))
_POLYGON = ("Polygon", "MultiPolygon")
_LINE = ("LineString", "MultiLineString")

TABLES: Mapping[str, Table] = {
    "communes": Table(
        {
            "code_insee": Cells((TEXT, INSEE), unique=True),
            "name": _text,
            "population": Cells((NUMBER, NOT_NEGATIVE, WHOLE), null=True),
            "epci": Cells((TEXT, SIREN), null=True),
            "epci_name": _text_or_null,
            "departement": _text,
            "departement_name": _text,
            "region": _text,
            "region_name": _text,
        },
        "code_insee",
        ("Point",),
    ),
    "labour": Table(
        {"code_insee": Cells((TEXT, INSEE), unique=True), "labour_force": _count}, "code_insee"
    ),
    "outlines": Table(
        {"level": Cells(choices=LEVELS), "code": _text, "name": _text}, "code", _POLYGON
    ),
    "road_nodes": Table({"x": Cells((NUMBER,)), "y": Cells((NUMBER,))}),
    "road_edges": Table(
        {
            "tail": _count,
            "head": _count,
            "length_m": _amount,
            "road_class": _text,
            "oneway": Cells((BOOLEAN,)),
            "car_kmh": Cells((NUMBER, POSITIVE), null=True, required=False),
            "hgv_kmh": Cells((NUMBER, POSITIVE), null=True, required=False),
        }
    ),
    "rail": Table({}, None, _LINE, ("empty", "type", "outside")),
    "facilities": Table(
        {
            "facility_id": _text,
            "facility_class": Cells(choices=FACILITY_CLASSES),
            "name": _text_or_null,
            "voltage_kv": Cells((NUMBER, POSITIVE), null=True, required=False),
        },
        "facility_id",
        ("Point",),
        ("empty", "type"),  # a port or an airport across the border serves too
    ),
    "sites": Table(
        {
            "site_id": _id,
            "name": _text_or_null,
            "kind": Cells(choices=KINDS),
            "code_insee": _code,
            "area_ha": _area,
            "status_source": Cells((TEXT,), null=True),
            "geometry_origin": Cells(choices=("polygon", "disc")),
            "stated_pollution": _text_or_null,
            "stated_buildings": _text_or_null,
            "source": _text,
        },
        "site_id",
        _POLYGON,
    ),
    "restoration": Table(
        {
            "parcel_id": _id,
            "name": _text_or_null,
            "code_insee": _code,
            "area_ha": _area,
            "cost_keur": _amount,
            "site_id": _text_or_null,
        },
        "parcel_id",
        _POLYGON,
    ),
    "territories": Table(
        {"kind": _text, "code": _text, "name": _text, "code_insee": _code}, "code_insee"
    ),
    "run_sites": Table(
        {
            "site_id": _id,
            "name": _text_or_null,
            "kind": Cells(choices=KINDS),
            "code_insee": _code,
            "commune": _text,
            "epci": Cells((TEXT, SIREN), null=True),
            "departement": _text,
            "region": _text,
            "area_ha": _area,
            "usable_ha": _amount_or_null,
            "artificialised_ha": _amount_or_null,
            "impermeable_ha": _amount_or_null,
            "new_artificialisation_ha": _amount_or_null,
            "cost_keur": _amount_or_null,
            "score": _amount_or_null,
            "reliability": _amount_or_null,
            "status": Cells(choices=RUN_STATUSES),
            "reason": Cells(null=True),
            "rank": Cells((NUMBER, POSITIVE, WHOLE), null=True),
        },
        "site_id",
        _POLYGON,
    ),
}
"""Every table by the role it has in a pack; ``run_sites`` is the table of sites of a run.

Columns beyond these are left alone: a planner's own columns travel with the sites.
"""
