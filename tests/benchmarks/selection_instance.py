"""Seeded instances for the selection benchmark, as :class:`siteselect.SelectionProblem`.

``instance`` takes the generator kept beside the project; ``own`` makes instances of the same kind
where that is absent. The reading of the arrays that reproduces the published optima
(:data:`PUBLISHED`): columns are (site, mode); *big* columns have an area of at least 50 ha;
``allow`` caps each region's ledger; the programme's net is at most 0; the budget holds sites and
restoration; parcels are restored whole; sites nearer than the separation (strictly) exclude.
"""

from __future__ import annotations

import importlib.util
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from siteselect.problem import (
    Budget,
    Constraint,
    Coverage,
    Group,
    Ledger,
    Parcels,
    SelectionProblem,
    Separation,
    TotalArea,
)

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = {500: 38_264_426, 5_000: 42_859_159, 20_000: 44_442_824, 100_000: 45_893_666}
"""Optima published for the generator beside the project: seed 1, without coverage."""
BIG = 5_000
"""Units of 0.01 ha from which a column counts as big."""
UNITS_PER_KM = 100
"""Coordinates are multiples of 10 m."""


def make_generated(path: Path, n_sites: int, seed: int, coverage: bool, reach_km: float) -> None:
    """Write an instance for the engines."""
    problem = instance(n_sites, seed, coverage=coverage, reach_km=reach_km)
    path.write_bytes(pickle.dumps(problem, protocol=5))


def source() -> str:
    """Whose generator makes the instances: ``shared`` or ``own``."""
    return "shared" if _generator().is_file() else "own"


def published(n_sites: int, seed: int, *, coverage: bool) -> int | None:
    """The published optimum of an instance; ``None`` where there is none."""
    return PUBLISHED.get(n_sites) if source() == "shared" and seed == 1 and not coverage else None


def _generator() -> Path:
    shared = Path(os.environ.get("SITESELECT_SHARED", ROOT.parent / "shared"))
    return shared / "bench" / "generate_selection_instance.py"


