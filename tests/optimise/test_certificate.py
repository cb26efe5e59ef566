"""Certificates: made for every kind of problem, checked without a solver, and never false."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from brute import KINDS, random_problem, solve_by_enumeration, with_workforce
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from siteselect.optimise import certificate_parcels, certificate_tree, certify, solve
from siteselect.problem import Budget, Constraint, Group, Ledger, Parcels, SelectionProblem
from siteselect.verify.plainproof import model_of
from siteselect.verify.proof import ProofReport, check_proof


def proof_of(problem: SelectionProblem, bound: int) -> dict:
    """As it is read back from a file."""
    return json.loads(json.dumps(certify(problem, bound).content))


def checked(problem: SelectionProblem, bound: int) -> ProofReport:
    return check_proof(proof_of(problem, bound), model_of(problem))


def both_sides(seed: int, kinds: frozenset[str], *, workers: bool = False) -> None:
    """The optimum is certified; one unit less, which is false, is not."""
    problem = random_problem(seed, kinds)
    if workers:
        problem = with_workforce(problem, seed)
    truth = solve_by_enumeration(problem)
    if truth.value is None:
        return
    report = checked(problem, truth.value)
    assert report.problems == ()
    assert report.complete
    assert report.certified == truth.value
    assert not checked(problem, truth.value - 1).complete


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_apart(kind: str) -> None:
    for seed in range(8):
        both_sides(seed, frozenset({kind}))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.frozensets(st.sampled_from(KINDS), max_size=8))
def test_kinds_together(seed: int, kinds: frozenset[str]) -> None:
    both_sides(seed, kinds)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**9), st.frozensets(st.sampled_from(KINDS), max_size=5))
def test_jobs_that_workers_fill(seed: int, kinds: frozenset[str]) -> None:
    both_sides(seed, kinds, workers=True)


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10**9), st.frozensets(st.sampled_from(KINDS), max_size=8))
def test_with_rows_of_whole_choices_from_the_root_on(seed: int, kinds: frozenset[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certificate_tree, "HARD", -1)
        both_sides(seed, kinds)


def test_a_tree_that_grows_long_is_grown_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restoration is listed as impossible on the way; the rows derived stand in the proof."""
    monkeypatch.setattr(certificate_tree, "HARD", 2)
    written, lemmas, stacked = 0, 0, 0
    for seed in range(20):
        problem = whole_parcels(seed)
        bound = solve(problem, explain=False).bound
        if bound is None:
            continue
        proof = proof_of(problem, bound)
        assert check_proof(proof, model_of(problem)).complete
        written += len(proof["roundings"])
        stacked += sum("roundings" in one for one in proof["roundings"])
        lemmas += len(proof["lemmas"])
    assert written > 0
    assert lemmas > 0
    assert stacked > 0


def whole_parcels(seed: int) -> SelectionProblem:
    """Four of twelve sites, two regions, fourteen parcels restored whole, little money."""
    g = np.random.default_rng(seed)
    sites, many = 12, 14
    charge = g.integers(20, 90, sites)
    region = np.arange(sites) % 2
    parcels = Parcels(
        g.integers(5, 40, many), g.integers(5, 60, many), np.full(many, -1, np.int32), whole=True
    )
    constraints: list[Constraint] = [
        Ledger(f"land {k}", "region", str(k), np.flatnonzero(region == k), charge[region == k],
               np.arange(k, many, 2), 40)
        for k in range(2)
    ]  # fmt: skip
    constraints += [
        Ledger("programme", "programme", "", np.arange(sites), charge, np.arange(many), 20),
        Budget("budget", g.integers(5, 30, sites), 260),
    ]
    return SelectionProblem(
        np.arange(sites, dtype=np.int32), g.integers(0, 90, sites), 4, parcels=parcels,
        constraints=tuple(constraints), site_ids=tuple(f"S{i:02d}" for i in range(sites)),
    )  # fmt: skip


@pytest.mark.parametrize("few", [0, 1_000])
def test_choices_without_restoration(monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """Proven by prices and a listing, or by a tree over the parcels: both hold."""
    monkeypatch.setattr(certificate_parcels, "FEW_NODES", few)
    kinds = set()
    for seed in range(12):
        problem = whole_parcels(seed)
        found = solve(problem, explain=False)
        if found.bound is None:
            continue
        proof = proof_of(problem, found.bound)
        kinds |= {key for lemma in proof["lemmas"] for key in lemma}
        report = check_proof(proof, model_of(problem))
        assert report.complete
        assert report.lemmas == len(proof["lemmas"])
        assert not checked(problem, found.bound - 1).complete
    assert ("prices" if few == 0 else "nodes") in kinds


def test_a_lemma_without_its_reason() -> None:
    """Prices of zero, or one node less, prove nothing: the proof is refused."""
    problem, proof = next(
        (problem, proof)
        for problem in map(whole_parcels, range(30))
        if (bound := solve(problem, explain=False).bound) is not None
        and (proof := proof_of(problem, bound))["lemmas"]
    )
    for lemma in proof["lemmas"]:
        lemma["nodes"] = [{"rows": []}]
        lemma.pop("prices", None)
    report = check_proof(proof, model_of(problem))
    assert not report.complete
    assert "is not proven to go with no restoration" in str(report.problems[0])


@settings(max_examples=90, deadline=None)
@given(
    st.integers(0, 10**9), st.frozensets(st.sampled_from(KINDS), max_size=6), st.data(),
    st.sampled_from([-1, 300]),
)  # fmt: skip
def test_no_change_of_a_proof_proves_what_is_false(
    seed: int, kinds: frozenset[str], data: st.DataObject, hard: int
) -> None:
    """Whatever is changed, less than the optimum is never certified."""
    problem = random_problem(seed, kinds)
    truth = solve_by_enumeration(problem)
    if truth.value is None:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certificate_tree, "HARD", hard)
        proof = proof_of(problem, truth.value)
    model = model_of(problem)
    for _ in range(data.draw(st.integers(0, 3))):
        changed(proof, data)
    assert not check_proof({**proof, "bound": truth.value - 1}, model).complete


