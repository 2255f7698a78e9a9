"""What a drain waits for, and what it has cut."""

from __future__ import annotations

from panel.client.events import Drained, Draining
from panel.client.model import Deployment
from panel.text.markup import inline


def draining_in_words(draining: Draining) -> str:
    """Markup: what still runs, where, and how long it is waited for."""
    so_far = f"{draining.waited:.0f} s of at most {draining.limit:g} s (drain.timeout)"
    what = f"for {draining.in_words} at {inline(draining.colour)}: {so_far}"
    return f"{what}, with requests paused" if draining.paused else f"{what}; the new release is live"


def drained_in_words(drained: Drained) -> str:
    """Markup: what was cut; empty if everything ended by itself."""
    if not drained.total:
        return ""
    why = "before the data changed" if drained.paused else f"after {drained.seconds:.0f} s (drain.timeout)"
    return f"{drained.in_words} at {inline(drained.colour)} cut {why}"


def cut_in_words(ended: Deployment) -> str:
    """A sentence of what a deployment has cut so far; empty if nothing."""
    return f"Cut at the release before: {ended.cut.in_words}." if ended.cut and ended.cut.total else ""
