"""The certificate of a bound: what an auditor needs to check it without any solver.

Made once the search is over, for the bound alone: root multipliers over the whole model, then a
branching tree over what survives their fixing, each leaf closed by integer multipliers. Nothing
of the search is reused but the relaxation that proposes multipliers, so that a mistake of the
search shows here as a contradiction, or as a leaf that stays open. Ties are not certified.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from siteselect.optimise.bound import Cut
from siteselect.optimise.certificate_parcels import Lemma
from siteselect.optimise.certificate_rows import Tightened, tightened
from siteselect.optimise.certificate_steps import Fixings, Step, fixed, proven, step_of
from siteselect.optimise.certificate_tree import ContradictionError, Leaf, Tree
from siteselect.optimise.exact import Referee
from siteselect.optimise.model import OUTSIDE, Model, compile_model, restrict
from siteselect.optimise.root import sift
from siteselect.optimise.stop import stop_at
from siteselect.optimise.workers import Hall
from siteselect.problem import NO_LOWER, NO_UPPER, SelectionProblem
from siteselect.problem.constraints import Ints

FORMAT = "siteselect-proof/1"
Json = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Certificate:
    """A proof that no portfolio is worth more than ``bound``.

    Attributes
    ----------
    bound
        the claim, in the unit of the objective.
    complete
        every leaf is closed. Otherwise the auditor finds how far it holds.
    nodes, leaves, open_leaves, lemmas
        size of the tree; choices of sites proven to go with no restoration.
    seconds
        what making it took.
    content
        the proof itself, plain lists and integers, ready for JSON: see docs/proof.md.
    """

    bound: int
    complete: bool
    nodes: int
    leaves: int
    open_leaves: int
    lemmas: int
    seconds: float
    content: Json = field(repr=False)

    def packed(self, earlier: Sequence[Json] = ()) -> bytes:
        """The content as it is written: compact JSON, compressed, the same bytes every time.

        ``earlier``: contents for the objectives that were optimised before this one.
        """
        content = {**self.content, "stages": list(earlier)} if earlier else self.content
        text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
        return gzip.compress(text.encode("utf-8"), compresslevel=6, mtime=0)


def certify(
    problem: SelectionProblem,
    bound: int,
    *,
    time_limit_s: float = 600.0,
    labels: Sequence[str] | None = None,
) -> Certificate:
    """The certificate of a bound that a search states.

    Parameters
    ----------
    problem, bound
        what was solved, and the bound of its :class:`~siteselect.optimise.Solution`.
    time_limit_s
        seconds after which the nodes left are written as open.
    labels
        a text for each column beside the identifier of its site (the variant).

    Returns
    -------
    Certificate
        Deterministic, a limit in seconds excepted. Incomplete where a portfolio worth more than
        ``bound`` is met: the bound is then false.
    """
    started = time.perf_counter()
    stop = stop_at(started + time_limit_s)
    plain = compile_model(problem)
    plain = dataclasses.replace(plain, origin=np.arange(len(plain.lower)))
    tight = tightened(plain)
    model = tight.model
    root = step_of(model, sift(model, stop=stop).multipliers, _cliques_of(model))
    start = Fixings(model.state.copy(), model.shut.copy())
    found = proven(model, root, start)
    writer = _Writer(problem, plain, tight)
    step = writer.step(root, _Places.whole(model))
    tree: Tree | None = None
    if found.value <= bound:
        nodes: list[Json] = [{"steps": [step]}]
        many_open = 0
    else:
        after = fixed(model, start, found, bound + 1) or start
        tree, part = _grown(problem, model, after, bound + 1, stop)
        places = _Places.part(model, part)
        writer.lemmas_of(tree, places)
        nodes = [writer.node(one, places) for one in tree.nodes]
        many_open = tree.open_nodes
    leaves = sum("branch" not in one for one in nodes)
    content = writer.document(bound, step if tree is not None else None, nodes, labels)
    return Certificate(
        bound, many_open == 0, len(nodes), leaves, many_open, len(writer.lemmas),
        time.perf_counter() - started, content,
    )  # fmt: skip


def _cliques_of(model: Model) -> Callable[[Cut], tuple[str, Ints] | None]:
    """Rows of the root: cliques of sites, checked pair by pair."""

    def kind(cut: Cut) -> tuple[str, Ints] | None:
        sites = np.unique(model.site[cut.columns])
        among = model.conflicts.among(sites)
        if cut.upper == 1 and bool((among | np.eye(len(sites), dtype=bool)).all()):
            return "clique", sites
        return None

    return kind


def _grown(
    problem: SelectionProblem, model: Model, after: Fixings, floor: int, stop: Any
) -> tuple[Tree, Model]:
    """The tree on the columns that the root leaves open."""
    open_columns = ~after.shut & (after.state[model.site] != OUTSIDE)
    columns = np.flatnonzero(open_columns)
    part = restrict(model, columns, after.state)
    capacity = problem.parcels.capacity[model.parcel_of]
    tree = Tree(
        part, Referee(problem, model), columns, capacity, problem.parcels.whole, floor, stop
    )
    try:
        tree.grow()
    except ContradictionError:
        tree.nodes, tree.lemmas, tree.open_nodes = [Leaf()], [], 1
    return tree, part


@dataclass(frozen=True, eq=False)
class _Places:
    """Indices of the problem for each column, site and row of a model; numbers of its demand."""

    columns: Ints
    sites: Ints
    rows: Ints
    demand: Ints

    @staticmethod
    def whole(model: Model) -> _Places:
        """The whole model: demand points by their own index."""
        return _Places(model.column_of, model.site_of, model.origin, np.arange(len(model.weights)))

    @staticmethod
    def part(model: Model, part: Model) -> _Places:
        """What survives: demand points with the same reach are one, numbered as first met."""
        return _Places(
            model.column_of[part.column_of], model.site_of[part.site_of], part.origin,
            _numbers(model, part),
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
    return np.array([number[own.tobytes()] for own in _patterns(part.reach)], np.int64)


def _patterns(reach: Any) -> Iterable[Ints]:
    """For each demand point the sites (rows) that reach it, ascending."""
    by_demand = reach.tocsc()
    by_demand.sort_indices()
    starts = by_demand.indptr.tolist()
    indices = by_demand.indices.astype(np.int64)
    return (indices[a:b] for a, b in pairwise(starts))


class _Writer:
    """Gathers what the steps use, in the indices of the problem."""

    def __init__(self, problem: SelectionProblem, model: Model, tight: Tightened) -> None:
        self._problem, self._model, self._tight = problem, model, tight
        self._row_number: dict[int, int] = {}
        self._clique_number: dict[tuple[int, ...], int] = {}
        self._lemma_number: dict[tuple[int, ...], int] = {}
        self._hall_number: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
        force = problem.workforce
        self._with_workers = np.flatnonzero(force.supply > 0) if force is not None else None
        self.lemmas: list[Json] = []

    def row(self, row: int) -> int:
        """The number of a row of the model in the proof."""
        return self._row_number.setdefault(row, len(self._row_number))

    def step(self, step: Step, places: _Places) -> Json:
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
        for name, content in (
            ("cliques", cliques), ("lemmas", lemmas), ("demand", demand), ("halls", halls),
        ):  # fmt: skip
            if content:
                made[name] = content
        return made

    def _hall(self, hall: Hall, places: _Places) -> int:
        if self._with_workers is None:
            raise ValueError("a row of workers without workers")
        key = (_key(places.sites[hall.sites]), _key(self._with_workers[hall.communes]))
        return self._hall_number.setdefault(key, len(self._hall_number))

    def _clique(self, sites: Ints) -> int:
        return self._clique_number.setdefault(_key(sites), len(self._clique_number))

    def lemmas_of(self, tree: Tree, places: _Places) -> None:
        """The choices without restoration, before the steps that use them."""
        for columns, lemma in tree.lemmas:
            key = _key(places.columns[columns])
            self._lemma_number[key] = len(self.lemmas)
            self.lemmas.append({"columns": list(key), **self._parcels(lemma, places)})

    def _parcels(self, lemma: Lemma, places: _Places) -> Json:
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

    def node(self, leaf: Leaf, places: _Places) -> Json:
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
