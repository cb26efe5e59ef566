"""Build a data pack: a real inventory of sites on the communes, roads and facilities of another.

The folder is written beside and renamed: a pack is complete or absent.
"""

from __future__ import annotations

import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import geopandas as gpd

from siteselect.errors import Fault, InputError
from siteselect.messages import Msg, Translate
from siteselect.pack import MANIFEST, DataPack, Layer, Manifest, sha256_of, write_manifest
from siteselect.schemas import check_table
from siteselect.sources.cartofriches import Inventory, read_cartofriches
from siteselect.sources.contours import read_contours
from siteselect.sources.findings import ISSUES
from siteselect.sources.layers import LICENCE, spreadsheet
from siteselect.sources.straddling import commune_shares
from siteselect.units import CRS

Progress = Callable[[str, float], None]

COPIED_ROLES = ("communes", "labour", "outlines", "road_nodes", "road_edges", "rail", "facilities")
"""Layers taken over byte for byte, with their entry in the manifest. The land-use raster is not:
it lies under the sites of its own pack."""
NOTICES = "NOTICE*"
"""Files of licence that travel with the layers."""
SITES, REPORT, REPORT_CSV = "sites.parquet", "import_report.parquet", "import_report.csv"
SHARES = "shares.parquet"
ATTRIBUTION = "Cerema, Cartofriches, et les producteurs nommés dans la colonne source"


def build_pack(
    folder: Path,
    *,
    friches: Path,
    base: DataPack,
    title: str | None = None,
    contours: Path | None = None,
    with_restoration: bool = True,
    translate: Translate | None = None,
    progress: Progress | None = None,
) -> DataPack:
    """Turn an inventory of brownfields into a pack.

    Parameters
    ----------
    folder
        where the pack goes; made if it is not there. A pack that is there is replaced, anything
        else is left alone.
    friches
        inventory: see :func:`siteselect.sources.cartofriches.read_cartofriches`.
    base
        pack that gives communes, labour, outlines, roads, rail and facilities.
    title
        title of the pack; by default, named after the inventory.
    contours
        outlines of communes (GeoParquet, GeoPackage, GeoJSON, shapefile), for an exact test of
        the points outside their commune, and to split sites over several between them.
    with_restoration
        keep the base's parcels that may be restored. They are simulated in the embedded pack
        and stay marked so; those that stand for a site of the base are left out with it.
    translate
        language of the report's CSV, which people read.

    Returns
    -------
    DataPack
        with layers ``sites`` (marked assumed where discs stand for footprints) and ``report``
        (Parquet, and CSV for a spreadsheet); no land-use raster, so that a scenario on it must
        state the assumed artificialised shares.

    Raises
    ------
    InputError
        the inventory or the outlines cannot be read, no site remains, or the folder holds
        something else than a pack. Nothing is written then.
    """
    target = Path(folder)
    check_target(target, base, [friches])
    communes = base.vectors("communes")
    outlines = None if contours is None else read_contours(contours)
    inventory = read_cartofriches(friches, communes, contours=outlines, progress=progress)
    _check_remaining(inventory, friches)
    check_table(inventory.sites, "sites", file=friches, communes=set(communes["code_insee"]))
    with written_beside(target) as beside:
        layers = _write_layers(beside, inventory, friches, base, with_restoration, translate)
        if outlines is not None:
            known = outlines["code_insee"].isin(communes["code_insee"])
            layers.append(_write_shares(beside, inventory, outlines[known], friches))
        manifest = Manifest(
            name=target.name or "pack",
            title=title or f"Friches de {friches.name}",
            crs=CRS,
            note=f"Inventaire réel sur les réseaux du paquet {base.manifest.name}. "
            "Emprises approchées par des disques ; occupation du sol à supposer.",
            layers=tuple(layers),
        )
        write_manifest(manifest, beside)
    if progress is not None:
        progress("friches", 1.0)
    pack = DataPack(target, manifest)
    pack.check_files()
    return pack


# --- the folder -----------------------------------------------------------------------------------


