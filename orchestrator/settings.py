"""The orchestrator's settings, from environment variables. The defaults are those of its container."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CHANGEOVER_")

    stack: str = "changeover"
    """The prefix of container, volume and image names, and the value of the label `changeover.stack`."""
    network: str = "changeover"
    state: Path = Path("/var/lib/changeover")
    backups: str = "changeover-backups"
    """The volume, or the folder of the host, in which backups are stored. Only sidecars mount it."""
    home: str = "/root"
    """The home folder on the host that `~` in `backup_location` stands for."""
    tools_image: str = "changeover/orchestrator"
    """The orchestrator's own image, for sidecars that work on data."""
    proxy: Path = Path("/run/changeover")
    source: Path = Path("/source")
    """The checkout that `update.git.remote: .` refers to."""
    config: Path = Path("/source/control-panel-config.yaml")
    token_folder: Path = Path("/run/changeover-token")
    database_url: str = ""
    """The URL of the journal's database, `postgresql://…`. Empty: a SQLite file in `state`."""
    panel_database_url: str = ""
    """The URL of the panel's own database, `postgresql://…`. Empty: a SQLite file in the panel's data volume."""
    api_host: str = "0.0.0.0"
    api_port: int = 8090
    api_url: str = "http://orchestrator:8090"
    """The URL at which app containers reach the API."""
    deploy_panel: bool = True
    """Whether the panel is deployed at the first start. False for a host that is used by command only."""
    public_url: str = "http://127.0.0.1:8080"

    def backups_at(self, location: str | None) -> str:
        """The volume name or host folder that sidecars mount for backups; `location` is `backup_location`."""
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
