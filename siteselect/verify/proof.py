"""A proof checked without any solver: is the stated bound what its certificate says?

The proof (``proof.json.gz``) is read against the model that the auditor builds from the inputs:
every row that it uses must follow from a requirement of the scenario, every clique must hold
sites that exclude each other, every choice that it calls impossible is tried again, and every
leaf of its tree must push the floor (one more than the bound) out of reach, in integers.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siteselect.messages import Msg
from siteselect.verify.prooflemmas import impossible
from siteselect.verify.proofmodel import AuditModel, AuditRow, audit_row
from siteselect.verify.proofrounding import whole_rows
from siteselect.verify.proofsteps import tighter
from siteselect.verify.prooftree import (
    INSIDE,
    OUTSIDE,
    BadProofError,
    Fixed,
    Given,
    Hall,
    Part,
    branched,
    decided,
    evaluate,
    hall_of,
    ruled_out,
    shrunk,
    whole_part,
)

FORMAT = "siteselect-proof/1"
Ints = NDArray[np.int64]
Json = Mapping[str, Any]


@dataclass(frozen=True)
class ProofReport:
    """How far a proof holds.

    Attributes
    ----------
    bound
        the bound that the proof claims.
    certified
        no portfolio is worth more than this, checked; ``None`` where nothing is proven.
    leaves, closed, lemmas
        leaves of the tree, those that are closed; choices without restoration.
    problems
        what is wrong with the proof; it then proves nothing.
    """

    bound: int
    certified: int | None
    leaves: int
    closed: int
    lemmas: int
    problems: tuple[Msg, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether the whole claim is certified."""
        return not self.problems and self.certified is not None and self.certified <= self.bound


def read_proof(path: Path) -> dict[str, Any] | Msg:
    """The content of ``proof.json.gz``, or what is wrong with the file."""
    try:
        content = json.loads(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, json.JSONDecodeError) as error:
        return Msg("{file} cannot be read again: {error}", file=path.name, error=str(error))
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return Msg("{file} is no proof that this version can check", file=path.name)
    return content


def check_proof(proof: Json, model: AuditModel) -> ProofReport:
    """The proof against the model."""
    bound = proof.get("bound")
    if isinstance(bound, bool) or not isinstance(bound, int):
        return ProofReport(0, None, 0, 0, 0, (Msg("the proof states no bound"),))
    problems: list[Msg] = []
    try:
        reading = _Reading(proof, model, problems)
        if not problems:
            return _walk(proof, reading, bound)
    except BadProofError as error:
        problems.append(Msg("the proof is damaged: {error}", error=str(error)))
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        problems.append(Msg("the proof is damaged: {error}", error=repr(error)))
    return ProofReport(bound, None, 0, 0, 0, tuple(problems))


