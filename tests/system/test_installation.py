"""A newcomer's first minutes: `make up`, sign in, press U."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import docker
import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.support.browser import signed_in
from tests.support.installation import Installation


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("newcomer") / "changeover")
    try:
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
        for container in engine.containers.list(filters={"network": installation.name}):
            assert installation.token not in container.logs().decode(errors="replace")
            assert installation.token not in json.dumps(container.attrs)
    finally:
        engine.close()
    assert installation.token not in json.dumps(installation.json("history", "panel"))


@pytest.mark.timeout(400)
def test_u_in_the_browser_updates_the_panel_which_goes_on_in_the_new_version(
    installation: Installation, tmp_path: Path
) -> None:
    old = installation.app()["active"]["version"]
    with signed_in(installation.url, installation.token, tmp_path) as terminal:
        terminal.wait_for(old)
        readme = installation.folder / "README.md"
        readme.write_text(readme.read_text() + "\nOne more line.\n")
        source = installation.folder / "panel" / "screens" / "dashboard.py"
        source.write_text(source.read_text().replace('Static("Events"', 'Static("What happened"'))
        installation.commit("feat(panel): call events what they are")

        terminal.press("u")
        terminal.wait_for("Proceed with update?")
        terminal.press("y")
        terminal.wait_for("Step 3/9")
        blank = 0
        for _ in range(600):
            blank += terminal.is_blank()
            if "UPDATE COMPLETE" in terminal.text and "Resumed after update" in terminal.text:
                break
            terminal.page.wait_for_timeout(50)
        shown = terminal.wait_for("Successfully updated", seconds=60)

        new = installation.app()["active"]["version"]
        assert new != old
        assert new in shown
        assert "call events what they are" in shown
        assert blank == 0
        assert terminal.sockets == 2
        assert terminal.page.url == installation.url + "/"
        terminal.press("Enter")
        terminal.wait_for("What happened")
        assert f"CHANGEOVER — {new}" in terminal.text
        assert terminal.requests_elsewhere == []
