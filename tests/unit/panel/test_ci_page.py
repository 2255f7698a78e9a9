"""The jobs of docs/ci.md and the action of this repository: what they run is run, against an API that answers."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import api_answers as answers
from tests.support import guide
from tests.support.fakes.api import FakeApi
from tests.support.paths import ROOT

PAGE = guide.read(ROOT / "docs" / "ci.md").files
ACTION = ROOT / ".github" / "actions" / "deploy" / "action.yml"
COMMIT = "0123abcd" * 5
KNOWN = {"github.sha": COMMIT, "secrets.CHANGEOVER_TOKEN": "co_of_the_app"}
"""The values of expressions in a workflow."""
FORGES = [name for name in PAGE if name.endswith("workflows/deploy.yml")]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as api:
        for app in ("shop", "api", "web"):
            api.gives("POST", f"/v1/apps/{app}/deployments", answers.deployment(state="queued"), 202)
            api.gives("GET", f"/v1/apps/{app}", answers.app(app))
        api.gives("POST", "/v1/apps/shop/archives", {"archive": "0123456789abcdef", "sha256": "", "bytes": 1}, 201)
        api.gives("GET", "/v1/deployments/d42", answers.deployment())
        api.events = answers.Events().steps("d42", "fetch", "build").add("live", "d42").add("ended", "d42").all
        yield api


def run(script: str, api: FakeApi, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """As the runner of a forge does: `bash -e -o pipefail`, in the folder of the checkout, with these variables."""
    commands = folder / "bin"
    commands.mkdir(exist_ok=True)
    command = commands / "changeover"
    if not command.exists():
        command.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m panel.cli "$@"\n')
        command.chmod(0o755)
    kept = {"HOME": os.environ.get("HOME", "/root"), "PATH": f"{commands}:/usr/bin:/bin", "CHANGEOVER_URL": api.url}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script],
        cwd=folder, env=kept | variables, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def evaluated(text: object, values: Mapping[str, str]) -> str:
    """The text with the values of its expressions; each must be known."""
    return re.sub(r"\$\{\{ *([\w.]+) *\}\}", lambda found: values[found[1]], str(text))


def run_action(given: Mapping[str, object], api: FakeApi, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the action's steps with these inputs."""
    action = yaml.safe_load(ACTION.read_text())
    declared = action["inputs"]
    assert set(given) <= set(declared)
    assert {name for name, about in declared.items() if about.get("required")} <= set(given)
    inputs = {
        f"inputs.{name}": evaluated(given.get(name, about.get("default", "")), KNOWN)
        for name, about in declared.items()
    } | {"inputs.url": api.url}
    for step in action["runs"]["steps"]:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "a value would be a part of the script"
        variables = {name: evaluated(value, inputs) for name, value in step.get("env", {}).items()}
        ended = run(step["run"], api, folder, GITHUB_ACTIONS="true", RUNNER_TEMP=str(folder), **variables)
        if ended.returncode:
            break
    return ended


def asked(api: FakeApi, app: str = "shop") -> list[Any]:
    return [one.body for one in api.requests("POST", f"/v1/apps/{app}/deployments")]


@pytest.mark.parametrize("workflow", FORGES)
def test_the_workflow_of_a_forge_deploys_the_commit_with_the_action(
    workflow: str, api: FakeApi, tmp_path: Path
) -> None:
    (job,) = yaml.safe_load(PAGE[workflow])["jobs"].values()
    (step,) = job["steps"]
    assert step["uses"].partition("changeover/")[2].partition("@")[0] == str(ACTION.parent.relative_to(ROOT))

    ended = run_action(step["with"], api, tmp_path)

    assert ended.returncode == 0, ended.stderr
    assert asked(api) == [{"ref": COMMIT, "migrate": False}]
    assert api.asked[0].headers["authorization"] == "Bearer co_of_the_app"
    assert "::group::build" in ended.stdout


def test_both_forges_that_have_the_action_have_a_workflow() -> None:
    assert FORGES == [".github/workflows/deploy.yml", ".forgejo/workflows/deploy.yml"]


