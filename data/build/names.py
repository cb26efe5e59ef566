"""French names for simulated sites: generic words, no real company, marked as simulated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

WORKS = (
    "la filature", "la tuilerie", "la briqueterie", "la fonderie", "la scierie", "la papeterie",
    "la sucrerie", "la laiterie", "la verrerie", "la tannerie", "la cimenterie", "la minoterie",
    "la conserverie", "la distillerie", "la brasserie", "la manufacture", "la teinturerie",
    "la chaudronnerie", "la corderie", "la faïencerie", "la menuiserie industrielle",
    "l'imprimerie", "l'usine à gaz", "l'usine textile", "l'usine mécanique", "l'abattoir",
    "l'atelier ferroviaire", "l'entrepôt frigorifique", "l'hôpital", "la caserne",
    "la gare de marchandises", "la plateforme logistique", "la coopérative", "la centrale à béton",
)  # fmt: skip
LARGE_WORKS = (
    "l'aciérie", "la base militaire", "la centrale thermique", "la raffinerie", "la carrière",
    "le dépôt pétrolier", "le complexe chimique", "l'usine automobile", "le carreau de mine",
    "la gare de triage", "l'arsenal", "le haut fourneau",
)  # fmt: skip
PLACES = (
    "des Prés", "du Moulin", "des Grands Champs", "de la Plaine", "du Bois", "des Peupliers",
    "de la Gare", "du Canal", "des Quatre Chemins", "de la Croix", "des Vignes", "du Levant",
    "du Ponant", "de la Vallée", "des Sablons", "du Plateau", "des Landes", "de la Fontaine",
    "des Ormes", "du Pont", "des Tilleuls", "de la Butte", "des Chênes", "du Ruisseau",
    "de l'Étang", "de la Ferme", "des Carrières", "du Chemin Vert", "des Noyers", "de la Garenne",
)  # fmt: skip


SOILS = ("du parking", "de l'ancienne aire de stockage", "de la plateforme", "de l'ancien dépôt")


def brownfield_name(area_ha: float, commune: str, rng: np.random.Generator) -> str:
    """``Friche de l'ancienne filature, Commune (simulée)``: large sites get large works."""
    pool = LARGE_WORKS if area_ha >= 40 else WORKS
    return f"Friche {_former(pool[rng.integers(len(pool))])}, {commune} (simulée)"


def extension_name(commune: str, rng: np.random.Generator) -> str:
    """``Extension de la zone d'activités des Prés, Commune (simulée)``."""
    place = PLACES[rng.integers(len(PLACES))]
    return f"Extension de la zone d'activités {place}, {commune} (simulée)"


def greenfield_name(commune: str, rng: np.random.Generator) -> str:
    """``Terrain des Grands Champs, Commune (simulé)``."""
    return f"Terrain {PLACES[rng.integers(len(PLACES))]}, {commune} (simulé)"


def parcel_name(commune: str, rng: np.random.Generator) -> str:
    """``Renaturation du parking des Prés, Commune (simulée)``."""
    return (
        f"Renaturation {SOILS[rng.integers(len(SOILS))]} {PLACES[rng.integers(len(PLACES))]}, "
        f"{commune} (simulée)"
    )


def numbered(names: Sequence[str]) -> list[str]:
    """Names made distinct: the second and later of a kind get a number."""
    seen: Counter[str] = Counter()
    distinct: list[str] = []
    for name in names:
        seen[name] += 1
        rank = seen[name]
        distinct.append(name if rank == 1 else name.replace(" (simulé", f" n° {rank} (simulé"))
    return distinct


def _former(noun: str) -> str:
    if noun.startswith("la "):
        return f"de l'ancienne {noun[3:]}"
    if noun.startswith("le "):
        return f"de l'ancien {noun[3:]}"
    word = noun[2:]
    feminine = word.split()[0] in {"usine", "imprimerie", "aciérie"}
    return f"de l'ancienne {word}" if feminine else f"de l'ancien {word}"
