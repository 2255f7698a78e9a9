"""The `changeover` command. Exit codes: 0 done; 1 failed, the old release still serves; 2 usage or config;
3 refused, busy or nothing to roll back to; 4 unreachable or not allowed."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from panel import show
from panel.backup_commands import backup
from panel.client import Client, configured_token, configured_url
from panel.migrate_commands import migrate
from panel.model import Deployment
from panel.running import FAILED, USAGE, finish, out, print_event, print_json, run, stop

CONFIG_FILE = Path("control-panel-config.yaml")

command = typer.Typer(
    help="Blue-green deployments on one Docker host.", no_args_is_help=True, pretty_exceptions_enable=False
)
token = typer.Typer(help="Tokens for people and CI.", no_args_is_help=True)
command.add_typer(token, name="token")
command.add_typer(backup, name="backup")
command.add_typer(migrate, name="migrate")

App = Annotated[str, typer.Argument(help="The app; the panel when not given.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@command.command()
def status(as_json: Json = False) -> None:
    """Show every app: what is active, what stands by, what could be updated."""
    apps = run(lambda client: client.apps())
    if as_json:
        print_json({"apps": [app.model_dump(mode="json") for app in apps]})
    else:
        out.print(show.apps_table(apps))


@command.command()
def check(app: App = "panel", as_json: Json = False) -> None:
    """Ask an app's source for an update now."""
    update = run(lambda client: client.check(app))
    if as_json:
        print_json(update.model_dump(mode="json") if update else None)
    elif update is None:
        out.print(f"{app} is up to date.")
    else:
        out.print(show.update(app, update))


@command.command()
def deploy(
    app: App = "panel",
    ref: Annotated[str, typer.Option(help="A branch, tag or revision instead of what the app follows.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Follow it and end with its outcome.")] = False,
    migrate: Annotated[bool, typer.Option("--migrate", help="Run its migrations where auto_run is off.")] = False,
    as_json: Json = False,
) -> None:
    """Build, migrate, verify and switch to the newest release."""

    async def do(client: Client) -> Deployment:
        asked = await client.deploy(app, ref, idempotency_key=secrets.token_hex(8), migrate=migrate)
        if not wait:
            return asked
        async for event in client.wait_until_decided(asked.id):
            if not as_json and (line := show.event_line(event)):
                out.print(line)
        return await client.deployment(asked.id)

    finish(run(do), as_json)


@command.command()
def rollback(
    app: App = "panel",
    restore: Annotated[str, typer.Option(help="A backup that replaces the data first; see 'backup list'.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before data is replaced.")] = False,
    as_json: Json = False,
) -> None:
    """Send the traffic back to the standby release: at once, or with requests waiting where data must go back, too."""
    if restore and not yes:
        known = run(lambda client: client.backups(app))
        if wanted := next((one for one in known if one.id == restore), None):
            out.print(show.loss(wanted), markup=False)
            typer.confirm("Restore it and go back?", abort=True)
    finish(run(lambda client: client.rollback(app, restore)), as_json)


@command.command()
def cancel(deployment: Annotated[str, typer.Argument(help="Its id, from 'history' or 'status'.")]) -> None:
    """Stop a deployment that has not switched traffic yet."""
    run(lambda client: client.cancel(deployment))
    out.print(f"Deployment {deployment} is being cancelled; what it had done is undone.")


@command.command()
def history(app: App = "panel", limit: int = 20, as_json: Json = False) -> None:
    """List an app's deployments, the newest first."""
    found = run(lambda client: client.history(app, limit))
    if as_json:
        print_json({"deployments": [one.model_dump(mode="json") for one in found]})
    elif not found:
        out.print(f"{app} was never deployed: changeover deploy {app}")
    else:
        out.print(show.history_table(found))


