"""Many small apps of one repository, and a configuration of them that is saved again and again."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.images import image
from tests.support.paths import ROOT
from tests.support.repository import Repository

EVERY_THIRD = 3
"""One of so many has data, and a migration under pause in each deployment."""
SPARE_BACKENDS = 2
MIGRATIONS = """\
    migrate:
      command: python /stall.py migrate
      status: python /stall.py status
      down: python /stall.py down {revision}
"""


def stall_repository(folder: Path) -> Repository:
    """A Git repository with the small app; its base is the image of the orchestrator, which has Python."""
    content = folder / "stall-content"
    content.mkdir()
    (content / "stall.py").write_text((ROOT / "tests" / "support" / "stall" / "stall.py").read_text())
    (content / "Dockerfile").write_text(
        f"FROM {image('orchestrator')}\nHEALTHCHECK NONE\nCOPY stall.py /stall.py\n"
        'RUN install -d -o 10001 /data\nUSER 10001\nCMD ["python", "/stall.py"]\n'
    )
    return Repository(folder / "repository", content)


def next_revision(repository: Repository) -> None:
    """A release with a change of the schema."""
    source = (repository.path / "stall.py").read_text()
    number = int(re.findall(r"^REVISION = (\d+)$", source, re.MULTILINE)[0])
    repository.replace("stall.py", f"REVISION = {number}", f"REVISION = {number + 1}")
    repository.commit(f"feat: revision {number + 1}")


@dataclass
class Stalls:
    """The configuration: what a person changes in it, and its text."""

    repository: Path
    number: int
    hosts: dict[str, int] = field(default_factory=dict)
    """How many hosts an app has beside its own."""
    settings: dict[str, int] = field(default_factory=dict)
    """The value of a setting of an app's container."""
    guests: int = 0
    """Apps that are configured and never deployed."""

    @property
    def names(self) -> list[str]:
        return [f"stall{number}" for number in range(self.number)]

    def hosts_of(self, app: str) -> list[str]:
        return [f"{app}.test", *(f"www{number}.{app}.test" for number in range(self.hosts.get(app, 0)))]

    def text(self) -> str:
        guests = "".join(self._guest(number) for number in range(self.guests))
        apps = "".join(self._app(name, number) for number, name in enumerate(self.names))
        return f"disk: {{min_free_mb: 100}}\nproxy: {{spare_backends: {SPARE_BACKENDS}}}\napps:\n{apps}{guests}"

    def _app(self, name: str, number: int) -> str:
        data, migrations = ("", "") if number % EVERY_THIRD else (", data: /data", MIGRATIONS)
        return f"""  {name}:
    update: {{git: {{remote: {self.repository}, branch: main}}, background_check: {{enabled: false}}}}
    run: {{env: {{SETTING: "{self.settings.get(name, 0)}"}}{data}}}
    route: {{hosts: [{", ".join(self.hosts_of(name))}]}}
    health: {{path: /, timeout: 120}}
    drain: {{timeout: 2, stop_timeout: 2}}
{migrations}"""

    def _guest(self, number: int) -> str:
        return f"""  guest{number}:
    update: {{git: {{remote: {self.repository}, branch: main}}, enabled: false}}
    route: {{host: guest{number}.test}}
"""
