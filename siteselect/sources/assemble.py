"""Build a pack from a build file: each official file read by its reader, the rest from a base.

The order matters: communes first (every code is checked against them), then networks, land
cover, territories, sites, and what is computed from them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from siteselect.messages import Translate
from siteselect.pack import DataPack, Manifest, write_manifest
from siteselect.sources import build_land, build_networks
from siteselect.sources.build import check_target, written_beside
from siteselect.sources.building import Building
from siteselect.sources.layers import LayerWriter
from siteselect.sources.plan import Plan
from siteselect.units import CRS

Progress = Callable[[str, float], None]

STEPS = (*build_networks.STEPS, *build_land.STEPS)


def build_from_plan(
    target: Path,
    plan: Plan,
    folder: Path,
    *,
    base: DataPack,
    translate: Translate | None = None,
    progress: Progress | None = None,
) -> DataPack:
    """Build the pack of a plan.

    Parameters
    ----------
    target
        where the pack goes; a pack that is there is replaced, anything else is left alone.
    folder
        where the files of the plan are.
    base
        pack that gives the communes, roads, outlines and facilities that the plan does not.

    Raises
    ------
    InputError
        a file cannot be read, a column is missing, no site remains, or the target holds
        something else than a pack. Nothing is written then.
    """
    check_target(target, base, [folder / one.file for one in plan.inputs])
    with written_beside(target) as beside:
        writer = LayerWriter(beside)
        building = Building(plan, folder, base, writer, base.vectors("communes"))
        for number, step in enumerate(STEPS):
            if progress is not None:
                progress("build", number / len(STEPS))
            step(building, progress)
        writer.write_reports(translate)
        manifest = Manifest(
            name=plan.name or target.name or "pack",
            title=plan.title or f"Paquet construit depuis {folder.name}",
            crs=CRS,
            note=plan.note,
            layers=tuple(writer.layers),
        )
        write_manifest(manifest, beside)
    if progress is not None:
        progress("build", 1.0)
    pack = DataPack(target, manifest)
    pack.check_files()
    return pack
