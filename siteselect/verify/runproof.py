"""The certificate of a run against the requirements that the auditor reads from its inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from siteselect.measuring import Measured
from siteselect.messages import Msg
from siteselect.rulebook import Rulebook
from siteselect.rundir import PROOF
from siteselect.scenario import Scenario
from siteselect.verify.goals import FEWER
from siteselect.verify.proof import ProofReport, check_proof, read_proof
from siteselect.verify.proofrows import model_of_run

KNOWN = ("off", "union", "capacity")
"""Modes of the catchment whose objective the auditor can bound; another is refused."""


def check_run_proof(
    folder: Path,
    measured: Measured,
    scenario: Scenario,
    rulebook: Rulebook,
    result: Mapping[str, Any],
    problems: list[Msg],
) -> list[Msg]:
    """Adds what is wrong to ``problems``; returns what was checked."""
    path = folder / PROOF
    if not path.is_file():
        problems.append(
            Msg("the run has no {file}: run the scenario again with solve.certificate = true",
                file=PROOF)
        )  # fmt: skip
        return []
    proof = read_proof(path)
    if not isinstance(proof, Msg) and scenario.catchment.mode not in KNOWN:
        mode = scenario.catchment.mode
        proof = Msg(
            "{file}: no proof covers the objective of this scenario (catchment.mode {mode})",
            file=PROOF,
            mode=mode,
        )
    if isinstance(proof, Msg):
        problems.append(proof)
        return []
    stated = int(result["bound"])
    if proof.get("bound") != stated:
        problems.append(
            Msg("the proof is of the bound {proof}, the run states {stated}",
                proof=str(proof.get("bound")), stated=stated)
        )  # fmt: skip
        return []
    stages = list(result.get("stages", ()))
    report = check_proof(proof, model_of_run(measured, scenario, rulebook, stages))
    problems += report.problems or _short_of(report)
    problems += _stages(proof, measured, scenario, rulebook, stages)
    return [
        Msg("the proof holds: {leaves} leaves closed in integers, {lemmas} choices without "
            "restoration, no portfolio is worth more than {bound}", leaves=report.leaves,
            lemmas=report.lemmas, bound=report.bound)
    ]  # fmt: skip


def _stages(
    proof: Mapping[str, Any],
    measured: Measured,
    scenario: Scenario,
    rulebook: Rulebook,
    stages: Sequence[Mapping[str, Any]],
) -> Iterator[Msg]:
    """The proof of each objective that was optimised before, under the rows before it."""
    proofs = proof.get("stages", [])
    if not isinstance(proofs, list) or len(proofs) != len(stages):
        yield Msg("the proof has {given} stages, the run {needed}", given=str(len(proofs)),
                  needed=len(stages))  # fmt: skip
        return
    for k, (one, content) in enumerate(zip(stages, proofs, strict=True)):
        claim = -one["bound"] if one["by"] in FEWER else one["bound"]
        if content.get("bound") != claim:
            yield Msg("the proof is of the bound {proof}, the run states {stated}",
                      proof=str(content.get("bound")), stated=claim)  # fmt: skip
            continue
        model = model_of_run(measured, scenario, rulebook, stages[:k], by=one["by"])
        report = check_proof(content, model)
        yield from report.problems or _short_of(report)


def _short_of(report: ProofReport) -> list[Msg]:
    """Where the proof certifies less than it claims."""
    if report.complete:
        return []
    share = report.closed / max(report.leaves, 1)
    if report.certified is None:
        return [
            Msg("the bound {stated} is not certified: {closed} of {leaves} leaves are closed "
                "({share:.0%})", stated=report.bound, closed=report.closed, leaves=report.leaves,
                share=share)
        ]  # fmt: skip
    return [
        Msg("the bound {stated} is not certified: {closed} of {leaves} leaves are closed "
            "({share:.0%}); certified is that no portfolio is worth more than {certified}",
            stated=report.bound, closed=report.closed, leaves=report.leaves, share=share,
            certified=report.certified)
    ]  # fmt: skip
