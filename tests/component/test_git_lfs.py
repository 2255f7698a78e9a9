"""Files in Git LFS, fetched from servers that speak its protocol."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from border.secrets import Secrets
from orchestrator.config.source_schema import GitSource
from orchestrator.errors import StepFailed
from orchestrator.sources import lfs_download
from orchestrator.sources.git import GitRepository
from orchestrator.sources.git_lfs import Pointer, content_of
from orchestrator.sources.lfs_download import LfsServer, download
from orchestrator.sources.web import Web
from tests.support.git_repository import Remote
from tests.support.git_server import GitServer
from tests.support.in_thread import InThread
from tests.support.ssh_server import SshServer

TOKEN = "a-token-of-the-forge"
CONTENT = b"the picture\n" * 500


def pointer(content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"


@pytest.fixture
def app(tmp_path: Path) -> Remote:
    """A repository with a file in LFS, and one that only looks like a pointer."""
    (tmp_path / "token").write_text(TOKEN)
    made = Remote(tmp_path / "served" / "app.git")
    (made.path / ".gitattributes").write_text("*.png filter=lfs diff=lfs merge=lfs -text\n")
    (made.path / "about.txt").write_text(f"A pointer looks so:\n{pointer(CONTENT)}")
    made.commit("feat: with a picture", "static/a picture.png", pointer(CONTENT))
    (tmp_path / "served" / "lfs").mkdir()
    (tmp_path / "served" / "lfs" / hashlib.sha256(CONTENT).hexdigest()).write_bytes(CONTENT)
    return made


def shop(folder: Path, remote: str, secrets: Secrets | None = None, **more: object) -> GitRepository:
    settings = GitSource.model_validate({"remote": remote, "lfs": True, "token_file": "token", **more})
    return GitRepository(settings, folder / "mirrors" / "app.git", folder, known_secrets=secrets)


async def test_a_file_in_lfs_is_built_instead_of_its_pointer(tmp_path: Path, app: Remote) -> None:
    (app.path / "static" / "a picture.png").chmod(0o755)
    commit = app.commit("feat: executable", "static/a picture.png", pointer(CONTENT))
    with GitServer(tmp_path / "served", TOKEN) as server:
        source = shop(tmp_path, f"{server.url}/app.git")
        await source.newest()
        await source.fetch(commit, tmp_path / "tree")

        picture = tmp_path / "tree" / "static" / "a picture.png"
        assert picture.read_bytes() == CONTENT
        assert picture.stat().st_mode & 0o111
        assert (tmp_path / "tree" / "about.txt").read_text().startswith("A pointer looks so:")

        without = shop(tmp_path, f"{server.url}/app.git", lfs=False)
        with pytest.raises(StepFailed, match=r"files in Git LFS, which are not fetched: .*a picture\.png") as failed:
            await without.fetch(commit, tmp_path / "tree")
        assert "update.git.lfs: true" in failed.value.remedy


async def test_a_file_in_lfs_of_a_repository_on_this_host_is_copied_from_it(tmp_path: Path, app: Remote) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    stored = app.path / ".git" / "lfs" / "objects" / digest[:2] / digest[2:4] / digest
    stored.parent.mkdir(parents=True)
    stored.write_bytes(CONTENT)
    source = shop(tmp_path, str(app.path), token_file=None)
    await source.newest()

    await source.fetch(app.git("rev-parse", "HEAD"), tmp_path / "tree")

    assert (tmp_path / "tree" / "static" / "a picture.png").read_bytes() == CONTENT


@pytest.mark.parametrize("damage", ["gone", "other", "short"])
async def test_a_file_that_is_not_the_one_that_was_committed_is_not_built_and_is_fetched_again(
    tmp_path: Path, app: Remote, damage: str
) -> None:
    commit = app.git("rev-parse", "HEAD")
    file = tmp_path / "served" / "lfs" / hashlib.sha256(CONTENT).hexdigest()
    content = {"other": b"x" * len(CONTENT), "short": CONTENT[:10]}
    file.unlink() if damage == "gone" else file.write_bytes(content[damage])
    with GitServer(tmp_path / "served", TOKEN) as server:
        source = shop(tmp_path, f"{server.url}/app.git")
        await source.newest()
        with pytest.raises(StepFailed):
            await source.fetch(commit, tmp_path / "tree")

        file.write_bytes(CONTENT)
        await source.fetch(commit, tmp_path / "tree")
    assert (tmp_path / "tree" / "static" / "a picture.png").read_bytes() == CONTENT


async def test_the_server_that_a_repository_names_gets_no_token_and_a_path_is_none(tmp_path: Path, app: Remote) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "served" / "lfs").rename(tmp_path / "other" / "lfs")
    with GitServer(tmp_path / "served", TOKEN) as server, GitServer(tmp_path / "other", "") as elsewhere:
        source = shop(tmp_path, f"{server.url}/app.git")
        commit = app.commit("feat: elsewhere", ".lfsconfig", f"[lfs]\n\turl = {elsewhere.url}/shop/info/lfs\n")
        await source.newest()
        await source.fetch(commit, tmp_path / "tree")
        assert (tmp_path / "tree" / "static" / "a picture.png").read_bytes() == CONTENT
        assert set(elsewhere.asked) == {""}

        for url in (f"file://{tmp_path}/other", str(tmp_path / "other"), "ext::touch x"):
            hostile = app.commit("feat: hostile", ".lfsconfig", f"[lfs]\n\turl = {url}\n")
            await source.newest()
            with pytest.raises(StepFailed, match="is not fetched, which"):
                await source.fetch(hostile, tmp_path / "tree")


async def test_programs_that_a_repository_names_for_lfs_are_not_run(tmp_path: Path, app: Remote) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    text = f'[lfs]\n\tstandalonetransferagent = x\n[lfs "customtransfer.x"]\n\tpath = {program}\n'
    commit = app.commit("feat: hostile", ".lfsconfig", text)
    with GitServer(tmp_path / "served", TOKEN) as server:
        source = shop(tmp_path, f"{server.url}/app.git")
        await source.newest()
        await source.fetch(commit, tmp_path / "tree")

    assert not (tmp_path / "ran").exists()


async def test_only_what_the_last_release_needs_is_kept(tmp_path: Path, app: Remote) -> None:
    objects = tmp_path / "mirrors" / "app.git" / "lfs" / "objects"
    with GitServer(tmp_path / "served", TOKEN) as server:
        source = shop(tmp_path, f"{server.url}/app.git")
        for number in range(3):
            content = f"picture {number}".encode()
            (tmp_path / "served" / "lfs" / hashlib.sha256(content).hexdigest()).write_bytes(content)
            commit = app.commit(f"feat: number {number}", "static/a picture.png", pointer(content))
            await source.newest()
            await source.fetch(commit, tmp_path / "tree")

    assert [one.name for one in objects.glob("??/??/*")] == [hashlib.sha256(content).hexdigest()]


FORGE = """#!/bin/sh
case "$SSH_ORIGINAL_COMMAND" in
git-lfs-authenticate*) echo "$SSH_ORIGINAL_COMMAND" >> {folder}/asked; cat {folder}/answer ;;
*) exec sh -c "$SSH_ORIGINAL_COMMAND" ;;
esac
"""
"""What a forge lets a key do: git's commands, and to be told where the files in LFS are."""


