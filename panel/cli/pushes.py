"""`changeover push-secret` and `changeover pushes`: who may announce an update, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.table import Table

from panel.cli import text
from panel.cli.output import AppArgument, JsonOption, PanelArgument, show, yes_option
from panel.cli.question import ask
from panel.client.push_requests import PushCheck, PushSecret
from panel.text.markup import inline

commands = typer.Typer()

WHERE = {
    "github": ("GitHub", "Settings, Webhooks, Add webhook; content type application/json; event: just the push event"),
    "gitlab": (
        "GitLab",
        "Settings, Webhooks; as signing token (older versions: secret token); triggers: push, tag push",
    ),
    "gitea": ("Gitea", "Settings, Webhooks, Add webhook: Gitea; content type application/json; trigger: push events"),
    "forgejo": ("Forgejo", "Settings, Webhooks, Add webhook: Forgejo; content type application/json; push events"),
    "registry": (
        "Registry",
        "config.yml, notifications, endpoints: this url, and headers: Authorization: [Bearer SECRET]",
    ),
}


NOT_REACHED = (
    "These addresses are for this machine alone: a forge elsewhere does not reach them. Set public.panel.host to the "
    "name at which the panel is reached from there, and use that name in their place: see docs/hooks.md."
)


@commands.command("push-secret")
def push_secret(
    app: AppArgument,
    replace: Annotated[bool, typer.Option("--replace", help="Make another one, and refuse the one before.")] = False,
    yes: Annotated[bool, yes_option("the secret is replaced")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make the secret by which a forge signs its pushes, and print what to enter there. It cannot be printed again."""
    if replace and not yes:
        ask(f"Replace the push secret of {app}?", ["Pushes that are signed with the one before are refused at once."])
    show(lambda client: client.make_push_secret(app, replace=replace), as_json, partial(_entries, app), markup=False)


@commands.command()
def pushes(
    app: PanelArgument = "panel",
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show what became of the newest pushes of an app."""
    show(lambda client: client.push_checks(app, limit), as_json, partial(_table, app))


def _entries(app: str, made: PushSecret) -> str:
    """What to enter at each forge."""
    lines = [f"Secret of {app}, in {made.file}: {made.secret}"]
    if is_of_this_machine(made.url):
        lines += ["", NOT_REACHED]
    for hook in made.hooks:
        name, where = WHERE.get(hook.forge, (hook.forge, ""))
        lines += ["", f"{name}: {made.url}{hook.path}", f"  {where}"]
    return "\n".join(lines)


def is_of_this_machine(url: str) -> bool:
    """Whether only this machine reaches an address."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "127.0.0.1", "::1")


def _table(app: str, found: Sequence[PushCheck]) -> Table | str:
    if not found:
        return f"No push of {inline(app)} has come. What strangers send is in the log of the orchestrator."
    table = text.table_of("WHEN (UTC)", "FROM", "CHECK", "VERSION", "OUTCOME")
    for one in found:
        outcome = f"deployment {one.deployment}" if one.deployment else one.says or one.state.replace("_", " ")
        moment = f"{one.requested_at:%Y-%m-%d %H:%M:%S}"
        table.add_row(moment, inline(one.forge), inline(one.id), inline(one.version) or text.NONE, inline(outcome))
    return table
