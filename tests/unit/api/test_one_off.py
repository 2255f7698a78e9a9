"""One-off commands through the API: output as it comes, the exit code, limits, and who may."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.access.rooms import COMMANDS, STREAMS, Room
from orchestrator.api.command_output import MOST_SHOWN, CommandOutput, Form
from orchestrator.api.one_off import _output
from orchestrator.app_data import swap
from orchestrator.apps.one_off import OneOff, Place
from orchestrator.clock import now
from orchestrator.config.schema import Config
from orchestrator.deploy.failover import Look
from orchestrator.domain.access import Scope
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Kind, Slots, State
from orchestrator.domain.log_line import LogLine
from orchestrator.domain.release import Release
from orchestrator.engine.base import LABEL_APP, LABEL_ONE_OFF, LABEL_ROLE, ContainerSpec, ContainerStatus, Role
from orchestrator.engine.docker.refusals import not_started, refused
from orchestrator.engine.terminal import Pipe, Size, Terminal
from orchestrator.errors import Refused
from orchestrator.host.output import LAST_LINES, MOST_LINES, Output
from tests.support.fakes.engine import FakeEngine
from tests.unit.api.conftest import Api


@pytest.fixture
def engine(api: Api) -> FakeEngine:
    """An app with a live release."""
    engine = api.orchestrator.engine
    assert isinstance(engine, FakeEngine)
    live = Deployment(
        "d1", "shop", Kind.DEPLOY, State.LIVE, "test", now(), release=Release("v1", "r1", "sha256:1"),
        colour=Colour.BLUE, container="shop-blue", address="10.0.0.9", port=8000, live_at=now(), ended_at=now(),
    )  # fmt: skip
    journal = api.orchestrator.journal
    journal.add(live)
    journal.save_switch("shop", Slots(active="d1"), live)
    engine.images["sha256:1"] = []
    asyncio.run(engine.start(ContainerSpec("shop-blue", "sha256:1", {LABEL_APP: "shop", LABEL_ROLE: Role.APP}, "test")))
    return engine


def keys(typed: bytes) -> str:
    return base64.b64encode(typed).decode()


async def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not come to that")


async def pieces(api: Api, path: str, secret: str, command: list[str], **more: Any) -> list[Any]:
    async with api.request("POST", path, secret, {"command": command, **more}) as answer:
        assert answer.status == 200, await answer.text()
        return [json.loads(line) for line in (await answer.text()).splitlines()]


async def test_a_command_in_the_container_gives_its_output_and_its_exit_code(api: Api, engine: FakeEngine) -> None:
    found = await pieces(api, "/v1/apps/shop/exec", api.token(Scope.ADMIN, "shop"), ["exit", "3"])

    assert found == [{"line": "exit 3"}, {"exit_code": 3, "late": False}]


async def test_a_command_in_a_new_container_has_the_environment_and_the_data_and_is_removed(
    api: Api, engine: FakeEngine
) -> None:
    engine.failing.add("seed")
    file = api.orchestrator.settings.config
    run = "{env: {MODE: live}, data: /data, volumes: ['extra:/extra'], memory: 64m, pids: 99}"
    file.write_text(f"{file.read_text()}    run: {run}\n")
    await api.orchestrator.reload_config()
    await api.orchestrator.supervisor.stop()
    context = api.orchestrator.apps.get("shop")

    found = await pieces(api, "/v1/apps/shop/run", api.token(Scope.ADMIN), ["seed"], env={"PASSWORD": "canary-4711"})

    assert found == [{"line": "it does not work"}, {"exit_code": 1, "late": False}]
    assert engine.sidecars() == set()
    (made,) = engine.sidecar_specs
    assert (made.command, made.image) == (("seed",), "sha256:1")
    assert (made.env["MODE"], made.env["PASSWORD"], made.env["CHANGEOVER_VERSION"]) == ("live", "canary-4711", "v1")
    assert made.owned == ((context.volume, "/data"), (context.volume_called("extra"), "/extra"))
    assert (made.memory, made.pids) == ("64m", 99)
    assert made.address == "", "it would take that of the active container"
    assert "canary" not in api.orchestrator.known_secrets.hide("canary-4711")


@pytest.mark.parametrize("place", ["run", "exec"])
async def test_a_command_reads_what_is_sent_as_its_input(api: Api, engine: FakeEngine, place: str) -> None:
    stdin = base64.b64encode(b"one\ntwo\n").decode()

    found = await pieces(api, f"/v1/apps/shop/{place}", api.token(Scope.ADMIN), ["exit", "0"], stdin=stdin)

    assert found[:2] == [{"line": "read one"}, {"line": "read two"}]
    assert found[-1]["exit_code"] == 0


@pytest.mark.parametrize("place", ["run", "exec"])
async def test_a_terminal_shows_what_is_typed_until_the_command_ends(api: Api, engine: FakeEngine, place: str) -> None:
    admin = api.token(Scope.ADMIN, "shop", name="ann")
    wanted = {"command": ["exit", "0"], "terminal": {"columns": 80, "rows": 24}}

    async with api.request("POST", f"/v1/apps/shop/{place}", admin, wanted) as answer:
        number = json.loads(await answer.chunk())["terminal"]
        at = f"/v1/apps/shop/terminals/{number}"
        await until(lambda: bool(api.orchestrator.apps.get("shop").commands._terminals))
        assert await api.status("POST", f"{at}/keys", admin, {"keys": keys(b"a\x1b[A")}) == 200
        assert await api.status("POST", f"{at}/size", admin, {"columns": 100, "rows": 30}) == 200
        assert await api.status("POST", f"{at}/keys", admin, {"keys": keys(b"\r")}) == 200
        *shown, end = [json.loads(line) for line in (await answer.text()).splitlines()]

    assert b"".join(base64.b64decode(one["output"]) for one in shown) == b"80x24 a\x1b[A100x30 "
    assert end["exit_code"] == 0
    assert await api.status("POST", f"{at}/keys", admin, {"keys": keys(b"x")}) == 404
    audited = [one.action for one in api.orchestrator.journal.audit_entries(10)]
    assert audited == [f"POST /v1/apps/shop/{place}"], "what is typed may be a password, and is many requests"


async def test_a_command_that_reads_nothing_is_not_typed_to_without_end(api: Api, engine: FakeEngine) -> None:
    terminal = Terminal(Size(80, 24), lambda _shown: None)
    with api.orchestrator.apps.get("shop").commands.attended("n", terminal):
        typed = [
            await api.status("POST", "/v1/apps/shop/terminals/n/keys", api.token(Scope.ADMIN), {"keys": keys(b"x")})
            for _ in range(3)
        ]
        while not terminal.typed.full():
            terminal.type(b"x")
        after = await api.status("POST", "/v1/apps/shop/terminals/n/keys", api.token(Scope.ADMIN), {"keys": "eA=="})

    assert typed == [200] * 3
    assert after == 409


async def test_a_terminal_of_an_app_is_not_that_of_another(api: Api, engine: FakeEngine) -> None:
    with api.orchestrator.apps.get("shop").commands.attended("n", Terminal(Size(80, 24), lambda _shown: None)):
        assert await api.status("POST", "/v1/apps/till/terminals/n/keys", api.token(Scope.ADMIN), {"keys": ""}) == 404


async def test_a_command_has_either_a_terminal_or_an_input(api: Api, engine: FakeEngine) -> None:
    wanted = {"command": ["exit", "0"], "stdin": "", "terminal": {"columns": 80, "rows": 24}}

    assert await api.status("POST", "/v1/apps/shop/exec", api.token(Scope.ADMIN), wanted) == 422


async def test_when_the_reader_of_a_terminal_leaves_the_command_is_ended(api: Api, engine: FakeEngine) -> None:
    wanted = {"command": ["exit", "0"], "terminal": {"columns": 80, "rows": 24}}
    async with api.request("POST", "/v1/apps/shop/exec", api.token(Scope.ADMIN), wanted) as answer:
        await answer.chunk()
    await until(lambda: not api.orchestrator.apps.get("shop").commands._terminals)


async def begun(
    api: Api, engine: FakeEngine, command: str, size: Size | None = None, form: Form = Form.LINES
) -> AsyncGenerator[str, None]:
    """A command that is under way, whose reader has read nothing yet."""
    who = await api.orchestrator.gate.admit(api.token(Scope.ADMIN), "127.0.0.1", "test")
    wanted = OneOff(Place.EXEC, (command,), {}, 60)
    return _output(api.orchestrator, who, api.orchestrator.apps.get("shop"), wanted, size, form)


async def test_a_reader_that_takes_nothing_keeps_nobody_waiting(api: Api, engine: FakeEngine) -> None:
    """Such as a computer that sleeps: a deployment that ended the command waited until it woke."""
    is_full = threading.Event()

    def floods(terminal: Terminal) -> int:
        for _ in range(MOST_SHOWN):
            terminal.show(b"x")
        is_full.set()
        terminal.show(b"one more")
        return 0

    engine.at_terminal = floods
    output = await begun(api, engine, "floods", Size(80, 24))
    try:
        await anext(output)
        await until(is_full.is_set)
        async with asyncio.timeout(10):
            ended = await api.orchestrator.apps.get("shop").commands.until_ended(0, Refused("The data changes."))
        *shown, told = [json.loads(one) async for one in output]
    finally:
        await output.aclose()

    assert ended == 1
    assert len(shown) == MOST_SHOWN
    assert told["problem"]["detail"] == "The data changes."


DUMP = bytes(range(256)) * 4096
"""Each byte, more of them than wait for a reader, and no line of less than 4 KiB that is plain."""


@pytest.mark.parametrize("place", ["run", "exec"])
async def test_bytes_that_are_asked_for_come_as_they_are_and_whole(api: Api, engine: FakeEngine, place: str) -> None:
    def dumps(pipe: Pipe) -> int:
        for start in range(0, len(DUMP), 5000):
            pipe.show(DUMP[start : start + 5000])
        pipe.show(b"canary-4711" + (pipe.content or b""))
        return 0

    engine.at_pipe = dumps
    api.orchestrator.known_secrets.know([base64.b64encode(DUMP[:5000]).decode(), "canary-4711"])
    path = f"/v1/apps/shop/{place}?output=bytes"

    found = await pieces(api, path, api.token(Scope.ADMIN), ["dump"], stdin=base64.b64encode(b"read").decode())

    came = b"".join(base64.b64decode(one["output"]) for one in found if "output" in one)
    assert came == DUMP + b"canary-4711read"
    assert [one for one in found if "line" in one] == []
    assert found[-1] == {"exit_code": 0, "late": False}
    if place == "exec":
        assert {"error": "a warning"} in found


async def test_a_command_waits_for_a_slow_reader_of_its_bytes_and_ends_when_the_reader_leaves(
    api: Api, engine: FakeEngine
) -> None:
    shown, ended = list[int](), threading.Event()

    def floods(pipe: Pipe) -> int:
        for number in range(2 * MOST_SHOWN):
            pipe.show(b"x")
            shown.append(number)
        ended.set()
        return 0

    engine.at_pipe = floods
    output = await begun(api, engine, "floods", form=Form.BYTES)
    await anext(output)
    await until(lambda: len(shown) >= MOST_SHOWN)
    assert not ended.wait(0.3), "it does not print into memory without end"
    await output.aclose()

    assert ended.is_set()


async def test_output_that_a_revoked_token_cuts_is_no_success(api: Api, engine: FakeEngine) -> None:
    """The command had ended, the rest of its output waited for the reader, and the exit code 0 came instead of it."""

    def dumps(pipe: Pipe) -> int:
        for _ in range(9):
            pipe.show(b"x")
        return 0

    engine.at_pipe = dumps
    output = await begun(api, engine, "dumps", form=Form.BYTES)
    await anext(output)
    await until(lambda: not api.orchestrator.apps.get("shop").commands.count)
    api.orchestrator.gate._end(lambda _who: True)
    *_, told = [json.loads(one) async for one in output]

    assert "exit_code" not in told
    assert told["problem"]["detail"].startswith("The output is not whole, and the command is ended: the token was")


async def test_a_line_that_is_not_the_commands_or_not_whole_is_told_apart(api: Api, engine: FakeEngine) -> None:
    output = CommandOutput()
    lines = Output(output.add)
    lines.feed(b"x" * 5000 + b"\n" + b"y\n" * (MOST_LINES + LAST_LINES + 1))
    lines.close()
    output.add(None)

    found = [one async for one in output.pieces()]

    assert [one["line"].strip("x") for one in found if one.get("cut")] == [" [904 bytes left out] "]
    assert [one["line"].split(":")[0] for one in found if one.get("note")] == ["[2 lines left out"]


async def test_a_command_killed_while_its_output_was_still_read_has_not_succeeded(
    api: Api, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_to_end = engine.run_to_end

    async def late(*wanted: Any) -> tuple[ContainerStatus, bool]:
        return (await run_to_end(*wanted))[0], True

    monkeypatch.setattr(engine, "run_to_end", late)

    found = await pieces(api, "/v1/apps/shop/run?output=bytes", api.token(Scope.ADMIN), ["dump"])

    assert found[-1] == {"exit_code": 137, "late": True}


@pytest.mark.parametrize(("says", "code"), [("executable file not found in $PATH", 127), ("permission denied", 126)])
async def test_a_program_that_the_image_does_not_have_is_told_as_exec_tells_it(
    api: Api, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, says: str, code: int
) -> None:
    """It was told to correct the image's CMD or run.command, with the exit code 1."""

    async def refuses(*_wanted: Any) -> tuple[ContainerStatus, bool]:
        raise refused(f'OCI runtime create failed: unable to start container process: exec: "nosuch": {says}')

    monkeypatch.setattr(engine, "run_to_end", refuses)

    found = await pieces(api, "/v1/apps/shop/run", api.token(Scope.ADMIN), ["nosuch"])

    assert found == [{"line": not_started("nosuch")}, {"exit_code": code, "late": False}]


