"""Where the orchestrator finds its surroundings: environment variables; the defaults are those of its container."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CHANGEOVER_")

    stack: str = "changeover"
    """Prefix of container, volume and image names, and the label by which this stack knows its own."""
    network: str = "changeover"
    state: Path = Path("/var/lib/changeover")
    backups: str = "changeover-backups"
    """The volume, or the folder of the host, that backups are kept in: only sidecars mount it."""
    home: str = "/root"
    """The home folder of who runs this on the host: what `~` in `backup_location` is."""
    tools_image: str = "changeover/orchestrator"
    """The orchestrator's own image, for sidecars that work on data."""
    proxy: Path = Path("/run/changeover")
    source: Path = Path("/source")
    """The checkout: what `update.git.remote: .` refers to."""
    config: Path = Path("/source/control-panel-config.yaml")
    token_folder: Path = Path("/run/changeover-token")
    database_url: str = ""
    """The journal, as `postgresql://…`; a SQLite file in `state` when empty."""
    panel_database_url: str = ""
    """The panel's own database, as `postgresql://…`; a SQLite file in its data volume when empty."""
    api_host: str = "0.0.0.0"
    api_port: int = 8090
    api_url: str = "http://orchestrator:8090"
    """How app containers reach the API."""
    deploy_panel: bool = True
    """Whether the panel is deployed at the first start; false for a host that is driven by command only."""
    public_url: str = "http://127.0.0.1:8080"

    def backups_at(self, location: str | None) -> str:
        """What a sidecar mounts as the place of backups: a volume's name, or a folder of the host."""
        if location is None:
            return self.backups
        return self.home + location.removeprefix("~") if location.startswith("~/") else location

    @property
    def panel_environment(self) -> dict[str, str]:
        database = {"PANEL_DATABASE_URL": self.panel_database_url} if self.panel_database_url else {}
        return {"CHANGEOVER_URL": self.api_url} | database

    @property
    def journal_url(self) -> str:
        return self.database_url or f"sqlite:///{self.state / 'journal.db'}"
