"""An address that is the orchestrator's own container is found at each key that names a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.config import loader
from orchestrator.config.keys import every_key
from orchestrator.config.preflight import preflight
from orchestrator.config.section import AskedServer
from orchestrator.domain.own_address import HOST, is_own
from tests.support.paths import ROOT

GIT = {"git": {"remote": "https://git.test/me/shop"}}
URLS = {"manifest_url": "https://x.test/m", "download_url": "https://x.test/{version}"}
SECTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "update.git.remote": ("http://{}/shop.git", {"update": {}}),
    "update.pypi.index_url": ("http://{}/simple/", {"update": {"source": "pypi", "pypi": {"package_name": "shop"}}}),
    "update.url.manifest_url": ("http://{}/m", {"update": {"source": "url", "url": URLS}}),
    "update.url.download_url": ("http://{}/{{version}}", {"update": {"source": "url", "url": URLS}}),
    "update.registry.image": ("{}/shop", {"update": {"source": "registry", "registry": {"insecure": True}}}),
    "apps.NAME.report.api_url": ("https://{}/api", {"update": GIT, "report": {"kind": "gitea", "token_file": "t"}}),
}
NOT_ASKED = ("apps.NAME.report.link",)
"""Where a browser goes."""
OWN = ("127.0.0.1", "127.0.0.1:5000", "localhost:3000", "127.1.2.3", "api.localhost:80")


def configured(key: str, host: str) -> str:
    form, section = SECTIONS[key]
    app = yaml.safe_load(yaml.safe_dump(section))
    *path, name = key.removeprefix("apps.NAME.").split(".")
    at = app
    for part in path:
        at = at.setdefault(part, {})
    at[name] = form.format(host)
    return yaml.safe_dump({"apps": {"shop": {"route": {"host": "shop.test"}, **app}}})


def test_every_key_that_takes_an_address_is_in_the_table() -> None:
    marked = {key.name for key in every_key() if any(isinstance(one, AskedServer) for one in key.field.metadata)}
    urls = {key.name for key in every_key() if "URL" in key.unit and key.unit != "URL path"} - set(NOT_ASKED)

    assert marked == set(SECTIONS)
    assert urls <= marked


@pytest.mark.parametrize("host", OWN)
@pytest.mark.parametrize("key", SECTIONS)
async def test_an_own_address_is_told_with_what_to_use(tmp_path: Path, key: str, host: str) -> None:
    (tmp_path / "t").write_text("a-token-of-the-forge\n")
    config = loader.parse(configured(key, host), "c.yaml").config

    (said,) = await preflight(config, tmp_path)

    assert said.startswith(
        f"apps.shop.{key.removeprefix('apps.NAME.')}: {host.partition(':')[0]} is the orchestrator's"
    )
    assert ("docs/registry.md" if key.endswith("image") else HOST) in said


@pytest.mark.parametrize("key", SECTIONS)
@pytest.mark.parametrize("host", ["git.example.com", "10.0.0.1:3000", HOST, "registry:5000"])
async def test_other_addresses_are_no_problem(tmp_path: Path, key: str, host: str) -> None:
    (tmp_path / "t").write_text("a-token-of-the-forge\n")
    text = configured(key, host).replace("http://", "https://")

    assert await preflight(loader.parse(text, "c.yaml").config, tmp_path) == []


async def test_a_service_that_is_told_something_is_looked_at_without_showing_its_url(tmp_path: Path) -> None:
    (tmp_path / "notify").write_text("# ours\njson://user:the-password@localhost:8000/x\njson://chat.test/x\n")

    (said,) = await preflight(loader.parse("notify: [{url_file: notify}]\n", "c.yaml").config, tmp_path)

    assert said.startswith("notify.0.url_file: notify, line 2: localhost is the orchestrator's own container")
    assert "the-password" not in said


@pytest.mark.parametrize(
    ("host", "own"),
    [
        *((host, True) for host in ("::1", "[::1]", "0.0.0.0", "::ffff:127.0.0.1", "LOCALHOST.")),
        *((host, False) for host in ("", "localhost.example.com", "128.0.0.1", "127.0.0.1.nip.io")),
    ],
)
def test_which_hosts_are_the_container_itself(host: str, own: bool) -> None:
    assert is_own(host) is own


def test_the_container_knows_the_name_that_is_said() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))

    assert f"{HOST}:host-gateway" in compose["services"]["orchestrator"]["extra_hosts"]