async def test_a_reader_that_leaves_a_command_which_was_ended_is_no_error(api: Api, engine: FakeEngine) -> None:
    unseen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, said: unseen.append(said))
    output = await begun(api, engine, "wait")
    await anext(output)
    await api.orchestrator.apps.get("shop").commands.until_ended(0, Refused("The data changes."))
    await output.aclose()
    del output
    gc.collect()
    await asyncio.sleep(0)

    assert unseen == []


async def test_a_standby_is_looked_at_when_a_command_has_ended_that_may_have_been_inside(
    api: Api, engine: FakeEngine
) -> None:
    look = api.orchestrator.failover._looks["shop"] = Look(due=None)

    await pieces(api, "/v1/apps/shop/exec", api.token(Scope.ADMIN), ["exit", "0"])

    assert look.due is not None


async def test_who_types_to_a_command_goes_on_when_its_app_is_taken_out_of_the_configuration(
    api: Api, engine: FakeEngine
) -> None:
    terminal = Terminal(Size(80, 24), lambda _shown: None)
    with api.orchestrator.apps.get("shop").commands.attended("n", terminal):
        api.orchestrator.apps.take(Config())
        admin = api.token(Scope.ADMIN)
        assert await api.status("POST", "/v1/apps/shop/terminals/n/keys", admin, {"keys": keys(b"\x03")}) == 200

    assert terminal.typed.get_nowait() == b"\x03"


