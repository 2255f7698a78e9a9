"""What cannot work is found before a deployment."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from orchestrator.config import loader
from orchestrator.config.preflight import MOST_SAID, preflight, unsupported_remote
from orchestrator.config.source_schema import GitSource
from orchestrator.host import child_process

APP = "apps:\n  shop:\n    route: {host: shop.test}\n    update: {git: {remote: https://git.test/shop}}\n"


async def found(text: str, folder: Path) -> list[str]:
    return await preflight(loader.parse(text, "c.yaml").config, folder)


@pytest.mark.parametrize(
    ("remote", "path", "says"),
    [
        (".", ".", "has no repository of its own"),
        (".", "", "has no repository of its own"),
        (".", "./", "has no repository of its own"),
        (".", "./.", "has no repository of its own"),
        (".", "examples/shop", ""),
        ("origin", ".", ""),
        ("https://git.test/shop.git", ".", ""),
        ("http://me:secret@git.test:3000/shop.git", ".", ""),
        ("/srv/git/shop.git", ".", ""),
        ("file:///srv/git/shop.git", ".", ""),
        ("git@github.com:me/shop.git", ".", "SSH"),
        ("ssh://git@git.test/shop.git", ".", "SSH"),
        ("git+ssh://git.test/shop.git", ".", "SSH"),
        ("ssh+git://git.test/shop.git", ".", "SSH"),
        ("SSH://git.test/shop.git", ".", "SSH"),
        ("host:shop.git", ".", "SSH"),
        ("host:/srv/shop.git", ".", "SSH"),
        ("git@host:/srv/shop.git", ".", "SSH"),
        ("[git@host:2222]:shop.git", ".", "SSH"),
        ("https://git.test/me@home:80/shop.git", ".", ""),
        ("/srv/a:b", ".", ""),
        ("github.com/me/shop.git", ".", "a URL needs its scheme"),
        ("../shop", ".", ""),
        ("./shop", ".", ""),
        ("shop/shop.git", ".", "begin with ./"),
        ("~/shop", ".", "absolute"),
    ],
)
def test_a_remote_that_cannot_be_an_apps_source_is_found(remote: str, path: str, says: str) -> None:
    problem = unsupported_remote(GitSource(remote=remote, path=path))

    assert says in problem
    assert bool(problem) == bool(says)


@pytest.mark.parametrize(
    ("path", "meant"), [("", "."), ("./", "."), ("./.", "."), (".", "."), ("services/shop/", "services/shop/")]
)
def test_the_root_of_a_repository_has_one_name(path: str, meant: str) -> None:
    """`git ls-tree -- ''` fails, and the deployment with it."""
    assert GitSource(path=path).path == meant


async def test_a_panel_whose_repository_needs_ssh_is_found(tmp_path: Path) -> None:
    problems = await found("update: {git: {remote: 'git@github.com:me/panel.git'}}\n", tmp_path)

    assert len(problems) == 1
    assert problems[0].startswith("update.git.remote: it is reached by SSH, and update.git.key_file is not set")


async def test_a_configuration_that_works_has_no_problem(tmp_path: Path) -> None:
    assert await found(APP, tmp_path) == []
    assert await found("", tmp_path) == []


async def test_an_environment_file_that_is_not_there_is_named_with_its_key(tmp_path: Path) -> None:
    problems = await found(APP + "    run: {env_file: secrets/shop.env}\n", tmp_path)

    assert len(problems) == 1
    assert problems[0].startswith("apps.shop.run.env_file: The environment file")
    assert "No such file" in problems[0]


@pytest.mark.parametrize("ignored", [True, False])
async def test_secrets_that_git_would_commit_are_found(tmp_path: Path, ignored: bool) -> None:
    await child_process.run("git", "init", "--quiet", str(tmp_path), env={}, timeout_s=10)
    (tmp_path / "shop.env").write_text("KEY=secret\n")
    if ignored:
        (tmp_path / ".gitignore").write_text("*.env\n")

    problems = await found(APP + "    run: {env_file: shop.env}\n", tmp_path)

    assert [problem.partition(", which")[0] for problem in problems] == (
        [] if ignored else ["apps.shop.run.env_file: git would commit shop.env"]
    )


async def test_build_secrets_that_git_would_commit_are_found_and_files_elsewhere_are_left_alone(tmp_path: Path) -> None:
    await child_process.run("git", "init", "--quiet", str(tmp_path), env={}, timeout_s=10)
    here = tmp_path / "here"
    here.mkdir()
    (here / "npm-token").write_text("secret")
    (tmp_path / "elsewhere").write_text("secret")

    problems = await found(APP + "    build: {secrets: {npm: npm-token, other: ../elsewhere}}\n", here)

    assert [problem.partition(":")[0] for problem in problems] == [
        "apps.shop.build.secrets.other",
        "apps.shop.build.secrets.npm",
    ]
    assert "leads out of the folder" in problems[0]
    assert "git would commit npm-token" in problems[1]


async def test_a_check_asks_git_once_a_folder_however_many_apps_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read token had thousands of processes started, and thousands of files read, one after the other."""
    await child_process.run("git", "init", "--quiet", str(tmp_path), env={}, timeout_s=10)
    (tmp_path / "shop.env").write_text("KEY=secret\n")
    (tmp_path / "other.env").write_text("KEY=secret\n")
    asked, run = [], child_process.run

    async def counted(*command: str, **more: Any) -> child_process.Ended:
        asked.append(command)
        return await run(*command, **more)

    monkeypatch.setattr(child_process, "run", counted)
    apps = "".join(
        f"  a{n}: {{route: {{path: /{n}}}, update: {{git: {{remote: https://git.test/shop}}}}, "
        f"run: {{env_file: {'./' * (n % 5)}{'shop' if n % 2 else 'other'}.env}}}}\n"
        for n in range(200)
    )

    problems = await found("apps:\n" + apps, tmp_path)

    assert len(asked) == 1
    assert len(problems) == MOST_SAID + 1
    assert problems[-1] == "and 100 more"


