"""Submodules of a repository, fetched by real git from real servers."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from border.secrets import Secrets
from orchestrator.config.source_schema import GitSource
from orchestrator.errors import StepFailed
from orchestrator.sources import git_submodules
from orchestrator.sources.git import GitRepository
from orchestrator.sources.git_submodules import absolute, at_for_curl, of_server
from orchestrator.sources.private_address import Judgement
from tests.support.git_repository import Remote
from tests.support.git_server import GitServer, redirecting
from tests.support.resolver import Names
from tests.support.ssh_server import SshServer

TOKEN = "a-token-of-the-forge"
NOBODY = "0" * 40


def with_submodules(remote: Remote, **modules: tuple[str, str]) -> str:
    """A commit with these submodules: the address and the commit of each path."""
    text = "".join(f'[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n' for path, (url, _) in modules.items())
    remote.git("checkout", "--quiet", "-B", "main")
    (remote.path / ".gitmodules").write_text(text)
    remote.git("add", ".gitmodules")
    for path, (_, commit) in modules.items():
        remote.git("update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")
    remote.git("commit", "--quiet", "-m", "feat: with submodules")
    return remote.git("rev-parse", "HEAD")


def shop(folder: Path, remote: str, token_file: str | None = "token", **more: object) -> GitRepository:
    settings = GitSource.model_validate({"remote": remote, "submodules": True, "token_file": token_file, **more})
    return GitRepository(settings, folder / "mirrors" / "app.git", folder, known_secrets=Secrets())


async def test_submodules_and_theirs_are_built_at_exactly_their_commits(tmp_path: Path) -> None:
    """From the same server with the token, from another one without; also commits that are on no branch any more."""
    (tmp_path / "token").write_text(TOKEN)
    served, public = tmp_path / "served", tmp_path / "public"
    inner, library, app = (
        Remote(public / "inner.git"),
        Remote(served / "group/library.git"),
        Remote(served / "group/app.git"),
    )
    for remote in (inner, library):
        remote.git("config", "uploadpack.allowAnySHA1InWant", "true")
    old = inner.commit("feat: inner, old", "inner.txt")
    inner.git("checkout", "--quiet", "--orphan", "other")
    inner.commit("feat: inner, new", "inner.txt")
    inner.git("branch", "-D", "main")
    with GitServer(served, TOKEN) as server, GitServer(public, "") as elsewhere:
        library.commit("feat: library", "library.txt")
        middle = with_submodules(library, deep=(f"{elsewhere.url}/inner.git", old))
        library.commit("feat: later", "library.txt")
        app.commit("feat: app")
        commit = with_submodules(app, library=("../library.git", middle))
        source = shop(tmp_path, f"{server.url}/group/app.git")

        await source.newest()
        await source.fetch(commit, tmp_path / "tree")

        assert (tmp_path / "tree" / "app.py").read_text() == "feat: app"
        assert (tmp_path / "tree" / "library" / "library.txt").read_text() == "feat: library"
        assert (tmp_path / "tree" / "library" / "deep" / "inner.txt").read_text() == "feat: inner, old"
        assert set(elsewhere.asked) == {""}

        server.asked.clear()
        elsewhere.asked.clear()
        await source.fetch(commit, tmp_path / "tree")
        assert (server.asked, elsewhere.asked) == ([], [])


async def test_a_submodule_is_fetched_by_ssh_with_the_key_of_its_server_alone(tmp_path: Path) -> None:
    library, app = Remote(tmp_path / "library.git"), Remote(tmp_path / "app.git")
    middle = library.commit("feat: library", "library.txt")
    app.commit("feat: app")
    with SshServer(tmp_path / "sshd") as server:
        (tmp_path / "key").write_text(server.key.read_text())
        (tmp_path / "known_hosts").write_text(server.known_hosts)
        files = {"key_file": "key", "known_hosts_file": "known_hosts", "token_file": None}
        commit = with_submodules(app, library=("../library.git", middle))
        source = shop(tmp_path, server.url(app.path), **files)
        await source.newest()
        await source.fetch(commit, tmp_path / "tree")
        assert (tmp_path / "tree" / "library" / "library.txt").exists()

        stranger = with_submodules(app, library=("ssh://git@localhost/library.git", middle))
        await source.newest()
        with pytest.raises(StepFailed, match=r"update\.git\.key_file is not set"):
            await source.fetch(stranger, tmp_path / "tree")


@pytest.mark.parametrize(
    "url", ["/etc", "file:///etc", "ext::sh -c touch% x", "../../../../etc", "-oProxyCommand=x", "x::y", "etc", "."]
)
async def test_a_submodule_is_never_a_path_or_a_program_of_this_host(tmp_path: Path, url: str) -> None:
    secret = Remote(tmp_path / "etc")
    commit = secret.commit("feat: secret")
    app = Remote(tmp_path / "app.git")
    app.commit("feat: app")
    wanted = with_submodules(app, library=(url.replace("/etc", str(tmp_path / "etc")), commit))
    source = shop(tmp_path, str(app.path), token_file=None)
    await source.newest()

    with pytest.raises(StepFailed, match=r"is not fetched, which \.gitmodules or \.lfsconfig names: "):
        await source.fetch(wanted, tmp_path / "tree")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "10.1.2.3", "localhost"]
)
async def test_a_repository_on_the_internet_does_not_have_us_ask_what_only_this_host_reaches(host: str) -> None:
    settings = GitSource(remote="https://1.1.1.1/app.git", submodules=True)

    for url in (f"http://{host}/x.git", f"https://{host}:8443/x.git", f"ssh://git@{host}/x.git", f"git://{host}/x.git"):
        with pytest.raises(StepFailed, match="it is not on the internet"):
            await of_server(settings, settings.remote, url)


@pytest.mark.parametrize(
    ("url", "with_credentials"),
    [
        ("../library.git", True), ("https://1.1.1.1/x.git", True), ("https://1.1.1.1:443/x.git", True),
        ("http://1.1.1.1/x.git", False), ("https://1.1.1.1:8443/x.git", False), ("https://1.1.1.1.x.test/y", False),
        ("ssh://git@1.1.1.1/x.git", False), ("https://1.1.1.1@x.test/x.git", False), ("https://8.8.8.8/x.git", False),
    ],
)  # fmt: skip
async def test_credentials_are_for_the_same_server_alone(
    url: str, with_credentials: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names(x_test=["8.8.8.8"], **{"1_1_1_1_x_test": ["8.8.8.8"]})
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    settings = GitSource(remote="https://1.1.1.1/group/app.git", submodules=True, token_file="token")

    assert bool((await of_server(settings, settings.remote, url)).settings.token_file) == with_credentials


@pytest.mark.parametrize(
    "parent",
    [
        "https://git.test/group/app.git",
        "https://git.test/a/b/c/",
        "ssh://git@git.test:22/group/app",
        "git@git.test:g/app",
    ],
)
@pytest.mark.parametrize("url", ["../library.git", "./library", "../../other/library.git", "https://x.test/y.git"])
def test_a_relative_address_means_what_git_takes_it_for(tmp_path: Path, parent: str, url: str) -> None:
    app = Remote(tmp_path / "app")
    app.commit("feat: app")
    with_submodules(app, library=(url, NOBODY[:-1] + "1"))
    app.git("remote", "add", "origin", parent)
    app.git("submodule", "--quiet", "init")

    assert absolute(parent, url) == app.git("config", "submodule.library.url")


@pytest.mark.parametrize(
    ("addresses", "why", "at"),
    [
        (["8.8.8.8"], "", "named.test:8443:8.8.8.8"),
        (["8.8.8.8 8.8.4.4", "127.0.0.1"], "", "named.test:8443:8.8.8.8,8.8.4.4"),
        (["8.8.8.8 10.0.0.1"], "it is not on the internet", ""),
        (["10.0.0.1 8.8.8.8"], "it is not on the internet", ""),
        (["", "127.0.0.1"], "it is not known by its name", ""),
    ],
)
async def test_what_a_repository_on_the_internet_names_is_asked_where_it_was_when_it_was_judged(
    addresses: list[str], why: str, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the repository's own name has an address inside: whoever has the name may give it any."""
    for own in ("1.1.1.1", "1.1.1.1 192.168.1.1"):
        monkeypatch.setattr(socket, "getaddrinfo", Names(git_test=[own], named_test=addresses).getaddrinfo)
        settings = GitSource(remote="https://git.test/app.git", submodules=True)
        if why:
            with pytest.raises(StepFailed, match=why):
                await of_server(settings, settings.remote, "https://named.test:8443/x.git")
        else:
            found = await of_server(settings, settings.remote, "https://named.test:8443/x.git")
            assert at_for_curl(found.settings.remote, found.judged) == at