async def test_an_input_that_is_no_base64_is_refused(api: Api, engine: FakeEngine) -> None:
    wanted = {"command": ["exit", "0"], "stdin": "YQ"}

    assert await api.status("POST", "/v1/apps/shop/exec", api.token(Scope.ADMIN), wanted) == 422


async def test_a_command_that_takes_too_long_is_killed_and_says_so(api: Api, engine: FakeEngine) -> None:
    found = await pieces(api, "/v1/apps/shop/exec", api.token(Scope.ADMIN), ["wait"], timeout=0.05)

    assert found[-1] == {"exit_code": 137, "late": True}


async def test_when_the_reader_leaves_the_command_is_ended(api: Api, engine: FakeEngine) -> None:
    async with api.request("POST", "/v1/apps/shop/exec", api.token(Scope.ADMIN), {"command": ["wait"]}):
        await until(lambda: bool(engine.executed))
    await until(lambda: bool(engine.killed))

    assert engine.killed == [("wait",)]


@pytest.mark.parametrize("place", ["run", "exec"])
async def test_a_deployment_under_way_is_not_disturbed(api: Api, engine: FakeEngine, place: str) -> None:
    busy = replace(api.orchestrator.journal.deployment("d1"), id="d2", state=State.RUNNING)
    api.orchestrator.scheduler._lane("shop").running = busy

    status = await api.status("POST", f"/v1/apps/shop/{place}", api.token(Scope.ADMIN), {"command": ["x"]})

    assert status == 409
    assert engine.executed == []