class _Reading:
    """The proof in the indices of the auditor's model: rows, cliques and lemmas that hold."""

    def __init__(self, proof: Json, model: AuditModel, problems: list[Msg]) -> None:
        self.model = model
        self._problems = problems
        self._sites = _places(proof["sites"], model.sites, "site", problems)
        self._columns = self._read_columns(proof["columns"])
        self._parcels = _places(proof["parcels"], model.parcels, "parcel", problems)
        self.given = Given((), (), ())
        self._whole: Sequence[Json] = proof.get("roundings", [])
        self.never = np.zeros(len(model.site), bool)
        if problems:
            return
        rows = self._rows(proof["rows"])
        self.never = self._never(proof.get("never", []), rows)
        rows = self._tightened(proof["rows"], rows)
        cliques = [self._clique(listed) for listed in proof["cliques"]]
        self.given = Given(rows, cliques, ())
        if problems:
            return
        lemmas = [self._lemma(k, one, rows) for k, one in enumerate(proof["lemmas"])]
        halls = [self._hall(sites, communes) for sites, communes in proof.get("halls", [])]
        self.given = Given(rows, cliques, lemmas, halls)

    def _read_columns(self, listed: Sequence[Any]) -> Ints:
        """Index in the model of each column of the proof."""
        model = self.model
        known = {
            (model.sites[s], variant): j
            for j, (s, variant) in enumerate(zip(model.site.tolist(), model.variant, strict=True))
        }
        found: list[int] = []
        for site, variant, score in listed:
            at = int(self._sites[site]) if 0 <= site < len(self._sites) else -1
            j = known.pop((model.sites[at], variant), -1) if at >= 0 else -1
            if j < 0:
                self._problems.append(
                    Msg("the proof has a column {column} that the scenario does not offer",
                        column=f"{model.sites[at] if at >= 0 else site}: {variant}")
                )  # fmt: skip
                return np.zeros(0, np.int64)
            if score != int(model.score[j]):
                self._problems.append(
                    Msg("the proof values {site}: {variant} at {stated}, recomputed {value}",
                        site=model.sites[at], variant=variant, stated=score,
                        value=int(model.score[j]))
                )  # fmt: skip
                return np.zeros(0, np.int64)
            found.append(j)
        for site, variant in known:
            self._problems.append(
                Msg("the proof leaves out the column {column}", column=f"{site}: {variant}")
            )
            break
        return np.array(found, np.int64)

    def _rows(self, listed: Sequence[Json]) -> list[AuditRow]:
        """Rows of the proof, each implied by a requirement that the auditor reads."""
        known: dict[bytes, list[AuditRow]] = {}
        for row in self.model.rows:
            known.setdefault(row.key(), []).append(row)
        made = []
        for number, one in enumerate(listed):
            row = audit_row(
                f"#{number}",
                self._columns[np.array(one["columns"], np.int64)],
                np.array(one["factors"], np.int64),
                one["lower"],
                one["upper"],
                self._parcels[np.array(one.get("parcels", []), np.int64)],
                np.array(one.get("parcel_factors", []), np.int64),
            )
            implied = known.get(row.key(), [])
            if not implied:
                self._problems.append(
                    Msg("row {number} of the proof ({columns} columns, at most {upper}) is no "
                        "requirement of the scenario", number=number, columns=len(row.columns),
                        upper=str(row.upper))
                )  # fmt: skip
            elif not any(_implies(other, row) for other in implied):
                self._problems.append(
                    Msg("row {number} of the proof ({name}) is tighter than the scenario asks: "
                        "{low} … {high}", number=number, name=implied[0].name,
                        low=str(row.lower), high=str(row.upper))
                )  # fmt: skip
            made.append(row)
        return made

    def _never(self, listed: Sequence[Any], rows: Sequence[AuditRow]) -> NDArray[np.bool_]:
        """Columns that break a row whatever else is chosen and restored."""
        found = np.zeros(len(self.model.site), bool)
        for column, number in listed:
            j, row = int(self._columns[column]), rows[number]
            own = row.factors[row.columns == j]
            least = np.minimum(row.factors, 0).sum() + np.minimum(row.parcel_factors, 0).sum()
            if row.upper is None or len(own) != 1 or int(max(own[0], 0) + least) <= row.upper:
                self._problems.append(
                    Msg("the proof rules out {site} without a reason",
                        site=self.model.sites[int(self.model.site[j])])
                )  # fmt: skip
                return found
            found[j] = True
        return found

    def _tightened(self, listed: Sequence[Json], rows: Sequence[AuditRow]) -> list[AuditRow]:
        """Rows as the steps of the proof make them tighter, every step checked."""
        made = list(rows)
        for number, one in enumerate(listed):
            if "tight" in one:
                limit = rows[one["tight"]["limit"]]
                steps = [
                    (-1 if site < 0 else int(self._sites[site]), spare)
                    for site, spare in one["tight"]["steps"]
                ]
                made[number] = tighter(rows[number], limit, steps, self.model.site, self.never)
        return made

    def _clique(self, listed: Sequence[int]) -> Ints:
        sites = self._sites[np.array(listed, np.int64)]
        for first, second in combinations(sorted(set(sites.tolist())), 2):
            if not self.model.exclude(first, second):
                self._problems.append(
                    Msg("the proof says that {first} and {second} exclude each other; they do not",
                        first=self.model.sites[first], second=self.model.sites[second])
                )  # fmt: skip
                break
        return np.unique(sites)

    def _hall(self, sites: Sequence[int], communes: Sequence[int]) -> Hall:
        own = self._sites[np.array(sites, np.int64)]
        return hall_of(self.model, own, np.array(communes, np.int64))

    def _lemma(self, number: int, one: Json, rows: Sequence[AuditRow]) -> Ints:
        columns = np.unique(self._columns[np.array(one["columns"], np.int64)])
        if self.model.count != len(columns) or not impossible(
            self.model, columns, self.parcel_part(one), rows
        ):
            self._problems.append(
                Msg("choice {number} is not proven to go with no restoration", number=number)
            )
        return columns

    def with_whole_rows(self, part: Part) -> Given:
        """What the nodes refer to: rows of whole choices besides, over what the root leaves."""
        whole = whole_rows(self._whole, part, self.given, self._columns, self._parcels)
        return dataclasses.replace(self.given, whole=whole)

    def parcel_part(self, one: Json) -> dict[str, Any]:
        """The proof of a lemma with the auditor's parcels."""
        made = dict(one)
        if "nodes" in made:
            made["nodes"] = [
                {**node, "parcel": int(self._parcels[node["parcel"]])} if "parcel" in node else node
                for node in made["nodes"]
            ]
        return made

    def branch(self, listed: object) -> object:
        """A branch in the auditor's indices."""
        if not (isinstance(listed, list) and len(listed) == 2 and isinstance(listed[1], int)):
            raise BadProofError(f"branch {listed!r}")
        of = self._sites if listed[0] == "site" else self._columns
        if not 0 <= listed[1] < len(of):
            raise BadProofError(f"branch {listed!r}")
        return [listed[0], int(of[listed[1]])]


