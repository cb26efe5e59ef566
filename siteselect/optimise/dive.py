"""A good portfolio quickly: a dive in the relaxation, judged exactly.

Never needed for the proof: it gives an answer to stop with, and a gap to start the search from.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.conflicts import Bools
from siteselect.optimise.exact import Portfolio, Referee
from siteselect.optimise.model import FREE, INSIDE, OUTSIDE
from siteselect.optimise.relaxation import TOLERANCE, Relaxation
from siteselect.optimise.stop import OutOfTimeError, Stop
from siteselect.problem.constraints import Ints

MARGINS = (0.0, 0.002, 0.005, 0.01, 0.02, 0.05)
States = NDArray[np.int8]
SURE = 0.95
MOST_STEPS = 80
MOST_CANDIDATES, CANDIDATES_EACH = 600, 30
"""Exchanges are looked for among so many columns, or so many for each site wanted."""


def dive(relaxation: Relaxation, referee: Referee, *, stop: Stop) -> Portfolio | None:
    """The first dive that the referee accepts, holding back more and more of the budget.

    Parcels restored whole cost a little more than the relaxation says; so money is held back.
    """
    state, shut = relaxation.state.copy(), relaxation.shut.copy()
    found = None
    relaxation.lp.seconds_left = stop.seconds_left
    for share in MARGINS:
        if not relaxation.leave_money(share) and share > 0:
            break
        relaxation.fix(state, shut)
        try:
            found = _dive(relaxation, referee, stop)
        except OutOfTimeError:
            break
        if found is not None or stop():
            break
    relaxation.leave_money(0.0)
    relaxation.fix(state, shut)
    return found


def rounded(relaxation: Relaxation, referee: Referee) -> Portfolio | None:
    """The columns that the relaxation chooses most, one a site and none in conflict, judged."""
    model = relaxation.model
    taken: list[int] = []
    sites: list[int] = []
    for i in np.argsort(-relaxation.x, kind="stable").tolist():
        column = int(relaxation.columns[i])
        site = int(model.site[column])
        if len(taken) == model.count or (model.at_most and relaxation.x[i] <= TOLERANCE):
            break
        if site in sites or relaxation.state[site] == OUTSIDE:
            continue
        if model.conflicts and np.isin(sites, model.conflicts.neighbours(site)).any():
            continue
        taken.append(column)
        sites.append(site)
    return referee.judge(np.array(sorted(taken), np.int64))


def _dive(relaxation: Relaxation, referee: Referee, stop: Stop) -> Portfolio | None:
    """Fix what the relaxation chooses almost wholly, and the most chosen of the rest, in turn.

    A step that leaves nothing feasible is taken back and its choice forbidden. The relaxation is
    left at other fixings than it had.
    """
    state, shut = relaxation.state.copy(), relaxation.shut.copy()
    otherwise: tuple[States, Bools] | None = None
    for _ in range(MOST_STEPS):
        if stop():
            return None
        relaxation.fix(state, shut)
        relaxation.solve()
        if relaxation.lp.excess > TOLERANCE:
            if otherwise is None:
                return None
            (state, shut), otherwise = otherwise, None
            continue
        if relaxation.separate():
            continue
        column = _most_chosen(relaxation, state)
        if column is None:
            return referee.judge(np.sort(relaxation.columns[relaxation.x > 0.5]))
        otherwise = _forbid(relaxation, column, state, shut)
        state, shut = _impose(relaxation, column, state, shut)
    return None


def _most_chosen(relaxation: Relaxation, state: States) -> int | None:
    """The best column of the site most chosen in part; then of variants that are mixed."""
    loads, columns, x = relaxation.loads(), relaxation.columns, relaxation.x
    part = (loads > TOLERANCE) & (loads < 1 - TOLERANCE) & (state == FREE)
    among = part[relaxation.model.site[columns]] & (x > TOLERANCE)
    if not among.any():
        among = (x > TOLERANCE) & (x < 1 - TOLERANCE)
        if not among.any():
            return None
        return int(columns[among][np.argmax(x[among])])
    weight = np.where(among, loads[relaxation.model.site[columns]] + 1e-3 * x, -1.0)
    return int(columns[np.argmax(weight)])


def _mixed(relaxation: Relaxation, site: int) -> bool:
    """Whether the solution chooses the whole site, as a mix of variants."""
    return bool(relaxation.loads()[site] > 1 - TOLERANCE)


def _impose(
    relaxation: Relaxation, column: int, state: States, shut: Bools
) -> tuple[States, Bools]:
    """The site of a column in, with all that is almost sure; or, of a mix, this variant only."""
    model = relaxation.model
    site = int(model.site[column])
    state, shut = state.copy(), shut.copy()
    if _mixed(relaxation, site):
        own = np.arange(model.start[site], model.start[site + 1])
        shut[own[own != column]] = True
    else:
        state[(relaxation.loads() > SURE) & (state == FREE)] = INSIDE
    state[site] = INSIDE
    return state, shut


def _forbid(
    relaxation: Relaxation, column: int, state: States, shut: Bools
) -> tuple[States, Bools]:
    """What to do instead where imposing a column leaves nothing feasible."""
    site = int(relaxation.model.site[column])
    state, shut = state.copy(), shut.copy()
    if _mixed(relaxation, site):
        shut[column] = True
    else:
        state[site] = OUTSIDE
    return state, shut


def promising(relaxation: Relaxation, penalty: Ints) -> Ints:
    """Columns of the relaxation with the smallest penalties, ascending."""
    columns = relaxation.columns
    many = max(MOST_CANDIDATES, CANDIDATES_EACH * relaxation.model.count)
    order = np.argsort(penalty[columns], kind="stable")[:many]
    return np.sort(columns[order])
