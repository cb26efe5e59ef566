"""A certificate as it is written: rows, cliques, lemmas and steps in the indices of the problem."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from siteselect.optimise.bound import Cut
from siteselect.optimise.certificate_parcels import Lemma
from siteselect.optimise.certificate_rows import Tightened
from siteselect.optimise.certificate_steps import Step
from siteselect.optimise.certificate_tree import Leaf, Tree
from siteselect.optimise.model import Model
from siteselect.optimise.rounding import Rounding
from siteselect.optimise.workers import Hall
from siteselect.problem import NO_LOWER, NO_UPPER, SelectionProblem
from siteselect.problem.constraints import Ints

FORMAT = "siteselect-proof/1"
Json = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Places:
    """Indices of the problem for each column, site and row of a model; numbers of its demand."""

    columns: Ints
    sites: Ints
    rows: Ints
    demand: Ints
    site: Ints
    """int64[J], the site in the model of each column."""

    @staticmethod
    def whole(model: Model) -> Places:
        """The whole model: demand points by their own index."""
        return Places(
            model.column_of, model.site_of, model.origin, np.arange(len(model.weights)), model.site
        )

    @staticmethod
    def part(model: Model, part: Model) -> Places:
        """What survives: demand points with the same reach are one, numbered as first met."""
        return Places(
            model.column_of[part.column_of], model.site_of[part.site_of], part.origin,
            _numbers(model, part), part.site,
        )  # fmt: skip


def _numbers(model: Model, part: Model) -> Ints:
    """The auditor's number of each demand point of the part: groups of equal reach, in the order
    of their first demand point, those that one site alone reaches left out.
    """
    if model.reach is None or part.reach is None:
        return np.zeros(0, np.int64)
    number: dict[bytes, int] = {}
    weights = model.weights
    for i, own in enumerate(_patterns(model.reach[part.site_of])):
        if weights[i] > 0 and len(own) > 1:
            number.setdefault(own.tobytes(), len(number))
    return np.array([number[own.tobytes()] for own in _patterns(part.reach.matrix())], np.int64)


def _patterns(reach: Any) -> Iterable[Ints]:
    """For each demand point the sites (rows) that reach it, ascending."""
    by_demand = reach.tocsc()
    by_demand.sort_indices()
    starts = by_demand.indptr.tolist()
    indices = by_demand.indices.astype(np.int64)
    return (indices[a:b] for a, b in pairwise(starts))


class Writer:
    """Gathers what the steps use, in the indices of the problem."""

    def __init__(self, problem: SelectionProblem, model: Model, tight: Tightened) -> None:
        self._problem, self._model, self._tight = problem, model, tight
        self._row_number: dict[int, int] = {}
        self._clique_number: dict[tuple[int, ...], int] = {}
        self._lemma_number: dict[tuple[int, ...], int] = {}
        self._hall_number: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
        force = problem.workforce
        self._with_workers = np.flatnonzero(force.supply > 0) if force is not None else None
        self._rounding_number: dict[int, int] = {}
        self.lemmas: list[Json] = []
        self.roundings: list[Json] = []

    def row(self, row: int) -> int:
        """The number of a row of the model in the proof."""
        return self._row_number.setdefault(row, len(self._row_number))

    def step(self, step: Step, places: Places) -> Json:
        """One step."""
        made: Json = {
            "scale": step.scale,
            "rows": [[self.row(int(places.rows[k])), y] for k, y in zip(
                step.rows.tolist(), step.y.tolist(), strict=True)],
        }  # fmt: skip
        cliques = [[self._clique(places.sites[sites]), y] for sites, y in step.cliques]
        lemmas = [
            [self._lemma_number[_key(places.columns[columns])], y] for columns, y in step.lemmas
        ]
        demand = [
            [d, mu]
            for d, mu in zip(places.demand[step.demand].tolist(), step.mu.tolist(), strict=True)
        ]
        halls = [[self._hall(hall, places), price] for hall, price in step.halls]
        roundings = [[self._rounding(row, places), y] for row, y in step.roundings]
        for name, content in (
            ("cliques", cliques), ("lemmas", lemmas), ("demand", demand), ("halls", halls),
            ("roundings", roundings),
        ):  # fmt: skip
            if content:
                made[name] = content
        return made

    def _hall(self, hall: Hall, places: Places) -> int:
        if self._with_workers is None:
            raise ValueError("a row of workers without workers")
        key = (_key(places.sites[hall.sites]), _key(self._with_workers[hall.communes]))
        return self._hall_number.setdefault(key, len(self._hall_number))

    def _clique(self, sites: Ints) -> int:
        return self._clique_number.setdefault(_key(sites), len(self._clique_number))

    def _rounding(self, row: Rounding, places: Places) -> int:
        """The number of a row of whole choices, written when it is first used, its sources first.

        The same row is the same object as long as the tree is.
        """
        if id(row) in self._rounding_number:
            return self._rounding_number[id(row)]
        why = row.why
        if why is None:
            raise ValueError("a row of whole choices without its reasons")
        made: Json = {
            "divisor": why.divisor,
            "by": why.by,
            "high": places.columns[why.high].tolist(),
            "high_parcels": self._model.parcel_of[why.high_parcels].tolist(),
        }
        for one, weight, above in zip(
            why.rows, why.weights.tolist(), why.above.tolist(), strict=True
        ):
            if isinstance(one, Rounding):
                made.setdefault("roundings", []).append([self._rounding(one, places), weight])
            elif not isinstance(one, Cut):
                side = "rows" if above else "rows_below"
                made.setdefault(side, []).append([self.row(int(places.rows[one])), weight])
            else:
                kind, number = self._cut(one, places)
                made.setdefault(kind, []).append([number, weight])
        self._rounding_number[id(row)] = len(self.roundings)
        self.roundings.append(made)
        return self._rounding_number[id(row)]

    def _cut(self, cut: Cut, places: Places) -> tuple[str, int]:
        """A choice without restoration, or sites of which one at most is chosen."""
        lemma = self._lemma_number.get(_key(places.columns[cut.columns]))
        if lemma is not None and cut.upper == len(cut.columns) - 1:
            return "lemmas", lemma
        return "cliques", self._clique(places.sites[np.unique(places.site[cut.columns])])

    def lemmas_of(self, tree: Tree, places: Places) -> None:
        """The choices without restoration, before the steps that use them."""
        for columns, lemma in tree.lemmas:
            key = _key(places.columns[columns])
            self._lemma_number[key] = len(self.lemmas)
            self.lemmas.append({"columns": list(key), **self._parcels(lemma, places)})

    def _parcels(self, lemma: Lemma, places: Places) -> Json:
        if lemma.listing is not None:
            given = lemma.listing
            return {
                "prices": [[self.row(int(places.rows[k])), price] for k, price in given.prices],
                "pays": self.row(int(places.rows[given.pays])),
                "scale": given.scale,
            }
        parcel_of = self._model.parcel_of
        nodes: list[Json] = [
            {"parcel": int(parcel_of[one.parcel]), "units": one.units}
            if one.parcel >= 0
            else {"rows": [[self.row(int(places.rows[k])), y] for k, y in one.rows]}
            for one in lemma.nodes
        ]
        return {"nodes": nodes}

    def node(self, leaf: Leaf, places: Places) -> Json:
        """One node of the tree."""
        made: Json = {"steps": [self.step(step, places) for step in leaf.steps]}
        if leaf.branch is not None:
            kind, place = leaf.branch
            of = places.sites if kind == "site" else places.columns
            made["branch"] = [kind, int(of[place])]
        if leaf.parcels is not None:
            made["restoration"] = self._parcels(leaf.parcels, places)
        return made

    def document(
        self, bound: int, root: Json | None, nodes: list[Json], labels: Sequence[str] | None
    ) -> Json:
        """The whole proof."""
        problem = self._problem
        never = [
            [int(self._model.column_of[column]), self.row(row)] for column, row in self._tight.never
        ]
        for row in list(self._row_number):
            if row in self._tight.rows:
                self.row(self._tight.rows[row].limit)
        ids = problem.site_ids or tuple(str(i) for i in range(problem.n_sites))
        texts = labels if labels is not None else _ordinals(problem)
        parcels = problem.parcels
        return {
            "format": FORMAT,
            "bound": bound,
            "sites": list(ids),
            "columns": [
                [site, text, score]
                for site, text, score in zip(
                    problem.site.tolist(), texts, problem.score.tolist(), strict=True
                )
            ],
            "parcels": list(parcels.ids or (str(i) for i in range(len(parcels)))),
            "rows": [self._written(row) for row in self._row_number],
            "never": never,
            "cliques": [list(sites) for sites in self._clique_number],
            "lemmas": self.lemmas,
            "halls": [[list(sites), list(communes)] for sites, communes in self._hall_number],
            "roundings": self.roundings,
            "root": root,
            "nodes": nodes,
        }

    def _written(self, row: int) -> Json:
        """A row of the model in full, in the indices of the problem."""
        model = self._model
        x, z = model.x, model.z
        own, own_z = slice(*x.indptr[row : row + 2]), slice(*z.indptr[row : row + 2])
        low, high = int(model.lower[row]), int(model.upper[row])
        made: Json = {
            **_sorted(model.column_of[x.indices[own]], x.data[own], "columns", "factors"),
            "lower": None if low == NO_LOWER else low,
            "upper": None if high == NO_UPPER else high,
        }
        if own_z.stop > own_z.start:
            made |= _sorted(
                model.parcel_of[z.indices[own_z]], z.data[own_z], "parcels", "parcel_factors"
            )
        if row in self._tight.rows:
            why = self._tight.rows[row]
            site_of = self._model.site_of
            made["tight"] = {
                "limit": self.row(why.limit),
                "steps": [[-1 if s < 0 else int(site_of[s]), spare] for s, spare in why.steps],
            }
        return made


def _sorted(indices: Ints, values: Ints, first: str, second: str) -> Mapping[str, Any]:
    order = np.argsort(indices, kind="stable")
    order = order[values[order] != 0]
    return {first: indices[order].tolist(), second: values[order].tolist()}


def _key(indices: Ints) -> tuple[int, ...]:
    return tuple(sorted(indices.tolist()))


def _ordinals(problem: SelectionProblem) -> list[str]:
    """Without labels the columns of a site are numbered in their order."""
    seen: dict[int, int] = {}
    made = []
    for site in problem.site.tolist():
        made.append(str(seen.get(site, 0)))
        seen[site] = seen.get(site, 0) + 1
    return made
