"""Faults name file, row, value and remedy, and are raised together."""

import pickle

import pytest

from siteselect.errors import (
    Fault,
    FaultLog,
    InfeasibleError,
    InputError,
    LimitError,
    VerificationError,
    nearest_name,
)
from siteselect.messages import Msg


def test_a_fault_says_where_what_and_how_to_mend():
    fault = Fault(Msg("negative area"), file="sites.csv", where="row 4", value=-2.5,
                  remedy=Msg("correct it"))  # fmt: skip
    assert str(fault) == "sites.csv: row 4: negative area (value: -2.5) — correct it"


def test_all_faults_are_raised_at_once():
    log = FaultLog()
    log.check()
    log.add(Msg("first"))
    log.add(Msg("second"), where="b")
    with pytest.raises(InputError) as caught:
        log.check()
    assert str(caught.value).splitlines() == ["first", "b: second"]
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InputError(Fault(Msg("a"))), 2),
        (InfeasibleError([Msg("a"), Msg("b")]), 3),
        (LimitError(Msg("a")), 4),
        (VerificationError([Msg("a")]), 1),
    ],
)
def test_errors_travel_between_processes_with_their_exit_status(error, status):
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert again.exit_status == status
    assert again.render(lambda message: str(message).upper()) == str(error).upper()


def test_nearest_name():
    assert nearest_name("motorway_mn", ["port_min", "motorway_min"]) == "motorway_min"
    assert nearest_name("zzz", ["port_min"]) is None
