"""The questions before an app's requests are paused or resumed and before its deployment is cancelled: what happens,
how long it takes, what it costs, and the command that does the same. And which of them is valid for an app."""

from __future__ import annotations

from panel.client.model import App
from panel.screens.question import QuestionScreen
from panel.session.state import OpenQuestion
from panel.text.outcome import MIGRATE, PAUSED
from panel.widgets.apps.numbers import rate
from panel.widgets.steps import RETIRE, STEPS, SWITCH

PAUSE, RESUME, CANCEL = "pause", "resume", "cancel"
PAUSED_FOR_S = 30.0
"""How long one request waits at most, as `changeover pause` has it."""
TAKES_SECONDS = frozenset(list(STEPS)[: list(STEPS).index(MIGRATE)])
"""The steps before anything of the app's data is changed."""


def is_possible(action: str, app: App) -> bool:
    """Whether PAUSE, RESUME or CANCEL does something with this app now."""
    if action == PAUSE:
        return app.active is not None and app.health != PAUSED
    if action == RESUME:
        return app.health == PAUSED
    return app.deployment is not None and app.deployment.step not in (SWITCH, RETIRE)


def pause(app: str, requests: float | None = None, survives: OpenQuestion | None = None) -> QuestionScreen:
    """`requests`: how many come in a second now; None if that is not known."""
    consequences = (
        f"At once, new requests of {app} wait at the proxy; requests that are under way go on.",
        "That lasts until it is resumed, by W or the command, or until the orchestrator is restarted.",
        f"Each request waits at most {PAUSED_FOR_S:g} s, then it is answered with status 503.",
        *([] if requests is None else [_cost(requests)]),
        _command(f"pause {app}"),
    )
    return QuestionScreen(f"PAUSE {app.upper()}", consequences, f"Pause {app}?", survives=survives)


def _cost(requests: float) -> str:
    if requests == 0:
        return "It gets no requests now."
    return f"It gets {rate(requests)} requests a second now: so many more wait after each second."


def resume(app: str, survives: OpenQuestion | None = None) -> QuestionScreen:
    consequences = (
        f"At once, all requests that wait and all new ones go to the active release of {app}. None is lost.",
        "While a deployment has paused them itself, this is refused: they go on when it has ended.",
        _command(f"resume {app}"),
    )
    return QuestionScreen(f"RESUME {app.upper()}", consequences, f"Resume {app}?", survives=survives)


def cancel(app: str, deployment: str, step: str | None, survives: OpenQuestion | None = None) -> QuestionScreen:
    """`step`: the one under way, empty or None if it is not known or none has begun."""
    consequences = (
        f"Deployment {deployment} ends, and what it has done is undone. The release of {app} that is live stays live.",
        _length(step),
        "Once its traffic is switched, it cannot be cancelled any more.",
        _command(f"cancel {deployment}"),
    )
    title = f"CANCEL THE DEPLOYMENT OF {app.upper()}"
    return QuestionScreen(title, consequences, f"Cancel deployment {deployment}?", survives=survives)


def _length(step: str | None) -> str:
    if not step or step in TAKES_SECONDS:
        return "That takes some seconds. A later deployment begins anew; the build cache stays."
    return (
        f"It is at its step {step}. A migration that has run is reverted, or stays if the live release works with it: "
        "that may take as long as the migration took."
    )


def _command(does: str) -> str:
    return f"The same as: changeover {does}"
