"""The HTTP API, one module a subject."""

from __future__ import annotations

from fastapi import APIRouter


def routers() -> tuple[APIRouter, ...]:
    """Every router, in the order of the documentation."""
    from siteselect.web.api import batches, findings, health, jobs, packs, runs, scenarios, uploads

    return (
        health.router,
        packs.router,
        uploads.router,
        scenarios.router,
        jobs.router,
        batches.router,
        findings.router,
        runs.router,
    )
