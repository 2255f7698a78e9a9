"""The caller of one request of the API, and what it may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.domain.access import Scope
from orchestrator.domain.askers import asker
from orchestrator.errors import NotAllowed


@dataclass(frozen=True)
class Caller:
    """Who sent a request: a token, or a session of the panel that was opened with a token.

    `name` is the token's, `apps` the apps that it is for (None: all), `session` the digest of the session (empty: the
    token itself), `origin` where the request came from. After `ends_at` it is not accepted any more.
    """

    name: str
    scope: Scope
    apps: tuple[str, ...] | None = None
    origin: str = ""
    session: str = ""
    ends_at: datetime | None = None

    @property
    def asker(self) -> str:
        """As whom deployments are requested."""
        return asker(self.name)

    def sees(self, app: str) -> bool:
        return self.apps is None or app in self.apps

    def require(self, needed: Scope, what: str = "this") -> None:
        """Raises NotAllowed without the scope."""
        if not self.scope.covers(needed):
            raise NotAllowed(
                f"Token '{self.name}' has scope '{self.scope}'; {what} needs '{needed}'.",
                f"Use another token. An admin creates one: changeover token create NAME --scope {needed}",
                known=True,
            )

    def require_app(self, app: str) -> None:
        """Raises NotAllowed for an app that the token is not for, whether such an app exists or not."""
        if not self.sees(app):
            raise NotAllowed(
                f"Token '{self.name}' is for {self._its_apps}; this needs one for '{app}'.",
                f"Create one: changeover token create NAME --app {app} --scope {self.scope}",
                known=True,
            )

    def require_all_apps(self) -> None:
        """Raises NotAllowed for a token that is for some apps only."""
        if self.apps is not None:
            raise NotAllowed(
                f"Token '{self.name}' is for {self._its_apps}; this needs a token for all apps.",
                f"Use another token. An admin creates one: changeover token create NAME --scope {self.scope}",
                known=True,
            )

    def require_token(self) -> None:
        """Raises NotAllowed for a session of the panel: a stolen one must not become a token that lasts."""
        if self.session:
            raise NotAllowed(
                "A session of the panel cannot make tokens or sessions.",
                "Use the command with a token: changeover token create",
                known=True,
            )

    @property
    def _its_apps(self) -> str:
        return "app " + ", ".join(f"'{app}'" for app in self.apps or ())