def instance(n_sites: int, seed: int, *, coverage: bool, reach_km: float) -> SelectionProblem:
    """The instance of the generator beside the project, or one of our own."""
    generator = _generator()
    if generator.is_file():
        return from_arrays(_load(generator).make(n_sites, seed, cover=coverage, reach=reach_km))
    return from_arrays(own(n_sites, seed, coverage=coverage, reach_km=reach_km))


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("generator", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def from_arrays(made: dict[str, Any]) -> SelectionProblem:
    """The problem that the arrays of a generator describe."""
    site = made["site"]
    n_sites = made["N"]
    parcels = Parcels(
        made["ren_d"], made["ren_c"], np.full(len(made["ren_d"]), -1, np.int32), whole=True
    )
    cover = None
    if "cov_ptr" in made:
        cover = Coverage(made["cov_ptr"], made["cov_ind"], made["cov_w"])
    return SelectionProblem(
        site.astype(np.int32),
        made["score"],
        made["p"],
        n_sites=n_sites,
        parcels=parcels,
        constraints=tuple(_constraints(made, site)),
        coverage=cover,
    )


def _constraints(made: dict[str, Any], site: np.ndarray) -> list[Constraint]:
    columns = np.arange(len(site))
    region, found = made["region"][site], list[Constraint]()
    for code in np.unique(region).tolist():
        found.append(Group(f"region {code}", columns[region == code], made["rmin"], made["rmax"]))
    for own_columns in _by_label(made["epci"][site]):
        if len(own_columns) > 2:
            code = made["epci"][site[own_columns[0]]]
            found.append(Group(f"EPCI {code}", own_columns, 0, made["kepci"]))
    found += [
        Group("big sites", columns[made["area"] >= BIG], made["nbig"]),
        Group("Territoires d'industrie", columns[made["TI"][site]], made["minTI"]),
        Group("brownfields", columns[made["brown"][site]], made["minbrown"]),
        TotalArea("total area", made["area"], made["minA"]),
        Budget("budget", made["cost"], made["budget"]),
    ]
    for code in np.unique(region).tolist():
        own_columns = columns[region == code]
        parcels = np.flatnonzero(made["ren_reg"] == code)
        cap = int(made["allow"][code])
        found.append(
            Ledger(
                f"land of region {code}", "region", str(code), own_columns,
                made["art"][own_columns], parcels, cap,
            )
        )  # fmt: skip
    every = np.arange(len(made["ren_d"]))
    found.append(Ledger("programme", "programme", "", columns, made["art"], every, 0))
    points = np.rint(made["P"] * UNITS_PER_KM).astype(np.int64)
    found.append(Separation("separation", points, round(made["sep"] * UNITS_PER_KM)))
    return found


def _by_label(labels: np.ndarray) -> list[np.ndarray]:
    order = np.argsort(labels, kind="stable")
    cuts = np.flatnonzero(np.diff(labels[order])) + 1
    return np.split(order, cuts)


def own(n_sites: int, seed: int, *, coverage: bool, reach_km: float) -> dict[str, Any]:
    """A country of 900 × 900 km: towns, 13 regions, two modes a site, 800 parcels."""
    from scipy.spatial import cKDTree

    g = np.random.default_rng([seed, n_sites])
    towns, centres, bodies = (g.uniform(0, 900, (k, 2)) for k in (200, 13, 1250))
    near = towns[g.integers(0, 200, n_sites)] + g.normal(0, 15, (n_sites, 2))
    points = np.round(np.clip(near, 0, 900), 2)
    brown = g.random(n_sites) < 0.45
    area = np.clip(np.exp(g.normal(np.log(18), 1, n_sites)), 1, 200) * 100
    taken = np.where(brown, 0.15 * g.random(n_sites), 0.8 + 0.2 * g.random(n_sites)) * area
    cost = np.where(brown, 4.2, 2.0) * area
    score = g.random((3, n_sites)).T @ np.array([0.40, 0.35, 0.25]) * 1e6
    grow, new = np.where(brown, 1.4, 0.6), np.where(brown, taken + 0.4 * area, 0.6 * taken)
    both = {
        "area": (area, grow * area),
        "art": (taken, new),
        "cost": (cost, np.where(brown, 1.1, 0.62) * cost),
        "score": (score, np.where(brown, 1.02, 0.95) * score),
    }
    made: dict[str, Any] = {
        key: np.rint(np.stack(pair, axis=1).ravel()).astype(np.int64) for key, pair in both.items()
    }
    parcels = g.uniform(0, 900, (800, 2))
    size = np.clip(np.exp(g.normal(np.log(3), 0.9, 800)), 0.3, 40)
    epci = cKDTree(bodies).query(points)[1]
    made.update(
        N=n_sites, p=50, P=points, site=np.repeat(np.arange(n_sites), 2), brown=brown, epci=epci,
        region=cKDTree(centres).query(points)[1], TI=(g.random(1250) < 0.3)[epci],
        ren_reg=cKDTree(centres).query(parcels)[1],
        ren_d=np.rint(size * 100).astype(np.int64),
        ren_c=np.rint(size * (200 + 800 * g.random(800))).astype(np.int64),
        allow=np.rint(g.uniform(0, 2500, 13)).astype(np.int64),
        budget=700_000, minA=150_000, nbig=12, minTI=16, minbrown=20, rmin=1, rmax=8, kepci=1,
        sep=8.0,
    )  # fmt: skip
    if coverage:
        demand = g.uniform(0, 900, (35_000, 2))
        reach = cKDTree(demand).query_ball_point(points, reach_km, return_sorted=True)
        made["cov_ptr"] = np.concatenate([[0], np.cumsum([len(one) for one in reach])])
        made["cov_ind"] = np.concatenate([np.asarray(one, np.int32) for one in reach])
        made["cov_w"] = np.maximum(1, np.rint(np.exp(g.normal(6.5, 1, 35_000)))).astype(np.int64)
    return made
