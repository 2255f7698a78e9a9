"""Answers about what is so now: status, live versions, troubles, updates, addresses."""

from __future__ import annotations

from panel.client.model import App, Slot
from panel.console.answer import Answer, columns, of_markup
from panel.console.answers.asked import Asked
from panel.text.age import ago
from panel.text.counted import counted
from panel.text.held_back import held_back_in_words
from panel.text.outcome import what_is_active

NONE = "–"
WELL = ("healthy", "none")
NO_APPS = "No app is configured yet."


async def status(asked: Asked) -> Answer:
    found = await asked.found()
    rows = [_row(app, asked) for app in found.apps]
    says = [columns(rows)] if rows else [NO_APPS]
    says += [_trouble("", one.says, one.remedy) for one in found.troubles]
    says += [line for app in found.apps for line in _wrong(app)]
    return Answer("\n".join(says), asked.command_line())


async def live(asked: Asked) -> Answer:
    apps = (await asked.found()).apps
    rows = [(app.name, *_slot(app.active, asked), "live", app.health) for app in apps]
    rows += [(app.name, *_slot(app.standby, asked), "standby", "") for app in apps if asked.app and app.standby]
    return Answer(columns(rows) if rows else NO_APPS, asked.command_line())


async def trouble(asked: Asked) -> Answer:
    found = await asked.found()
    lines = [_trouble("", one.says, one.remedy) for one in found.troubles]
    lines += [line for app in found.apps for line in _wrong(app)]
    whose = asked.app or counted(len(found.apps), "app")
    return Answer("\n".join(lines) or f"✓ Nothing is wrong with {whose}.", asked.command_line())


async def updates(asked: Asked) -> Answer:
    apps = (await asked.found()).apps
    rows = [
        (app.name, f"{app.active.version if app.active else NONE} → {app.update.version}",
         f"checked {ago(app.update.checked_at, asked.now)}")
        for app in apps
        if app.update
    ]  # fmt: skip
    lines = [columns(rows)] if rows else ["No update is known. 'check APP' asks the source of an app."]
    lines += [f"! {held_back_in_words(app)}" for app in apps if app.held_back]
    return Answer("\n".join(lines), asked.command_line())


async def address(asked: Asked) -> Answer:
    app = await asked.one()
    return Answer(f"{app.name} answers at {app.url}", asked.command_line(), opens=app.url)


async def follow(asked: Asked) -> Answer:
    app = await asked.one()
    if app.deployment is None:
        return Answer(f"No deployment of {app.name} is under way.", asked.command_line())
    says = f"Deployment {app.deployment.id} of {app.name} is under way: {app.deployment.step or app.deployment.state}."
    return Answer(says, asked.command_line(), follows=(app.name, app.deployment.id))


def _row(app: App, asked: Asked) -> tuple[str, ...]:
    mark = "✓" if app.health in WELL and not app.troubles else "✗"
    under_way = f"{app.deployment.id} {app.deployment.step or app.deployment.state}" if app.deployment else ""
    update = f"update {app.update.version}" if app.update else ""
    return (mark, app.name, *_slot(app.active, asked), app.health, " ".join(filter(None, (under_way, update))))


def _slot(slot: Slot | None, asked: Asked) -> tuple[str, str, str]:
    if slot is None:
        return (NONE, NONE, NONE)
    return slot.version, slot.colour, f"since {asked.at(slot.since)}" if slot.since else NONE


def _wrong(app: App) -> list[str]:
    lines = [_trouble(f"{app.name}: ", one.says, one.remedy) for one in app.troubles]
    if not lines and (app.unsettled or (app.health not in WELL and app.active)):
        lines.append(f"{app.name}: {of_markup(what_is_active(app))}")
    return lines


def _trouble(whose: str, says: str, remedy: str) -> str:
    return f"✗ {whose}{says}" + (f"\n  💡 {remedy}" if remedy else "")
