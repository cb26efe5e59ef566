"""Columns of the tables for people: key, label with its unit, form of the values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from siteselect.messages import Msg
from siteselect.report.words import CRITERIA


@dataclass(frozen=True)
class Form:
    """How values of one nature are written.

    ``digits`` are the decimals shown, ``digits_open`` those of the open-data CSV, ``excel`` the
    number format of the workbook (in the notation of the file format; Excel shows it in the
    reader's language).
    """

    name: str
    digits: int = 0
    digits_open: int = 0
    excel: str = "0"
    numeric: bool = True


TEXT = Form("text", numeric=False)
CODE = Form("code", numeric=False)
WORD = Form("word", numeric=False)
RANK = Form("rank")
HA = Form("ha", 2, 4, "#,##0.00")
MIN = Form("min", 1, 3, "0.0")
KM = Form("km", 1, 3, "0.0")
PERSONS = Form("persons", 0, 1, "#,##0")
KEUR = Form("keur", 0, 2, "#,##0")
SHARE = Form("share", 2, 4, "0%")
WEIGHT = Form("weight", 4, 6, "0.0%")
SCORE = Form("score", 3, 6, "0.000")
PLAIN = Form("plain", 2, 6, "#,##0.00")


@dataclass(frozen=True)
class Column:
    """One column: ``empty`` says what stands where there is nothing (``None``: unknown)."""

    key: str
    label: Msg
    form: Form = TEXT
    width: int = 11
    empty: Msg | None = None


NOTHING = Msg("—")
NO_CAP = Msg("no cap")
NO_SCOT = Msg("in no SCoT")
"""A commune that no SCoT covers (zone blanche): no ledger of that level counts what lies there."""


def _criterion(key: str, form: Form) -> Column:
    return Column(key, CRITERIA[key], form, 11)


IDENTITY = (
    Column("rank", Msg("Rank"), RANK, 7, NOTHING),
    Column("status", Msg("Status"), WORD, 16),
    Column("site_id", Msg("Identifier"), CODE, 16),
    Column("name", Msg("Name"), TEXT, 34),
    Column("kind", Msg("Kind of site"), WORD, 18),
    Column("variant", Msg("Development"), WORD, 20, NOTHING),
    Column("commune", Msg("Commune"), TEXT, 22),
    Column("code_insee", Msg("INSEE code"), CODE, 9),
    Column("commune_shares", Msg("Split between communes, by area"), TEXT, 26, NOTHING),
    Column("departement_name", Msg("Département"), TEXT, 20),
    Column("departement", Msg("Code of the département"), CODE, 9),
    Column("region_name", Msg("Region"), TEXT, 24),
    Column("region", Msg("Code of the region"), CODE, 9),
    Column("epci_name", Msg("EPCI"), TEXT, 30),
    Column("epci", Msg("SIREN of the EPCI"), CODE, 12),
    Column("scot_name", Msg("SCoT"), TEXT, 30, NO_SCOT),
    Column("scot", Msg("Code of the SCoT"), CODE, 12, NO_SCOT),
)
LAND = (
    Column("usable_ha", Msg("Usable area (ha)"), HA),
    Column("area_ha", Msg("Footprint (ha)"), HA),
    Column("artificialised_ha", Msg("Artificialised (ha)"), HA, 14),
    Column("impermeable_ha", Msg("Impermeable (ha)"), HA, 13),
    Column("non_artificialised_ha", Msg("Not artificialised (ha)"), HA, 14),
    Column("enaf_ha", Msg("ENAF (ha)"), HA),
    Column("new_artificialisation_ha", Msg("New artificialisation (ha)"), HA, 16),
    Column("cost_keur", Msg("Cost (k€)"), KEUR),
)
SCORES = (
    Column("score", Msg("Score (0 to 1)"), SCORE, 9),
    Column("score_access", Msg("Access (0 to 1)"), SCORE, 9),
    Column("score_workforce", Msg("Workforce (0 to 1)"), SCORE, 9),
    Column("score_network", Msg("Networks (0 to 1)"), SCORE, 9),
)
MEASURED = (
    _criterion("motorway_min", MIN),
    _criterion("rail_freight_min", MIN),
    _criterion("port_min", MIN),
    _criterion("airport_min", MIN),
    _criterion("station_min", MIN),
    _criterion("labour_30min", PERSONS),
    _criterion("labour_45min", PERSONS),
    _criterion("labour_60min", PERSONS),
    _criterion("labour_potential", PERSONS),
    _criterion("labour_per_job", PLAIN),
    _criterion("market_potential", PERSONS),
    _criterion("substation_km", KM),
    _criterion("rail_km", KM),
    _criterion("siding_km", KM),
    Column("catchment_workers", Msg("Workers within reach of the site (persons)"), PERSONS, 13),
    Column(
        "catchment_added_workers",
        Msg("Workers within reach of no other selected site (persons)"),
        PERSONS,
        15,
    ),
    Column("catchment_jobs", Msg("Jobs that the site offers"), PERSONS, 13),
    Column(
        "catchment_added_jobs",
        Msg("Jobs filled that would be lost or gained"),
        PERSONS,
        15,
        NOTHING,
    ),
    Column("snap_km", Msg("Distance to the road (km)"), KM),
    Column("reliability", Msg("Reliability (measured share)"), SHARE, 11),
)
PROVENANCE = (
    Column("land_origin", Msg("Land: measured or assumed"), WORD, 13),
    Column("geometry_origin", Msg("Footprint: origin"), WORD, 18),
    Column("status_source", Msg("Status in the inventory"), TEXT, 20),
    Column("stated_pollution", Msg("Pollution stated"), TEXT, 18),
    Column("replacement_cost", Msg("Replacement cost (score)"), SCORE, 12, NOTHING),
    Column("reason", Msg("Reason"), TEXT, 60, NOTHING),
)
SITES = (*IDENTITY, *LAND, *SCORES, *MEASURED, *PROVENANCE)

LEDGER = (
    Column("level", Msg("Level"), WORD, 14),
    Column("code", Msg("Code"), CODE, 12, NOTHING),
    Column("name", Msg("Territory"), TEXT, 30, Msg("whole programme")),
    Column("gross_ha", Msg("Gross artificialisation (ha)"), HA, 16),
    Column("restored_ha", Msg("Restored (ha)"), HA, 12),
    Column("net_ha", Msg("Net balance (ha)"), HA, 12),
    Column("cap_ha", Msg("Cap (ha)"), HA, 12, NO_CAP),
    Column("balance_ha", Msg("Margin under the cap (ha)"), HA, 14, NO_CAP),
    Column("cap_origin", Msg("Origin of the cap"), TEXT, 32, NOTHING),
    Column("period", Msg("Period"), TEXT, 12),
    Column("regime", Msg("Legal regime"), TEXT, 14),
    Column("vintage", Msg("Vintage"), TEXT, 16),
)
RESTORATION = (
    Column("parcel_id", Msg("Parcel"), CODE, 16),
    Column("name", Msg("Name"), TEXT, 34),
    Column("commune", Msg("Commune"), TEXT, 22),
    Column("code_insee", Msg("INSEE code"), CODE, 9),
    Column("region_name", Msg("Region"), TEXT, 24),
    Column("region", Msg("Code of the region"), CODE, 9),
    Column("restored_ha", Msg("Restored (ha)"), HA, 12),
    Column("area_ha", Msg("Area of the parcel (ha)"), HA, 14),
    Column("cost_keur", Msg("Cost (k€)"), KEUR),
)
CRITERIA_COLUMNS = (
    Column("group", Msg("Group"), WORD, 14),
    Column("label", Msg("Criterion and unit"), TEXT, 40),
    Column("group_weight", Msg("Weight of the group"), WEIGHT, 12),
    Column("weight", Msg("Weight in the group"), WEIGHT, 12),
    Column("final_weight", Msg("Weight in the score"), WEIGHT, 12),
    Column("best", Msg("Full marks at"), PLAIN, 14),
    Column("worst", Msg("Zero at"), PLAIN, 14),
    Column("mean_contribution", Msg("Mean contribution to the selection (out of 1)"), SCORE, 20),
)
OVERRIDES = (
    Column("decision", Msg("Decision"), TEXT, 18),
    Column("site_id", Msg("Identifier"), CODE, 16),
    Column("name", Msg("Name"), TEXT, 34),
    Column("commune", Msg("Commune"), TEXT, 22),
    Column("status", Msg("Status"), WORD, 18),
    Column("score", Msg("Score (0 to 1)"), SCORE, 9),
    Column("reason", Msg("Reason given"), TEXT, 60),
)
OVERRIDE_COST = Column("cost", Msg("Cost in the objective (points)"), SCORE, 14)

BY_KEY: Mapping[str, Column] = {column.key: column for column in reversed(SITES)}