async def test_what_was_asked_for_just_before_a_deployment_does_not_begin_in_it(api: Api, engine: FakeEngine) -> None:
    """A deployment waits for the commands that have begun, and for no other ones."""
    who = await api.orchestrator.gate.admit(api.token(Scope.ADMIN), "127.0.0.1", "test")
    context, command = api.orchestrator.apps.get("shop"), OneOff(Place.EXEC, ("x",), {}, 60)
    output = _output(api.orchestrator, who, context, command, None)
    busy = replace(api.orchestrator.journal.deployment("d1"), id="d2", state=State.RUNNING)
    api.orchestrator.scheduler._lane("shop").running = busy

    (told,) = [json.loads(one) async for one in output]

    assert told["problem"]["detail"] == "Deployment d2 of shop is under way."
    assert engine.executed == []


@pytest.mark.parametrize("place", ["run", "exec"])
async def test_the_recovery_of_what_was_interrupted_is_not_disturbed(api: Api, engine: FakeEngine, place: str) -> None:
    """It may be putting back data that an interrupted restore had moved."""
    api.orchestrator.scheduler.wait_for_recovery("shop")

    status = await api.status("POST", f"/v1/apps/shop/{place}", api.token(Scope.ADMIN), {"command": ["x"]})

    assert status == 409
    assert engine.executed == []


