"""The commands that change something: the question before each, and what is done after a yes.

The questions are those of the keys (`panel/screens/question.py`, `interruptions.py`, `confirm.py`).
Whatever is not as the person may
think, such as a version that there is not, is an answer and no question.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from textual.screen import ModalScreen

from panel.client.model import Deployment
from panel.client.version_model import Version
from panel.console import questions
from panel.console.answer import Answer, of_markup
from panel.console.answers.asked import Asked
from panel.console.nearest import nearest
from panel.screens import interruptions
from panel.screens.confirm import ConfirmScreen
from panel.screens.interruptions import PAUSED_FOR_S
from panel.screens.question import AsksPlan, ask_although_off, deploy_again, deploy_version, roll_back
from panel.text.held_back import no_update_in_words
from panel.text.outcome import outcome
from panel.text.size import size

LISTED = 4


@dataclass(frozen=True)
class Change:
    """`act` is done after a yes; it may ask another question. `waiting` is shown until it has ended."""

    question: ModalScreen[bool]
    act: Callable[[], Awaitable[Answer | Change]]
    waiting: str


Changes = Callable[[Asked], Awaitable[Answer | Change]]


async def deploy(asked: Asked) -> Answer | Change:
    app = await asked.one()
    if app.deployment:
        says = f"Deployment {app.deployment.id} of {app.name} is under way: {app.deployment.step or 'it waits'}."
        return Answer(f"{says} 'follow {app.name}' shows it, 'cancel {app.name}' cancels it.", failed=True)
    if asked.meant.values.get("version"):
        return await _deploy_version(asked)
    if app.update:
        return await _confirmed(asked, is_fresh=False)
    if app.updates_off:
        return Change(ask_although_off(app.name), partial(_confirmed, asked, is_fresh=True), "The source is asked.")
    return await _confirmed(asked, is_fresh=True)


async def _confirmed(asked: Asked, *, is_fresh: bool) -> Answer | Change:
    """The question before the update that is known or, `is_fresh`, that the source has now."""
    update = await asked.client.check(asked.app) if is_fresh else None
    app = await asked.one()
    update = update or app.update
    if update:
        question = ConfirmScreen(asked.client, app, update, asked.now, is_fresh=is_fresh)
        return _deployed(asked, question, update.revision)
    if app.configuration_changed and app.active:
        return _deployed(asked, deploy_again(app.name, app.active, _plan(asked, "deploy")), app.active.revision)
    return Answer(no_update_in_words(app), asked.command_line())


async def _deploy_version(asked: Asked) -> Answer | Change:
    app = await asked.one()
    wanted = await _version(asked)
    if isinstance(wanted, Answer):
        return wanted
    return _deployed(asked, deploy_version(app.name, wanted, app.active, _plan(asked, "deploy")), wanted.ref)


def _deployed(asked: Asked, question: ModalScreen[bool], ref: str) -> Change:
    # One for each question: a release that failed can be asked for again.
    key = secrets.token_hex(8)

    async def act() -> Answer:
        queued = await asked.client.deploy(asked.app, ref, idempotency_key=key)
        says = f"Deployment {queued.id} of {asked.app} is requested. 'follow {asked.app}' shows its progress."
        return Answer(says, asked.command_line())

    return Change(question, act, "The deployment is requested.")


async def _version(asked: Asked) -> Version | Answer:
    """The version that was typed, by its name or its ref; an answer that says which there are, if it is none."""
    found = await asked.client.versions(asked.app)
    typed = asked.meant.values["version"]
    named = [one for one in found if typed in (one.version, one.ref)]
    named = named or [one for one in found if one.version.lower().removeprefix("v") == typed.lower().removeprefix("v")]
    if len(named) == 1:
        return named[0]
    near = nearest(typed, [one.version for one in found]) or tuple(one.version for one in found[:LISTED])
    command = asked.meant.command.name
    lines = tuple(f"{command} {asked.app} {version}" for version in near[:LISTED])
    return Answer(f"{asked.app} has no version {typed}. Nothing was done.", suggestions=lines, failed=True)


async def rollback(asked: Asked) -> Answer | Change:
    app = await asked.one()
    standby = app.standby
    if standby is None:
        says = f"{app.name} has no standby release to roll back to. Deploy a second release first."
        return Answer(says, asked.command_line(), failed=True)
    question = roll_back(app.name, standby, app.active, _plan(asked, "rollback"))

    async def act() -> Answer:
        return _ended(await asked.client.rollback(app.name, container=standby.container), asked)

    return Change(question, act, f"{app.name} is rolled back.")


async def pause(asked: Asked) -> Answer | Change:
    app = await asked.one()

    async def act() -> Answer:
        await asked.client.pause(app.name, PAUSED_FOR_S)
        return Answer(f"{app.name} is paused. 'resume {app.name}' lets its requests go on.", asked.command_line())

    return Change(interruptions.pause(app.name), act, f"{app.name} is paused.")


async def resume(asked: Asked) -> Answer | Change:
    app = await asked.one()

    async def act() -> Answer:
        await asked.client.resume(app.name)
        return Answer(f"{app.name} is resumed: its requests go to the active release.", asked.command_line())

    return Change(interruptions.resume(app.name), act, f"{app.name} is resumed.")


async def cancel(asked: Asked) -> Answer | Change:
    """Of the deployment that is named, of the app's, or of the only one that is under way."""
    deployment = asked.meant.values.get("deployment", "")
    apps = [app for app in (await asked.found()).apps if app.deployment]
    if deployment:
        apps = [app for app in apps if app.deployment and app.deployment.id == deployment]
    if not apps:
        return Answer(f"No deployment {f'of {asked.app} ' if asked.app else ''}is under way.", failed=True)
    if len(apps) > 1:
        lines = tuple(f"cancel {app.name}" for app in apps[:LISTED])
        return Answer("Several deployments are under way. Which one?", suggestions=lines, failed=True)
    (app,) = apps
    assert app.deployment  # of those that have none, none is left
    one = app.deployment.id

    async def act() -> Answer:
        await asked.client.cancel(one)
        return Answer(f"Deployment {one} of {app.name} is being cancelled.", asked.command_line(deployment=one))

    return Change(interruptions.cancel(app.name, one, app.deployment.step), act, f"Deployment {one} is cancelled.")


