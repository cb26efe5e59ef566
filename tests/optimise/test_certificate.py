"""Certificates: made for every kind of problem, checked without a solver, and never false."""

from __future__ import annotations

import copy
import gzip
import json

import pytest
from brute import KINDS, random_problem, solve_by_enumeration
from hypothesis import given, settings
from hypothesis import strategies as st

from siteselect.optimise import certify
from siteselect.problem import SelectionProblem
from siteselect.verify.plainproof import model_of
from siteselect.verify.proof import ProofReport, check_proof


def proof_of(problem: SelectionProblem, bound: int) -> dict:
    """As it is read back from a file."""
    return json.loads(json.dumps(certify(problem, bound).content))


def checked(problem: SelectionProblem, bound: int) -> ProofReport:
    return check_proof(proof_of(problem, bound), model_of(problem))


def both_sides(seed: int, kinds: frozenset[str]) -> None:
    """The optimum is certified; one unit less, which is false, is not."""
    problem = random_problem(seed, kinds)
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