@contextmanager
def written_beside(target: Path) -> Iterator[Path]:
    """A new folder beside the target that takes its place when the block ends without error.

    Raises InputError where nothing can be written (no right, no room): the target is as before.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        beside.chmod(0o755)  # mkdtemp makes it private
        yield beside
        _rename(beside, target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def check_target(target: Path, base: DataPack, files: Sequence[Path]) -> None:
    """A new folder, an empty one, or a pack with nothing else in it, and none of the inputs.

    Raises InputError otherwise.
    """
    remedy = Msg("choose another folder")
    if target.exists() and not target.is_dir():
        raise InputError(Fault(Msg("this is a file, not a folder"), file=target, remedy=remedy))
    if not target.is_dir():
        return
    if target.resolve() == base.folder.resolve():
        message = Msg("a pack cannot be built in the folder of the pack that it is built from")
        raise InputError(Fault(message, file=target, remedy=remedy))
    strangers = _strangers(target)
    if strangers:
        raise InputError(
            Fault(
                Msg("the folder holds something else than a data pack: nothing is overwritten"),
                file=target,
                value=", ".join(strangers[:5]),
                remedy=remedy,
            )
        )
    for path in files:
        if target.resolve() in path.resolve().parents:
            message = Msg("the inventory lies in the folder that would be replaced")
            raise InputError(Fault(message, file=path, remedy=remedy))


def _strangers(target: Path) -> list[str]:
    """Files of a folder that no manifest of a pack lists."""
    names = sorted(entry.name for entry in target.iterdir())
    if MANIFEST not in names:
        return names
    try:
        manifest = tomllib.loads((target / MANIFEST).read_text(encoding="utf-8"))
        own = {str(layer["file"]) for layer in manifest["layers"]}
    except (OSError, ValueError, KeyError, TypeError):  # TOMLDecodeError is a ValueError
        own = set()
    own |= {MANIFEST} | {entry.name for entry in target.glob(NOTICES)}
    return [name for name in names if name not in own]


def _rename(beside: Path, target: Path) -> None:
    """Put the new folder in place of the old one, which is there until the new one is."""
    if not target.exists():
        beside.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    target.rename(old / "pack")
    try:
        beside.rename(target)
    except OSError:
        (old / "pack").rename(target)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _unwritable(target: Path, error: OSError) -> InputError:
    return InputError(
        Fault(
            Msg("the pack cannot be written: {error}", error=error.strerror or error),
            file=target,
            remedy=Msg("choose a folder that can be written, on a disk with room"),
        )
    )


def _check_remaining(inventory: Inventory, friches: Path) -> None:
    if len(inventory.sites):
        return
    left_out = inventory.report[inventory.report["action"] == "left_out"]
    reasons = left_out["issue"].value_counts()
    raise InputError(
        Fault(
            Msg(
                "no site remains of {rows} rows; most often: {reason} ({count})",
                rows=inventory.rows,
                reason=ISSUES[str(reasons.index[0])],
                count=int(reasons.iloc[0]),
            ),
            file=friches,
            remedy=Msg("check that the columns hold what their names say"),
        )
    )


# --- the layers -----------------------------------------------------------------------------------


def _write_layers(
    folder: Path,
    inventory: Inventory,
    friches: Path,
    base: DataPack,
    with_restoration: bool,
    translate: Translate | None,
) -> list[Layer]:
    layers = []
    for role in COPIED_ROLES:
        for layer in base.layers(role):
            shutil.copyfile(base.folder / layer.file, folder / layer.file)
            layers.append(layer)
    for notice in base.folder.glob(NOTICES):
        shutil.copyfile(notice, folder / notice.name)
    if with_restoration and base.has("restoration"):
        layers.append(write_restoration(folder, base))
    layers.append(_write_sites(folder, inventory, friches))
    return layers + _write_report(folder, inventory, friches, translate)


def write_restoration(folder: Path, base: DataPack, area: frozenset[str] | None = None) -> Layer:
    """The base's parcels, without those that are one of its sites: these are not here.

    ``area``: codes of the communes that the pack is about; land restored elsewhere cannot be
    deducted in its territories.
    """
    (layer,) = base.layers("restoration")
    parcels = base.vectors("restoration")
    free = parcels["site_id"].isna()
    inside = free if area is None else free & parcels["code_insee"].isin(list(area))
    if inside.all():
        shutil.copyfile(base.folder / layer.file, folder / layer.file)
        return layer
    path = folder / layer.file
    parcels[inside].reset_index(drop=True).to_parquet(path, compression="zstd")
    note = layer.note
    if not free.all():
        count = int((~free).sum())
        note += f" {count} parcelles portées par des sites du paquet d'origine retirées."
    if (outside := int((free & ~inside).sum())) > 0:
        note += f" {outside} parcelles hors du territoire du paquet retirées."
    return layer.model_copy(update={"sha256": sha256_of(path), "note": note.strip()})


def _write_sites(folder: Path, inventory: Inventory, friches: Path) -> Layer:
    path = folder / SITES
    inventory.sites.to_parquet(path, compression="zstd")
    discs = int((inventory.sites["geometry_origin"] == "disc").sum())
    dates = inventory.sites["stated_date"].dropna()
    return Layer(
        role="sites",
        file=SITES,
        title="Friches (emprises : disques de la surface déclarée)" if discs else "Friches",
        licence=LICENCE,
        attribution=ATTRIBUTION,
        source=friches.name,
        vintage=str(dates.max()) if len(dates) else "non datée",
        sha256=sha256_of(path),
        simulated=False,
        assumed=discs > 0,
        note=f"{len(inventory.sites)} sites retenus sur {inventory.rows} lignes ; "
        f"{discs} emprises sont des disques de la surface déclarée.",
    )


def _write_shares(
    folder: Path, inventory: Inventory, outlines: gpd.GeoDataFrame, friches: Path
) -> Layer:
    path = folder / SHARES
    commune_shares(inventory.sites, outlines).to_parquet(path, index=False, compression="zstd")
    return Layer(
        role="shares",
        file=SHARES,
        title="Part de chaque site par commune",
        licence=LICENCE,
        attribution="calculé par siteselect",
        source=friches.name,
        vintage="non datée",
        sha256=sha256_of(path),
        simulated=False,
    )


def _write_report(
    folder: Path, inventory: Inventory, friches: Path, translate: Translate | None
) -> list[Layer]:
    parquet, table = folder / REPORT, folder / REPORT_CSV
    inventory.report.to_parquet(parquet, index=False, compression="zstd")
    spreadsheet(inventory.report, translate).to_csv(
        table, sep=";", index=False, encoding="utf-8-sig", lineterminator="\r\n"
    )
    return [
        Layer(
            role="report",
            file=path.name,
            title="Rapport d'import",
            licence=LICENCE,
            attribution=ATTRIBUTION,
            source=friches.name,
            vintage="",
            sha256=sha256_of(path),
            simulated=False,
            note="Chaque ligne écartée, corrigée ou signalée, avec sa raison.",
        )
        for path in (parquet, table)
    ]


__all__ = ["build_pack", "check_target", "write_restoration", "written_beside"]
