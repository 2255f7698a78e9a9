"""What an answer is made of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from panel.client.client import Client
from panel.client.errors import NotFound
from panel.client.model import App, Apps
from panel.console.answer import Answer
from panel.console.understood import Understood
from panel.text.moments import OWN, Times


@dataclass(frozen=True)
class Asked:
    """One understood line. `now` is in the person's zone, and `times` is how the person reads moments. Requests raise a
    ClientError, which the caller shows."""

    client: Client
    meant: Understood
    now: datetime
    times: Times = OWN

    @property
    def app(self) -> str:
        return self.meant.app

    def command_line(self, **more: str) -> str:
        """The `changeover …` line, with the values of what was typed and these."""
        return self.meant.command.command_line(self.meant.values | more)

    def at(self, moment: datetime) -> str:
        """Date, if it is another day, and time of day in the person's zone."""
        is_today = self.times.local(moment).date() == self.now.date()
        return self.times.to_second(moment) if is_today else self.times.dated_to_minute(moment)

    async def found(self) -> Apps:
        """The app that is asked about, or all of them. Raises NotFound if there is no such one any more."""
        found = await self.client.status()
        if not self.app:
            return found
        apps = tuple(app for app in found.apps if app.name == self.app)
        if not apps:
            raise NotFound(f"There is no app {self.app}.", "Type status to see which there are.")
        return Apps(apps=apps)

    async def one(self) -> App:
        return (await self.found()).apps[0]


Answers = Callable[[Asked], Awaitable[Answer]]