@pytest.mark.parametrize(
    "value", ["$(touch taken)", "`touch taken`", "'; touch taken; '", '"; touch taken; "', "--help", "a b", "main\nb"]
)
def test_an_input_of_the_action_is_a_value_and_no_part_of_its_script(value: str, api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    noting = tmp_path / "bin" / "changeover"
    noting.write_text("#!/bin/sh\nprintf '%s\\0' \"$@\" > told\n")
    noting.chmod(0o755)

    ended = run_action({"app": value, "token": "co_x", "ref": value}, api, tmp_path)

    assert ended.returncode == 0, ended.stderr
    told = (tmp_path / "told").read_text().split("\0")
    assert told == ["deploy", f"--ref={value}", "--wait", "--log-format", "github", "--", value, ""]
    assert not (tmp_path / "taken").exists()


def test_the_action_deploys_images_and_archives(api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "shop.tar").write_bytes(b"an archive")
    image = {"app": "shop", "token": "co_x", "image": "registry.test/shop:1.2"}
    archive = {"app": "shop", "token": "co_x", "archive": "shop.tar", "version": "1.2"}

    ended = [run_action(given, api, tmp_path) for given in (image, archive)]

    assert [one.returncode for one in ended] == [0, 0], ended
    assert asked(api) == [
        {"ref": "", "image": "registry.test/shop:1.2", "migrate": False},
        {"ref": "", "archive": "0123456789abcdef", "version": "1.2", "migrate": False},
    ]
    assert [one.body for one in api.requests("POST", "/v1/apps/shop/archives")] == [b"an archive"]


def test_a_release_that_does_not_get_live_fails_the_job(api: FakeApi, tmp_path: Path) -> None:
    failed = answers.deployment(state="failed", failure=answers.FAILURE)
    api.gives("GET", "/v1/deployments/d42", failed)
    api.events = answers.Events().steps("d42", "fetch").add("failed", "d42", step="verify", cause="it ended").all

    ended = run_action({"app": "shop", "token": "co_x"}, api, tmp_path)

    assert ended.returncode == 1
    assert "::error title=shop%3A verify failed::" in ended.stdout


def test_the_action_installs_the_command_where_it_is_missing(api: FakeApi, tmp_path: Path) -> None:
    """With a Python that notes what it is asked for: the real one would ask a package index."""
    step = yaml.safe_load(ACTION.read_text())["runs"]["steps"][0]
    (tmp_path / "tools").mkdir()
    python = tmp_path / "tools" / "python3"
    python.write_text(
        '#!/bin/sh\necho "$@" >> "$RUNNER_TEMP/done"\nmkdir -p "$3/bin"\n'
        'printf \'#!/bin/sh\\necho "$@" >> "$RUNNER_TEMP/done"\\n\' > "$3/bin/pip"\nchmod +x "$3/bin/pip"\n'
    )
    python.chmod(0o755)

    ended = subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        env={"PATH": f"{python.parent}:/usr/bin:/bin", "RUNNER_TEMP": str(tmp_path),
             "GITHUB_ACTION_PATH": str(ACTION.parent), "GITHUB_PATH": str(tmp_path / "path")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    done = (tmp_path / "done").read_text()
    named = re.findall(rf"{ACTION.parent}\S+", done)
    assert [Path(name).resolve().relative_to(ROOT) for name in named] == [Path("requirements/command.txt"), Path()]
    assert (ROOT / "requirements" / "command.txt").is_file()
    assert "--require-hashes" in done
    assert (tmp_path / "path").read_text() == f"{tmp_path}/changeover/bin\n", ended.stderr


def test_the_job_of_gitlab_deploys_the_commit_in_sections(api: FakeApi, tmp_path: Path) -> None:
    job = yaml.safe_load(PAGE[".gitlab-ci.yml"])["deploy"]

    ended = run(
        "\n".join(job["script"]), api, tmp_path, CI_COMMIT_SHA=COMMIT, CHANGEOVER_TOKEN="co_x", GITLAB_CI="true"
    )

    assert ended.returncode == 0, ended.stderr
    assert asked(api) == [{"ref": COMMIT, "migrate": False}]
    assert re.search(r"section_start:\d+:changeover_\w+_build\[collapsed=true\]", ended.stdout)


def test_the_script_sends_the_files_of_the_commit(api: FakeApi, tmp_path: Path) -> None:
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path))
    subprocess.run([*git, "init", "--quiet"], check=True)
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    subprocess.run([*git, "add", "Dockerfile"], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "feat: shop"], check=True)
    subprocess.run([*git, "tag", "v1.2"], check=True)

    ended = run(PAGE["deploy.sh"], api, tmp_path, CHANGEOVER_TOKEN="co_x")

    assert ended.returncode == 0, ended.stderr
    assert asked(api) == [{"ref": "", "archive": "0123456789abcdef", "version": "v1.2", "migrate": False}]
    (sent,) = api.requests("POST", "/v1/apps/shop/archives")
    with tarfile.open(fileobj=io.BytesIO(sent.body)) as archive:
        assert archive.getnames() == ["Dockerfile"]
    assert re.search(r"^\d{4}-\d\d-\d\dT\S+Z ✓ build$", ended.stdout, re.MULTILINE)


def test_the_loop_deploys_each_app_and_fails_if_one_did(api: FakeApi, tmp_path: Path) -> None:
    api.refuses("POST", "/v1/apps/api/deployments", 409, detail="api is not recovered yet.")

    ended = run(PAGE["deploy-all.sh"], api, tmp_path, COMMIT=COMMIT, CHANGEOVER_TOKEN="co_x")

    assert ended.returncode == 1
    assert asked(api, "web") == [{"ref": COMMIT, "migrate": False}]
