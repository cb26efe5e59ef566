"""The scenario: every choice of the planner, in one frozen object.

Read from TOML by :mod:`siteselect.scenario_files`. Defaults and units are documented on each
field; they are starting points to discuss, not standards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Kind = Literal["brownfield", "extension", "greenfield"]
KINDS: tuple[Kind, ...] = ("brownfield", "extension", "greenfield")
Level = Literal["commune", "epci", "scot", "departement", "region", "national"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""From the smallest territory to the largest: the order of every list of levels."""
CostKind = Literal["works", "servicing", "restoration"]
CriterionGroup = Literal["access", "workforce", "network"]
Vehicle = Literal["car", "hgv"]
EditKind = Literal["close", "road", "facility", "remove"]
DecayShape = Literal["exponential", "gaussian", "step"]
ObjectiveMode = Literal["weighted", "lexicographic", "epsilon"]
ObjectiveName = Literal[
    "score", "access", "workforce", "network", "usable_ha", "brownfield_share", "new_ha",
    "cost_keur",
]  # fmt: skip
CatchmentMode = Literal["off", "union", "capacity"]

FACILITY_CLASSES = ("motorway", "rail_freight", "port", "airport", "station")
"""Facilities reached by road, measured in minutes as ``<class>_min``."""
ACCESS_MEASURES = tuple(f"{name}_min" for name in FACILITY_CLASSES)
LABOUR_MEASURES = (
    "labour_30min",
    "labour_45min",
    "labour_60min",
    "labour_potential",
    "labour_per_job",
)
"""Measures that rest on the labour layer."""
WORKFORCE_MEASURES = (*LABOUR_MEASURES, "market_potential")
NETWORK_MEASURES = ("substation_km", "rail_km", "siding_km")
MEASURES: Mapping[CriterionGroup, tuple[str, ...]] = {
    "access": ACCESS_MEASURES,
    "workforce": WORKFORCE_MEASURES,
    "network": NETWORK_MEASURES,
}

Share = Annotated[float, Field(ge=0, le=1)]
NonNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class CandidateSettings(_Settings):
    """Which sites may be chosen at all."""

    kinds: tuple[Kind, ...] = Field(KINDS, min_length=1, description="kinds of site admitted")
    min_area_ha: NonNegative = Field(1.0, description="smallest footprint admitted, ha")
    max_area_ha: Positive = Field(1000.0, description="largest footprint admitted, ha")
    min_contiguous_ha: NonNegative = Field(
        0.0, description="smallest area admitted of the largest piece of a footprint, ha"
    )
    available_year: dict[str, int] = Field(
        default_factory=dict,
        description="year from which a site is available, by site_id; before the pack's own",
    )
    statuses: tuple[str, ...] = Field(
        ("friche potentielle", "friche sans projet", "friche avec projet"),
        description="brownfield statuses (site_statut of the CNIG standard) admitted",
    )


class LandSettings(_Settings):
    """How land is charged, and what is assumed where no land-use raster exists."""

    regime: str = Field("net-2031", description="rulebook: net-2031 or enaf-2021")
    assumed_artificialised_share: dict[Kind, Share] | None = Field(
        None, description="share of the footprint assumed artificialised, by kind of site"
    )
    assumed_impermeable_share: dict[Kind, Share] | None = Field(
        None, description="share of the footprint assumed impermeable, by kind of site"
    )


class NetworkEdit(_Settings):
    """One what-if on the roads or the facilities; a planner draws them in a GeoJSON file.

    ``close``: the road nearest to a point, or every road that a line crosses, is closed.
    ``road``: a new road along a line, joined to the nearest road at both of its ends.
    ``facility``: a new facility at a point. ``remove``: a facility of the pack taken away.
    """

    kind: EditKind = Field(..., description="what changes")
    coordinates: tuple[tuple[float, float], ...] = Field(
        (), description="longitude and latitude (EPSG:4326) of a point or of the points of a line"
    )
    name: str = Field("", description="name, for messages")
    road_class: str = Field("unclassified", description="class of a new road")
    car_kmh: Positive | None = Field(None, description="car speed on a new road; else its class's")
    hgv_kmh: Positive | None = Field(None, description="HGV speed on a new road; else its class's")
    oneway: bool = Field(False, description="a new road is driven only in the order of its points")
    facility_class: str = Field("", description="class of a new facility")
    facility_id: str = Field("", description="the facility of the pack to remove, or of a new one")