async def test_git_cannot_be_told_where_a_server_without_http_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Names(git_test=["1.1.1.1"], named_test=["8.8.8.8"]).getaddrinfo)
    settings = GitSource(remote="https://git.test/app.git", submodules=True)

    with pytest.raises(StepFailed, match="git:// cannot be asked at the address that was looked at"):
        await of_server(settings, settings.remote, "git://named.test/x.git")


async def test_git_asks_at_the_address_that_was_judged_and_looks_for_the_name_no_more(tmp_path: Path) -> None:
    """No resolver knows the name."""
    commit = Remote(tmp_path / "served" / "library.git").commit("feat: library")
    with GitServer(tmp_path / "served", "") as server:
        port = server.url.rpartition(":")[2]
        settings = GitSource(remote=f"http://named.test:{port}/library.git")
        where = Judgement(is_public=True, addresses=("127.0.0.1",))
        module = GitRepository(settings, tmp_path / "mirrors" / "x.git", tmp_path, depth=1, judged=where)
        await module.bring(commit)
        with pytest.raises(StepFailed, match=r"named\.test.* could not be read: no server has the name"):
            await GitRepository(settings, tmp_path / "mirrors" / "y.git", tmp_path, depth=1).bring(commit)


async def test_mirrors_of_submodules_that_are_gone_are_removed(tmp_path: Path) -> None:
    served, modules = tmp_path / "served", tmp_path / "mirrors" / "app.git" / "modules"
    app, one, other = (Remote(served / f"{name}.git") for name in ("app", "one", "other"))
    first, second = one.commit("feat: one"), other.commit("feat: other")
    app.commit("feat: app")
    with GitServer(served, "") as server:
        both = with_submodules(app, a=("../one.git", first), b=("../other.git", second))
        source = shop(tmp_path, f"{server.url}/app.git", token_file=None)
        await source.newest()
        await source.fetch(both, tmp_path / "tree")
        assert len([*modules.iterdir()]) == 2

        app.git("rm", "--quiet", "--cached", "b")
        app.git("commit", "--quiet", "-m", "feat: without the other")
        await source.newest()
        await source.fetch(app.git("rev-parse", "HEAD"), tmp_path / "tree")
        assert len([*modules.iterdir()]) == 1

        app.git("rm", "--quiet", "--cached", "a")
        app.git("commit", "--quiet", "-m", "feat: without both")
        await source.newest()
        await shop(tmp_path, f"{server.url}/app.git", token_file=None, submodules=False).fetch(
            app.git("rev-parse", "HEAD"), tmp_path / "tree"
        )
        assert [*modules.iterdir()] == []


