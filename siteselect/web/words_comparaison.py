"""Words of the scripts: comparaison."""

from __future__ import annotations

from collections.abc import Mapping

from siteselect.messages import Msg
from siteselect.web import words_resultat

SHARED = (
    "list_caption",
    "map_is_table",
    "all_regions",
    "no_site_left",
    "site",
    "commune",
    "kind",
    "region",
    "search",
    "status_selected",
    "status_forced_in",
    "status_reserve",
    "status_not_selected",
    "status_forced_out",
    "status_excluded",
    "territory",
    "bytes",
)
"""Words of the result that this screen says too."""
WORDS: Mapping[str, Msg] = {
    **{key: words_resultat.WORDS[key] for key in SHARED},
    "reference_n": Msg("Result {letter} (reference)"),
    "result_n": Msg("Result {letter}"),
    "remove": Msg("Leave out result {letter}"),
    "choose_two": Msg("Choose two different results at least."),
    "compared": Msg("Compared: {titles}"),
    "totals_caption": Msg("Figures of each result"),
    "figure": Msg("Figure"),
    "difference": Msg("Difference from {letter}"),
    "settings_title": Msg("What the scenarios ask differently"),
    "settings_caption": Msg("Keys of the scenarios that differ"),
    "settings_same": Msg("The scenarios ask for the same."),
    "setting": Msg("Key of the scenario"),
    "agreement_title": Msg("Agreement"),
    "agreement_caption": Msg("Agreement of the results two by two"),
    "agreement_said": Msg(
        "{first} and {second}: {kept} sites in common, {entered} enter, {left} leave."
    ),
    "jaccard_said": Msg("Jaccard index {jaccard}."),
    "kendall_said": Msg("Kendall's tau of the scores: {tau}."),
    "move_kept": Msg("in every result"),
    "move_entered": Msg("enters"),
    "move_left": Msg("leaves"),
    "move_mixed": Msg("in some results"),
    "all_moves": Msg("all"),
    "movement": Msg("Movement"),
    "moves_caption": Msg("Sites that a result selects at least"),
    "map_moves": Msg("Map of the sites kept, entered and left; the list beside it says the same"),
    "regions_caption": Msg("Sites and usable hectares by region"),
    "criteria_caption": Msg("Mean points by criterion"),
    "ledgers_caption": Msg("Net balance, cap and margin by territory"),
    "ledgers_level": Msg("Level"),
    "only_different": Msg("only those that differ"),
    "no_difference": Msg("The results agree."),
}
