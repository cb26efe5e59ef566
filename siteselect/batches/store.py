"""The store of runs: one directory a run, named by the content of what made it.

::

    runs/
      4f2a…/                run directory (siteselect.rundir), complete or absent
      index.sqlite          what « runs list » shows; can be thrown away
      batches/9c1e…/        one a batch: plan, events, log of each run, synthesis
      .infeasible/          one file for each scenario proven impossible, with the reasons
      .locks/               held while a run is computed, let go by the system on death
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from siteselect.batches.index import INDEX, Entry, entries
from siteselect.errors import Fault, FaultLog, InputError, nearest_name
from siteselect.filelock import hold
from siteselect.i18n import Lang
from siteselect.messages import Msg
from siteselect.pack import sha256_of
from siteselect.report import write_reports
from siteselect.rundir import (
    MANIFEST,
    is_run,
    new_folder,
    read_json,
    read_run,
    said,
    said_again,
)

BATCHES = "batches"
LOCKS = ".locks"
INFEASIBLE = ".infeasible"
STALE_S = 3600.0
"""Half-written folders that nobody has touched for this long belong to nobody."""


class RunStore:
    """A folder of runs. Nothing is kept in memory: every call looks at the directories."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def place(self, name: str) -> Path:
        """Directory of a run."""
        return self.folder / name

    def has(self, name: str) -> bool:
        """Whether a run is there, complete."""
        return is_run(self.place(name))

    def infeasible_reason(self, name: str) -> str | None:
        """Why no portfolio meets this scenario, where that is proven already; else None."""
        with suppress(OSError, ValueError, KeyError, InputError):
            return str(read_json(self._verdict(name))["reason"])
        return None

    def infeasible_reasons(self, name: str) -> tuple[Msg, ...]:
        """The same as messages, for other languages; nothing where none are kept."""
        with suppress(OSError, ValueError, KeyError, InputError):
            kept = read_json(self._verdict(name))
            return tuple(said_again(one) for one in kept.get("said", ()))
        return ()

    def keep_infeasible(self, name: str, reason: str, reasons: Sequence[Msg] = ()) -> None:
        """Remember a scenario proven impossible: as for a run, the name says what made it.

        A verdict that cannot be written is only found again: nothing is raised.
        """
        place = self._verdict(name)
        beside = place.with_name(f".{place.name}.{time.monotonic_ns()}.tmp")
        with suppress(OSError):
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                kept = {"reason": reason, "said": [said(one) for one in reasons]}
                beside.write_text(json.dumps(kept, ensure_ascii=False), "utf-8")
                beside.replace(place)
            finally:
                beside.unlink(missing_ok=True)

    def _verdict(self, name: str) -> Path:
        return self.folder / INFEASIBLE / f"{name}.json"

    def is_settled(self, name: str) -> bool:
        """Whether nothing is left to compute: the run is there, or proven impossible."""
        return self.has(name) or self.infeasible_reason(name) is not None

    def entries(self) -> tuple[Entry, ...]:
        """Every run, newest first."""
        return entries(self.folder)

    def rebuild(self) -> tuple[Entry, ...]:
        """Throw the index away and make it again from the directories."""
        with suppress(OSError):
            (self.folder / INDEX).unlink()
        return self.entries()

    def find(self, wanted: str) -> Entry:
        """The run of an identifier, of its first digits, or of a directory's name.

        Raises
        ------
        InputError
            no run, or several, have it.
        """
        listed = self.entries()
        exact = [one for one in listed if wanted in (one.folder, one.run_id)]
        found = exact or [one for one in listed if one.folder.startswith(wanted)]
        if len(found) == 1 or exact:
            return found[0]
        near = nearest_name(wanted, [one.folder for one in listed])
        raise InputError(
            Fault(
                Msg("several runs begin like this")
                if found
                else Msg("the store has no run of this identifier"),
                file=self.folder,
                value=wanted,
                remedy=Msg("write more of it: {names}", names=", ".join(o.folder for o in found))
                if found
                else Msg("did you mean {near}?", near=near)
                if near
                else Msg("siteselect runs list shows them"),
            )
        )

    @contextmanager
    def claim(self, name: str) -> Iterator[None]:
        """The only process that computes this run; leftovers of one that died are cleared.

        Waits while another process computes it.
        """
        with hold(self.folder / LOCKS / f"{name}.lock"):
            for leftover in self.folder.glob(f".{name}.*"):
                if leftover.suffix in (".tmp", ".old") and leftover.is_dir():
                    shutil.rmtree(leftover, ignore_errors=True)
            yield

    def remove(self, names: Sequence[str]) -> tuple[Entry, ...]:
        """Remove runs, all or none when a name is wrong. Raises InputError."""
        log, found = FaultLog(), []
        for name in names:
            try:
                found.append(self.find(name))
            except InputError as error:
                log.faults.extend(error.faults)
        log.check()
        for entry in found:
            self._delete(entry.folder)
        return tuple(found)

    def prunable(
        self, *, keep: int | None = None, older_than_days: float | None = None
    ) -> tuple[Entry, ...]:
        """Runs that are neither among the ``keep`` newest nor younger than so many days.

        With neither limit nothing is prunable.
        """
        if keep is None and older_than_days is None:
            return ()
        limit = None
        if older_than_days is not None:
            limit = (datetime.now(tz=UTC) - timedelta(days=older_than_days)).isoformat()
        late = self.entries()[keep or 0 :]
        return tuple(one for one in late if limit is None or one.created < limit)

    def leftovers(self) -> tuple[Path, ...]:
        """Half-written folders that no living process has touched for an hour."""
        limit = time.time() - STALE_S
        found = []
        for place in self.folder.glob(".*.*"):
            with suppress(OSError):
                if place.suffix in (".tmp", ".old") and _last_touched(place) < limit:
                    found.append(place)
        return tuple(sorted(found))

    def prune(self, doomed: Sequence[Entry]) -> int:
        """Remove those runs and every leftover; give how many folders went."""
        for entry in doomed:
            self._delete(entry.folder)
        leftovers = self.leftovers()
        for place in leftovers:
            shutil.rmtree(place, ignore_errors=True)
        return len(doomed) + len(leftovers)

    def add_reports(self, name: str, lang: Lang | None = None) -> Path:
        """Write the files for people of a run that has its tables alone.

        Raises
        ------
        InputError
            the run cannot be read, or the place cannot be written.
        """
        place = self.place(name)
        run = read_run(place)
        manifest = read_json(place / MANIFEST)
        with self.claim(name), new_folder(place) as fresh:
            for file in place.iterdir():
                if file.is_file() and file.name != MANIFEST:
                    shutil.copy2(file, fresh / file.name)
            write_reports(run, fresh, lang or ("en" if run.lang == "en" else "fr"))
            manifest["outputs"] = {
                file.name: sha256_of(file) for file in sorted(fresh.iterdir()) if file.is_file()
            }
            text = json.dumps(manifest, ensure_ascii=False, indent=2, allow_nan=False)
            (fresh / MANIFEST).write_text(text + "\n", encoding="utf-8")
        return place

    def _delete(self, name: str) -> None:
        """Out of sight first, so that a half-removed run is never taken for a whole one."""
        place = self.place(name)
        grave = self.folder / f".{name}.{time.monotonic_ns()}.old"
        try:
            place.rename(grave)
        except FileNotFoundError:
            return
        except OSError as error:
            raise InputError(
                Fault(
                    Msg("the run cannot be removed: {error}", error=error.strerror or error),
                    file=place,
                    remedy=Msg("close the files that are open, check that you may write there"),
                )
            ) from error
        shutil.rmtree(grave, ignore_errors=True)


def _last_touched(place: Path) -> float:
    return max(one.stat().st_mtime for one in (place, *place.iterdir()))
