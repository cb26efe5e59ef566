"""Whether the application is there."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter

router = APIRouter(tags=["health"])


@router.get("/health")
def health() -> dict[str, str]:
    """The application answers, and which version it is."""
    return {"status": "ok", "version": version("siteselect")}
