"""The words people read for what the tables call by short English names."""

from __future__ import annotations

from collections.abc import Mapping

from siteselect.i18n import Translator
from siteselect.messages import Msg

WORDS: Mapping[str, Mapping[str, Msg]] = {
    "kind": {
        "brownfield": Msg("brownfield"),
        "extension": Msg("business-park extension"),
        "greenfield": Msg("greenfield site"),
    },
    "status": {
        "selected": Msg("selected"),
        "forced_in": Msg("selected (forced in)"),
        "reserve": Msg("reserve list"),
        "not_selected": Msg("not selected"),
        "forced_out": Msg("left out (forced out)"),
        "excluded": Msg("excluded"),
    },
    "variant": {
        "reuse": Msg("artificialised land only"),
        "full": Msg("whole footprint"),
    },
    "level": {
        "programme": Msg("programme"),
        "pene": Msg("PENE envelope"),
        "national": Msg("national"),
        "region": Msg("region"),
        "departement": Msg("département"),
        "scot": Msg("SCoT"),
        "epci": Msg("EPCI"),
        "commune": Msg("commune"),
    },
    "land_origin": {"measured": Msg("measured"), "assumed": Msg("assumed")},
    "geometry_origin": {
        "polygon": Msg("outline"),
        "disc": Msg("disc of the stated area"),
    },
    "group": {
        "access": Msg("Access"),
        "workforce": Msg("Workforce"),
        "network": Msg("Networks"),
    },
}

CRITERIA: Mapping[str, Msg] = {
    "motorway_min": Msg("Motorway interchange (min)"),
    "rail_freight_min": Msg("Rail freight terminal (min)"),
    "port_min": Msg("Port (min)"),
    "airport_min": Msg("Airport (min)"),
    "station_min": Msg("Passenger station (min)"),
    "labour_30min": Msg("Labour force within 30 min (persons)"),
    "labour_45min": Msg("Labour force within 45 min (persons)"),
    "labour_60min": Msg("Labour force within 60 min (persons)"),
    "labour_potential": Msg("Labour potential (weighted persons)"),
    "labour_per_job": Msg("Workers per job, all sites recruiting at once"),
    "market_potential": Msg("Market potential (inhabitants per minute)"),
    "substation_km": Msg("High-voltage substation (km)"),
    "siding_km": Msg("Private railway siding (km)"),
    "rail_km": Msg("Railway line (km)"),
}

RUN_STATUS: Mapping[str, Msg] = {
    "optimal": Msg("Proven optimum"),
    "within_gap": Msg("Within the accepted gap"),
    "limit": Msg("Stopped at the limit, not proven"),
    "interrupted": Msg("Interrupted: the best so far, not proven"),
}

DISCLAIMER = Msg("Decision support, not a regulatory ZAN computation.")
NONE = "—"


def word(column: str, value: object, translator: Translator) -> str:
    """The word for a code of a column; what has no word is shown as it is."""
    known = WORDS.get(column, {}).get(str(value))
    return str(value) if known is None else translator.text(known)


def criterion_label(measure: str, translator: Translator) -> str:
    """The name of a criterion, by its measured column."""
    known = CRITERIA.get(measure)
    return measure if known is None else translator.text(known)


def reserve_meaning(reserve_by: str) -> Msg:
    """In which order the reserve stands (see ``[ranking]`` of a scenario)."""
    return {
        "next": Msg(
            "What the model takes next, with more places and the selection kept; by score."
        ),
        "model": Msg(
            "First what the model takes when a selected site falls out, by how many it would "
            "replace; then what it takes with more places."
        ),
        "score": Msg("Next sites by score."),
    }[reserve_by]