class Forge:
    """The repository `app` behind OpenSSH's server. `answer`: what it says of LFS; None: as a server without LFS."""

    def __init__(self, folder: Path, ssh: SshServer, app: Remote, answer: object = None) -> None:
        self.app, self._folder = app, folder
        (folder / "key").write_text(ssh.key.read_text())
        (folder / "known_hosts").write_text(ssh.known_hosts)
        if answer is not None:
            (folder / "answer").write_text(answer if isinstance(answer, str) else json.dumps(answer))
            (folder / "forge").write_text(FORGE.format(folder=folder))
            (folder / "forge").chmod(0o755)
            keys = ssh.folder / "authorized_keys"
            keys.write_text(f'command="{folder}/forge" {keys.read_text()}')
        files = {"key_file": "key", "known_hosts_file": "known_hosts", "token_file": None}
        self.secrets = Secrets()
        self.source = shop(folder, ssh.url(app.path), self.secrets, **files)

    async def fetch(self) -> Path:
        await self.source.newest()
        await self.source.fetch(self.app.git("rev-parse", "HEAD"), self._folder / "tree")
        return self._folder / "tree"


async def test_a_repository_by_ssh_says_where_its_files_in_lfs_are(tmp_path: Path, app: Remote) -> None:
    with SshServer(tmp_path / "sshd") as ssh, GitServer(tmp_path / "served", TOKEN) as web:
        let_in = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
        answer = {"href": f"{web.url}/app.git/info/lfs", "header": {"Authorization": f"Basic {let_in}"}}
        forge = Forge(tmp_path, ssh, app, answer)

        assert ((await forge.fetch()) / "static" / "a picture.png").read_bytes() == CONTENT
        assert (tmp_path / "asked").read_text() == f"git-lfs-authenticate {app.path} download\n"
        assert let_in not in forge.secrets.text(f"It lets in by {let_in}.")

        (tmp_path / "mirrors" / "app.git" / "lfs").rename(tmp_path / "away")
        ssh.replace_host_key()
        with pytest.raises(StepFailed, match="has another key"):
            await forge.source.fetch(app.git("rev-parse", "HEAD"), tmp_path / "tree")
        assert (tmp_path / "asked").read_text().count("download") == 1


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "it names no server of Git LFS"),
        ("no JSON", "gives no answer of Git LFS"),
        ({"href": "http://git.test/lfs", "header": {"Authorization": "Basic s3cret"}}, "without encryption"),
        ({"href": "http://me:s3cret@git.test/lfs", "header": {"Authorization": "Basic s3cret"}}, "without encryption"),
    ],
)
async def test_a_repository_by_ssh_without_a_server_of_lfs_that_can_be_asked_is_told(
    tmp_path: Path, app: Remote, answer: object, says: str
) -> None:
    with SshServer(tmp_path / "sshd") as ssh, pytest.raises(StepFailed, match=says) as failed:
        await Forge(tmp_path, ssh, app, answer).fetch()

    assert "s3cret" not in str(failed.value)
    assert failed.value.remedy


