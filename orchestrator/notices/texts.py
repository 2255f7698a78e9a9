"""What notices say. Text from outside is one line, short, and never becomes markup or a mention.

Services read markup: HTML, Markdown, Slack's `<!channel>`, Discord's `@everyone`. Notices have none, and what could
begin some in a version, a cause or an answer of an app is replaced by signs that look alike and mean nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from border.plain import one_line
from border.secrets import Secrets
from orchestrator.domain.counted import counted
from orchestrator.domain.deployment import Deployment, Kind
from orchestrator.domain.events import Failed, Live, Occurrence, Restored, UpdateFound
from orchestrator.domain.interruption import is_by_end_of_orchestrator
from orchestrator.domain.notice import About, Notice, Tone
from orchestrator.domain.outage_events import Outage, OutageOver
from orchestrator.domain.update_events import CheckFailed, CheckSucceeded
from orchestrator.notices.courier import Message

MOST_OF_TITLE, MOST_OF_LINE, MOST_IN_DIGEST = 120, 300, 20
MOST_OF_NAME = 60
_LOOK_ALIKE = str.maketrans(
    {
        "<": "‹", ">": "›", "&": "＆", "@": "＠", "`": "ˋ", "*": "∗", "_": "ˍ", "~": "∼", "|": "¦", "[": "⟦", "]": "⟧",
        "\\": "∖", "#": "♯",
    }
)  # fmt: skip


def inert(text: str, most: int = MOST_OF_LINE) -> str:
    """Text from outside as one line of at most `most` characters that no service reads as anything but text."""
    line = one_line(text)
    return (line if len(line) <= most else f"{line[: most - 1]}…").translate(_LOOK_ALIKE)


_UNWELL = {
    "standby": "crashed", "crashing": "crashes again and again", "stopped": "has stopped", "unhealthy": "is unhealthy",
    "unreached": "is not reached",
}  # fmt: skip
"""The title of an outage, by the app's health."""
OF_DEPLOYMENTS = (Live, Restored, Failed)
OF_CHECKS = (CheckFailed, CheckSucceeded)
OF_OUTAGES = (Outage, OutageOver)
TOLD = (*OF_DEPLOYMENTS, UpdateFound, *OF_CHECKS, *OF_OUTAGES)
"""The events that notices are made of."""


def about_deployment(happened: Occurrence, deployment: Deployment) -> About:
    """What a notice of an event of a deployment is about."""
    if isinstance(happened, Failed):
        return About.FAILED
    return About.ROLLED_BACK if deployment.kind is Kind.ROLLBACK else About.LIVE


