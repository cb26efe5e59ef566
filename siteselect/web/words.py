"""The words that scripts show: one table a screen, rendered in the language of the page."""

from __future__ import annotations

from collections.abc import Mapping

from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.web import (
    words_calcul,
    words_comparaison,
    words_donnees,
    words_lots,
    words_resultat,
    words_scenario,
    words_shell,
)

SCREENS: Mapping[str, Msg] = {
    "donnees": Msg("Data"),
    "scenario": Msg("Scenario"),
    "calcul": Msg("Computation"),
    "resultat": Msg("Result"),
    "comparaison": Msg("Comparison"),
    "lots": Msg("Batches"),
}
"""The six screens, in the order of the menu."""
WORDS: Mapping[str, Mapping[str, Msg]] = {
    "donnees": words_donnees.WORDS,
    "scenario": words_scenario.WORDS,
    "calcul": words_calcul.WORDS,
    "resultat": words_resultat.WORDS,
    "comparaison": words_comparaison.WORDS,
    "lots": words_lots.WORDS,
}


def words_of(screen: str, translator: Translator) -> dict[str, str]:
    """Key → text: what every screen says, and this one."""
    said = {**words_shell.WORDS, **WORDS[screen]}
    return {key: translator.gettext(message.template) for key, message in said.items()}
