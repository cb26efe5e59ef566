"""Finished runs of the store: the same folders as ``siteselect run`` and ``siteselect batch``."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from siteselect.batches import RunStore
from siteselect.web.asked import Name, Place, Reader
from siteselect.web.results import RunAnswer, describe_run

router = APIRouter(prefix="/runs", tags=["runs"])


class RunEntry(BaseModel):
    """A run of the list. ``objective`` and ``bound`` are score × 10⁶."""

    id: str
    run_id: str
    created: str
    title: str
    pack: str
    status: str
    objective: int
    bound: int
    gap: float
    selected: int
    net_ha: float
    cost_keur: float
    brownfield_share: float


@router.get("")
def runs(place: Place) -> list[RunEntry]:
    """Every finished run, the newest first."""
    found = RunStore(place.runs).entries()
    return [
        RunEntry(
            id=one.folder, run_id=one.run_id, created=one.created, title=one.title, pack=one.pack,
            status=one.status, objective=one.objective, bound=one.bound, gap=one.gap,
            selected=one.selected, net_ha=one.net_ha, cost_keur=one.cost_keur,
            brownfield_share=one.brownfield_share,
        )
        for one in found
        if place.may_name_run(one.folder)
    ]  # fmt: skip


@router.get("/{name}")
def run(name: Name, place: Place, reader: Reader) -> RunAnswer:
    """One run: what was asked, what came of it, what must be known before reading it."""
    return describe_run(place.run_folder(name), reader)