class Texts:
    """Writes titles and bodies. `panel`: the panel's address, empty if it is not known."""

    def __init__(self, known_secrets: Secrets) -> None:
        self._border = known_secrets

    def of_deployment(self, happened: Occurrence, deployment: Deployment, panel: str) -> tuple[str, str]:
        """Title and body of what became of a deployment."""
        app, version = self._name(deployment.app), self._name(deployment.version)
        by = self._name(deployment.requested_by)
        about = f"{deployment.kind_in_words.capitalize()} {deployment.id}, requested by {by}."
        match happened:
            case Failed(step=step, cause=cause):
                what = f"{app} {version}" if deployment.release else app
                how = "was interrupted" if is_by_end_of_orchestrator(deployment) else "failed"
                title = f"{what}: the {deployment.kind_in_words} {how} at {self._name(deployment.step_in_words(step))}"
                lines = [self._first_line(cause), *self._again(deployment), *self._serving(deployment), about]
            case _ if deployment.kind is Kind.DEPLOY:
                title, lines = f"{app} {version} is live", [about, *_took(deployment)]
            case _:
                what = f"was rolled back to {version}" if deployment.kind is Kind.ROLLBACK else f"{version} is live"
                data = ", with restored data" if deployment.ref else ""
                took = [] if deployment.kind is Kind.ROLLBACK else _took(deployment)
                title, lines = f"{app} {what}{data}", [about, *took]
        return title[:MOST_OF_TITLE], "\n".join([*lines, *_where(f"changeover show {deployment.id}", panel)])

    def of_update(self, app: str, version: str, live: str, panel: str) -> tuple[str, str]:
        is_live = f"{self._name(live)} is live." if live else "No release is live."
        title = f"{self._name(app)} {self._name(version)} is available"
        return title[:MOST_OF_TITLE], "\n".join([is_live, *_where(f"changeover status {app}", panel)])

    def of_check(self, happened: Occurrence, app: str, panel: str) -> tuple[str, str]:
        where = _where(f"changeover check {app}", panel)
        if isinstance(happened, CheckFailed):
            again = "You are told when they succeed again, and not of each one that fails."
            title = f"{self._name(app)}: checks for updates fail"
            return title, "\n".join([self._first_line(happened.cause), again, *where])
        return f"{self._name(app)}: checks for updates succeed again", "\n".join(where)

    def of_outage(self, happened: Outage | OutageOver, app: str, panel: str) -> tuple[str, str]:
        where = _where(f"changeover logs {app}", panel)
        if isinstance(happened, OutageOver):
            # Another release may have been made live since: that one was never unhealthy.
            title = f"{self._name(app)} is healthy again, with {self._name(happened.version)}"
            return title[:MOST_OF_TITLE], "\n".join([_how_long(happened.seconds), *where])
        release = f"{self._name(app)} {self._name(happened.version)}"
        instead = [f"{self._name(happened.instead)} answers in its place."] if happened.instead else []
        lines = [self._first_line(happened.cause), *instead, *where]
        return f"{release} {_UNWELL.get(happened.health, 'is unhealthy')}"[:MOST_OF_TITLE], "\n".join(lines)

    def _name(self, text: str) -> str:
        return inert(self._border.text(text), MOST_OF_NAME)

    def _first_line(self, text: str) -> str:
        first = next((line for line in self._border.text(text).splitlines() if line.strip()), "")
        return inert(first) or "It is not known why."

    def _again(self, deployment: Deployment) -> list[str]:
        """Of one that was interrupted: what becomes of it."""
        tip = deployment.failure.tip if deployment.failure and is_by_end_of_orchestrator(deployment) else ""
        return [inert(self._border.text(tip))] if tip else []

    def _serving(self, deployment: Deployment) -> list[str]:
        serving = deployment.failure.serving if deployment.failure else None
        return [inert(self._border.text(serving.says))] if serving else []


def _how_long(seconds: float) -> str:
    if not seconds:
        return "How long the outage took is not known."
    return f"The outage took {f'{seconds:.0f} s' if seconds < 120 else f'{seconds / 60:.0f} min'}."


def _took(deployment: Deployment) -> list[str]:
    seconds = deployment.seconds_to_live
    return [f"It took {seconds:.1f} s."] if seconds is not None else []


def _where(command: str, panel: str) -> list[str]:
    return [f"More: {command}", *([f"Panel: {panel}"] if panel else [])]


def message_of(notice: Notice, left_out: int = 0) -> Message:
    """A notice as a message of its own. `left_out`: so many before it could not be told."""
    body = f"{notice.body}\n{_left_out(left_out)}" if left_out else notice.body
    return Message(notice.title, body, notice.about.tone)


def digest_of(notices: Sequence[Notice], left_out: int = 0) -> Message:
    """Many notices as one message: nobody reads a hundred that come at once."""
    lines = [f"{one.title}. {one.body.partition(chr(10))[0]}"[:MOST_OF_LINE] for one in notices[-MOST_IN_DIGEST:]]
    if (more := len(notices) - len(lines)) > 0:
        lines.insert(0, f"{counted(more, 'earlier notice')}, not shown.")
    if left_out:
        lines.append(_left_out(left_out))
    apps = sorted({one.app for one in notices})
    about = ", ".join(apps[:5]) + (f" and {len(apps) - 5} more" if len(apps) > 5 else "")
    title = f"{len(notices)} notices: {about}"[:MOST_OF_TITLE]
    return Message(title, "\n".join(lines), min((one.about.tone for one in notices), key=list(Tone).index))


def _left_out(count: int) -> str:
    return f"{counted(count, 'notice')} before this could not be delivered: changeover events"
