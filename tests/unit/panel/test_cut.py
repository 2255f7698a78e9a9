"""The panel says what a deployment has cut, beside its result."""

from __future__ import annotations

from rich.console import Console

from panel.client.model import Deployment
from panel.text.result import complete, failed
from tests.support import api_answers as answers

CUT = {"requests": 1, "uploads": 1, "streams": 2, "websockets": 3}
SAYS = "Cut at the release before: 1 request, 1 upload, 2 streams, 3 WebSockets."


def shown(one: object) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(one)
    return captured.get()


def test_the_result_of_a_deployment_says_how_many_of_which_kind_were_cut() -> None:
    live = Deployment.model_validate(answers.deployment(cut=CUT))
    bad = Deployment.model_validate(answers.failed() | {"cut": CUT})

    assert SAYS in shown(complete(live))
    assert SAYS in shown(failed(bad, None))


def test_where_nothing_was_cut_nothing_is_said() -> None:
    for cut in (None, dict.fromkeys(CUT, 0)):
        assert "Cut" not in shown(complete(Deployment.model_validate(answers.deployment(cut=cut))))
