"""The stored form of a session's state: plain JSON with the number of its form.

Releases before the number had the first form. A release reads the forms up to its own. Fields that it does not know are
left out, and those that are missing have their defaults, so most changes of the state need no new number.
"""

from __future__ import annotations

import json
from typing import Any

from panel.session.state import SessionState

FORM = 1
"""The form that this release stores. A release that changes what a field means raises it by one, so that an older
release does not take the field for what it was."""
_NUMBER = "form"
BROKEN = "it cannot be read"


class NotReadable(Exception):
    """What is stored is no state that this release can read. The message says why, as the end of a sentence."""


def stored(state: SessionState) -> dict[str, Any]:  # Any: plain JSON
    return {_NUMBER: FORM, **state.model_dump(mode="json")}


def read(found: Any) -> SessionState:  # Any: plain JSON, from any release
    """The state in this JSON. Raises NotReadable."""
    if not isinstance(found, dict):
        raise NotReadable(BROKEN)
    form = found.get(_NUMBER, FORM)
    if not isinstance(form, int) or isinstance(form, bool) or form < 1:
        raise NotReadable(BROKEN)
    if form > FORM:
        raise NotReadable("a newer release has saved it, in a form that this one does not know")
    try:
        state = SessionState.model_validate(found)
        # Half of a surrogate pair is valid in JSON, but no terminal can be sent one.
        json.dumps(stored(state), ensure_ascii=False).encode()
    except ValueError as error:
        raise NotReadable(BROKEN) from error
    return state


def as_text(state: SessionState) -> str:
    return json.dumps(stored(state))


def read_text(found: str | bytes) -> SessionState:
    """The state in this text of JSON. Raises NotReadable."""
    try:
        plain = json.loads(found)
    except (ValueError, RecursionError) as error:
        raise NotReadable(BROKEN) from error
    return read(plain)
