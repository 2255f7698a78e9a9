"""What the fields of all kinds of events have in common, and those of events of the whole installation."""

from __future__ import annotations

from panel.client.in_hand import InHand
from panel.client.value import Value


class Fields(Value):
    """The fields of one kind of event. Every field has a default, because older events may not have it."""


class ConfigLoaded(Fields):
    """`apps` are the names of all apps in the configuration."""

    apps: tuple[str, ...] = ()


class ConfigRefused(Fields):
    """`problems`: one line each, with file and line number."""

    problems: tuple[str, ...] = ()


class Undo(Fields):
    """The undo of a step. `state`: running, done or failed; `says`: what it did, or why it failed. `seconds`: how long
    it took."""

    step: str = ""
    state: str = ""
    says: str = ""
    seconds: float | None = None


class Trouble(Fields):
    """What went wrong outside of a deployment's steps: why, and what to do."""

    cause: str = ""
    remedy: str = ""


class NoticeFailed(Trouble):
    """A service does not take notices; `service` is its label, and empty where the file of URLs is wrong."""

    service: str = ""


class NoticesTaken(Fields):
    """A service takes notices again."""

    service: str = ""


class Outage(Fields):
    """The active release crashed, or does not serve for `seconds`. `instead`: the version of the standby that does."""

    version: str = ""
    health: str = ""
    cause: str = ""
    instead: str = ""
    seconds: float = 0.0


class OutageOver(Fields):
    """The active release is healthy again; the outage took `seconds`, 0 if that is not known."""

    version: str = ""
    seconds: float = 0.0


class StandbyStays(Fields):
    """The standby, of this version, stays when a deployment replaces the release `instead_of`, which crashes."""

    version: str = ""
    instead_of: str = ""
    cause: str = ""


class StandbyCrashed(Fields):
    """This release crashed, and is the standby since the deployment `by` took the traffic from it."""

    version: str = ""
    cause: str = ""
    by: str = ""


class UpdateFound(Fields):
    """`found_by`: a check at the `start`, in the `background`, or one that was `asked` for."""

    version: str = ""
    found_by: str = ""


class Skipped(Fields):
    """A version is never offered; with `undone`, it is again."""

    version: str = ""
    by: str = ""
    undone: bool = False


class Dismissed(Fields):
    version: str = ""


class Muted(Fields):
    """People are told nothing of the app until then."""

    until: str = ""
    by: str = ""


class Unmuted(Fields):
    by: str = ""


class NoticeMuted(Fields):
    """A notice of a muted app was not sent: what it is about, and its first line."""

    about: str = ""
    title: str = ""


class DiskLow(Fields):
    """There is less free disk space than deployments require, in megabytes."""

    free_mb: int = 0
    required_mb: int = 0


class DiskEnough(Fields):
    free_mb: int = 0


class Waiting(Fields):
    """A queued deployment waits: for what, and how long at most."""

    cause: str = ""


class Draining(Fields, InHand):
    """A colour is being drained: what it still has in hand. `waited` and `limit` are in seconds."""

    colour: str = ""
    waited: float = 0.0
    limit: float = 0.0
    paused: bool = False


class Drained(Fields, InHand):
    """A colour is drained: what was cut. `seconds` is how long it took."""

    colour: str = ""
    seconds: float = 0.0
    paused: bool = False


class BackupVerified(Fields):
    """A backup was read and compared with its checksums. `problem`: why that failed; empty if it
    did not."""

    backup: str = ""
    problem: str = ""


class BackupDeleted(Fields):
    backup: str = ""
    by: str = ""
