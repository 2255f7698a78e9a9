"""The keys of the dashboard. Those that stand first are the last to be left out of a narrow line of keys."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from panel.screens.alert_keys import ALERT_KEYS
from panel.screens.console_key import CONSOLE_KEY
from panel.screens.interruption_keys import CANCEL_KEY, PAUSE_KEYS
from panel.screens.preferences import PREFERENCES_KEY
from panel.screens.tab_keys import TAB_KEYS

DASHBOARD_KEYS: list[BindingType] = [
    Binding("u", "update", "Update", key_display="U", tooltip="Look for an update, ask, and install it"),
    Binding("d,D", "details", "Details", key_display="D", tooltip="Show what the update changes"),
    Binding(
        "x,X",
        "dismiss_update",
        "Dismiss",
        key_display="X",
        tooltip="Hide the update, or why there is none, for 24 hours",
    ),
    Binding("b,B", "rollback", "Roll back", key_display="B", tooltip="Ask, and go back to the standby release"),
    CANCEL_KEY,
    Binding("p,P", "progress", "Progress", key_display="P", tooltip="Show the deployment, or the last one"),
    *PAUSE_KEYS,
    Binding("slash", "filter", "Filter", key_display="/", tooltip="Show the apps that have these words; !word: not"),
    Binding("s,S", "sort", "Sort", key_display="S", tooltip="Sort by name, health, requests, errors or p99"),
    Binding("g,G", "group", "Group", key_display="G", tooltip="Group the apps by how they are"),
    Binding("f,F", "faults", "Faults", key_display="F", tooltip="Show only apps with a fault or a warning"),
    Binding("1", "tab('overview')", "Overview", show=False, tooltip="Show the tab Overview"),
    Binding("2", "tab('deployments')", "Deployments", show=False, tooltip="Show the tab Deployments"),
    Binding("3", "tab('logs')", "Logs", show=False, tooltip="Show the tab Logs"),
    Binding("4", "tab('data')", "Data", show=False, tooltip="Show the tab Data: backups and schema"),
    Binding("5", "tab('configuration')", "Configuration", show=False, tooltip="Show the tab Configuration"),
    Binding("6", "tab('events')", "Events", show=False, tooltip="Show the tab Events"),
    Binding("left_square_bracket", "turn(-1)", "Tab before", show=False, key_display="[", tooltip="The tab before"),
    Binding("right_square_bracket", "turn(1)", "Tab after", show=False, key_display="]", tooltip="The tab after"),
    Binding("z,Z,plus", "zoom", "Full screen", key_display="Z", tooltip="Show the app alone, and both again"),
    *TAB_KEYS,
    Binding("o,O", "open", "Open", key_display="O", tooltip="Open the app in the browser"),
    Binding("escape", "back", "Apps", show=False, tooltip="Go back to the list of apps"),
    Binding("a,A", "audit", "Audit", key_display="A", tooltip="Show who did what (needs scope admin)"),
    Binding("U", "force_check", "Check now", key_display="Shift+U", tooltip="Ask the source for an update now"),
    Binding("v,V", "versions", "Versions", key_display="V", tooltip="Deploy or skip a version"),
    CONSOLE_KEY,
    Binding("n,N", "notices", "Notices", key_display="N", tooltip="Send a test of notices"),
    *ALERT_KEYS,
    PREFERENCES_KEY,
]
