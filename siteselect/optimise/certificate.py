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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from siteselect.optimise.bound import Cut
from siteselect.optimise.certificate_rows import tightened
from siteselect.optimise.certificate_steps import Fixings, fixed, proven, step_of
from siteselect.optimise.certificate_tree import ContradictionError, Leaf, Tree
from siteselect.optimise.certificate_writer import Json, Places, Writer
from siteselect.optimise.exact import Referee
from siteselect.optimise.model import OUTSIDE, Model, compile_model, restrict
from siteselect.optimise.root import sift
from siteselect.optimise.stop import stop_at
from siteselect.problem import SelectionProblem
from siteselect.problem.constraints import Ints


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
    writer = Writer(problem, plain, tight)
    step = writer.step(root, Places.whole(model))
    tree: Tree | None = None
    if found.value <= bound:
        nodes: list[Json] = [{"steps": [step]}]
        many_open = 0
    else:
        after = fixed(model, start, found, bound + 1) or start
        tree, part = _grown(problem, model, after, bound + 1, stop)
        places = Places.part(model, part)
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
