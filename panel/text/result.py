"""The result of a deployment as the panel shows it: complete with its changelog, or failed with its cause and log."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from border.plain import plain
from panel.client.model import App, Deployment
from panel.text.changelog import changelog
from panel.text.drain import cut_in_words
from panel.text.outcome import outcome, while_file_not_used, while_paused


def complete(ended: Deployment, app: App | None = None, warnings: Sequence[str] = ()) -> RenderableType:
    """The result of a deployment that is live. `warnings`: what was said of its release, such as that it is an older
    one: then it is no update."""
    took = f" in {ended.seconds:.1f} s" if ended.seconds is not None else ""
    lines = ["Changelog:", *changes] if (changes := changelog(ended.changes)) else []
    if ended.paused is not None:
        lines = [f"New requests were paused for {ended.paused:.1f} s while the data changed.", "", *lines]
    if cut := cut_in_words(ended):
        lines = [f"[yellow]{cut}[/]", "", *lines]
    lines = [*while_paused(ended, app), *while_file_not_used(ended, app), *lines]
    says = f"{ended.version} is live" if warnings else f"Successfully updated to {ended.version}"
    return Group(
        Text(),
        Text(f"✓ {says}{took}", "bold green3"),
        *(Text(one, "yellow") for one in warnings),
        Text.from_markup("\n".join(["", *lines]) if lines else "", emoji=False),
    )


def failed(ended: Deployment, app: App | None, undos: Sequence[str] = ()) -> RenderableType:
    """The result of a deployment that is not live, or of a rollback or restore, with `app` as it is now. `undos`: lines
    of markup for what was undone."""
    return Text.from_markup(f"\n{outcome(ended, app, undos=undos)}", emoji=False)


def as_text(ended: Deployment, app: App | None, undos: Sequence[str] = ()) -> str:
    """The same as text to be pasted elsewhere, with what is needed to find the deployment again. What an app printed is
    in it without control characters."""
    about = f"Deployment {ended.id} of {ended.app}, requested {ended.requested_at:%Y-%m-%d %H:%M:%S} UTC"
    return plain(f"{about}\n{Text.from_markup(outcome(ended, app, undos=undos), emoji=False).plain}\n")
