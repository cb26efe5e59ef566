"""Which role each file of a folder plays, told by its columns: for a folder without build file."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path

import pyogrio
import rasterio
from rasterio.errors import RasterioError

from siteselect.errors import InputError
from siteselect.messages import Msg
from siteselect.sources.delimited import SEPARATORS
from siteselect.sources.labour import labour_names
from siteselect.sources.landtake import WIDE
from siteselect.sources.opening import READING_ERRORS, VECTOR_SUFFIXES, fault
from siteselect.sources.plan import Input, Plan

TABLES = (".csv", ".csv.gz", ".txt", ".tsv")
ROADS = (".osm.pbf", ".pbf")
RASTERS = (".tif", ".tiff")
SIGNATURES: tuple[tuple[frozenset[str], str, dict[str, object]], ...] = (
    (frozenset({"site_id", "site_statut", "comm_insee"}), "friches", {}),
    (frozenset({"terr_id", "terr_surf_brute"}), "economic_sites", {}),
    (frozenset({"site_id", "site_vocadomi"}), "economic_sites", {}),
    (frozenset({"code_cs", "code_us"}), "ocsge", {}),
    (frozenset({"fclass", "oneway"}), "roads", {"interchanges": True}),
    (frozenset({"nature", "importance", "sens_de_circulation"}), "roads", {"interchanges": True}),
    (frozenset({"identifiant", "nature", "code insee", "surface (ha)"}), "applications", {}),
    (frozenset({"id_ti", "lib_ti", "code"}), "territories", {"kind": "territoire_industrie"}),
    (frozenset({"land_id", "land_type", "year", "total"}), "consumption", {}),
    (frozenset({"land", "objectif_de_reduction"}), "objectives", {}),
    (frozenset({"nomgare", "typegare_lib"}), "facilities", {"facility_class": "motorway"}),
    (frozenset({"gare", "code_ligne", "x_l93"}), "facilities", {"facility_class": "siding"}),
    (
        frozenset({"nom du chantier", "longueur_manutention_ml"}),
        "facilities",
        {"facility_class": "rail_freight"},
    ),
    (frozenset({"unlocode", "lon", "lat"}), "facilities", {"facility_class": "port"}),
    (frozenset({"cr", "na", "lon", "lat"}), "facilities", {"facility_class": "substation"}),
    (frozenset({"code", "nom", "departement", "region", "epci", "lon"}), "communes", {}),
    (frozenset({"insee_com", "insee_dep", "insee_reg"}), "communes", {}),
)
"""Columns that tell a role (folded), the role, and what else is known of it."""


@dataclass(frozen=True)
class Recognised:
    """A plan made from a folder, and the files that play no part in it."""

    plan: Plan
    unknown: tuple[str, ...]


def recognise_folder(folder: Path) -> Recognised:
    """A plan with every file of a folder (not of its subfolders) whose columns tell its role.

    Rasters are read as CORINE. Licence, attribution and vintage remain to be written: make a
    build file for a pack that is to last.

    Raises
    ------
    InputError
        there is no such folder, or no file in it is known.
    """
    if not folder.is_dir():
        raise fault(folder, Msg("there is no such folder"), Msg("check the path"))
    inputs, unknown = [], []
    for path in sorted(folder.iterdir()):
        if path.is_dir() or path.name.startswith("."):
            continue
        found = _role(path)
        if found is None:
            unknown.append(path.name)
        else:
            inputs.append(found)
    if not inputs:
        raise fault(
            folder,
            Msg("no file of the folder is one that a pack can be built from"),
            Msg("write a build.toml that says which file plays which role: see the guide of data"),
            value=", ".join(unknown[:10]),
        )
    return Recognised(Plan(title=f"Paquet construit depuis {folder.name}", inputs=tuple(inputs)),
                      tuple(unknown))  # fmt: skip


def _role(path: Path) -> Input | None:
    name = path.name.casefold()
    if name.endswith(ROADS):
        return Input(role="roads", file=path.name, interchanges=True)
    if name.endswith(RASTERS):
        return Input(role="landcover", file=path.name, legend="corine") if _codes(path) else None
    for columns in _columns(path):
        folded = {column.strip().casefold() for column in columns}
        for signature, role, options in SIGNATURES:
            if signature <= folded:
                return Input.model_validate({"role": role, "file": path.name, **options})
        if len(labour_names(columns)) > 3 and folded & {"insee", "codgeo", "code", "com"}:
            return Input(role="labour", file=path.name)
        if any(WIDE.fullmatch(column) for column in columns):
            return Input(role="consumption", file=path.name)
    return None


def _codes(path: Path) -> bool:
    try:
        with rasterio.open(path) as dataset:
            return bool(dataset.count == 1)
    except (RasterioError, OSError):
        return False


def _columns(path: Path) -> list[list[str]]:
    """Names of the columns of each layer; none where the file cannot be read."""
    name = path.name.casefold()
    try:
        if name.endswith(TABLES):
            return [_header(path)]
        if name.endswith(".parquet"):
            import pyarrow.parquet as pq

            return [[str(column) for column in pq.read_schema(path).names]]
        if name.endswith(VECTOR_SUFFIXES):
            layers = [str(layer) for layer, _ in pyogrio.list_layers(path)]
            return [
                [str(field) for field in pyogrio.read_info(path, layer=layer)["fields"]]
                for layer in layers
            ]
        if name.endswith(".xlsx"):
            from siteselect.sources.opening import open_table

            return [[str(column) for column in open_table(path).frame.columns]]
    except (InputError, *READING_ERRORS):
        return []
    return []


def _header(path: Path) -> list[str]:
    opener = gzip.open if path.name.casefold().endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8-sig", errors="replace") as stream:
        line = stream.readline(100_000)
    split = [next(csv.reader([line], delimiter=mark), []) for mark in SEPARATORS]
    return max(split, key=len)