async def test_a_restore_ends_what_writes_the_data(api: Api, engine: FakeEngine) -> None:
    labels = {LABEL_APP: "shop", LABEL_ROLE: Role.SIDECAR, LABEL_ONE_OFF: "run"}
    await engine.start(ContainerSpec("shop-run", "sha256:1", labels, "test"))
    await engine.start(ContainerSpec("till-run", "sha256:1", labels | {LABEL_APP: "till"}, "test"))

    context = api.orchestrator.apps.get("shop")
    assert context.active is not None
    await swap.stop_writers(context, said_by=context.active)

    assert "shop-run" not in engine.running
    assert "till-run" in engine.running
    assert not engine.running["shop-blue"].running


async def test_without_a_live_release_there_is_nothing_to_run_in(api: Api) -> None:
    (found,) = await pieces(api, "/v1/apps/shop/run", api.token(Scope.ADMIN), ["x"])

    assert found["problem"]["detail"] == "shop has no live release."


async def test_the_audit_log_has_the_command_and_who_ran_it(api: Api, engine: FakeEngine) -> None:
    admin = api.token(Scope.ADMIN, name="ann")
    await pieces(api, "/v1/apps/shop/exec", admin, ["python", "manage.py", "check it"])

    entry = api.orchestrator.journal.audit_entries(1)[0]

    assert (entry.who, entry.action, entry.app) == ("ann", "POST /v1/apps/shop/exec", "shop")
    assert entry.reason == "python manage.py 'check it': exit code 0"


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"command": ["exit", "5"]}, "exit 5: exit code 5"),
        ({"command": ["x" * 2000]}, f"{'x' * 700} …: exit code 0"),
    ],
)
async def test_the_audit_log_has_how_a_command_ended(
    api: Api, engine: FakeEngine, wanted: dict[str, Any], says: str
) -> None:
    async with api.request("POST", "/v1/apps/shop/exec", api.token(Scope.ADMIN), wanted) as answer:
        await answer.text()

    entry = api.orchestrator.journal.audit_entries(1)[0]
    assert (entry.status, entry.reason) == (200, says)


