"""What a reader must know of a run before its figures: identity, status, law, sources, units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from siteselect import objectives
from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.pack import Layer
from siteselect.report.words import DISCLAIMER, RUN_STATUS
from siteselect.runs import Run
from siteselect.units import score_from_units

_SIX = "#,##0.000000"
_HECTARES = '#,##0.00" ha"'
_MILLIONS = '#,##0.0" M€"'


METHOD = Msg(
    "Every site is measured (land under its footprint, minutes on the road network, workers "
    "within reach, distance to networks) and scored by the criteria below. The selection is the "
    "set of sites of highest total score that respects every rule of the scenario; an exact "
    "solver proves that none is better, and a separate program recomputes every constraint from "
    "the inputs."
)


def method(run: Run) -> tuple[Msg, ...]:
    """What is done, in a few sentences."""
    return (*_counted(run), *_weighed(run))


def _weighed(run: Run) -> tuple[Msg, ...]:
    """How several objectives are weighed, where there are."""
    wanted, said = run.scenario.objective, list[Msg]()
    if wanted.mode == "lexicographic":
        said.append(
            Msg("Several objectives are optimised in order, each kept within its tolerance while "
                "the next one is; the total score decides at the end.")
        )  # fmt: skip
    if wanted.floors or wanted.caps:
        said.append(
            Msg("The scenario sets floors or caps on other objectives: no portfolio that misses "
                "one of them is considered.")
        )  # fmt: skip
    return tuple(said)


def _counted(run: Run) -> tuple[Msg, ...]:
    if run.scenario.catchment.mode == "off":
        return (METHOD,)
    wanted = run.scenario.catchment
    if wanted.mode == "capacity":
        return (
            METHOD,
            Msg(
                "On top of the scores, the objective counts the jobs that workers within "
                "{minutes:g} min by car can fill: {jobs:g} jobs per usable hectare, {share:.1%} of "
                "the labour force can be hired (assumptions), each worker for one job.",
                minutes=wanted.minutes,
                jobs=wanted.jobs_per_ha,
                share=wanted.available_share,
            ),
        )
    return (
        METHOD,
        Msg(
            "On top of the scores, the objective counts the workers within {minutes:g} min by car "
            "of at least one selected site, each once (maximal covering, Church and ReVelle "
            "1974): reaching all of them would be worth {weight:g} points of mean score.",
            minutes=wanted.minutes,
            weight=wanted.weight,
        ),
    )


@dataclass(frozen=True)
class Fact:
    """One line: a label and its value, already in the language of the reader."""

    label: str
    value: str
    number: float | None = None
    excel: str = ""
    """number format of the workbook, where the value is a number"""


def status_text(run: Run, t: Translator) -> str:
    """« optimum prouvé » and its like."""
    known = RUN_STATUS.get(run.result.status)
    return run.result.status if known is None else t.text(known)


def is_proven(run: Run) -> bool:
    """Whether the selection is the proven optimum (gap 0)."""
    return run.result.status == "optimal"


def identity(run: Run, t: Translator) -> list[Fact]:
    """Scenario, pack, run, date."""
    facts = [
        Fact(t.text(Msg("Scenario")), run.scenario.title),
        Fact(t.text(Msg("Description")), run.scenario.description.strip() or "—"),
        Fact(t.text(Msg("Run")), run.run_id),
    ]
    day = run.created.date()
    serial = float((day - date(1899, 12, 30)).days)  # what a spreadsheet calls a date
    facts.append(Fact(t.text(Msg("Date")), t.date(day), serial, "dd/mm/yyyy"))
    facts.append(Fact(t.text(Msg("Data pack")), run.pack.manifest.title))
    return facts


def outcome(run: Run, t: Translator) -> list[Fact]:
    """Status, objective, bound, gap, counts."""
    result = run.result
    objective, bound = score_from_units(result.objective), score_from_units(result.bound)
    gap = t.percent(result.gap, 4 if result.gap else 0)
    facts = [
        Fact(t.text(Msg("Status of the computation")), status_text(run, t)),
        Fact(t.text(objective_name(run)), t.number(objective, 6), objective, _SIX),
        Fact(t.text(Msg("Proven upper bound")), t.number(bound, 6), bound, _SIX),
        Fact(t.text(Msg("Gap between the two")), gap, result.gap, "0.0000%"),
    ]
    labels = {
        "sites": Msg("Candidate sites"),
        "considered": Msg("Sites considered"),
        "excluded": Msg("Excluded sites"),
        "selected": Msg("Selected sites"),
        "forced_in": Msg("Sites forced in"),
        "reserve": Msg("Sites in reserve"),
    }
    for key, label in labels.items():
        if key in result.counts:
            count = result.counts[key]
            facts.append(Fact(t.text(label), t.number(count), count, "#,##0"))
    return facts


def objective_name(run: Run) -> Msg:
    """What the objective sums."""
    if run.scenario.catchment.mode == "off":
        return Msg("Objective (sum of scores)")
    if run.scenario.catchment.mode == "capacity":
        return Msg("Objective (sum of scores, and jobs filled)")
    return Msg("Objective (sum of scores, and workers within reach)")


def catchment(run: Run, t: Translator) -> list[Fact]:
    """Workers within reach of the selection, each once; nothing without a catchment."""
    values, minutes = run.result.totals, run.scenario.catchment.minutes
    if "filled_jobs" in values:
        return _jobs(values, minutes, t)
    if "covered_workers" not in values:
        return []
    covered, share = values["covered_workers"], values["covered_share"]
    within = Msg("Workers within {minutes:g} min of a selected site, each counted once",
                 minutes=minutes)  # fmt: skip
    of_all = Msg("Share of the {workers} workers of reference",
                 workers=t.number(values["reference_workers"]))  # fmt: skip
    points = score_from_units(values["catchment_points"])
    brought = Msg("What they bring to the objective (points)")
    return [
        Fact(t.text(within), t.number(covered), covered, "#,##0"),
        Fact(t.text(of_all), t.percent(share, 1), share, "0.0%"),
        Fact(t.text(brought), t.number(points, 6), points, _SIX),
    ]


def _jobs(values: Mapping[str, float], minutes: float, t: Translator) -> list[Fact]:
    """Jobs offered and filled by the selection, and what they bring."""
    offered, filled = values["offered_jobs"], values["filled_jobs"]
    points = score_from_units(values["catchment_points"])
    label = Msg("Jobs filled by workers within {minutes:g} min", minutes=minutes)
    offers = Msg("Jobs that the selected sites offer")
    return [
        Fact(t.text(offers), t.number(offered), offered, "#,##0"),
        Fact(t.text(label), t.number(filled), filled, "#,##0"),
        Fact(t.text(Msg("What they bring to the objective (points)")), t.number(points, 6), points,
             _SIX),
    ]  # fmt: skip


def totals(run: Run, t: Translator) -> list[Fact]:
    """Sums over the selection."""
    values = run.result.totals
    hectares = {
        "usable_ha": Msg("Usable area"),
        "new_artificialisation_ha": Msg("Gross new artificialisation"),
        "restored_ha": Msg("Restored land"),
        "net_ha": Msg("Net artificialisation balance"),
    }
    money = {
        "cost_keur": Msg("Cost of the sites"),
        "restoration_cost_keur": Msg("Cost of restoration"),
    }
    facts = []
    for key, label in hectares.items():
        if key in values:
            facts.append(Fact(t.text(label), t.ha(values[key]), values[key], _HECTARES))
    for key, label in money.items():
        if key in values:
            shown = millions(values[key], t)
            facts.append(Fact(t.text(label), shown, values[key] / 1000, _MILLIONS))
    if "brownfield_share" in values:
        share = values["brownfield_share"]
        facts.append(Fact(t.text(Msg("Brownfield share")), t.percent(share), share, "0%"))
    return [*facts, *catchment(run, t), *goals(run, t)]


def goals(run: Run, t: Translator) -> list[Fact]:
    """Each objective that came before the score: best, bound, status, what is kept."""
    facts = []
    for number, one in enumerate(run.result.stages, start=1):
        name = objectives.objective_name(str(one["by"]))
        label = Msg("Objective {number}: {name}", number=number, name=name)
        best, bound, kept = objectives.stage_figures(one, run.scenario.count)
        value = Msg("{best} (bound {bound}, {status}), kept at {kept}", best=best, bound=bound,
                    status=RUN_STATUS[str(one["status"])], kept=kept)  # fmt: skip
        facts.append(Fact(t.text(label), t.text(value)))
    return facts


def millions(keur: float | None, t: Translator) -> str:
    """k€ → millions of euros, in text."""
    return t.number(None if keur is None else keur / 1000, 1) + "\u00a0M€"


def law(run: Run, t: Translator) -> list[Fact]:
    """Legal regime: title, version, period, sources, note."""
    book = run.rulebook
    return [
        Fact(t.text(Msg("Legal regime")), book.title(t.lang)),
        Fact(t.text(Msg("Rules")), f"{book.id}, version {book.version}"),
        Fact(t.text(Msg("Period")), book.period),
        Fact(t.text(Msg("Texts")), " ; ".join(book.sources)),
        Fact(t.text(Msg("Note")), book.note(t.lang)),
    ]


def units(t: Translator) -> list[Fact]:
    """Units and conventions of every file."""
    return [
        Fact(t.text(Msg("Areas")), t.text(Msg("hectares, two decimals"))),
        Fact(t.text(Msg("Times")), t.text(Msg("minutes by car on the road network"))),
        Fact(t.text(Msg("Distances")), t.text(Msg("kilometres, as the crow flies"))),
        Fact(t.text(Msg("Costs")), t.text(Msg("thousands of euros (k€), before tax"))),
        Fact(t.text(Msg("Scores")), t.text(Msg("0 (worst) to 1 (best)"))),
        Fact(
            t.text(Msg("unreachable")),
            t.text(Msg("no facility of that class can be reached by road from the site")),
        ),
        Fact(
            t.text(Msg("unknown")),
            t.text(Msg("the data pack does not say; unknown never counts as favourable")),
        ),
        Fact(t.text(Msg("Codes")), t.text(Msg("INSEE and SIREN codes are text (01004, 2A004)"))),
        Fact(t.text(Msg("Coordinates")), t.text(Msg("Lambert-93 (EPSG:2154)"))),
        Fact(
            t.text(Msg("Sites not selected")),
            t.text(Msg("their areas and costs describe the whole footprint")),
        ),
        Fact(
            t.text(Msg("CSV files")),
            t.text(
                Msg(
                    "Excel drops the leading zeros of codes when it opens a CSV file: "
                    "use the workbook, or import the columns of codes as text; "
                    "a text that begins like a formula has an apostrophe in front"
                )
            ),
        ),
    ]


def origin(layer: Layer, t: Translator) -> str:
    """Whether a layer is simulated, assumed or observed."""
    if layer.simulated:
        return t.text(Msg("simulated"))
    return t.text(Msg("assumed")) if layer.assumed else t.text(Msg("observed"))


def simulated_titles(layers: Sequence[Layer]) -> tuple[str, ...]:
    """Titles of the layers that are simulated."""
    return tuple(layer.title for layer in layers if layer.simulated)


def map_sources(layers: Sequence[Layer]) -> tuple[str, ...]:
    """Attributions of the layers drawn on the map, each once."""
    drawn = ("outlines", "road_nodes", "road_edges", "sites", "restoration")
    return tuple(dict.fromkeys(layer.attribution for layer in layers if layer.role in drawn))


def label(run: Run, t: Translator) -> str:
    """What a file that travels alone must still say: no ruling, the regime, what is not real."""
    regime = Msg("regime: {title} ({version})", title=run.rulebook.title(t.lang),
                 version=run.rulebook.version)  # fmt: skip
    return " ; ".join([t.text(DISCLAIMER), t.text(regime), *notices(run, t)])


def notices(run: Run, t: Translator) -> list[str]:
    """The notices of a run; those that differ only by a title are said in one sentence."""
    grouped: dict[str, list[Msg]] = {}
    for notice in run.notices:
        titled = set(notice.values) == {"title"}
        same_as = notice.template if titled else str(notice)
        grouped.setdefault(same_as, []).append(notice)
    sentences = []
    for same in grouped.values():
        if len(same) == 1:
            sentences.append(t.text(same[0]))
        else:
            titles = " ; ".join(str(notice.values["title"]) for notice in same)
            first = same[0]
            sentences.append(t.text(Msg(first.template, title=titles)))
    return sentences


def rests_on_assumptions(run: Run) -> bool:
    """Whether a layer is assumed, or land was assumed under a site of the shortlist."""
    layers = any(layer.assumed for layer in run.pack.manifest.layers)
    return layers or bool((run.shortlist["land_origin"] == "assumed").any())