def _implies(known: AuditRow, stated: AuditRow) -> bool:
    """Whether a requirement gives both bounds of a row with the same factors."""
    high = stated.upper is None or (known.upper is not None and known.upper <= stated.upper)
    low = stated.lower is None or (known.lower is not None and known.lower >= stated.lower)
    return high and low


def _places(listed: Sequence[str], known: Sequence[str], what: str, problems: list[Msg]) -> Ints:
    """Index in the model of each name of the proof; both must hold the same names."""
    position = {name: i for i, name in enumerate(known)}
    if sorted(listed) != sorted(known):
        strange = sorted(set(listed).symmetric_difference(known))
        problems.append(
            Msg("the proof is not about the same sites and parcels: {name} ({what})",
                name=strange[0] if strange else "—", what=what)
        )  # fmt: skip
        return np.zeros(0, np.int64)
    return np.array([position[name] for name in listed], np.int64)


def _walk(proof: Json, reading: _Reading, bound: int) -> ProofReport:
    """The root, then the tree in preorder."""
    model, given, floor = reading.model, reading.given, bound + 1
    part: Part = whole_part(model, given.rows)
    state = np.zeros(len(model.sites), np.int8)
    state[model.outside] = OUTSIDE
    state[model.inside] = INSIDE
    at = Fixed(state, reading.never)
    top: int | None = None
    if proof["root"] is not None:
        found = evaluate(part, proof["root"], given, at)
        top = found.bound
        part, at = shrunk(part, ruled_out(part, at, found, floor))
    given = reading.with_whole_rows(part)
    waiting: list[tuple[Fixed, int | None]] = [(at, top)]
    leaves, closed, certified = 0, 0, bound
    unknown = False
    for number, node in enumerate(proof["nodes"]):
        if not waiting:
            raise BadProofError(f"node {number} hangs nowhere")
        at, top = waiting.pop()
        for step in node["steps"]:
            found = evaluate(part, step, given, at)
            top = found.bound if top is None else min(top, found.bound)
            if top < floor:
                break
            at = ruled_out(part, at, found, floor)
        if "branch" in node:
            first, second = branched(part, at, reading.branch(node["branch"]))
            waiting += [(second, top), (first, top)]
            continue
        leaves += 1
        if (top is not None and top < floor) or _without_restoration(reading, part, at, node):
            closed += 1
        elif top is None:
            unknown = True
        else:
            certified = max(certified, top)
    if waiting:
        raise BadProofError(f"{len(waiting)} branches end nowhere")
    return ProofReport(bound, None if unknown else certified, leaves, closed, len(given.lemmas))


def _without_restoration(reading: _Reading, part: Part, at: Fixed, node: Json) -> bool:
    """Whether a leaf is one choice, and no restoration goes with it."""
    if "restoration" not in node:
        return False
    chosen = decided(part, at)
    if chosen is None:
        return False
    proof = reading.parcel_part(node["restoration"])
    return impossible(reading.model, chosen, proof, reading.given.rows)