class Endless(BaseHTTPRequestHandler):
    """A server of LFS that sends more than the pointers say."""

    def do_POST(self) -> None:
        wanted = json.loads(self.rfile.read(int(self.headers["content-length"])))["objects"]
        named = {"download": {"href": f"http://{self.headers['host']}/x"}}
        body = json.dumps({"objects": [{"oid": one["oid"], "actions": named} for one in wanted]}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(bytes(2**20))

    def log_message(self, *_: object) -> None:
        pass


async def test_of_files_in_lfs_by_ssh_no_more_is_written_than_their_pointers_say(tmp_path: Path, app: Remote) -> None:
    """The client git-lfs wrote 2 GB for a pointer of 6 kB, and left them there."""
    web = ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    with SshServer(tmp_path / "sshd") as ssh, InThread(web):
        forge = Forge(tmp_path, ssh, app, {"href": f"http://127.0.0.1:{web.server_port}"})
        with pytest.raises(StepFailed, match="is larger than"):
            await forge.fetch()

    assert [one for one in (tmp_path / "mirrors" / "app.git" / "lfs").rglob("*") if one.is_file()] == []


@pytest.mark.parametrize("leads", ["named at once", "by a redirect"])
async def test_a_server_of_lfs_on_the_internet_does_not_have_us_ask_what_only_this_host_reaches(
    tmp_path: Path, leads: str
) -> None:
    asked: list[httpx.URL] = []
    oid, inside = hashlib.sha256(CONTENT).hexdigest(), "http://169.254.169.254/latest"

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        if request.method == "GET":
            return httpx.Response(302, headers={"location": inside})
        href = inside if leads == "named at once" else "/file"
        named = {"objects": [{"oid": oid, "size": 7, "actions": {"download": {"href": href}}}]}
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(named).encode()))

    web, server = Web(httpx.MockTransport(answer), pause_s=0.0), LfsServer("http://8.8.8.8/shop.git/info/lfs")
    with pytest.raises(StepFailed, match="which is not followed: that is not on the internet"):
        await download(web, server, tmp_path, [Pointer(tmp_path / "x", oid, len(CONTENT))])
    assert {url.host for url in asked} == {"8.8.8.8"}
    assert [one for one in (tmp_path / "lfs").rglob("*") if one.is_file()] == []


@pytest.mark.parametrize(
    "said", ["", "[]", "{}", '{"objects": 7}', '{"objects": [7]}', '{"objects": [{"oid": [], "actions": {}}]}',
             '{"objects": [{"oid": "OID", "actions": {"download": {"href": 7}}}]}',
             '{"objects": [{"oid": "OID", "actions": {"download": {"href": "/x", "header": {"a": 1}}}}]}',
             '{"objects": [{"oid": "OID", "actions": {"download": {"href": "/x", "header": {"Host": "a.test"}}}}]}',
             '{"objects": [{"oid": "OID", "actions": {"download": {"href": "/x", "header": {"a": "\\n"}}}}]}',
             '{"objects": [{"oid": "OID", "actions": {"download": {"href": "/x", "header": {"a": "é"}}}}]}']
)  # fmt: skip
async def test_an_answer_that_is_none_of_lfs_is_told(tmp_path: Path, said: str) -> None:
    oid = hashlib.sha256(CONTENT).hexdigest()

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(said.replace("OID", oid).encode()))

    web, server = Web(httpx.MockTransport(answer), pause_s=0.0), LfsServer("http://8.8.8.8/shop.git/info/lfs")
    with pytest.raises(StepFailed, match="is not an answer of a server of Git LFS"):
        await download(web, server, tmp_path, [Pointer(tmp_path / "x", oid, 7)])