@command.command()
def logs(app: App = "panel", tail: int = 100, as_json: Json = False) -> None:
    """Show what the active container of an app printed last."""
    lines = run(lambda client: client.logs(app, tail))
    if as_json:
        print_json({"lines": lines})
    else:
        print("\n".join(lines))


@command.command()
def events(
    after: Annotated[int | None, typer.Option(help="Begin after this event; 0 for all there are.")] = None,
    deployment: Annotated[str, typer.Option(help="Only those of one deployment, from its beginning.")] = "",
    as_json: Json = False,
) -> None:
    """Follow what happens, until interrupted."""
    start = 0 if deployment and after is None else after

    async def do(client: Client) -> None:
        async for event in client.events(start, deployment):
            print_event(event, as_json)

    run(do)


@command.command()
def wait(
    app: App = "panel",
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing; the exit code tells.")] = False,
) -> None:
    """Wait until what is being deployed is live or has failed; fails when nothing is live then."""

    async def do(client: Client) -> bool:
        found = await client.app(app)
        if found.deployment:
            async for event in client.wait_until_decided(found.deployment.id):
                if event.kind == "step" and not quiet and (line := show.event_line(event)):
                    out.print(line)
            found = await client.app(app)
        return found.active is not None

    live = run(do)
    if not quiet:
        out.print(f"{app} is live." if live else f"{app} is not live; see: changeover history {app}")
    if not live:
        raise typer.Exit(FAILED)


@command.command()
def hold(app: App, limit: Annotated[float, typer.Option(help="Seconds that one request may wait.")] = 30) -> None:
    """Keep new requests of an app waiting instead of sending them to it."""
    run(lambda client: client.hold(app, limit))
    out.print(f"New requests to {app} wait now, each up to {limit:g} s. Let them go with: changeover release {app}")


@command.command()
def release(app: App) -> None:
    """Let held requests go."""
    run(lambda client: client.release(app))
    out.print(f"{app} takes requests again.")


@command.command()
def validate(
    file: Annotated[Path, typer.Argument(help="The configuration file.")] = CONFIG_FILE, as_json: Json = False
) -> None:
    """Check a configuration file without taking it."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        stop(f"{file} cannot be read: {error.strerror}.", USAGE)
    problems = run(lambda client: client.validate(text, file.name))
    if as_json:
        print_json({"problems": problems})
    else:
        out.print("\n".join(problems) if problems else f"{file} is valid.", markup=False)
    if problems:
        raise typer.Exit(USAGE)


@command.command()
def doctor(as_json: Json = False) -> None:
    """Look whether everything is as it must be, and say what to do where it is not."""
    findings = run(lambda client: client.doctor())
    if as_json:
        print_json({"findings": [finding.model_dump(mode="json") for finding in findings]})
    else:
        out.print(show.findings(findings))
    if not all(finding.well for finding in findings):
        raise typer.Exit(FAILED)


@command.command()
def panel() -> None:
    """Open the control panel in this terminal."""
    from panel.app import run_in_terminal

    run(lambda client: client.apps())
    run_in_terminal(configured_url(), configured_token())


@token.command("create")
def create_token(name: str, scope: Annotated[str, typer.Option(help="read, deploy or admin")] = "deploy") -> None:
    """Make a token and show it, this once."""
    print(run(lambda client: client.create_token(name, scope)))


@token.command("list")
def list_tokens(as_json: Json = False) -> None:
    """List tokens; never the secrets themselves."""
    found = run(lambda client: client.tokens())
    if as_json:
        print_json({"tokens": found})
    else:
        for one in found:
            revoked = f"revoked {one['revoked_at']}" if one["revoked_at"] else "valid"
            out.print(f"{one['name']:<24} {one['scope']:<8} {revoked}", markup=False)


@token.command("revoke")
def revoke_token(name: str) -> None:
    """Take a token's rights away."""
    run(lambda client: client.revoke_token(name))
    out.print(f"The token {name} is revoked.")


def main() -> None:
    command()


if __name__ == "__main__":
    main()