async def backup(asked: Asked) -> Answer | Change:
    app = await asked.one()

    async def act() -> Answer:
        made = await asked.client.create_backup(app.name)
        says = f"✓ Backup {made.id} of {app.name}: {made.files} files, {size(made.archive_size)}."
        return Answer("\n".join([says, *made.notes]), asked.command_line())

    return Change(questions.back_up(app.name), act, f"{app.name} is backed up.")


async def restore(asked: Asked) -> Answer | Change:
    app = await asked.one()
    found = await asked.client.backups(app.name)
    typed = asked.meant.values.get("backup", "")
    wanted = next((one for one in found if one.id == typed), None)
    if wanted is None:
        says = f"{app.name} has no backup {typed}. Nothing was done." if typed else "Which backup?"
        lines = tuple(f"restore {app.name} from {one.id}" for one in found[:LISTED])
        says = says if found else f"{app.name} has no backups."
        return Answer(says, f"changeover backup list {app.name}", suggestions=lines, failed=True)
    question = questions.restore(wanted, asked.now, _plan(asked, "restore"))

    async def act() -> Answer:
        return _ended(await asked.client.restore_backup(app.name, wanted.id), asked)

    return Change(question, act, f"Backup {wanted.id} is restored.")


async def skip(asked: Asked, *, undo: bool = False) -> Answer | Change:
    app = await asked.one()
    if not asked.meant.values.get("version"):
        line = (f"skip {app.update.version} of {app.name}",) if app.update else ()
        return Answer("Which version?", suggestions=line, failed=True)
    wanted = await _version(asked)
    if isinstance(wanted, Answer):
        return wanted

    async def act() -> Answer:
        await asked.client.skip(app.name, wanted.version, undo=undo)
        says = "is offered again" if undo else "is not offered any more"
        return Answer(f"{app.name} {wanted.version} {says}.", asked.command_line(version=wanted.version))

    return Change(questions.skip(app.name, wanted.version, undo=undo), act, "The choice is recorded.")


def _ended(one: Deployment, asked: Asked) -> Answer:
    return Answer(of_markup(outcome(one)), asked.command_line(), failed=one.failure is not None)


def _plan(asked: Asked, kind: str) -> AsksPlan:
    return lambda: asked.client.plan(asked.app, kind)


CHANGES: dict[str, Changes] = {
    "deploy": deploy,
    "rollback": rollback,
    "pause": pause,
    "resume": resume,
    "cancel": cancel,
    "backup": backup,
    "restore": restore,
    "skip": skip,
    "offer": partial(skip, undo=True),
}
