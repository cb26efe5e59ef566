"""The CNIG standard *Sites économiques* (October 2023): fields and words of its two classes read.

SITE-ECO is a business park, TERRAIN-ECO a plot in one. Facts from the table schemas that CNIG
publishes (github.com/cnigfr/schema-sites-economiques, Licence Ouverte 2.0); areas in hectares,
outlines in GeoJSON, points as « lon, lat ».
"""

from __future__ import annotations

from collections.abc import Mapping

ENUMERATIONS: Mapping[str, tuple[str, ...]] = {
    "site_type": (
        "zone d'activité économique", "site économique historique hors ZAE",
        "établissement économique isolé", "réserve foncière",
    ),
    "site_vocadomi": (
        "industrielle", "commerciale", "tertiaire", "artisanale", "touristique", "portuaire",
        "aéroportuaire, aéronautique", "entrepôts, logistique", "logistique agricole", "mixte",
    ),
    "site_etat": (
        "en projet", "création", "existant et actif", "projet de déclassement", "déclassé",
        "annulé",
    ),
    "site_evol_urba": ("extension urbaine", "renouvellement urbain", "mixte"),
    "terr_maitrise_fonc": (
        "personne physique", "Etat", "région", "département", "structure intercommunale",
        "commune", "autre collectivité territoriale", "organisme de logement social",
        "établissement public foncier", "SEM ou SPLA", "aménageur", "investisseur professionnel",
        "établissement de santé et structure sociale",
        "établissement de tourisme et structure de loisir sportive ou cultuelle",
        "établissement industriel et commercial", "organisation de gestion foncière et immobilière",
        "établissement d'enseignement d'étude et de recherche", "inconnu", "autre", "sans objet",
    ),
    "terr_stade_amngt": (
        "non aménageable", "non aménagé, non viabilisé", "viabilisation en cours",
        "viabilisé non aménagé", "viabilisé et aménagé", "inconnu", "autre", "sans objet",
    ),
    "terr_stade_comm": (
        "non commercialisé", "non commercialisable", "en vente", "en vente avec contraintes",
        "vendu, commercialisation achevée", "réservé par option de réservation",
        "réservé par une délibération de l'EPCI", "inconnu", "autre", "sans objet",
    ),
    "terr_etat_occup": (
        "inoccupé", "occupation en transition", "occupé", "vacant", "friche", "inconnu", "autre",
        "sans objet",
    ),
    "terr_cle_en_main": ("oui", "non"),
}  # fmt: skip
VARIANTS: Mapping[str, Mapping[str, str]] = {
    "site_etat": {"existant": "existant et actif", "actif": "existant et actif"},
    "site_evol_urba": {"extension": "extension urbaine", "renouvellement": "renouvellement urbain"},
}
"""Other spellings; the first two are those of CNIG's own example."""
KEPT_AS: Mapping[str, str] = {
    "site_type": "stated_type",
    "site_vocadomi": "stated_use",
    "site_etat": "stated_status",
    "site_evol_urba": "stated_growth",
    "terr_maitrise_fonc": "stated_land_control",
    "terr_stade_amngt": "stated_stage",
    "terr_stade_comm": "stated_sale",
    "terr_etat_occup": "stated_occupation",
    "terr_cle_en_main": "stated_turnkey",
}
"""Field of the standard → column of the sites of a pack."""
GONE = ("déclassé", "annulé")
"""States of a site that is no business park any more."""
TAKEN: Mapping[str, tuple[str, ...]] = {
    "terr_stade_amngt": ("non aménageable",),
    "terr_stade_comm": ("non commercialisable", "vendu, commercialisation achevée"),
    "terr_etat_occup": ("occupé",),
}
"""Words that say that a plot cannot be had."""
