"""The auditor: re-evaluates a finished run from its inputs, without the optimiser's code.

What it proves: the files are those that the run wrote; the measures follow from the pack; the
portfolio respects every rule of the scenario; objective, ledger, ranks and totals are what
Python integers say; the stated status agrees with objective and bound. Asked for the proof, it
also checks the certificate of the bound, leaf by leaf and without any solver. What it does not:
the price of zero net rests on the search (stated in the checks).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from siteselect.errors import InputError, VerificationError
from siteselect.measuring import measure_sites
from siteselect.messages import Msg
from siteselect.pack import DataPack, open_pack, sha256_of
from siteselect.rulebook import Rulebook, open_rulebook
from siteselect.rundir import MANIFEST, RESULT, SCENARIO, TABLES, read_json, run_id
from siteselect.scenario import Scenario
from siteselect.scenario_files import load_scenario
from siteselect.verify.exports import check_exports
from siteselect.verify.runproof import check_run_proof
from siteselect.verify.tables import check_tables, read_tables

__all__ = ["verify_run"]

Progress = Callable[[str, float], None]


def verify_run(
    folder: str | Path, *, proof: bool = False, progress: Progress | None = None
) -> tuple[Msg, ...]:
    """Recompute a run from its inputs; returns the checks that held.

    Parameters
    ----------
    proof
        check the certificate of the bound as well (``proof.json.gz``).

    Raises
    ------
    VerificationError
        with every disagreement found; asked for the proof, also where none was written, or where
        it does not certify the whole bound.
    InputError
        the folder is not a run, or its files cannot be read.
    """
    place = Path(folder)
    manifest, result = read_json(place / MANIFEST), read_json(place / RESULT)
    problems = list(_files(place, manifest))
    scenario = load_scenario(place / SCENARIO).scenario
    tables = read_tables(place)
    if problems:
        # Figures that follow from changed files would only bury the cause.
        raise VerificationError(problems)
    checks = [Msg("{count} files are those of the manifest", count=len(manifest["outputs"]))]
    rulebook = open_rulebook(scenario.land.regime)
    pack = _pack(manifest, place)
    problems += _identity(scenario, manifest, result, pack, rulebook)
    measured = measure_sites(pack, scenario, progress=progress)
    checks += check_tables(tables, measured, scenario, rulebook, result, problems)
    checks += check_exports(place, tables, manifest.get("lang", "fr"), problems)
    if proof and not problems:
        checks += check_run_proof(place, measured, scenario, rulebook, result, problems)
    if problems:
        raise VerificationError(problems)
    return (*checks, _status(result, proof=proof))


def _files(place: Path, manifest: dict[str, Any]) -> Iterator[Msg]:
    outputs = manifest.get("outputs")
    if not isinstance(outputs, dict):
        yield Msg("the manifest lists no outputs")
        return
    for name in (*TABLES, RESULT, SCENARIO):
        if name not in outputs:
            yield Msg("the manifest does not list {name}", name=name)
    for name, digest in outputs.items():
        path = place / name
        if not path.is_file():
            yield Msg("{name} is missing", name=name)
        elif sha256_of(path) != digest:
            yield Msg("{name} was changed since the run (sha256 differs)", name=name)


def _pack(manifest: dict[str, Any], place: Path) -> DataPack:
    """The pack of the run: by name when it is an embedded one, else by its folder."""
    stated = manifest["pack"]
    for candidate in (str(stated["folder"]), str(stated["name"])):
        try:
            return open_pack(candidate, relative_to=place)
        except InputError as error:
            last = error
    raise VerificationError(
        [
            Msg(
                "the data pack of the run cannot be opened at {folder}, so nothing can be "
                "recomputed: {error}",
                folder=stated["folder"],
                error=str(last),
            )
        ]
    )


def _identity(
    scenario: Scenario,
    manifest: dict[str, Any],
    result: dict[str, Any],
    pack: DataPack,
    rulebook: Rulebook,
) -> Iterator[Msg]:
    """Scenario, pack and rulebook are those that the manifest and the run id name."""
    if scenario.model_dump(mode="json") != manifest.get("scenario"):
        yield Msg("scenario.toml is not the scenario of the manifest")
    if pack.digest != manifest["pack"]["digest"]:
        yield Msg("the data pack is not the one of the run (content differs)")
    if rulebook.version != manifest["rulebook"]["version"]:
        yield Msg(
            "the rulebook {id} is now {now}, the run used {then}",
            id=rulebook.id,
            now=rulebook.version,
            then=manifest["rulebook"]["version"],
        )
    for where, stated in ((RESULT, result), (MANIFEST, manifest)):
        if stated.get("run_id") != run_id(scenario, pack, rulebook):
            yield Msg("the run id of {file} does not follow from the inputs", file=where)


def _status(result: dict[str, Any], *, proof: bool) -> Msg:
    if proof:
        return Msg(
            "status {status}: objective {objective}, bound {bound}, certified without any solver "
            "(the price of zero net rests on the search)",
            status=result["status"],
            objective=result["objective"],
            bound=result["bound"],
        )
    return Msg(
        "status {status}: objective {objective}, bound {bound} (the bound and the price of "
        "zero net rest on the search, they are not recomputed)",
        status=result["status"],
        objective=result["objective"],
        bound=result["bound"],
    )