def changed(content: dict, data: st.DataObject) -> None:
    """One number of the proof changed, or one entry of a list taken out or doubled."""
    place: dict | list = content
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        value = place[key]
        if isinstance(value, dict | list) and value and data.draw(st.integers(0, 9)):
            place = value
            continue
        if isinstance(value, int):
            place[key] = data.draw(st.sampled_from([value + 1, value - 1, -value, 2 * value, 0]))
        elif isinstance(place, list):
            if data.draw(st.booleans()):
                del place[key]
            else:
                place.append(copy.deepcopy(value))
        return


def test_a_limit_leaves_leaves_open() -> None:
    """Out of time the proof says so: what it certifies is the relaxation, not the optimum."""
    problem = whole_parcels(3)
    best = solve(problem, explain=False)
    assert best.bound is not None
    made = certify(problem, best.bound, time_limit_s=-1.0)
    report = check_proof(json.loads(json.dumps(made.content)), model_of(problem))
    if made.open_leaves:
        assert not made.complete
        assert not report.complete
    assert report.problems == ()


def test_the_bytes_are_the_same_every_time() -> None:
    problem = whole_parcels(5)
    bound = solve(problem, explain=False).bound
    assert bound is not None
    assert certify(problem, bound).packed() == certify(problem, bound).packed()


def test_union_catchment_of_a_medium_problem() -> None:
    """300 sites, 400 demand points, groups and a budget: certified, and not one unit less."""
    g = np.random.default_rng(1)
    reach = csr_array((g.random((300, 400)) < 0.03).astype(np.int64))
    problem = SelectionProblem.from_arrays(
        g.integers(0, 3_000, 300),
        count=12,
        costs=g.integers(1, 40, 300),
        budget=150,
        points=g.integers(0, 1_000, (300, 2)),
        separation=60,
        coverage=(reach, g.integers(1, 900, 400)),
    )
    found = solve(problem, explain=False)
    assert found.proven
    assert found.bound is not None
    report = checked(problem, found.bound)
    assert report.complete
    assert not checked(problem, found.bound - 1).complete


def commune_caps(seed: int) -> SelectionProblem:
    """40 sites in 12 communes of 6 EPCI; two sites an EPCI; a commune is granted less than most
    sites take, and some land of the communes may be restored.
    """
    g = np.random.default_rng(seed)
    sites, communes = 40, 12
    commune = g.integers(0, communes, sites)
    charge = g.integers(0, 60, sites)
    parcels = Parcels(g.integers(5, 30, 8), g.integers(1, 20, 8), np.full(8, -1, np.int32))
    of_parcel = g.integers(0, communes, 8)
    constraints: list[Constraint] = [
        Group(f"EPCI {k}", np.flatnonzero(commune // 2 == k), 0, 1 + k % 2) for k in range(6)
    ]
    constraints += [
        Ledger(f"commune {k}", "commune", str(k), np.flatnonzero(commune == k),
               charge[commune == k], np.flatnonzero(of_parcel == k), 10)
        for k in range(communes)
    ]  # fmt: skip
    return SelectionProblem(
        np.arange(sites, dtype=np.int32), g.integers(0, 900, sites), 6, parcels=parcels,
        constraints=tuple(constraints), site_ids=tuple(f"S{i:02d}" for i in range(sites)),
    )  # fmt: skip


def test_caps_that_most_sites_exceed() -> None:
    """Rows are made tighter and columns ruled out, each with its reason."""
    tight, never = 0, 0
    for seed in range(15):
        problem = commune_caps(seed)
        bound = solve(problem, explain=False).bound
        if bound is None:
            continue
        proof = proof_of(problem, bound)
        report = check_proof(proof, model_of(problem))
        assert report.problems == ()
        assert report.complete
        assert not checked(problem, bound - 1).complete
        tight += sum("tight" in row for row in proof["rows"])
        never += len(proof["never"])
    assert tight > 0
    assert never > 0


def test_a_step_too_far_is_refused() -> None:
    problem = commune_caps(1)
    bound = solve(problem, explain=False).bound
    assert bound is not None
    model, proof = model_of(problem), proof_of(problem, bound)
    row = next(one for one in proof["rows"] if "tight" in one)
    row["tight"]["steps"][0][1] += 1
    report = check_proof(proof, model)
    assert not report.complete
    assert "too tight" in str(report.problems[0])


def test_a_column_ruled_out_without_reason_is_refused() -> None:
    problem = commune_caps(1)
    bound = solve(problem, explain=False).bound
    assert bound is not None
    model, proof = model_of(problem), proof_of(problem, bound)
    out = {column for column, _ in proof["never"]}
    kept = next(j for j in range(problem.n_columns) if j not in out)
    proof["never"].append([kept, proof["never"][0][1]])
    report = check_proof(proof, model)
    assert not report.complete
    assert "without a reason" in str(report.problems[0])