@pytest.mark.parametrize("scheme", ["", "file://"])
async def test_a_path_that_the_orchestrator_does_not_have_is_found_with_what_to_mount(
    tmp_path: Path, scheme: str
) -> None:
    """`validate` passed it, and the deployment failed."""
    remote = f"{scheme}{tmp_path}/shop"
    text = APP.replace("https://git.test/shop", remote)

    (missing,) = await found(text, tmp_path)
    silent = await preflight(loader.parse(text, "c.yaml").config, tmp_path, only=())
    (tmp_path / "shop").mkdir()

    assert missing.startswith(f"apps.shop.update.git.remote: The repository {remote} does not exist in the orch")
    assert f"add '{tmp_path}/shop:{tmp_path}/shop:ro' to the volumes" in missing
    assert silent == []
    assert await found(text, tmp_path) == []


async def test_the_password_of_a_registry_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    registry = "{image: shop, username: ci, password_file: %s}"
    text = "apps:\n  shop:\n    route: {host: x}\n    update: {source: registry, registry: %s}\n"
    for file, why in (("none", "No such file or directory"), ("empty", "it is empty")):
        (says,) = await found(text % (registry % file), tmp_path)

        assert says.startswith("apps.shop.update.registry.password_file: The secret file")
        assert f" {file} cannot be read: {why}." in says


async def test_the_public_key_of_archives_is_looked_at(tmp_path: Path) -> None:
    url = "{manifest_url: 'https://x.test/m', download_url: 'https://x.test/{version}', public_key: minisign.pub}"
    text = f"apps:\n  shop:\n    route: {{host: x}}\n    update: {{source: url, url: {url}}}\n"

    (says,) = await found(text, tmp_path)
    (tmp_path / "minisign.pub").write_text(f"untrusted comment: x\n{b64encode(b'Ed' + bytes(40)).decode()}\n")

    assert says.startswith("apps.shop.update.url.public_key: The file ")
    assert "minisign.pub cannot be read: No such file or directory." in says
    assert await found(text, tmp_path) == []


async def test_the_public_key_of_images_is_looked_at_and_is_no_private_one(tmp_path: Path) -> None:
    update = "{source: registry, registry: {image: shop, cosign_key: cosign.key}}"
    text = f"apps:\n  shop:\n    route: {{host: x}}\n    update: {update}\n"

    (missing,) = await found(text, tmp_path)
    (tmp_path / "cosign.key").write_text("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\neyJr\n")
    (private,) = await found(text, tmp_path)
    (tmp_path / "cosign.key").write_text("-----BEGIN PUBLIC KEY-----\nMFkw\n")

    assert "cosign.key cannot be read: No such file or directory." in missing
    assert private.startswith("apps.shop.update.registry.cosign_key: cosign.key is a private key, which signs")
    assert await found(text, tmp_path) == []


async def test_a_repository_that_is_not_followed_is_not_looked_for(tmp_path: Path) -> None:
    update = "{source: registry, registry: {image: shop}, git: {remote: /none/at/all}}"

    assert await found(f"apps:\n  shop:\n    route: {{host: x}}\n    update: {update}\n", tmp_path) == []