def _car() -> dict[str, Vehicle]:
    return dict.fromkeys(FACILITY_CLASSES, "car")


class NetworkSettings(_Settings):
    """How time on the road is computed."""

    speed_kmh: dict[str, Positive] = Field(
        default_factory=lambda: {
            "motorway": 110.0,
            "trunk": 90.0,
            "primary": 75.0,
            "secondary": 65.0,
            "unclassified": 85.0,
        },
        description="car speed by road class, km/h; the embedded graph has no class",
    )
    access_speed_kmh: Positive = Field(
        30.0, description="speed between a point and the road it is snapped to, km/h"
    )
    max_snap_km: Positive = Field(
        15.0, description="farther than this from any road a point is unreachable, km"
    )
    half_life_min: Positive = Field(
        15.0, description="minutes after which labour counts for half (Hansen potential)"
    )
    potential_cutoff_min: Positive = Field(
        60.0, description="potentials count communes within this time, min"
    )
    labour_decay: DecayShape = Field(
        "exponential",
        description="how labour counts less with time in labour_potential: exponential (Hansen) "
        "and gaussian are half at half_life_min, step counts all up to potential_cutoff_min",
    )
    competition_decay: DecayShape = Field(
        "step",
        description="the same in labour_per_job: step is the two-step floating catchment (2SFCA), "
        "the others the enhanced one",
    )
    competition_cutoff_min: Positive = Field(
        45.0, description="sites compete for the workers within this time, min"
    )
    jobs_per_ha: Positive = Field(
        20.0, description="jobs that a site offers in labour_per_job, per ha of footprint"
    )
    hgv_speed_kmh: dict[str, Positive] = Field(
        default_factory=lambda: {
            "motorway": 80.0,
            "trunk": 70.0,
            "primary": 60.0,
            "secondary": 50.0,
            "unclassified": 68.0,
        },
        description="speed of heavy goods vehicles by road class, km/h",
    )
    vehicle: dict[str, Vehicle] = Field(
        default_factory=_car,
        description="vehicle (car or hgv) that drives to each class of facility; labour by car",
    )
    edits: tuple[NetworkEdit, ...] = Field(
        (),
        description="roads closed or added, facilities added or removed; in a file, the name of a "
        "GeoJSON file (EPSG:4326) beside the scenario, whose content the run keeps",
    )

    @field_validator("vehicle")
    @classmethod
    def _classes_known(cls, value: dict[str, Vehicle]) -> dict[str, Vehicle]:
        for name in value:
            if name not in FACILITY_CLASSES:
                raise ValueError(f"{name} is not one of {', '.join(FACILITY_CLASSES)}")
        return value


class Criterion(_Settings):
    """One measured column turned into a value between 0 (``worst``) and 1 (``best``)."""

    weight: NonNegative = Field(..., description="weight inside its group; groups are normalised")
    best: float = Field(..., description="measure at which the value is 1, unit of the measure")
    worst: float = Field(..., description="measure at which the value is 0, unit of the measure")

    @model_validator(mode="after")
    def _bounds_differ(self) -> Criterion:
        if self.best == self.worst:
            raise ValueError("best and worst must differ")
        return self


def _access() -> dict[str, Criterion]:
    return {
        "motorway_min": Criterion(weight=0.40, best=5, worst=30),
        "rail_freight_min": Criterion(weight=0.20, best=10, worst=60),
        "port_min": Criterion(weight=0.15, best=30, worst=120),
        "airport_min": Criterion(weight=0.10, best=30, worst=90),
        "station_min": Criterion(weight=0.15, best=20, worst=60),
    }


def _workforce() -> dict[str, Criterion]:
    return {
        "labour_30min": Criterion(weight=0.35, best=600_000, worst=0),
        "labour_45min": Criterion(weight=0.35, best=1_200_000, worst=0),
        "labour_potential": Criterion(weight=0.30, best=500_000, worst=0),
    }


def _network() -> dict[str, Criterion]:
    return {
        "substation_km": Criterion(weight=0.60, best=2, worst=20),
        "rail_km": Criterion(weight=0.40, best=1, worst=20),
    }


class Criteria(_Settings):
    """The criteria of each group, keyed by the measured column."""

    access: dict[str, Criterion] = Field(
        default_factory=_access, description="criteria on minutes by road, by measured column"
    )
    workforce: dict[str, Criterion] = Field(
        default_factory=_workforce, description="criteria on labour, by measured column"
    )
    network: dict[str, Criterion] = Field(
        default_factory=_network, description="criteria on networks, by measured column"
    )

    def of(self, group: CriterionGroup) -> dict[str, Criterion]:
        """The criteria of one group."""
        criteria: dict[str, Criterion] = getattr(self, group)
        return criteria


