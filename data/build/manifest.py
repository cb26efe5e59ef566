"""What each layer is, where it comes from, under which licence: the pack's manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from data.build.packages import ADMIN, AIRPORTS, NETWORKS, PORTS, SHAPES, STATIONS
from siteselect.pack import Layer, Manifest, sha256_of, write_manifest
from siteselect.units import CRS

OPEN_LICENCE = "Licence Ouverte 2.0 (Etalab)"
ODBL = "ODbL 1.0"
OSM = "© les contributeurs d'OpenStreetMap"
SIMULATED = (
    "Données simulées par siteselect sur la géographie réelle ; les objets simulés n'existent pas"
)
ODBL_NOTICE = "NOTICE-ODbL.txt"


@dataclass(frozen=True)
class LayerText:
    """The words of one layer; the hash is added when the file exists."""

    role: str
    file: str
    title: str
    licence: str
    attribution: str
    source: str
    vintage: str
    simulated: bool
    note: str


LAYERS = (
    LayerText(
        "communes", "communes.parquet", "Communes de France métropolitaine", OPEN_LICENCE,
        "INSEE, DGCL, La Poste (découpage administratif) ; IGN ADMIN EXPRESS et annuaire de "
        "l'administration (points)",
        f"{ADMIN.label}; {SHAPES.label}", "2026 (population 2023)", False,
        "Point : la mairie quand elle est dans la commune, sinon un point du polygone. {points}",
    ),
    LayerText(
        "labour", "labour.parquet", "Population active par commune (simulée)", OPEN_LICENCE,
        SIMULATED, ADMIN.label, "2023", True,
        "Population × un taux tiré au hasard autour de 46,5 % ; total national réel.",
    ),
    LayerText(
        "outlines", "outlines.parquet", "Contours des régions et départements", OPEN_LICENCE,
        "IGN ADMIN EXPRESS", SHAPES.label, "2024", False,
        "Communes réunies puis simplifiées ensemble : pour les cartes, pas pour mesurer.",
    ),
    LayerText(
        "road_nodes", "road_nodes.parquet", "Nœuds du réseau routier", ODBL, OSM,
        NETWORKS.label, "2024", False,
        "France et 60 km autour ; positions au millième de degré (environ 100 m). {roads}",
    ),
    LayerText(
        "road_edges", "road_edges.parquet", "Tronçons du réseau routier", ODBL, OSM,
        NETWORKS.label, "2024", False,
        "Grandes routes, sans classe ni vitesse ni sens unique ; longueurs × 1,05 car celles du "
        "paquet sont courtes ; lacunes de moins de 1 km fermées (2 km sur une même terre) ; "
        "impasses reliées à moins de 3 km quand le détour est absurde (ponts de la Seine). Les "
        "ponts d'Oléron et de Noirmoutier manquent.",
    ),
    LayerText(
        "rail", "rail.parquet", "Lignes ferroviaires", ODBL, OSM, NETWORKS.label, "2024", False,
        "Lacunes de moins de 2,5 km fermées (Toulon-Nice) ; la Corse n'y figure pas.",
    ),
    LayerText(
        "facilities", "stations.parquet", "Gares desservies par des trains à grande vitesse",
        ODBL, "Trainline EU stations et contributeurs", STATIONS.label, "2024-2025", False,
        "Liste tenue à la main (le paquet ne dit pas quels trains s'arrêtent), positions du "
        "paquet.",
    ),
    LayerText(
        "facilities", "ports.parquet", "Ports de commerce", "Apache-2.0",
        "searoute (G. Halili), fichier des ports", PORTS.label, "2024", False,
        "Liste tenue à la main ; positions du paquet, parfois à la minute près (1 à 2 km).",
    ),
    LayerText(
        "facilities", "ports_communes.parquet", "Ports de commerce absents du fichier des ports",
        OPEN_LICENCE, "INSEE, IGN, annuaire de l'administration", f"{ADMIN.label}; {SHAPES.label}",
        "2024-2025", False, "Liste tenue à la main ; placés au point de leur commune.",
    ),
    LayerText(
        "facilities", "airports.parquet", "Aéroports à vols réguliers", "MIT",
        "airportsdata (M. Borsetti)", AIRPORTS.label, "2024-2025", False,
        "Liste tenue à la main parmi les aéroports à code IATA ; trafic parfois saisonnier.",
    ),
    LayerText(
        "facilities", "interchanges.parquet", "Échangeurs autoroutiers (approchés)", ODBL,
        f"{SIMULATED} ; {OSM}", NETWORKS.label, "2024", True,
        "Le réseau n'a pas de classe : carrefours des 12 000 km de routes les plus empruntés "
        "entre les villes de plus de 40 000 habitants, espacés de 5 km. Aucun en Corse.",
    ),
    LayerText(
        "facilities", "rail_freight.parquet", "Terminaux ferroviaires de fret (simulés)", ODBL,
        f"{SIMULATED} ; {OSM}", NETWORKS.label, "2024", True,
        "Une bifurcation ferroviaire réelle près de chaque ville de plus de 20 000 habitants, "
        "espacées de 25 km.",
    ),
    LayerText(
        "facilities", "substations.parquet", "Postes électriques HTB (simulés)", OPEN_LICENCE,
        SIMULATED, ADMIN.label, "2026", True,
        "3 000 postes de 63 kV et plus, plus denses près des villes.",
    ),
    LayerText(
        "sites", "sites.parquet", "Sites candidats (simulés)", OPEN_LICENCE, SIMULATED,
        f"{ADMIN.label}; {SHAPES.label}", "2026", True,
        "Friches, extensions de zones d'activités et terrains neufs ; surfaces distribuées comme "
        "celles de l'inventaire national. {sites}",
    ),
    LayerText(
        "restoration", "restoration.parquet", "Parcelles à renaturer (simulées)", OPEN_LICENCE,
        SIMULATED, f"{ADMIN.label}; {SHAPES.label}", "2026", True,
        "Entièrement artificialisées ; area_ha arrondie vers le bas.",
    ),
    LayerText(
        "landuse", "landuse.tif", "Occupation du sol à 10 m (simulée)", OPEN_LICENCE, SIMULATED,
        "siteselect", "2026", True,
        "Codes OCS GE (couverture × usage) sous chaque emprise et 160 m autour ; ailleurs vide.",
    ),
    LayerText(
        "landuse_legend", "landuse_legend.csv", "Légende de l'occupation du sol", OPEN_LICENCE,
        "IGN, nomenclature OCS GE", "siteselect", "2026", False,
        "Valeur, code de couverture, code d'usage, libellé.",
    ),
)  # fmt: skip


def write_pack_manifest(folder: Path, seed: int, facts: Mapping[str, str]) -> Manifest:
    """Hash every layer, fill the measured facts into the notes, write ``pack.toml``."""
    manifest = Manifest(
        name="france",
        title="France métropolitaine (sites et sols simulés)",
        crs=CRS,
        seed=seed,
        note="Géographie réelle ; sites, parcelles, sols, postes, échangeurs, terminaux de fret "
        "et population active simulés. Couches ODbL : voir " + ODBL_NOTICE,
        layers=tuple(_layer(folder, text, facts) for text in LAYERS),
    )
    (folder / ODBL_NOTICE).write_text(odbl_notice(), encoding="utf-8")
    write_manifest(manifest, folder)
    return manifest


def odbl_notice() -> str:
    """The notice kept beside the layers under the Open Database License."""
    files = "".join(
        f"- {text.file}: {text.attribution}; from {text.source}\n"
        for text in LAYERS
        if text.licence == ODBL
    )
    return (
        "These files are made available under the Open Database License 1.0:\n"
        "https://opendatacommons.org/licenses/odbl/1-0/\n"
        "Any rights in individual contents of the database are licensed under the Database\n"
        "Contents License 1.0: https://opendatacommons.org/licenses/dbcl/1-0/\n\n"
        f"{files}\n"
        "Contains information from OpenStreetMap, © OpenStreetMap contributors, and from the\n"
        "Trainline EU station list, both made available under the ODbL. Who shares a database\n"
        "derived from these files must share it under the ODbL too. The other files of this\n"
        "folder are separate works under the licences that pack.toml names.\n"
    )


def _layer(folder: Path, text: LayerText, facts: Mapping[str, str]) -> Layer:
    return Layer(
        role=text.role,
        file=text.file,
        title=text.title,
        licence=text.licence,
        attribution=text.attribution,
        source=text.source,
        vintage=text.vintage,
        sha256=sha256_of(folder / text.file),
        simulated=text.simulated,
        note=text.note.format_map(dict(facts)),
    )
