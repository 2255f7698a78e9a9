"""A release that is no good never hurts: the old one serves on, and the person is told why."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from textual.widgets import Static

from panel.app import PanelApp
from panel.client.client import Client
from panel.screens.progress import ProgressScreen
from tests.support.repository import Repository
from tests.support.shop import Shop
from tests.support.visitor import Visitor

Breakage = Callable[[Repository], None]


def does_not_build(repository: Repository) -> None:
    repository.replace("Dockerfile", "COPY alembic.ini", "RUN echo the oven is cold && false\nCOPY alembic.ini")


def migration_fails(repository: Repository) -> None:
    repository.write(
        "migrations/versions/0002_broken.py",
        "from alembic import op\n"
        "revision = '0002'\ndown_revision = '0001'\n"
        "def upgrade():\n"
        "    op.execute('CREATE TABLE half (id INTEGER)')\n"
        "    op.execute('INSERT INTO nowhere VALUES (1)')\n"
        "def downgrade():\n    pass\n",
    )


def never_healthy(repository: Repository) -> None:
    repository.replace(
        "shop.py", 'return {"ready": RELEASE}', 'print("no key"); raise HTTPException(503, "the till is jammed")'
    )


def exits_at_once(repository: Repository) -> None:
    repository.replace("shop.py", "app = FastAPI(", 'raise SystemExit("the door is locked")\napp = FastAPI(')


def listens_elsewhere(repository: Repository) -> None:
    repository.replace("Dockerfile", '"0.0.0.0", "--port", "8000"', '"127.0.0.1", "--port", "3000"')
    repository.replace("shop.py", "app = FastAPI(", 'print("around the corner", flush=True)\napp = FastAPI(')


def killed_for_memory(repository: Repository) -> None:
    repository.replace(
        "shop.py", "app = FastAPI(", 'print("filling the shelves")\nshelves = bytearray(2**30)\napp = FastAPI('
    )


@pytest.mark.parametrize(
    ("break_it", "step", "cause", "log_line"),
    [
        (does_not_build, "build", "The build failed", "the oven is cold"),
        (migration_fails, "migrate", "exited with code 1", "no such table: nowhere"),
        (never_healthy, "verify", "the till is jammed", "no key"),
        (exits_at_once, "verify", "exited with code 1", "the door is locked"),
        (listens_elsewhere, "verify", "listens on 127.0.0.1:3000; it must listen on 0.0.0.0:8000", "around the corner"),
        (killed_for_memory, "verify", "exceeded its memory limit", "filling the shelves"),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
async def test_a_bad_release_leaves_the_old_one_serving_and_says_why(
    shop: Shop, break_it: Breakage, step: str, cause: str, log_line: str
) -> None:
    stack, repository = shop.stack, shop.repository
    stack.set_config(
        stack.config.read_text().replace("timeout: 30", "timeout: 6").replace("/data}", "/data, memory: 400m}")
    )
    good = shop.deployed()
    before = {container.name for container in stack.containers()}
    break_it(repository)
    repository.commit("feat: a change that is no good")

    with Visitor(stack) as visitor:
        ended = stack.command("deploy", "shop", "--wait")
        as_json = stack.command("history", "shop", "--json")
    repository.git("reset", "--quiet", "--hard", "HEAD~1")

    # The old release served throughout.
    assert visitor.failures == []
    assert visitor.releases == {good}
    assert visitor.answers
    # The command says why, with the log's lines.
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert cause in ended.stdout
    assert log_line in ended.stdout
    assert f"{good} on " in ended.stdout
    assert "serves: it has answered" in ended.stdout
    # So does the API, to programs.
    deployment = json.loads(as_json.stdout)["deployments"][0]
    failure = deployment["failure"]
    assert deployment["state"] == "failed"
    assert failure["step"] == step
    assert cause in failure["cause"]
    assert any(log_line in line for line in failure["log"])
    assert failure["oom"] is (break_it is killed_for_memory)
    # And the panel.
    async with Client(f"http://127.0.0.1:{stack.api_port}", stack.token) as client:
        shown = await shown_in_the_panel(client, deployment["id"])
    assert "UPDATE FAILED" in shown
    assert cause in shown.replace("\n", " ")
    assert log_line in shown
    # Nothing is left behind, and nothing stands in the way of the next deployment.
    assert {container.name for container in stack.containers()} == before
    assert list((stack.state / "work").iterdir()) == []
    assert stack.app()["deployment"] is None
    assert stack.app()["active"]["version"] == good
    assert stack.deploy()["state"] == "live"


def test_where_it_is_asked_for_the_failed_candidate_stays_to_be_looked_at(shop: Shop) -> None:
    stack, repository = shop.stack, shop.repository
    good = shop.deployed()
    text = stack.config.read_text()
    stack.set_config(text.replace("branch: main}}", "branch: main}, rollback: {auto_rollback_on_failure: false}}"))
    exits_at_once(repository)
    repository.commit("feat: a change that is no good")

    ended = stack.deploy()

    left = stack.engine.containers.get(ended["container"])
    assert left.status == "exited"
    assert b"the door is locked" in left.logs()
    assert any(f"Stopped the candidate {left.name}; it is kept" in one for one in ended["failure"]["undone"])
    assert stack.ask().json()["release"] == good
    repository.git("reset", "--quiet", "--hard", "HEAD~1")
    repository.change("Good again")
    assert stack.deploy()["state"] == "live"
    assert len(stack.containers()) == 2, "the next deployment removes it"
    stack.set_config(text)


async def shown_in_the_panel(client: Client, deployment: str) -> str:
    """The text of the progress screen of a deployment."""
    app = PanelApp(client)
    async with app.run_test(size=(160, 80)) as pilot:
        screen = ProgressScreen(client, "shop", deployment)
        await app.push_screen(screen)
        for _ in range(100):
            await pilot.pause(0.05)
            if str(screen.query_one("#progress").border_title) != "UPDATING SHOP…":
                break
        await pilot.pause(0.2)
        outcome = screen.query_one("#outcome", Static)
        return f"{screen.query_one('#progress').border_title}\n{outcome.visual}"