class Weights(_Settings):
    """Weights of the three groups; normalised to sum to 1."""

    access: NonNegative = Field(0.40, description="weight of the times to facilities")
    workforce: NonNegative = Field(0.35, description="weight of the labour within reach")
    network: NonNegative = Field(0.25, description="weight of power and rail nearby")


class CatchmentSettings(_Settings):
    """What the sites chosen reach together, on top of the sum of their scores.

    Two sites of one labour pool compete for the same workers: a sum of scores counts them twice.
    With mode union the objective gains, in points of score, weight × count × the share of the
    workers within the time of at least one chosen site, each counted once (maximal covering,
    Church and ReVelle 1974): a portfolio that reaches every worker gains as much as if each of
    its sites had weight points more.

    With mode capacity each site needs workers and each commune has few: the objective gains
    weight × count × jobs filled / reference_jobs, a worker filling one job of one site.
    """

    mode: CatchmentMode = Field(
        "off",
        description="off: sum of scores alone; union: workers reached, each once; capacity: jobs "
        "filled by workers within reach",
    )
    minutes: Positive = Field(
        45.0, description="a worker is reached within this time by car, from home to site, min"
    )
    weight: NonNegative = Field(
        0.35,
        description="points of mean score that reaching every worker (filling every job) of "
        "reference is worth",
    )
    reference_workers: Positive | None = Field(
        None, description="workers that count as all; by default all those known to the pack"
    )
    available_share: Share = Field(
        0.05,
        description="mode capacity: share of the labour force that can be hired (assumption)",
    )
    jobs_per_ha: Positive = Field(
        20.0, description="mode capacity: jobs that a site offers, per ha of usable land"
    )
    reference_jobs: Positive | None = Field(
        None,
        description="mode capacity: jobs filled that count as all; by default those of count "
        "sites of 60 ha",
    )


class VariantSettings(_Settings):
    """Ways in which one site may be developed."""

    reuse: bool = Field(True, description="offer the variant that uses only artificialised land")
    full: bool = Field(True, description="offer the variant that uses the whole footprint")
    reuse_factor: Share = Field(
        0.95, description="score of the reuse variant as a share of the full one: a plot in parts"
    )
    min_usable_ha: NonNegative = Field(
        1.0, description="a variant that leaves less usable land than this is not offered, ha"
    )


def _reuse_costs() -> dict[Kind, float]:
    return {"brownfield": 790.0, "extension": 250.0, "greenfield": 250.0}


def _new_costs() -> dict[Kind, float]:
    return {"brownfield": 400.0, "extension": 350.0, "greenfield": 400.0}


class CostSettings(_Settings):
    """Unit costs, k€ per hectare, by kind of site."""

    reuse_keur_per_ha: dict[Kind, NonNegative] = Field(
        default_factory=_reuse_costs,
        description="works on land already artificialised (Fonds friches: industrial 790 k€/ha)",
    )
    new_keur_per_ha: dict[Kind, NonNegative] = Field(
        default_factory=_new_costs,
        description="servicing land not yet artificialised (assumption)",
    )


class SizeClass(_Settings):
    """A number of sites asked for in a range of usable area."""

    name: str = Field(..., description="name of the class, for messages and reports")
    min_ha: NonNegative = Field(0.0, description="usable area from this on, ha")
    max_ha: Positive | None = Field(None, description="usable area under this, ha")
    at_least: int = Field(0, ge=0, description="sites of the class, at least")
    at_most: int | None = Field(None, ge=0, description="sites of the class, at most")


class GroupRule(_Settings):
    """At least, at most: any set of sites a planner names."""

    name: str = Field(..., description="name of the group, for messages and reports")
    kinds: tuple[Kind, ...] = Field((), description="kinds of site in the group; empty: all")
    regions: tuple[str, ...] = Field((), description="INSEE codes of regions; empty: all")
    departements: tuple[str, ...] = Field((), description="codes of départements; empty: all")
    epci: tuple[str, ...] = Field((), description="SIREN of EPCI; empty: all")
    sites: tuple[str, ...] = Field((), description="site_id of the members; empty: all")
    territories: tuple[str, ...] = Field(
        (), description="territories of the pack: kind, or kind:code; empty: all"
    )
    at_least: int = Field(0, ge=0, description="sites of the group, at least")
    at_most: int | None = Field(None, ge=0, description="sites of the group, at most")