async def test_submodules_without_end_come_to_an_end(tmp_path: Path) -> None:
    """One that has itself as a submodule, at the commit before."""
    app = Remote(tmp_path / "served" / "app.git")
    commit = app.commit("feat: app")
    for _ in range(8):
        commit = with_submodules(app, again=("./../app.git", commit))
    with GitServer(tmp_path / "served", "") as server:
        source = shop(tmp_path, f"{server.url}/app.git", token_file=None)
        await source.newest()
        with pytest.raises(StepFailed, match="nested too deeply"):
            await source.fetch(commit, tmp_path / "tree")


async def test_a_submodule_that_cannot_be_fetched_says_which(tmp_path: Path) -> None:
    app, library = Remote(tmp_path / "served" / "app.git"), Remote(tmp_path / "served" / "library.git")
    library.commit("feat: library")
    app.commit("feat: app")
    with GitServer(tmp_path / "served", "") as server:
        source = shop(tmp_path, f"{server.url}/app.git", token_file=None)
        gone = with_submodules(app, library=("../library.git", NOBODY[:-1] + "1"))
        nowhere = with_submodules(app, library=("../nowhere.git", NOBODY[:-1] + "1"))
        await source.newest()
        with pytest.raises(StepFailed, match=r"library\.git could not be read: .*not our ref"):
            await source.fetch(gone, tmp_path / "tree")
        with pytest.raises(StepFailed, match=r"nowhere\.git could not be read"):
            await source.fetch(nowhere, tmp_path / "tree")


