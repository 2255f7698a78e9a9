"""The keys of the dashboard that are about deployments, and those that open a screen of their own."""

from __future__ import annotations

from rich.text import Text
from textual import work
from textual.notifications import SeverityLevel

from panel.client.errors import ClientError
from panel.client.model import App, DeploymentState
from panel.screens.app_keys import AppKeys
from panel.screens.audit import AuditScreen
from panel.screens.deployment_screen import last_deployment
from panel.screens.notices import NoticesScreen
from panel.screens.question import roll_back
from panel.text.outcome import outcome


class DeploymentKeys(AppKeys):
    """Each acts on the app under the cursor."""

    def action_rollback(self) -> None:
        """Ask, and send the traffic of the app under the cursor back to its standby release."""
        self._with_current(self._ask_to_roll_back)

    def _ask_to_roll_back(self, app: App) -> None:
        name, standby = app.name, app.standby
        if standby is None:
            self.notify(f"{name} has no standby release to roll back to. Deploy a second release first.", markup=False)
            return
        question = roll_back(name, standby, app.active, self._plan_of(name, "rollback"))
        self._ask(question, lambda: self._roll_back(name, standby.container))

    @work(group="changes")
    async def _roll_back(self, app: str, container: str) -> None:
        try:
            record = await self._client.rollback(app, container=container)
        except ClientError as error:
            self._complain(error)
            return
        is_live = record.state == DeploymentState.LIVE
        if not is_live and self._is_shown:
            self._follow(app, record.id)  # with the log, which no notice has room for
            return
        severity: SeverityLevel = "information" if is_live else "error"
        self.notify(Text.from_markup(outcome(record), emoji=False).plain, severity=severity, timeout=10, markup=False)

    def action_progress(self) -> None:
        """Show the deployment under way, or the last one."""
        self._with_current(self._show_progress)

    @work(exclusive=True, group="asked")
    async def _show_progress(self, app: App) -> None:
        try:
            shown = app.deployment.id if app.deployment else await last_deployment(self._client, app.name)
        except ClientError as error:
            self._complain(error)
            return
        if shown and self._is_shown:
            self._follow(app.name, shown)
        elif not shown:
            self.notify("This app has no deployments.")

    def action_notices(self) -> None:
        """Test the services that are told what happens to the app under the cursor."""
        self._with_current(lambda app: self.app.push_screen(NoticesScreen(self._client, app.name)))

    def action_audit(self) -> None:
        """Show the audit log."""
        self.app.push_screen(AuditScreen(self._client))
