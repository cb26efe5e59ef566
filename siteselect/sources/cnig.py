"""Words of the standard CNIG friches 1.0.6, and how real exports write them."""

from __future__ import annotations

import re

import pandas as pd

from siteselect.schemas import SITE_STATUSES

POLLUTION = (
    "pollution inexistante",
    "pollution traitée",
    "pollution peu probable",
    "pollution supposée",
    "pollution avérée",
    "inconnu",
    "autre",
    "sans objet",
)
BUILDINGS = (
    "dégradation inexistante ou faible",
    "dégradation moyenne",
    "dégradation très importante",
    "dégradation hétérogène",
    "inconnu",
    "autre",
    "sans objet",
)
TYPES = (
    "friche industrielle",
    "friche commerciale",
    "friche hospitalière",
    "friche agro-industrielle",
    "friche carrière ou mine",
    "friche militaire",
    "friche d'habitat",
    "friche d'équipement public",
    "friche portuaire",
    "friche aéroportuaire",
    "friche ferroviaire",
    "friche logistique",
    "friche loisir tourisme hôtellerie",
    "friche enseignement",
    "friche cultuelle",
    "mixte - dominante habitat",
    "mixte - autre",
    "inconnu",
    "autre",
    "sans objet",
)
STATUS_VARIANTS = {
    status.removeprefix("friche "): status for status in SITE_STATUSES if status.startswith("fri")
}
POLLUTION_VARIANTS = {word.removeprefix("pollution "): word for word in POLLUTION[:5]}
TYPE_VARIANTS = {word.removeprefix("friche "): word for word in TYPES if word.startswith("fri")} | {
    "mixte": "mixte - autre",
    "friche mixte": "mixte - autre",
    "friche d'habitation": "friche d'habitat",
    "friche touristique": "friche loisir tourisme hôtellerie",
}
ZONES = ("U", "AUc", "AUs", "A", "N", "Zc", "ZCa", "ZnC", "RNU", "inconnu", "autre", "sans objet")
ZONE_VARIANTS = {"Nh": "N", "Ah": "A"}
"""Hamlets inside natural and farming zones: the standard has no word for them."""

_NAMED_CALL = r"^Appel à projet (?:.*- friche ?:|Fonds Vert \d{4} ?-)\s*(\S.*)$"
_FILE_OF_CALL = re.compile(r"^Appel à projet .*\(Dossier N° ?(\d+)\).* - (.*\S)\s*$")


def short_names(names: pd.Series[str]) -> pd.Series[str]:
    """Names of sites that are read from a call for projects, without the name of the call.

    ``"Appel à projet Fonds Vert 2023 -Ilot gare"`` → ``"Ilot gare"``; where the call does not
    name the site, ``"Morlaàs (dossier 3760841)"``. Other names lose repeated spaces only.
    """
    tidy = names.str.replace(r"\s+", " ", regex=True).str.strip()
    named = tidy.str.extract(_NAMED_CALL, expand=False).str.strip()
    filed = tidy.str.extract(_FILE_OF_CALL)
    by_file = (filed[1] + " (dossier " + filed[0] + ")").astype("str")
    long = tidy.str.startswith("Appel à projet").fillna(False).astype(bool)
    found = named.where(named.notna() & (named != ""), by_file)
    return tidy.mask(long & found.notna(), found)