async def test_a_submodule_in_the_place_of_a_link_writes_nothing_where_it_leads(tmp_path: Path) -> None:
    app, library = Remote(tmp_path / "served" / "app.git"), Remote(tmp_path / "served" / "library.git")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").touch()
    inside = library.commit("feat: library", "library.txt")
    link = app.blob(str(tmp_path / "outside"))
    modules = app.blob('[submodule "a"]\n\tpath = a\n\turl = ../library.git\n')
    tree = app.tree(("120000", "a", link), ("160000", "a", inside), ("100644", ".gitmodules", modules))
    commit = app.git("commit-tree", tree, "-m", "feat: hostile")
    app.git("update-ref", "refs/heads/main", commit)
    with GitServer(tmp_path / "served", "") as server:
        source = shop(tmp_path, f"{server.url}/app.git", token_file=None)
        await source.newest()
        with pytest.raises(StepFailed):
            await source.fetch(commit, tmp_path / "tree")

    assert [one.name for one in (tmp_path / "outside").iterdir()] == ["kept"]


async def test_a_link_beside_a_submodule_is_not_written_through(tmp_path: Path) -> None:
    """Nor is anything else of the tree: whatever its name, no file of ours has it meanwhile."""
    app, library = Remote(tmp_path / "served" / "app.git"), Remote(tmp_path / "served" / "library.git")
    (tmp_path / "journal").write_text("precious")
    inside = library.commit("feat: library", "library.txt")
    names = ("a.submodule", "a.submodule.tar", "a.tar")
    links = [("120000", name, app.blob(str(tmp_path / "journal"))) for name in names]
    modules = app.blob('[submodule "a"]\n\tpath = a\n\turl = ../library.git\n')
    tree = app.tree(("100644", ".gitmodules", modules), ("160000", "a", inside), *links)
    commit = app.git("commit-tree", tree, "-m", "feat: hostile")
    app.git("update-ref", "refs/heads/main", commit)
    with GitServer(tmp_path / "served", "") as server:
        source = shop(tmp_path, f"{server.url}/app.git", token_file=None)
        await source.newest()
        await source.fetch(commit, tmp_path / "work" / "tree")

    assert (tmp_path / "journal").read_text() == "precious"
    assert [one.name for one in (tmp_path / "work").iterdir()] == ["tree"]
    found = {one.name for one in (tmp_path / "work" / "tree").iterdir()}
    assert found == {"a", ".gitmodules", *names}
    assert (tmp_path / "work" / "tree" / "a" / "library.txt").read_text() == "feat: library"


async def test_submodules_that_multiply_are_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_submodules, "MOST_IN_ALL", 5)
    app = Remote(tmp_path / "served" / "app.git")
    commit = app.commit("feat: app")
    for _ in range(2):
        commit = with_submodules(app, one=("../app.git", commit), two=("../app.git", commit))
    with GitServer(tmp_path / "served", "") as server:
        source = shop(tmp_path, f"{server.url}/app.git", token_file=None)
        await source.newest()
        for _ in range(2):  # each deployment counts its own
            with pytest.raises(StepFailed, match="too many submodules in each other: at most 5"):
                await source.fetch(commit, tmp_path / "tree")
        monkeypatch.setattr(git_submodules, "MOST_IN_ALL", 6)
        await source.fetch(commit, tmp_path / "tree")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com:99999/x",
        "https://example.com:port/x",
        "https://[::1/x",
        "https://:443/x",
        f"ssh://git@example.com:{10**25}/x",
        pytest.param(f"ssh://git@example.com:{'9' * 5000}/x", id="a port of 5000 digits"),
    ],
)
async def test_what_is_no_address_is_refused(url: str) -> None:
    settings = GitSource.model_validate({"remote": "https://git.example.com/app.git", "submodules": True})
    with pytest.raises(StepFailed, match="it is no address of a server"):
        await of_server(settings, "https://git.example.com/app.git", url)


async def test_a_submodule_follows_no_redirect(tmp_path: Path) -> None:
    app, library = Remote(tmp_path / "served" / "app.git"), Remote(tmp_path / "inner" / "library.git")
    app.commit("feat: app")
    inside = library.commit("feat: library")
    with (
        GitServer(tmp_path / "served", "") as server,
        GitServer(tmp_path / "inner", "") as inner,
        redirecting(inner.url) as leads_on,
    ):
        commit = with_submodules(app, library=(f"{leads_on}/library.git", inside))
        source = shop(tmp_path, f"{server.url}/app.git", token_file=None)
        await source.newest()
        with pytest.raises(StepFailed, match=r"leads to another address \(status 302\), which is not followed"):
            await source.fetch(commit, tmp_path / "tree")
        assert inner.asked == []