class ExclusiveRule(_Settings):
    """Sites of which one at most is chosen."""

    name: str = Field(..., description="name of the rule, for messages")
    sites: tuple[str, ...] = Field(
        ..., min_length=2, description="site_id of the sites that exclude each other"
    )


class BudgetRule(_Settings):
    """A limit on some kinds of cost, beside the budget of all of them."""

    name: str = Field(..., description="name of the budget, for messages")
    costs: tuple[CostKind, ...] = Field(
        ...,
        min_length=1,
        description="what it pays: works (land already artificialised), servicing (new land), "
        "restoration",
    )
    limit_keur: NonNegative = Field(..., description="at most, k€")


class AvailabilityClass(_Settings):
    """A number of sites asked for among those available in some years."""

    name: str = Field(..., description="name of the class, for messages and reports")
    from_year: int = Field(..., description="available in this year or later")
    to_year: int | None = Field(None, description="available in this year or before")
    at_least: int = Field(0, ge=0, description="sites of the class, at least")
    at_most: int | None = Field(None, ge=0, description="sites of the class, at most")


class ConstraintSettings(_Settings):
    """What a portfolio must respect, land apart."""

    budget_keur: NonNegative | None = Field(
        None, description="cost of sites and restoration together, at most, k€"
    )
    min_total_usable_ha: NonNegative | None = Field(
        None, description="usable area in all, at least, ha"
    )
    max_total_usable_ha: NonNegative | None = Field(
        None, description="usable area in all, at most, ha"
    )
    region_min: int = Field(1, ge=0, description="sites in every region, at least")
    region_max: int = Field(8, ge=0, description="sites in every region, at most")
    max_per_epci: int | None = Field(1, ge=0, description="sites in one EPCI, at most")
    separation_km: NonNegative = Field(
        5.0, description="two sites nearer than this exclude each other, km"
    )
    size_classes: tuple[SizeClass, ...] = Field((), description="numbers asked for by size")
    groups: tuple[GroupRule, ...] = Field((), description="numbers asked for by a planner's group")
    exclusive: tuple[ExclusiveRule, ...] = Field(
        (), description="sites of which one at most is chosen"
    )
    budgets: tuple[BudgetRule, ...] = Field((), description="limits on some kinds of cost")
    availability: tuple[AvailabilityClass, ...] = Field(
        (), description="numbers asked for by year of availability"
    )


class LedgerRule(_Settings):
    """Caps on net artificialisation for the territories of one level (regulatory)."""

    level: Level = Field(
        ...,
        description="level of the territories that the caps bind; scot where the pack says which "
        "communes each SCoT has",
    )
    default_cap_ha: float | None = Field(None, description="cap of territories not named, ha")
    caps_ha: dict[str, float] = Field(default_factory=dict, description="cap by code, ha")
    origin: str = Field("hypothèse du scénario", description="where the caps come from")


class PeneSettings(_Settings):
    """Projects of national or European scale: charged to an envelope of their own.

    The list is ministerial: which site is one is data, never a choice of the optimiser. Such a
    site is charged to the programme and to this envelope, and to no territory.
    """

    sites: tuple[str, ...] = Field((), description="site_id of the projects of the list")
    cap_ha: float | None = Field(
        None, description="new artificialisation of those chosen, at most, ha; restoration apart"
    )
    origin: str = Field("hypothèse du scénario", description="where list and envelope come from")


class ZanSettings(_Settings):
    """Zero net artificialisation: programme constraint and regulatory ledgers, kept apart."""

    enforced: bool = Field(
        True, description="false: caps are shown but not enforced (counterfactual)"
    )
    price: bool = Field(
        True, description="solve once more with `enforced` flipped, to tell what zero net costs"
    )
    programme_cap_ha: float | None = Field(
        0.0, description="net artificialisation of the whole portfolio, at most, ha"
    )
    offsets: bool = Field(True, description="restored parcels may be deducted")
    whole_parcels: bool = Field(False, description="parcels are restored whole or not at all")
    ledgers: tuple[LedgerRule, ...] = Field((), description="regulatory caps, one rule a level")
    pene: PeneSettings = PeneSettings()
    restored_ha: dict[str, Positive] = Field(
        default_factory=dict,
        description="restored by an earlier wave, by parcel_id, ha: deducted and paid, never "
        "restored again",
    )


