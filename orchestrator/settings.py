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
    backups_mount: str = "changeover-backups"
    """The volume, or the folder of the host, that is mounted at `state`/backups here: sidecars mount it, too."""
    tools_image: str = "changeover/orchestrator"
    """The orchestrator's own image, for sidecars that work on data."""
    proxy: Path = Path("/run/changeover")
    source: Path = Path("/source")
    """The checkout: what `update.git.remote: .` refers to."""
    config: Path = Path("/source/control-panel-config.yaml")
    token_folder: Path = Path("/run/changeover-token")
    database_url: str = ""
    """The journal; a SQLite file in `state` when empty."""
    api_host: str = "0.0.0.0"
    api_port: int = 8090
    api_url: str = "http://orchestrator:8090"
    """How app containers reach the API."""
    deploy_panel: bool = True
    """Whether the panel is deployed at the first start; false for a host that is driven by command only."""
    public_url: str = "http://127.0.0.1:8080"

    @property
    def journal_url(self) -> str:
        return self.database_url or f"sqlite:///{self.state / 'journal.db'}"
