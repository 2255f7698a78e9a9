"""One-off commands in an app's active release: in a container of their own, or inside the active one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from border.secrets import may_be_secret
from orchestrator.apps.container_spec import container_spec
from orchestrator.apps.context import AppContext
from orchestrator.domain.deployment import Deployment
from orchestrator.engine.base import KILLED, LABEL_APP, LABEL_ONE_OFF, Role
from orchestrator.engine.terminal import Input, Terminal
from orchestrator.errors import NotStarted, Refused

TERM = "xterm-256color"


class Place(StrEnum):
    """`run`: a new container with the app's environment, data and limits. `exec`: inside the active container."""

    RUN = "run"
    EXEC = "exec"


@dataclass(frozen=True)
class OneOff:
    """A command with more environment variables; `timeout_s` is in seconds."""

    place: Place
    command: tuple[str, ...]
    env: Mapping[str, str]
    timeout_s: float
    stdin: Input = None
    """What it reads from its standard input."""


@dataclass(frozen=True)
class Ended:
    """How it ended: its exit code, and whether it was killed after its time limit."""

    exit_code: int
    late: bool


async def carry_out(context: AppContext, wanted: OneOff, on_line: Callable[[str], None]) -> Ended:
    """Run the command to its end. If the task is cancelled, it is ended before the cancel continues.

    Raises Refused when no release is live, EngineError when the command cannot be started.
    """
    active = context.live_release()
    context.known_secrets.know(value for name, value in wanted.env.items() if may_be_secret(name, value))
    if wanted.place is Place.EXEC:
        with context.commands.running_in(active.container):
            code, late = await context.engine.execute(
                active.container,
                wanted.command,
                {**_terminal_env(wanted), **wanted.env},
                wanted.timeout_s,
                on_line,
                wanted.stdin,
            )
        return Ended(code, late)
    spec = container_spec(context, active, Role.SIDECAR, context.sidecar_name(active, "run"), wanted.command)
    spec = replace(
        spec, env={**_terminal_env(wanted), **spec.env, **wanted.env}, labels=spec.labels | {LABEL_ONE_OFF: "run"}
    )
    spec = replace(spec, stdin=wanted.stdin)
    try:
        status, late = await context.engine.run_to_end(spec, wanted.timeout_s, on_line)
    except NotStarted as error:
        # As `exec` tells it: the configuration's command, of which Docker's refusal speaks, is not at fault.
        on_line(error.told)
        return Ended(error.exit_code, late=False)
    # It may have ended while its output was still read: what is missing of that must not look like success.
    return Ended(status.exit_code or (KILLED if late else 0), late)


def _terminal_env(wanted: OneOff) -> dict[str, str]:
    """Docker gives a terminal TERM=xterm only where the environment is its own."""
    return {"TERM": TERM} if isinstance(wanted.stdin, Terminal) else {}


async def let_end(context: AppContext, by: Deployment) -> None:
    """Before the data changes under them: wait for the app's one-off commands as for requests, then end the rest.

    None begins while a deployment, rollback or restore is under way. Raises EngineError when one cannot be ended.
    """
    if context.commands.count:
        await _let_those_under_way_end(context, by)
    # Nobody waits for what they have left in the background, or for those of an orchestrator that was killed.
    active = context.active
    if active and (status := await context.engine.status(active.container)) and status.running:
        await context.engine.end_commands(active.container)


async def _let_those_under_way_end(context: AppContext, by: Deployment) -> None:
    under_way, limit = context.commands, context.config.drain.timeout
    context.say(by.id, f"one-off commands under way: {under_way.count}; they may go on for {limit:g} s (drain.timeout)")
    because = Refused(
        f"The command was ended: the data of {context.name} changes in {by.kind_in_words} {by.id}.",
        f"Look at what it had done, and run it again after that has ended: changeover show {by.id}",
    )
    if ended := await under_way.until_ended(limit, because):
        context.say(by.id, f"one-off commands ended: {ended}")


async def remove_forgotten(context: AppContext) -> None:
    """Remove the containers of one-off commands for which nobody waits, when none is under way. Raises EngineError.

    An earlier process of ours began them, or the engine was away before they had ended.
    """
    for one in await context.engine.containers():
        if one.labels.get(LABEL_APP) == context.name and LABEL_ONE_OFF in one.labels:
            await context.engine.remove(one.name)