class Locks(_Settings):
    """Sites forced in or out by a planner, with the reason."""

    include: tuple[str, ...] = Field((), description="site_id forced into the selection")
    exclude: tuple[str, ...] = Field((), description="site_id kept out of the selection")
    reasons: dict[str, str] = Field(default_factory=dict, description="who and why, by site_id")
    variants: dict[str, Literal["full", "reuse"]] = Field(
        default_factory=dict, description="the only way to develop a site, by site_id"
    )


class RankingSettings(_Settings):
    """What ranks and reserve list rest on; prices take one exact solve a selected site."""

    replacement_costs: bool = Field(
        False, description="price each selected site: the objective lost without it, solved again"
    )
    order: Literal["score", "replacement_cost"] = Field(
        "score", description="order of the selected sites; replacement_cost prices them too"
    )
    reserve: Literal["next", "model", "score"] = Field(
        "next",
        description="reserve list: next: what the model takes with more places, the selection "
        "kept (model where there is no room for so many); model: first what replaces a selected "
        "site that falls out (prices too), then next; score: the next scores",
    )

    @property
    def priced(self) -> bool:
        """Whether replacement costs are needed."""
        return self.replacement_costs or self.order == "replacement_cost" or self.reserve == "model"


class SolveSettings(_Settings):
    """Limits of the search; the answer never depends on the number of workers."""

    time_limit_s: Positive = Field(600.0, description="stop here with the incumbent and its gap, s")
    gap: NonNegative = Field(0.0, description="relative gap accepted as good enough")
    workers: int = Field(2, ge=1, description="threads for routing and search")
    certificate: bool = Field(
        True, description="write a proof of the bound (proof.json.gz) for `verify --proof`"
    )


class ObjectiveStep(_Settings):
    """One objective of an order, and what may be given up of it afterwards."""

    by: ObjectiveName = Field(..., description="the objective that is optimised at this step")
    within: NonNegative = Field(
        0.0, description="what later steps may give up of its best value, in its own unit"
    )
    within_share: Share = Field(
        0.0, description="the same as a share of its best value; one of the two at most"
    )


class ObjectiveSettings(_Settings):
    """How several objectives are weighed against each other.

    Objectives: score, access, workforce, network (means over the sites chosen, 0 to 1),
    brownfield_share (0 to 1), usable_ha, new_ha (totals, ha), cost_keur (works, k€). Less of
    new_ha and cost_keur is better, more of the others.
    """

    mode: ObjectiveMode = Field(
        "weighted",
        description="weighted: the sum that [weights] make; epsilon: that sum under floors and "
        "caps on other objectives; lexicographic: objectives in order, then that sum",
    )
    order: tuple[ObjectiveStep, ...] = Field(
        (), description="objectives in order of importance, for the mode lexicographic"
    )
    floors: dict[ObjectiveName, float] = Field(
        default_factory=dict, description="least value of an objective, in its own unit"
    )
    caps: dict[ObjectiveName, float] = Field(
        default_factory=dict, description="greatest value of an objective, in its own unit"
    )


class Scenario(_Settings):
    """All the choices of a planner. Immutable; build variants with :func:`override`."""

    title: str = Field("Scénario sans titre", description="title of every file of the run")
    description: str = Field("", description="what the scenario asks, in a sentence or two")
    pack: str = Field("france", description="name of an embedded pack, or a folder")
    count: int = Field(50, ge=1, description="number of sites to choose")
    reserve: int = Field(20, ge=0, description="length of the reserve list")
    seed: int = Field(1, ge=0, description="seed of whatever draws numbers")
    candidates: CandidateSettings = CandidateSettings()
    land: LandSettings = LandSettings()
    network: NetworkSettings = NetworkSettings()
    weights: Weights = Weights()
    criteria: Criteria = Criteria()
    catchment: CatchmentSettings = CatchmentSettings()
    objective: ObjectiveSettings = ObjectiveSettings()
    variants: VariantSettings = VariantSettings()
    costs: CostSettings = CostSettings()
    constraints: ConstraintSettings = ConstraintSettings()
    zan: ZanSettings = ZanSettings()
    locks: Locks = Locks()
    ranking: RankingSettings = RankingSettings()
    solve: SolveSettings = SolveSettings()

    @field_validator("pack")
    @classmethod
    def _pack_named(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("the name of the pack is empty")
        return value
