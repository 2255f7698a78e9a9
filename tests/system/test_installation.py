"""A newcomer's first minutes: `make up`, sign in, press U; then U with the panel from each of the other sources."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.support.forward import forwarded
from tests.support.installation import Installation
from tests.support.package_index import Served, StaticIndex
from tests.support.panel_updates import ARCHIVES, PanelReleases, press_b, press_u, press_u_in_vain
from tests.support.registry import Registry

pytestmark = pytest.mark.whole_in_turn


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Installation]:
    """As a newcomer has it. They install the packages, too: so does `make test` itself in a new clone, and here only
    `make test-all` once more, since it takes a minute.
    """
    made = Installation(tmp_path_factory.mktemp("newcomer") / "changeover")
    try:
        if not (request.config.getoption("--thorough") or request.config.getoption("--soak")):
            made.lend_packages()
        up = made.make("up")
        assert up.returncode == 0, up.stdout + up.stderr
        (made.folder.parent / "up.txt").write_text(up.stdout)
        yield made
    finally:
        made.remove()


def test_make_up_says_where_the_panel_is_and_it_answers_there(installation: Installation) -> None:
    said = (installation.folder.parent / "up.txt").read_text()
    address = re.search(r"Panel\s+(http://\S+)", said)
    assert address is not None, said
    assert ".changeover/token" in said

    page = httpx.get(address[1], follow_redirects=True)

    assert page.status_code == 200
    assert "Token" in page.text
    panel = installation.app()
    assert panel["active"]["colour"] == "blue"
    assert panel["health"] == "healthy"
    assert (installation.folder / ".changeover" / "token").stat().st_mode & 0o777 == 0o600


def test_make_up_again_changes_nothing_and_succeeds(installation: Installation) -> None:
    before = installation.app()["active"]

    again = installation.make("up")

    assert again.returncode == 0, again.stdout + again.stderr
    assert installation.app()["active"] == before


def test_a_wrong_token_is_refused_with_the_reason(installation: Installation) -> None:
    answer = httpx.post(f"{installation.url}/sign-in", data={"token": "wrong"})

    assert answer.status_code == 401
    assert "the token is unknown or revoked" in answer.text


def test_a_page_of_another_site_can_neither_sign_in_nor_open_a_session(installation: Installation) -> None:
    elsewhere = {"Origin": "http://evil.example"}
    signed_in = httpx.post(f"{installation.url}/sign-in", data={"token": installation.token})
    cookie = {"Cookie": f"changeover_session={signed_in.cookies['changeover_session']}"}

    form = httpx.post(f"{installation.url}/sign-in", data={"token": installation.token}, headers=elsewhere)
    address = f"ws://127.0.0.1:{installation.port}/session?session=1"
    with pytest.raises(InvalidStatus), connect(address, additional_headers=elsewhere | cookie, proxy=None):
        pass

    assert form.status_code == 403
    assert "set-cookie" not in form.headers


def test_the_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites(installation: Installation) -> None:
    answer = httpx.post(f"{installation.url}/sign-in", data={"token": installation.token})

    cookie = answer.headers["set-cookie"].lower()
    assert installation.token.lower() not in cookie
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_no_token_stands_in_logs_events_or_the_environment_of_containers(installation: Installation) -> None:
    engine = docker.from_env()
    try:
        for container in engine.containers.list(filters={"network": installation.name}, ignore_removed=True):
            assert installation.token not in container.logs().decode(errors="replace")
            assert installation.token not in json.dumps(container.attrs)
    finally:
        engine.close()
    assert installation.token not in json.dumps(installation.json("history", "panel"))


@pytest.mark.timeout(400)
def test_u_in_the_browser_updates_the_panel_which_goes_on_in_the_new_version(
    installation: Installation, tmp_path: Path
) -> None:
    readme = installation.folder / "README.md"
    readme.write_text(readme.read_text() + "\nOne more line.\n")
    source = installation.folder / "panel" / "screens" / "dashboard.py"
    source.write_text(source.read_text().replace('Static("Events"', 'Static("What happened"'))
    installation.commit("feat(panel): call events what they are")

    shown = press_u(installation, tmp_path, "What happened")

    assert "call events what they are" in shown.result


def has_size(question: str) -> bool:
    return "Download size: " in question and "Download size: not known" not in question


@pytest.fixture
def releases(installation: Installation, tmp_path: Path) -> PanelReleases:
    folder = tmp_path / "releases"
    folder.mkdir()
    return PanelReleases(installation, folder)


@pytest.mark.timeout(400)
def test_the_panel_goes_on_in_the_next_version_of_its_package(
    installation: Installation, releases: PanelReleases, tmp_path: Path
) -> None:
    index = StaticIndex()
    packed = releases.source_distribution("0.2.0").read_bytes()
    index.add("changeover", "changeover-0.2.0.tar.gz", packed, size=len(packed))
    with Served(index.answer, installation.gateway) as served:
        source = f"source: pypi, pypi: {{package_name: changeover, index_url: {served.url}/simple/}}"
        installation.configure(f"update: {{{source}}}\n")

        shown = press_u(installation, tmp_path, "Events of 0.2.0")

    assert "New version:     0.2.0" in shown.question
    assert "1 change." in shown.question
    assert has_size(shown.question)
    assert "Estimated time: ~" in shown.question
    assert "A panel that says 0.2.0" in shown.result


@pytest.mark.timeout(400)
def test_the_panel_goes_on_in_the_next_archive_of_a_web_server(
    installation: Installation, releases: PanelReleases, tmp_path: Path
) -> None:
    releases.publish_archive("0.3.0")
    key = installation.folder / "secrets" / "panel.pub"
    key.write_bytes(releases.public_key)

    def answer(path: str, _etag: str) -> tuple[int, str, str, bytes]:
        found = releases.pages.get(path)
        return (404, "text/plain", "", b"") if found is None else (200, "application/octet-stream", "", found)

    with Served(answer, installation.gateway) as served:
        web = f"{served.url}{ARCHIVES}"
        urls = f"manifest_url: {web}/manifest.json, download_url: '{web}/{{version}}.tar.gz'"
        installation.configure(f"update: {{source: url, url: {{{urls}, public_key: secrets/panel.pub}}}}\n")

        shown = press_u(installation, tmp_path, "Events of 0.3.0")

    assert "New version:     0.3.0" in shown.question
    assert "2 changes." in shown.question
    assert has_size(shown.question)
    assert "a panel that says 0.3.0" in shown.result


@contextmanager
def following(installation: Installation, folder: Path) -> Iterator[Registry]:
    """A registry, whose `panel:stable` the panel follows. The engine and the orchestrator must reach it at the same
    address: here at 127.0.0.1 of both."""
    folder.mkdir()
    with Registry(folder) as registry:
        here, at_bridge = ("127.0.0.1", registry.port), (installation.gateway, registry.port)
        with forwarded(at_bridge, here), forwarded(here, at_bridge, installation.orchestrator):
            yield registry


def follow(installation: Installation, registry: Registry) -> None:
    settings = f"image: {registry.host}/panel, tag: stable, insecure: true"
    installation.configure(f"update: {{source: registry, registry: {{{settings}}}}}\n")


@pytest.mark.timeout(400)
def test_the_panel_goes_on_in_the_next_image_of_its_tag_and_back(
    installation: Installation, releases: PanelReleases, tmp_path: Path
) -> None:
    before = installation.app()["active"]["version"]
    with following(installation, tmp_path / "registry") as registry:
        registry.push(releases.image("0.4.0"), "panel:stable")
        follow(installation, registry)
        shown = press_u(installation, tmp_path, "Events of 0.4.0")
        press_b(installation, before, tmp_path)

    assert "New version:     0.4.0" in shown.question
    assert "1 change." in shown.question
    assert has_size(shown.question)
    assert "a panel that says 0.4.0" in shown.result


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_a_broken_image_of_the_panel_leaves_the_old_one_which_says_why(
    installation: Installation, releases: PanelReleases, tmp_path: Path
) -> None:
    before = installation.app()["active"]["version"]
    with following(installation, tmp_path / "registry") as registry:
        registry.push(releases.broken_image("0.4.2", releases.image("0.4.1")), "panel:stable")
        follow(installation, registry)
        failed = press_u_in_vain(installation, tmp_path)

    assert "out of order" in failed
    assert f"{before} on" in failed