async def test_the_audit_log_has_that_a_command_was_ended_because_nobody_read_it_any_more(
    api: Api, engine: FakeEngine
) -> None:
    async with api.request("POST", "/v1/apps/shop/exec", api.token(Scope.ADMIN), {"command": ["wait"]}) as answer:
        assert answer.status == 200
    await until(lambda: "ended" in (api.orchestrator.journal.audit_entries(1)[0].reason or ""))

    assert api.orchestrator.journal.audit_entries(1)[0].reason == "wait: its reader left, and it was ended"


@pytest.mark.parametrize(
    "body",
    [{}, {"command": []}, {"command": "ls"}, {"command": ["a\0b"]}, {"command": ["x"], "env": {"A=B": "1"}},
     {"command": ["x"] * 201}, {"command": ["x"], "timeout": 0}],
)  # fmt: skip
async def test_what_is_no_command_is_refused(api: Api, engine: FakeEngine, body: dict[str, Any]) -> None:
    assert await api.status("POST", "/v1/apps/shop/run", api.token(Scope.ADMIN), body) == 422


LOG, EXEC = "/v1/apps/shop/logs/follow", "/v1/apps/shop/exec"


@pytest.mark.parametrize(
    ("room", "path", "status"),
    [
        (STREAMS, LOG, 429),
        (COMMANDS, LOG, 200),
        (STREAMS, EXEC, 200),
        (COMMANDS, EXEC, 429),
        (COMMANDS, "/v1/apps/shop/run", 429),
    ],
)
async def test_a_token_that_follows_too_much_may_run_commands_and_the_other_way_round(
    api: Api, engine: FakeEngine, room: Room, path: str, status: int
) -> None:
    gate, secret = api.orchestrator.gate, api.token(Scope.ADMIN)
    who = await gate.admit(secret, "127.0.0.1", "test")
    method, body = ("GET", None) if path == LOG else ("POST", {"command": ["true"]})
    with ExitStack() as taken:
        for _ in range(room.most_of_token):
            taken.enter_context(gate.watch(who, room))
        async with api.request(method, path, secret, body) as answer:
            assert answer.status == status


async def test_of_commands_that_are_asked_for_at_the_same_moment_none_begins_beyond_the_limit(
    api: Api, engine: FakeEngine
) -> None:
    """It was begun, and ended at once."""
    gate, secret = api.orchestrator.gate, api.token(Scope.ADMIN)
    who = await gate.admit(secret, "127.0.0.1", "test")
    output = _output(
        api.orchestrator, who, api.orchestrator.apps.get("shop"), OneOff(Place.EXEC, ("sleep",), {}, 10), None
    )
    with ExitStack() as taken:
        for _ in range(COMMANDS.most_of_token):
            taken.enter_context(gate.watch(who, COMMANDS))
        (told,) = [json.loads(line) async for line in output]

    assert told["problem"]["kind"] == "TooManyStreams"
    assert not engine.executed


async def test_a_log_is_followed_until_the_container_ends(api: Api, engine: FakeEngine) -> None:
    async with api.request("GET", "/v1/apps/shop/logs/follow", api.token(Scope.READ)) as answer:
        assert [json.loads(line)["line"] for line in (await answer.text()).splitlines()] == ["the app's log"]


async def test_a_log_that_a_revoked_token_may_not_follow_any_more_has_not_ended(
    api: Api, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`changeover logs --follow` ended without a word, as if the app had."""

    async def goes_on(*_which: Any) -> AsyncGenerator[LogLine, None]:
        yield LogLine("2026-11-28T09:00:00.000000000Z", "a line")
        await asyncio.Event().wait()

    monkeypatch.setattr(engine, "follow_logs", goes_on)
    async with api.request("GET", "/v1/apps/shop/logs/follow", api.token(Scope.READ)) as answer:
        await answer.chunk()
        api.orchestrator.gate._end(lambda _who: True)
        (told,) = [json.loads(line) for line in (await answer.text()).splitlines()]

    assert told["problem"]["detail"].startswith("The log is not followed any more: the token was revoked")


@pytest.mark.parametrize("path", ["/v1/apps/shop/logs", "/v1/apps/shop/logs/follow"])
async def test_an_app_that_is_not_live_has_no_log_and_says_so(api: Api, path: str) -> None:
    async with api.request("GET", path, api.token(Scope.READ)) as answer:
        assert answer.status == 409
        assert "shop has no live release." in await answer.text()
