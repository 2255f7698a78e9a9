"""Images and archives that a CI job brings: deployed by hand to an app whose source is another one."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.support.images import build_folder
from tests.support.package_index import SERVER
from tests.support.paths import ROOT
from tests.support.repository import Repository
from tests.support.stack import NO_APPS, Stack
from tests.support.user import DEPLOY_S
from tests.support.visitor import Visitor

DOCKERFILE = """
FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*
COPY server.py /
CMD ["python3", "/server.py"]
"""


def files(version: str) -> dict[str, str]:
    server = SERVER.replace("VERSION", version).replace("ADDRESS", "0.0.0.0") + "\nmain()\n"
    return {"Dockerfile": DOCKERFILE, "server.py": server}


def written(folder: Path, version: str) -> Path:
    folder.mkdir()
    for name, text in files(version).items():
        (folder / name).write_text(text)
    return folder


def archive(version: str, below: str = "") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files(version).items():
            member = tarfile.TarInfo(f"{below}{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def deploy(stack: Stack, *options: str, content: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run `changeover deploy shop` as a CI job would: with a token of this app alone, and a pipe for the archive."""
    ended = subprocess.run(
        [sys.executable, "-m", "panel.cli", "deploy", "shop", *options, "--wait"],
        cwd=ROOT, env=stack.command_environment, input=content, capture_output=True, timeout=DEPLOY_S,
    )  # fmt: skip
    return subprocess.CompletedProcess(ended.args, ended.returncode, ended.stdout.decode(), ended.stderr.decode())


def test_images_and_archives_are_deployed_by_hand_while_the_app_is_used(tmp_path: Path, proxy_image: None) -> None:
    repository = Repository(tmp_path / "repository", written(tmp_path / "shop", "1.0.0"))
    local = build_folder("by-hand-shop", written(tmp_path / "image", "2.0.0"))
    config = (
        f"{NO_APPS}apps:\n  shop:\n    update: {{git: {{remote: {repository.path}}}}}\n    route: {{host: shop.test}}\n"
    )
    with Stack(tmp_path, config) as stack:
        stack.deploy_to_live()
        created = json.loads(
            stack.command("token", "create", "ci", "--app", "shop", "--scope", "deploy", "--json").stdout
        )
        admin, stack.token = stack.token, created["token"]
        with Visitor(stack) as visitor:
            by_image = deploy(stack, "--image", local, "--log-format", "plain")
            by_archive = deploy(
                stack, "--archive", "-", "--version", "3.0.0", "--log-format", "github", content=archive("3.0.0")
            )
            rolled_back = stack.wait_ended(stack.rollback()["id"])
        assert by_image.returncode == 0, by_image.stdout + by_image.stderr
        assert by_archive.returncode == 0, by_archive.stdout + by_archive.stderr
        assert rolled_back["state"] == "live"
        assert visitor.failures == []
        assert visitor.releases == {"1.0.0", "2.0.0", "3.0.0"}
        assert stack.ask().text
        assert "3.0.0" in stack.command("history", "shop").stdout
        assert "::group::build" in by_archive.stdout
        stack.token = admin
        assert list((stack.state / "uploads").glob("*/*")) == []
        assert "another release was made live after it" in stack.command("check", "shop").stdout