async def test_headers_of_a_file_are_sent_to_the_server_that_is_named_and_to_none_it_leads_to(tmp_path: Path) -> None:
    """Such as what lets in to a store of objects. The token is for the server of LFS alone."""
    sent: dict[str, list[str | None]] = {}
    oid = hashlib.sha256(CONTENT).hexdigest()

    def answer(request: httpx.Request) -> httpx.Response:
        host = request.headers["host"]
        sent[host] = [request.headers.get("authorization"), request.headers.get("x-store")]
        if host == "8.8.8.8":
            action = {"href": "https://1.1.1.1/file", "header": {"X-Store": "secret"}}
            named = {"objects": [{"oid": oid, "size": 7, "actions": {"download": action}}]}
            return httpx.Response(200, stream=httpx.ByteStream(json.dumps(named).encode()))
        if host == "1.1.1.1":
            return httpx.Response(302, headers={"location": "https://9.9.9.9/file"})
        return httpx.Response(200, stream=httpx.ByteStream(CONTENT))

    server = LfsServer("https://8.8.8.8/shop.git/info/lfs", "Basic token")
    pointer = Pointer(tmp_path / "x", oid, len(CONTENT))
    await download(Web(httpx.MockTransport(answer), pause_s=0.0), server, tmp_path, [pointer])

    assert sent == {"8.8.8.8": ["Basic token", None], "1.1.1.1": [None, "secret"], "9.9.9.9": [None, None]}
    assert content_of(tmp_path, pointer).read_bytes() == CONTENT


def batch(*contents: bytes) -> httpx.Response:
    """The answer that names a file for each."""
    oids = [hashlib.sha256(content).hexdigest() for content in contents]
    named = [{"oid": oid, "actions": {"download": {"href": f"/{number}"}}} for number, oid in enumerate(oids)]
    return httpx.Response(200, stream=httpx.ByteStream(json.dumps({"objects": named}).encode()))


def pointers_to(folder: Path, *contents: bytes, size: int | None = None) -> list[Pointer]:
    return [
        Pointer(folder / "x", hashlib.sha256(one).hexdigest(), len(one) if size is None else size) for one in contents
    ]


def files_in(mirror: Path) -> list[Path]:
    return [one for one in (mirror / "lfs").rglob("*") if one.is_file()]


@pytest.mark.parametrize("size", [0, 1, len(CONTENT) - 1])
async def test_of_a_file_that_is_larger_than_its_pointer_says_nothing_is_kept(tmp_path: Path, size: int) -> None:
    """Nor of those that were fetched with it: one that fails each time would fill the disk by and by."""
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        for at in range(0, len(CONTENT), 10):
            read += 10
            yield CONTENT[at : at + 10]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return batch(CONTENT, b"small")
        if request.url.path == "/1":
            return httpx.Response(200, stream=httpx.ByteStream(b"small"))
        return httpx.Response(200, content=body())

    pointers = [*pointers_to(tmp_path, CONTENT, size=size), *pointers_to(tmp_path, b"small")]
    web, server = Web(httpx.MockTransport(answer), pause_s=0.0), LfsServer("http://8.8.8.8/shop.git/info/lfs")
    with pytest.raises(StepFailed, match="is larger than"):
        await download(web, server, tmp_path, pointers)

    assert read <= size + 10
    assert files_in(tmp_path) == []


async def test_all_files_in_lfs_together_have_a_time_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lfs_download, "WITHIN_S", 0.3, raising=False)
    contents = [str(number).encode() for number in range(40)]

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return batch(*contents)
        await asyncio.sleep(0.2)
        return httpx.Response(200, stream=httpx.ByteStream(contents[int(request.url.path[1:])]))

    web, server = Web(httpx.MockTransport(answer), pause_s=0.0), LfsServer("http://8.8.8.8/shop.git/info/lfs")
    with pytest.raises(StepFailed, match=r"were not fetched from http://8\.8\.8\.8/\S+ within 0\.3 s"):
        await download(web, server, tmp_path, pointers_to(tmp_path, *contents))
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("fails", ["mkdir", "replace"])
async def test_a_full_disk_is_told_as_such(tmp_path: Path, fails: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    def answer(request: httpx.Request) -> httpx.Response:
        return batch(CONTENT) if request.method == "POST" else httpx.Response(200, stream=httpx.ByteStream(CONTENT))

    monkeypatch.setattr(Path if fails == "mkdir" else os, fails, full)
    web, server = Web(httpx.MockTransport(answer), pause_s=0.0), LfsServer("http://8.8.8.8/shop.git/info/lfs")
    with pytest.raises(StepFailed, match="No space left on device") as failed:
        await download(web, server, tmp_path, pointers_to(tmp_path, CONTENT))
    assert "disk space" in failed.value.remedy
    monkeypatch.undo()
    assert files_in(tmp_path) == []
