"""The keys of the dashboard that are about updates: look, ask, install, dismiss, choose another version."""

from __future__ import annotations

from functools import partial

from textual import work

from panel.client.errors import ClientError
from panel.client.model import App, Slot, Update
from panel.client.version_model import Version
from panel.screens.app_keys import AppKeys
from panel.screens.confirm import ConfirmScreen
from panel.screens.deployment_screen import failed_with_newest
from panel.screens.details import DetailsScreen
from panel.screens.question import ask_although_off, deploy_again, deploy_version
from panel.screens.versions import VersionsScreen
from panel.text.held_back import held_back_in_words, no_update_in_words

SLOW_S = 1.0
"""After so many seconds, a check that is under way is told."""


class UpdateKeys(AppKeys):
    """Each acts on the app under the cursor."""

    def action_update(self) -> None:
        """Look for an update of the app under the cursor and, if there is one, ask and install it."""
        self._with_current(self._update)

    def action_force_check(self) -> None:
        self._with_current(partial(self._update, use_known=False))

    def _update(self, app: App, *, use_known: bool = True) -> None:
        if app.deployment:
            self._follow(app.name, app.deployment.id)
        elif app.update and use_known:
            self._confirm(app, app.update)
        elif app.updates_off:
            self._ask(ask_although_off(app.name), lambda: self._ask_the_source(app, afresh=not use_known))
        else:
            self._ask_the_source(app, afresh=not use_known)

    @work(exclusive=True, group="asked")
    async def _ask_the_source(self, app: App, *, afresh: bool) -> None:
        """It may take long: no other key waits for it. Whoever has gone to another screen or app meanwhile is not asked
        there, where the next key would be the answer."""
        says = f"The source of {app.name} is asked. That may take minutes."
        slow = self.set_timer(SLOW_S, lambda: self.notify(says, markup=False))
        try:
            update = await self._client.check(app.name, afresh=afresh)
            known = app if update else await self._client.app(app.name)
            failed = await failed_with_newest(self._client, known) if update is None else ""
        except ClientError as error:
            self._complain(error)
            return
        finally:
            slow.stop()
        if update and self._is_shown and self.selected == app.name:
            self._confirm(app, update, is_fresh=True)
        elif update:
            self._tell_update(app, update)
        elif failed and not known.configuration_changed and self._is_shown and self.selected == app.name:
            self._follow(app.name, failed)  # with its cause and its log, and a key to try again
        elif self._is_shown or not known.configuration_changed:
            self._say_that_there_is_none(known)

    def _say_that_there_is_none(self, app: App) -> None:
        if app.configuration_changed and app.active and self._client.permission.may_deploy:
            self._offer_to_deploy_again(app, app.active)
            return
        self.notify(no_update_in_words(app), markup=False)

    def _offer_to_deploy_again(self, app: App, active: Slot) -> None:
        """The live release with the configuration as it is now. The standby stays the goal of a rollback."""
        self._ask_to_deploy(deploy_again(app.name, active, self._plan_of(app.name)), app.name, active.revision)

    def _confirm(self, app: App, update: Update, *, is_fresh: bool = False) -> None:
        """`is_fresh`: the source was asked just now. Whoever may not install it is told of it."""
        if not self._client.permission.may_deploy:
            self._tell_update(app, update)
            return
        question = ConfirmScreen(self._client, app, update, self._clock(), is_fresh=is_fresh)
        self._ask_to_deploy(question, app.name, update.revision)

    def _tell_update(self, app: App, update: Update) -> None:
        how = "U installs it." if self._client.permission.may_deploy else "D shows what it changes."
        self.notify(f"An update of {app.name} is available: {update.version}. {how}", markup=False)

    def action_details(self) -> None:
        """Show what the update of the app under the cursor changes."""
        self._with_current(self._show_details)

    def _show_details(self, app: App) -> None:
        update = app.update
        if update is None:
            self._tell_no_update(app)
            return

        def closed(wanted: str | None) -> None:
            if wanted == "update":
                self._confirm_if_configured(app.name, update)

        may_install = self._client.permission.may_deploy
        self.app.push_screen(DetailsScreen(app, update, self._clock(), may_install=may_install), closed)

    def _confirm_if_configured(self, name: str, update: Update) -> None:
        """What was shown may be of long ago, and the app may be gone since then."""
        if app := self._named(name):
            self._confirm(app, update)
        else:
            self.notify(f"{name} is not configured any more.", severity="warning", markup=False)

    def _tell_no_update(self, app: App) -> None:
        says = "No update is known for this app, or it is dismissed. Press U to check."
        self.notify(held_back_in_words(app) or says, markup=False)

    def action_dismiss_update(self) -> None:
        """Do not show the update of the app under the cursor for 24 hours."""
        self._with_current(self._dismiss)

    @work(group="changes")
    async def _dismiss(self, app: App) -> None:
        shown = app.update or (app.held_back if app.held_back and not app.held_back.dismissed else None)
        if shown is None:
            self._tell_no_update(app)
            return
        try:
            await self._client.dismiss(app.name, shown.version)
        except ClientError as error:
            self._complain(error)
            return
        self.notify(f"{app.name} {shown.version} is dismissed for 24 hours.", markup=False)

    def action_versions(self) -> None:
        """List the versions of the app under the cursor."""
        self._with_current(self._show_versions)

    def _show_versions(self, app: App) -> None:
        def closed(wanted: Version | None) -> None:
            if wanted:
                question = deploy_version(app.name, wanted, app.active, self._plan_of(app.name))
                self._ask_to_deploy(question, app.name, wanted.ref)

        self.app.push_screen(VersionsScreen(self._client, app, self._clock), closed)
