"""Build the embedded pack: ``python data/build/build.py``.

Fetches the pinned packages (once), derives the real layers, simulates the others with the seed
and writes the folder of the pack with its manifest. The same packages, seed and libraries give
the same files.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from data.build import facilities, proxies  # noqa: E402
from data.build.communes import Communes, load_communes, simulate_labour  # noqa: E402
from data.build.landuse import subjects, write_landuse  # noqa: E402
from data.build.legend import legend_table  # noqa: E402
from data.build.manifest import write_pack_manifest  # noqa: E402
from data.build.networks import Network  # noqa: E402
from data.build.outlines import build_outlines, dissolve_departements  # noqa: E402
from data.build.packages import (  # noqa: E402
    ADMIN,
    AIRPORTS,
    NETWORKS,
    PORTS,
    SHAPES,
    STATIONS,
    fetch,
)
from data.build.rail import load_rail, rail_lines  # noqa: E402
from data.build.restoration import simulate_restoration  # noqa: E402
from data.build.roads import Roads, load_roads  # noqa: E402
from data.build.sites import Occupied, commune_context, simulate_sites  # noqa: E402

LABOUR, SUBSTATIONS, SITES, RESTORATION, LANDUSE = 1, 2, 3, 4, 5
"""Each simulated layer has its own stream of the seed: changing one leaves the others."""


def build(packages: Path, out: Path, seed: int) -> None:
    """Build every layer of the pack into ``out``."""
    archives = fetch(packages)
    out.mkdir(parents=True, exist_ok=True)
    communes = load_communes(archives[ADMIN.name], archives[SHAPES.name])
    france = shapely.union_all(dissolve_departements(communes).to_numpy())
    _say("communes", f"{len(communes.table)}")
    roads = load_roads(archives[NETWORKS.name], france)
    rail = load_rail(archives[NETWORKS.name], france)
    _say("networks", f"{roads.connected_share:.2%} of French road nodes connected")
    _write_real(out, communes, roads, rail, archives)
    sites = _write_simulated(out, communes, roads, rail, seed)
    write_pack_manifest(out, seed, _facts(communes, roads, sites))
    size_mb = sum(path.stat().st_size for path in out.iterdir()) / 1e6
    _say("pack", f"{size_mb:.1f} MB in {out}")


def _write_real(
    out: Path, communes: Communes, roads: Roads, rail: Network, archives: Mapping[str, Path]
) -> None:
    _write(communes.table, out / "communes.parquet")
    _write(build_outlines(communes), out / "outlines.parquet")
    _write(roads.nodes_table(), out / "road_nodes.parquet")
    _write(roads.edges_table(), out / "road_edges.parquet")
    _write(rail_lines(rail), out / "rail.parquet")
    _write(facilities.load_stations(archives[STATIONS.name]), out / "stations.parquet")
    _write(facilities.load_ports(archives[PORTS.name]), out / "ports.parquet")
    _write(facilities.ports_at_communes(communes.table), out / "ports_communes.parquet")
    _write(facilities.load_airports(archives[AIRPORTS.name]), out / "airports.parquet")


def _write_simulated(
    out: Path, communes: Communes, roads: Roads, rail: Network, seed: int
) -> gpd.GeoDataFrame:
    table = communes.table
    _write(simulate_labour(table, _rng(seed, LABOUR)), out / "labour.parquet")
    _write(proxies.simulate_interchanges(roads, table), out / "interchanges.parquet")
    _write(proxies.simulate_rail_freight(rail, table), out / "rail_freight.parquet")
    _write(
        proxies.simulate_substations(table, _rng(seed, SUBSTATIONS)), out / "substations.parquet"
    )
    occupied = Occupied()
    context = commune_context(communes, roads, rail)
    sites = simulate_sites(communes, context, _rng(seed, SITES), occupied)
    parcels = simulate_restoration(sites, communes, context, _rng(seed, RESTORATION), occupied)
    _write(sites, out / "sites.parquet")
    _write(parcels, out / "restoration.parquet")
    legend_table().to_csv(out / "landuse_legend.csv", index=False, lineterminator="\n")
    tiles = write_landuse(
        out / "landuse.tif", subjects(sites, parcels, context), (seed, LANDUSE), _progress
    )
    _say("landuse", f"{tiles} tiles")
    return sites


def _rng(seed: int, stream: int) -> np.random.Generator:
    return np.random.default_rng([seed, stream])


def _write(table: pd.DataFrame, path: Path) -> None:
    temporary = path.with_suffix(".tmp")
    table.to_parquet(temporary, compression="zstd", index=False)
    temporary.replace(path)
    _say(path.name, f"{len(table)} rows, {path.stat().st_size / 1e3:.0f} kB")


def _facts(communes: Communes, roads: Roads, sites: gpd.GeoDataFrame) -> dict[str, str]:
    origin = communes.point_origin.value_counts()
    kinds = sites["kind"].value_counts()
    share = f"{roads.connected_share * 100:.1f}".replace(".", ",")
    return {
        "points": f"{origin['town_hall']} mairies, {origin['polygon']} points du polygone, "
        f"{origin['parent']} communes sans polygone placées dans celle dont elles sont issues.",
        "roads": f"{share} % des nœuds français sont reliés ; le reste est la Corse et les îles.",
        "sites": f"{kinds['brownfield']} friches, {kinds['extension']} extensions, "
        f"{kinds['greenfield']} terrains neufs.",
    }


_START = time.monotonic()


def _say(step: str, text: str) -> None:
    print(f"{time.monotonic() - _START:6.1f} s  {step}: {text}", flush=True)


def _progress(share: float) -> None:
    if sys.stderr.isatty():
        print(f"\rlanduse {share:4.0%}", end="", file=sys.stderr, flush=True)


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(description="Build the embedded data pack.")
    parser.add_argument(
        "--packages",
        type=Path,
        default=ROOT / "data" / ".cache",
        help="folder of the registry packages, filled where something is missing",
    )
    parser.add_argument("--out", type=Path, default=ROOT / "data" / "france")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    build(arguments.packages, arguments.out, arguments.seed)


if __name__ == "__main__":
    main()
