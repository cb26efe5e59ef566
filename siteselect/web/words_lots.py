"""Words of the scripts: lots."""

from __future__ import annotations

from collections.abc import Mapping

from siteselect.batches.papers import STATUS_WORDS
from siteselect.messages import Msg
from siteselect.web.words_keys import LABELS
from siteselect.web.words_scenario import CHOICES, GROUPS

WORDS: Mapping[str, Msg] = {
    **{f"key.{key}": said for key, said in LABELS.items()},
    **{f"group.{key}": said for key, said in GROUPS.items()},
    **{f"choice.{key}": said for key, said in CHOICES.items()},
    **{f"status.{key}": said for key, said in STATUS_WORDS.items()},
    "own_scenarios": Msg("Yours"),
    "shipped_scenarios": Msg("Shipped: starting points"),
    "axis": Msg("Parameter {n}"),
    "axis_key": Msg("Parameter"),
    "axis_values": Msg("Values, separated by semicolons"),
    "axis_hint": Msg("now {value}; for example {example}"),
    "axis_remove": Msg("Remove parameter {n}"),
    "remove": Msg("Remove"),
    "bad_value": Msg("“{value}” is not a number"),
    "no_value": Msg("Give at least one value"),
    "twice": Msg("This parameter varies already"),
    "total_one": Msg("{n} scenario"),
    "total_other": Msg("{n} scenarios"),
    "title": Msg("Batch of {title}"),
    "plan_title": Msg("What will run"),
    "plan_text_one": Msg("{n} scenario, {missing} to compute; the rest is there already."),
    "plan_text_other": Msg("{n} scenarios, {missing} to compute; the rest is there already."),
    "plan_name": Msg("Scenario"),
    "plan_changes": Msg("Changes"),
    "plan_state": Msg("State"),
    "to_run": Msg("to run"),
    "there": Msg("there already"),
    "refused": Msg("refused"),
    "infeasible_known": Msg("infeasible, proven already"),
    "started": Msg("Added to the queue"),
    "batch_running": Msg("running"),
    "batch_interrupted": Msg("interrupted: launch it again, what is done is kept"),
    "batch_scenarios_one": Msg("{n} scenario"),
    "batch_scenarios_other": Msg("{n} scenarios"),
    "figure_done": Msg("Selections made"),
    "figure_infeasible": Msg("Infeasible"),
    "figure_failed": Msg("Failed"),
    "figure_core": Msg("Robust core"),
    "figure_sites": Msg("Sites chosen at least once"),
    "sites_unit": Msg("sites"),
    "core_text_one": Msg(
        "{n} site is chosen in every scenario: it does not depend on what varies here."
    ),
    "core_text_other": Msg(
        "{n} sites are chosen in every scenario: they do not depend on what varies here."
    ),
    "core_none": Msg("No site is chosen in every scenario."),
    "no_runs": Msg("No scenario of this batch has a selection yet."),
    "core": Msg("core"),
    "site": Msg("Site"),
    "kind": Msg("Kind"),
    "commune": Msg("Commune"),
    "departement": Msg("Dép."),
    "region": Msg("Region"),
    "chosen_in": Msg("Chosen in"),
    "share": Msg("Share"),
    "reserve_in": Msg("In reserve"),
    "best_rank": Msg("Best rank"),
    "mean_rank": Msg("Mean rank"),
    "core_column": Msg("Core"),
    "map_core": Msg("Map of the sites chosen in the batch"),
    "tip": Msg("{name} ({commune}), chosen in {n} of {total}"),
    "legend_share": Msg("share of the scenarios that choose it, from low to high"),
    "legend_core": Msg("large and ringed: robust core"),
    "column.name": Msg("Scenario"),
    "column.status": Msg("Status"),
    "column.reason": Msg("Reason"),
    "column.objective": Msg("Objective (points)"),
    "column.gap": Msg("Gap to the proven bound"),
    "column.selected": Msg("Sites"),
    "column.usable_ha": Msg("Usable (ha)"),
    "column.new_artificialisation_ha": Msg("New artificialisation (ha)"),
    "column.net_ha": Msg("Net balance (ha)"),
    "column.brownfield_share": Msg("Brownfield share"),
    "column.total_cost_keur": Msg("Total cost (k€)"),
    "kilobytes": Msg("kB"),
    "see_run_label": Msg("Result of {name}"),
}
