"""`changeover logs`."""

from __future__ import annotations

from typing import Annotated

import typer

from panel.cli.output import USAGE, JsonOption, PanelArgument, err, json_text, print_json, print_text, run, stop
from panel.cli.output import value_option as valued
from panel.cli.read_ahead import OUT, each, reading_ahead, text_for
from panel.client.client import Client
from panel.client.errors import Unreachable
from panel.client.log_model import LogEntry, LogLines
from panel.client.log_requests import NO_QUERY, LogQuery

commands = typer.Typer()

LEVELS = ("debug", "info", "warning", "error", "critical")
MERGED = "all"


@commands.command()
def logs(
    app: PanelArgument = "panel",
    tail: Annotated[int, typer.Option(min=0, max=10_000, help="Number of lines.")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show new lines, too, until interrupted.")] = False,
    since: Annotated[str, valued("Lines from so long ago on, such as 10m, or from a time on.", "TIME")] = "",
    until: Annotated[str, valued("Lines until so long ago, or until a time.", "TIME")] = "",
    level: Annotated[str, valued("Lines of this level and above: debug, info, warning, error, critical.")] = "",
    search: Annotated[str, valued("Lines with this text, in any case of letters.", "TEXT")] = "",
    regex: Annotated[bool, typer.Option("--regex", help="What is searched for is a regular expression.")] = False,
    container: Annotated[
        str,
        valued(
            "Another container's log: blue, green, standby, candidate, a deployment, the name of a container, removed "
            "ones too; or all, merged.",
            "WHICH",
        ),
    ] = "",
    previous: Annotated[bool, typer.Option("--previous", help="The log of the one before the active one.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the last lines of the log of an app's active container, or of others of its containers.

    Also of containers that are removed. A line without a level counts as info. Times are in UTC without a zone.
    For example: changeover logs shop --container all --level error --since 1h
    """
    if previous and container:
        stop("Either --previous or --container.", USAGE)
    if level and level not in LEVELS:
        stop(f"--level must be one of: {', '.join(LEVELS)}.", USAGE)
    if regex and not search:
        stop("--regex needs --search.", USAGE)
    query = LogQuery("previous" if previous else container, since, until, level, search, regex)
    if follow:
        if until:
            stop("A log that is followed has no end: leave --until or --follow out.", USAGE)
        run(lambda client: _follow(client, app, tail, query, as_json))
        return
    if not tail:
        stop("--tail 0 shows no line. Add --follow, or ask for 1 to 10000 lines.", USAGE)
    # Which container has printed a line is told by its entry alone.
    several = bool(query.container)

    async def last_lines(client: Client) -> LogLines:
        found = await client.logs(app, tail, query, entries=several)
        if as_json:
            print_json(client.answer)
        return found

    found = run(last_lines)
    if as_json:
        return
    names = {one.container for one in found.entries}
    lines = [_line(one, several=len(names) > 1) for one in found.entries] or list(found.lines)
    for sentence in found.left_out or ():
        err.print(f"[{sentence}]", style="yellow", markup=False)
    if lines:
        print_text("\n".join(lines))
    elif query != NO_QUERY:
        err.print(f"The logs of {app} have no such line.", markup=False)
    else:
        err.print(f"The log of {app} is empty: its active container has printed nothing.", markup=False)


def _line(entry: LogEntry, *, several: bool) -> str:
    return f"{entry.container} | {entry.text}" if several and entry.container else entry.text


async def _follow(client: Client, app: str, tail: int, query: LogQuery, as_json: bool) -> None:
    several = query.container == MERGED
    async with reading_ahead() as (ahead, reader):
        try:
            async for entry in each(client.follow_logs(app, tail, query), ahead):
                if entry is not None:
                    text = json_text(client.answer) if as_json else _line(entry, several=several)
                    await ahead.put([text_for(OUT, text)])
        except Unreachable as error:
            raise reader.explains(error, "The log is not followed any more") from error
