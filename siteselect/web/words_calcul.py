"""Words of the scripts: calcul."""

from __future__ import annotations

from collections.abc import Mapping

from siteselect.messages import Msg
from siteselect.web.words_keys import LABELS

KINDS: Mapping[str, Msg] = {
    "run": Msg("Selection"),
    "batch": Msg("Batch"),
    "check": Msg("Check of a pack"),
    "rank": Msg("Replacement costs"),
    "robustness": Msg("Robustness"),
    "alternatives": Msg("Alternatives"),
    "tradeoffs": Msg("Trade-offs"),
    "equity": Msg("Equity"),
    "report": Msg("Files of a run"),
    "explain": Msg("Why this site"),
    "upload": Msg("Reading a file"),
}
WORDS: Mapping[str, Msg] = {
    **{f"kind.{key}": said for key, said in KINDS.items()},
    **{f"key.{key}": said for key, said in LABELS.items()},
    "own_scenarios": Msg("Yours"),
    "shipped_scenarios": Msg("Shipped: starting points"),
    "started": Msg("Added to the queue"),
    "position_one": Msg("next to run"),
    "position_other": Msg("{n} before this one"),
    "cancel_job": Msg("Stop"),
    "cancel_label": Msg("Stop {title}"),
    "cancel_title": Msg("Stop this computation?"),
    "cancel_text": Msg("What was measured is kept; the search is lost."),
    "cancel_yes": Msg("Stop it"),
    "cancelled": Msg("{title}: stopped"),
    "progress_label": Msg("Progress of {title}"),
    "working": Msg("Working"),
    "asked": Msg("asked {moment}"),
    "took": Msg("took {duration}"),
    "since": Msg("for {duration}"),
    "see_result": Msg("See the result"),
    "see_batch": Msg("See the batch"),
    "see_data": Msg("See the data"),
    "again": Msg("Run again"),
    "again_label": Msg("Run {title} again"),
    "edit": Msg("Change the scenario"),
    "log": Msg("Technical log"),
    "failed_title": Msg("What went wrong"),
    "conflict_title": Msg("Why no selection is possible"),
    "conflict_none": Msg("The constraints contradict each other."),
    "remedies_title": Msg("What would make it possible"),
    "remedies_text": Msg(
        "Each button shows its change first, saves it in the scenario, and computes again."
    ),
    "apply": Msg("Apply and compute"),
    "apply_label": Msg("Apply and compute: {text}"),
    "apply_title": Msg("Change the scenario, then compute"),
    "apply_shipped": Msg(
        "A shipped scenario stays as it is: the change is saved in a copy named {name}."
    ),
    "apply_own": Msg("The change is saved in {name}."),
    "apply_yes": Msg("Save and compute"),
    "title_remedied": Msg("{title}, made possible"),
    "change_line": Msg("{key}: {old} → {new}"),
    "no_scenario": Msg("The scenario of this computation is not in the folder any more."),
    "limit_text": Msg(
        "Stopped at the limit: the best selection found is kept, with its gap to the proven bound."
    ),
    "said_done": Msg("{title}: finished"),
    "said_other": Msg("{title}: {state}"),
    "connection_lost": Msg(
        "The application does not answer. This page follows it again as soon as it is back."
    ),
    "connection_back": Msg("The application answers again."),
}
