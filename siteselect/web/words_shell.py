"""Words of the scripts that every screen shares: table, map, faults, states of a job."""

from __future__ import annotations

from collections.abc import Mapping

from siteselect.messages import Msg

WORDS: Mapping[str, Msg] = {
    # values
    "unknown": Msg("unknown"),
    "unreachable": Msg("unreachable"),
    "yes": Msg("yes"),
    "no": Msg("no"),
    "none": Msg("none"),
    # actions
    "confirm": Msg("Confirm"),
    "cancel": Msg("Cancel"),
    "close": Msg("Close"),
    "loading": Msg("Loading…"),
    "retry": Msg("Try again"),
    "details": Msg("Details"),
    # faults
    "faults_title": Msg("To be corrected"),
    "fault_value": Msg("value:"),
    "error_answer": Msg("The application could not answer; try again, then restart it."),
    "error_network": Msg(
        "The application does not answer: is it still running on this machine? Start it again "
        "with siteselect serve, nothing that was saved is lost."
    ),
    # table
    "no_row": Msg("Nothing matches."),
    "rows_shown": Msg("{shown} of {total}"),
    # map
    "map_title": Msg("Map; the table below says the same"),
    "map_zoom_in": Msg("Zoom in"),
    "map_zoom_out": Msg("Zoom out"),
    "map_whole": Msg("Whole map"),
    "map_ctrl": Msg("Use Ctrl and the wheel to zoom the map"),
    "map_cmd": Msg("Use ⌘ and the wheel to zoom the map"),
    "map_fingers": Msg("Use two fingers to move the map"),
    "map_no_webgl": Msg(
        "This browser cannot draw the map (WebGL is off); the table says the same."
    ),
    # kinds of site
    "kind_brownfield": Msg("brownfield"),
    "kind_extension": Msg("business-park extension"),
    "kind_greenfield": Msg("greenfield site"),
    # states of a job
    "state_queued": Msg("waiting"),
    "state_running": Msg("running"),
    "state_done": Msg("finished"),
    "state_failed": Msg("failed"),
    "state_infeasible": Msg("infeasible"),
    "state_limit": Msg("stopped at the limit, not proven"),
    "state_cancelled": Msg("cancelled"),
    # families of criteria
    "group_access": Msg("Access"),
    "group_workforce": Msg("Workforce"),
    "group_network": Msg("Networks"),
}
