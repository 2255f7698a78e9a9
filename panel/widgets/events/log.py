"""The log of events on the dashboard."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from datetime import datetime

from rich.text import Text
from textual import on
from textual.events import Resize, Show
from textual.widgets import RichLog

from panel.client import events
from panel.client.events import Event
from panel.client.model import StepState
from panel.preferred import times_of, when_times_change
from panel.text.counted import counted
from panel.text.drain import drained_in_words, draining_in_words
from panel.text.markup import inline
from panel.text.moments import OWN, Times
from panel.text.standby import standby_crashed_in_words, standby_stays_in_words


class EventLog(RichLog):
    """The newest events of all apps, one line each."""

    DEFAULT_CSS = """
    EventLog {
        margin: 0 1 1 2; height: 1fr; background: $background;
        overflow-y: auto; scrollbar-gutter: stable; scrollbar-size-vertical: 1;
    }
    """
    MAX_LINES = 500

    def __init__(self, name: str = "events") -> None:
        super().__init__(id=name, max_lines=self.MAX_LINES, min_width=0, wrap=True)
        self._told: dict[str, str] = {}
        """By deployment, the cause that its failed step has told."""
        self.said: deque[Text] = deque(maxlen=self.MAX_LINES)
        """What it says, an entry an event, the newest last."""
        self._drawn_for = 0
        """The width that the lines are wrapped for; 0 while some are not drawn."""
        self._taken: deque[Event] = deque(maxlen=self.MAX_LINES)
        """The events that it says something of."""

    def on_mount(self) -> None:
        when_times_change(self, self._say_again)

    @on(Resize)
    def show_newest(self) -> None:
        """Scroll to the newest events after a resize; a log that became lower would stop to follow."""
        self.call_after_refresh(self.scroll_end, animate=False)

    @on(Resize)
    @on(Show)
    def draw_anew(self) -> None:
        """Wrap the lines for the width that there is. A hidden log has none, and keeps them until it is shown."""
        if (width := self.size.width) and width != self._drawn_for:
            self.clear()
            for says in self.said:
                self.write(says)
            self._drawn_for = width

    def begin_again(self) -> None:
        """Forget every event."""
        self._taken.clear()
        self.said.clear()
        self._told.clear()
        self.clear()

    def _say_again(self) -> None:
        """Moments are written in another way."""
        taken = list(self._taken)
        self.begin_again()
        for event in taken:
            self.take(event)

    def take(self, event: Event) -> None:
        """Add an event, if its kind is one that is shown."""
        if line := event_line(event, self._told.get(event.deployment, ""), times_of(self)):
            self._taken.append(event)
            self._add(Text.from_markup(line, emoji=False))
        match event.what:
            case events.Step(state=StepState.FAILED, note=note) if event.deployment:
                self._told[event.deployment] = note
            case events.NotLive() | events.Live():
                self._told.pop(event.deployment, None)

    def _add(self, says: Text) -> None:
        self.said.append(says)
        if self.size.width:
            self.write(says)
        else:
            self._drawn_for = 0


def event_line(event: Event, told: str = "", times: Times = OWN) -> str:
    """Markup for one event; empty for kinds that are not shown, such as lines of output.

    The cause is `told` already, if the note of the failed step begins with it, before what to do: then the end of its
    deployment names the step.
    """
    if not (says := _says(event, told, times)):
        return ""
    parts = [f"[grey50]{times.to_second(event.at)}[/]"]
    if event.app:
        parts.append(f"[bold]{inline(event.app)}[/]")
    if event.deployment:
        parts.append(f"[grey50]{inline(event.deployment)}[/]")
    return " ".join([*parts, says]).rstrip()


def _says(event: Event, told: str, times: Times) -> str:
    match event.what:
        case events.Step(step=step, state=StepState.DONE):
            return f"[green3]✓[/] {inline(step)}"
        case events.Step(step=step, state=StepState.FAILED, note=note):
            return f"[red]✗ {inline(step)}[/] {inline(note)}"
        case events.Step(step=step, state=StepState.SKIPPED, note=note):
            return f"[grey50]–[/] {inline(step)} {inline(note)}".rstrip()
        case events.Queued(by=by) | events.Started(by=by):
            return f"{inline(event.kind)} by {inline(by)}" if by else inline(event.kind)
        case events.Live() as live:
            return _live(live)
        case events.NotLive(step=step, cause=cause) if cause and told.startswith(cause):
            return f"[bold red]{inline(event.kind.replace('_', ' '))}[/] at {inline(step)}"
        case events.NotLive(cause=cause):
            return f"[bold red]{inline(event.kind.replace('_', ' '))}[/] {inline(cause)}"
        case events.Superseded():
            return "superseded by a newer request"
        case events.Unchanged(version=version):
            return f"unchanged: {inline(version)} is live already"
        case events.Restored(backup=backup, replaced=replaced):
            return f"[bold green3]restored[/] backup {inline(backup)}; the replaced data is backup {inline(replaced)}"
        case events.HealthChanged(health=health):
            return f"health: {inline(health)}"
        case events.FailedOver(version=version, cause=cause):
            return f"[bold red]failed over[/] to {inline(version)}: {inline(cause)}"
        case events.Outage(version=version, health=health, cause=cause):
            return f"[bold red]outage[/] {inline(version)} ({inline(health)}): {inline(cause)}"
        case events.OutageOver(version=version, seconds=seconds):
            took = f"; it took {seconds:.0f} s" if seconds else ""
            return f"outage over: healthy again, with {inline(version)}{took}"
        case events.WentBack(requests=requests, seconds=seconds):
            answered = f"{counted(requests, 'request')} in {seconds:.1f} s"
            return f"went back to the active release: the standby answered {answered}"
        case events.StandbyStays() as stays:
            return f"[yellow]standby[/] {standby_stays_in_words(stays)}"
        case events.StandbyCrashed() as crashed:
            return f"[yellow]standby[/] {standby_crashed_in_words(crashed)}"
        case events.Waiting(cause=cause):
            return f"[yellow]waits[/] {inline(cause)}"
        case events.Draining() as draining:
            return f"[yellow]waits[/] {draining_in_words(draining)}"
        case events.Drained() as drained if drained.total:
            return f"[yellow]{drained_in_words(drained)}[/]"
        case events.UpdateFound(version=version):
            return f"🆕 update available: {inline(version)}"
        case events.Skipped(version=version, undone=undone):
            return f"{inline(version)} is offered again" if undone else f"{inline(version)} is skipped"
        case events.Trouble(cause=cause, remedy=remedy):
            return f"[red]{inline(event.kind.replace('_', ' '))}[/] {inline(f'{cause} {remedy}')}"
        case events.Muted(until=until, by=by):
            return f"muted until {_moment(until, times)} by {inline(by)}"
        case events.BackupVerified(backup=backup, problem=problem):
            says = f"[red]not verified:[/] {inline(problem)}" if problem else "verified"
            return f"backup {inline(backup)} {says}"
        case events.BackupDeleted(backup=backup, by=by):
            return f"backup {inline(backup)} deleted by {inline(by)}"
        case events.Unmuted(by=by):
            return f"not muted any more, by {inline(by)}"
        case events.NoticeMuted(title=title):
            return f"[grey50]not sent, because it is muted:[/] {inline(title)}"
        case events.DiskLow(free_mb=free, required_mb=required):
            return f"[red]disk space is running out:[/] {free} MB free, {required} MB required"
        case events.DiskEnough(free_mb=free):
            return f"disk space is enough again: {free} MB free"
        case events.NoticesTaken(service=service):
            return f"{inline(service)} takes notices again"
        case events.ConfigRefused(problems=problems):
            return f"[red]configuration refused[/] {inline('; '.join(problems))}"
        case events.ConfigLoaded():
            return "configuration loaded"
        case events.Fields() if event.kind == events.EventKind.CHECK_SUCCEEDED:
            return "checks for updates succeed again"
        case _:
            return ""


def _live(live: events.Live) -> str:
    took = f" after {live.seconds:.2f} s" if live.seconds is not None else ""
    done = "rolled back, live" if live.rollback else "live"
    return f"[bold green3]{done}[/] on {inline(live.colour)}{took}"


def _moment(text: str, times: Times) -> str:
    """In the viewer's time zone; as it is, if it is no moment."""
    with suppress(ValueError, OverflowError):
        return times.dated_to_minute(datetime.fromisoformat(text))
    return inline(text)
