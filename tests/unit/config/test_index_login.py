"""As whom a package index is asked: by a netrc file, for the host of the index alone."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest

from orchestrator.config import loader
from orchestrator.config.index_login import login_of_index, passwords_of
from orchestrator.config.secret_file import SecretUnreadable
from orchestrator.config.secret_values import secret_values
from orchestrator.config.source_schema import PypiSource
from orchestrator.errors import StepFailed
from orchestrator.sources.machine_index import index_of, machine_index
from orchestrator.sources.pypi import PackageReleases
from orchestrator.sources.web import Web
from tests.support.package_index import StaticIndex, server_wheel
from tests.support.resolver import Names

INDEX = "https://index.test/simple/"
NETRC = "machine other.test login me password of-another\nmachine index.test\nlogin ci\npassword s3cret-of-ci\n"


@pytest.mark.parametrize(
    ("content", "url", "found"),
    [
        (NETRC, INDEX, ("index.test", "ci", "s3cret-of-ci")),
        (NETRC, "https://index.test:8443/simple/", ("index.test", "ci", "s3cret-of-ci")),
        (NETRC, "https://other.test/", ("other.test", "me", "of-another")),
        ("default login any password for-any-host\n", INDEX, ("index.test", "any", "for-any-host")),
        ("machine 127.0.0.1 login ci password for-here\n", "http://127.0.0.1:8080/", ("127.0.0.1", "ci", "for-here")),
    ],
)
def test_the_login_is_that_of_the_host(tmp_path: Path, content: str, url: str, found: tuple[str, str, str]) -> None:
    (tmp_path / "netrc").write_text(content)

    login = login_of_index("netrc", url, tmp_path)

    assert login is not None
    assert (login.host, login.username, login.password) == found
    assert login.as_netrc == f"machine {found[0]} login {found[1]} password {found[2]}\n"
    assert found[2] not in repr(login)


@pytest.mark.parametrize(
    ("content", "url", "says"),
    [
        ("machine other.test login me password of-another\n", INDEX, "no entry for the package index's host, 'index.t"),
        (NETRC, "http://index.test/simple/", "is not sent: its address is no https:// URL"),
        ("ci:s3cret-of-ci\n", INDEX, "is no netrc file."),
        ("machine index.test login ci password\n", INDEX, ""),
        ('machine index.test login ci password "two words"\n', INDEX, "has a character that netrc files do not take"),
        ("machine index.test login ci\n", INDEX, "is empty, or has a character"),
    ],
)
def test_what_is_no_login_for_the_index_is_told_without_its_content(
    tmp_path: Path, content: str, url: str, says: str
) -> None:
    (tmp_path / "netrc").write_text(content)

    with pytest.raises(SecretUnreadable) as refused:
        login_of_index("netrc", url, tmp_path)

    assert says in str(refused.value)
    assert "s3cret" not in str(refused.value)
    assert "two words" not in str(refused.value)


def test_of_a_netrc_file_the_passwords_are_secrets_and_its_words_are_not(tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text(f"{NETRC}default\nlogin x\npassword of-any-host\n")
    pypi = f"{{package_name: shop, index_url: '{INDEX}', credentials_file: netrc}}"
    text = f"apps:\n  shop:\n    route: {{host: shop.test}}\n    update: {{source: pypi, pypi: {pypi}}}\n"

    found = secret_values(loader.parse(text, "c.yaml").config, tmp_path)

    assert found == {"of-another", "s3cret-of-ci", "of-any-host"}
    assert passwords_of(tmp_path, "none") == set()


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, ""),
        ({"PIP_INDEX_URL": ""}, ""),
        ({"UV_INDEX_URL": "https://c.test/", "UV_DEFAULT_INDEX": "https://b.test/"}, "https://b.test/"),
        ({"UV_DEFAULT_INDEX": "https://b.test/", "PIP_INDEX_URL": "https://a.test/"}, "https://a.test/"),
        ({"UV_DEFAULT_INDEX": "internal=https://b.test/?a=b"}, "https://b.test/?a=b"),
        ({"PIP_INDEX_URL": "https://a.test/?a=b"}, "https://a.test/?a=b"),
    ],
)
def test_the_index_of_the_machine_is_that_of_pip_or_of_uv(environment: dict[str, str], address: str) -> None:
    assert machine_index(environment) == address
    written = PypiSource(package_name="shop", index_url=INDEX)
    assert index_of(written, environment) == INDEX
    if address:
        assert index_of(PypiSource(package_name="shop"), environment) == address


async def test_an_index_of_the_machine_that_is_no_web_server_is_told() -> None:
    releases = PackageReleases(PypiSource(package_name="shop"), environment={"PIP_INDEX_URL": "file:///srv/simple"})

    with pytest.raises(StepFailed, match="The package index of this machine, file:///srv/simple, is no web address"):
        await releases.newest()


class Servers(httpx.AsyncBaseTransport):
    """An index that is led to from `index.test`, or whose files are elsewhere. Notes who was sent which password."""

    def __init__(self, index: StaticIndex, leads: dict[str, str]) -> None:
        self._index, self._leads = index, leads
        self.sent: list[tuple[str, bool]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append((request.headers["host"], "authorization" in request.headers))
        if to := self._leads.get(str(request.url)):
            return httpx.Response(302, headers={"location": to}, stream=httpx.ByteStream(b""))
        status, media_type, _etag, body = self._index.answer(request.url.path, "")
        return httpx.Response(status, headers={"content-type": media_type}, stream=httpx.ByteStream(body))


@pytest.mark.parametrize(
    ("leads", "files", "sent"),
    [
        ({}, "https://index.test", [("index.test", True), ("index.test", True)]),
        ({}, "https://files.test", [("index.test", True), ("files.test", False)]),
        ({}, "https://index.test:444", [("index.test", True), ("index.test:444", False)]),
        (
            {"https://index.test/simple/shop/": "https://led.test/simple/shop/"},
            "https://led.test",
            [("index.test", True), ("led.test", False), ("led.test", False)],
        ),
        (
            {"https://index.test/files/shop-1.0-py3-none-any.whl": "https://led.test/files/shop-1.0-py3-none-any.whl"},
            "https://index.test",
            [("index.test", True), ("index.test", True), ("led.test", False)],
        ),
    ],
)
async def test_the_password_is_sent_to_the_server_of_the_index_alone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    leads: dict[str, str],
    files: str,
    sent: list[tuple[str, bool]],
) -> None:
    names = Names(index_test=["8.8.8.8"], files_test=["8.8.4.4"], led_test=["1.1.1.1"])
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    (tmp_path / "netrc").write_text(NETRC)
    index = StaticIndex()
    file = "shop-1.0-py3-none-any.whl"
    index.add("shop", file, server_wheel("shop", "1.0"), url=f"{files}/files/{file}")
    servers = Servers(index, leads)
    section = PypiSource(package_name="shop", index_url=INDEX, credentials_file="netrc")

    await PackageReleases(section, Web(servers, pause_s=0.0), tmp_path).fetch("1.0", tmp_path / "fetched")

    assert servers.sent == sent
