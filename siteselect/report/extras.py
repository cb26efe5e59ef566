"""The heavier deliverables of a finished run, made when somebody asks for them.

They stand in ``deliverables/`` inside the run directory, with ``deliverables.json``: the run they
come from and the sha256 of each.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Collection, Iterator
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
from matplotlib.figure import Figure

from siteselect.errors import Fault, InputError
from siteselect.i18n import Lang, Translator
from siteselect.messages import Msg
from siteselect.pack import sha256_of
from siteselect.report.committee import svg_of, write_committee
from siteselect.report.findings import Findings, read_findings
from siteselect.report.geojson import write_geojson
from siteselect.report.geopackage import write_geopackage
from siteselect.report.html import write_page
from siteselect.report.isochrones import isochrones
from siteselect.report.maps import Ground, national_map, region_codes, region_map
from siteselect.report.rocrate import write_crate
from siteselect.report.sheets import write_sheets
from siteselect.report.sitemap import SiteMaps
from siteselect.rundir import read_json
from siteselect.runs import Run

FOLDER = "deliverables"
LIST = "deliverables.json"
PARTS = ("page", "pdf", "sheets", "maps", "geojson", "gis")
MAP_DPI = 160
Progress = Callable[[str, float], None]


class _Making:
    """What several deliverables of one run share, computed once."""

    def __init__(
        self, run: Run, place: Path, folder: Path, t: Translator, progress: Progress
    ) -> None:
        self.run, self.place, self.folder, self.t, self.tell = run, place, folder, t, progress
        self.ground = Ground(run)

    @cached_property
    def isochrones(self) -> gpd.GeoDataFrame:
        """Isochrones of the shortlist."""
        return isochrones(self.run, progress=self.tell)

    @cached_property
    def findings(self) -> Findings:
        """Analyses of the run made so far."""
        return read_findings(self.place, self.run)

    def page(self) -> None:
        """The page again, with isochrones and the analyses made since the run."""
        self.tell("page", 0.0)
        write_page(
            self.run,
            self.folder / "report.html",
            self.t,
            isochrones=self.isochrones,
            findings=self.findings,
        )
        self.tell("page", 1.0)

    def pdf(self) -> None:
        """Committee pack."""
        self.tell("committee", 0.0)
        write_committee(
            self.run,
            self.folder / "committee.pdf",
            self.t,
            ground=self.ground,
            findings=self.findings,
        )
        self.tell("committee", 1.0)

    def sheets(self) -> None:
        """Site sheets."""
        write_sheets(
            self.run,
            self.folder / "site_sheets.pdf",
            self.t,
            ground=self.ground,
            isochrones=self.isochrones,
            progress=self.tell,
        )

    def maps(self) -> None:
        """Static maps: country, regions, sites; SVG and PNG."""
        place = self.folder / "maps"
        place.mkdir()
        figures = list(self._figures())
        for done, (name, make) in enumerate(figures, start=1):
            figure = make()
            (place / f"{name}.svg").write_bytes(svg_of(figure))
            (place / f"{name}.png").write_bytes(_png(figure))
            self.tell("maps", done / len(figures))
        with SiteMaps(self.ground, self.isochrones, self.t) as sites:
            short = self.run.shortlist
            for done, row in enumerate(short.itertuples(), start=1):
                letter = "R" if row.status == "reserve" else ""
                figure = sites.figure(row, titled=True)
                (place / f"site_{letter}{int(row.rank):02d}.png").write_bytes(_png(figure))
                (place / f"site_{letter}{int(row.rank):02d}.svg").write_bytes(svg_of(figure))
                self.tell("site maps", done / len(short))

    def _figures(self) -> Iterator[tuple[str, Callable[[], Figure]]]:
        yield "national", partial(national_map, self.ground, self.t)
        known = set(self.ground.regions["code"].astype(str))
        for code in region_codes(self.run):
            if code in known:
                yield f"region_{code}", partial(region_map, self.ground, code, self.t)

    def geojson(self) -> None:
        """GeoJSON in longitude and latitude."""
        write_geojson(self.run, self.isochrones, self.folder, self.t)

    def gis(self) -> None:
        """The GeoPackage again, with isochrones."""
        write_geopackage(
            self.run, self.folder / "siteselect.gpkg", self.t, isochrones=self.isochrones
        )


def make_deliverables(
    run: Run,
    folder: Path,
    t: Translator,
    *,
    parts: Collection[str] = PARTS,
    crate: bool = False,
    progress: Progress | None = None,
) -> tuple[str, ...]:
    """Write the parts asked for into ``deliverables`` of a run; the files, relative to ``folder``.

    Complete or absent: written beside and renamed; earlier deliverables of other parts, of the
    same run and language, are kept. ``crate`` adds RO-Crate metadata over the whole run directory.

    Raises
    ------
    InputError
        the place is taken by something else, or cannot be written.
    """
    place = folder / folder_name(t.lang)
    if place.exists() and not (place / LIST).is_file():
        raise _taken(place)
    written: tuple[str, ...] = ()
    try:
        if parts:
            with TemporaryDirectory(prefix=f".{FOLDER}.", dir=folder) as name:
                made = Path(name) / FOLDER
                made.mkdir()
                making = _Making(run, folder, made, t, progress or _silent)
                for part in PARTS:
                    if part in parts:
                        getattr(making, part)()
                fresh = _files(made)
                _keep(place, made, run)
                _write_list(made, run, t)
                if place.exists():
                    place.rename(Path(name) / "old")
                made.rename(place)
            written = tuple(f"{place.name}/{file}" for file in fresh)
        if crate:
            written = (*written, write_crate(run, folder, t).name)
    except OSError as error:
        raise InputError(
            Fault(
                Msg("the deliverables cannot be written: {error}", error=error.strerror or error),
                file=place,
                remedy=Msg("choose a folder with room where you may write"),
            )
        ) from error
    return written


def folder_name(lang: Lang) -> str:
    """``deliverables`` in French, ``deliverables-en`` in English: neither replaces the other."""
    return FOLDER if lang == "fr" else f"{FOLDER}-{lang}"


def _taken(place: Path) -> InputError:
    return InputError(
        Fault(
            Msg("this place is taken, and not by deliverables"),
            file=place,
            remedy=Msg("choose another folder: nothing was changed"),
        )
    )


def _files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def _keep(old: Path, made: Path, run: Run) -> None:
    """Earlier deliverables that were not made again, if they are of this run."""
    if not (old / LIST).is_file():
        return
    listed = read_json(old / LIST)
    if listed.get("run_id") != run.run_id:
        return
    for name in listed.get("files", {}):
        if not (made / name).exists() and (old / name).is_file():
            (made / name).parent.mkdir(exist_ok=True)
            shutil.copy2(old / name, made / name)


def _write_list(folder: Path, run: Run, t: Translator) -> None:
    files = {name: sha256_of(folder / name) for name in _files(folder)}
    listed = {"run_id": run.run_id, "lang": t.lang, "files": files}
    text = json.dumps(listed, ensure_ascii=False, indent=2)
    (folder / LIST).write_text(text + "\n", encoding="utf-8")


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=MAP_DPI, bbox_inches="tight", pad_inches=0.1)
    return buffer.getvalue()


def _silent(stage: str, share: float) -> None:
    """No progress is asked for."""
