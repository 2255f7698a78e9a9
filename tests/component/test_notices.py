"""Notices arrive at real services: an HTTP server and a mail server of this machine, by a real child with Apprise."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from border.secrets import Secrets
from orchestrator.host import child_process
from orchestrator.notices.courier import Answer, Courier, Message, Parcel, Rounds
from tests.support.notice_server import NoticeServer
from tests.support.paths import ROOT

PASSWORD = "correct-horse-battery"
HELLO = Message("shop v2 is live", "Requested by anna.")


@pytest.fixture
async def server() -> AsyncIterator[NoticeServer]:
    async with NoticeServer() as one:
        yield one


def courier(within_s: float = 10.0) -> Courier:
    return Courier(Secrets(), within_s)


async def told(url: str, *messages: Message, within_s: float = 10.0) -> Answer:
    (answer,) = await courier(within_s).deliver([Parcel(url, messages or (HELLO,))])
    return answer


async def test_a_web_server_gets_the_title_and_the_text(server: NoticeServer) -> None:
    answer = await told(server.url("/ok"))

    assert answer.is_well
    assert answer.taken == 1
    (body,) = server.bodies
    assert (body["title"], body["message"], body["type"]) == (HELLO.title, HELLO.body, "info")


class Mailbox:
    """What aiosmtpd calls for each mail."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 (its name)
        assert isinstance(envelope.content, bytes)
        self.mails.append(envelope.content)
        return "250 Taken"


@pytest.fixture
async def mailbox() -> AsyncIterator[tuple[Mailbox, int]]:
    box = Mailbox()
    listening = await asyncio.get_running_loop().create_server(lambda: SMTP(box), "127.0.0.1", 0)
    yield box, listening.sockets[0].getsockname()[1]
    listening.close()


async def test_a_mail_arrives_with_its_text_and_as_no_markup(mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    nasty = Message("shop v2 is live", "<script>alert(1)</script> & *bold*")

    answer = await told(f"mailto://127.0.0.1:{port}?from=shop@example.com&to=anna@example.com&mode=insecure", nasty)

    assert answer.is_well, answer
    mail = message_from_bytes(box.mails[0], policy=policy.default)
    assert mail["Subject"] == "shop v2 is live"
    assert mail["To"] == "anna@example.com"
    html = [part.get_content() for part in mail.walk() if part.get_content_type() == "text/html"]
    assert all("<script>" not in text for text in html)


async def test_services_that_stall_fail_or_cut_keep_no_other_from_its_notice(server: NoticeServer) -> None:
    paths = ("/ok", "/status/500", "/stalls", "/cuts", "/status/401", "/status/413")
    began = time.monotonic()

    answers = dict(
        zip(paths, await courier(4.0).deliver([Parcel(server.url(path), (HELLO,)) for path in paths]), strict=True)
    )

    assert {path: answer.is_well for path, answer in answers.items()} == {path: path == "/ok" for path in paths}
    assert "500" in answers["/status/500"].says
    assert [path for path, answer in answers.items() if answer.is_refused] == ["/status/401", "/status/413"]
    assert [path for path, answer in answers.items() if answer.is_of_url] == ["/status/401"]
    assert all(answer.says for path, answer in answers.items() if path != "/ok")
    assert time.monotonic() - began < 40


SLOW_TO_LOAD = """
import importlib.abc, sys, time
class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "apprise":
            time.sleep(4)
sys.meta_path.insert(0, Slow())
"""


async def test_loading_apprise_takes_none_of_the_time_that_services_have(server: NoticeServer, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(SLOW_TO_LOAD)
    message = {"title": "shop v2 is live", "body": "By anna.", "tone": "info"}
    given = {"within_s": 4.0, "services": [{"url": server.url("/ok"), "messages": [message]}]}
    ended = await child_process.run(
        *(sys.executable, "-m", "orchestrator.notices.deliver"),
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}", "NO_PROXY": "127.0.0.1"},
        timeout_s=120,
        given=json.dumps(given).encode(),
    )

    assert '"taken": true' in ended.out.decode()


async def test_what_a_service_says_shows_neither_the_url_nor_a_password(server: NoticeServer) -> None:
    secrets = Secrets()
    url = server.url("/status/500/token-in-the-path", user=f"me:{PASSWORD}")
    (answer,) = await Courier(secrets, 10.0).deliver([Parcel(url, (HELLO,))])

    assert not answer.is_well
    assert PASSWORD not in answer.says
    assert "token-in-the-path" not in answer.says
    assert url in secrets._known


async def test_no_redirect_is_followed_also_where_a_url_asks_for_it(server: NoticeServer) -> None:
    for query in ("", "?redirect=yes"):
        answer = await told(server.url(f"/leads-to/secret{query}"))
        assert not answer.is_well

    assert [path for path in server.asked if "secret" in path and "leads" not in path] == []


TEMPLATES_OF = """
import sys
from apprise import Apprise
from orchestrator.notices.deliver import opened
plain = Apprise()
plain.add(sys.argv[1])
paths = [one.template[0].path for one in plain]
paths += [one.template[0].path for one in opened(sys.argv[1], 5.0)[0]]
print([path is not None for path in paths])
"""


async def test_no_service_reads_a_file_of_this_machine_or_fetches_one(server: NoticeServer, tmp_path: Path) -> None:
    """Discord's URL may name a template, which Apprise reads from a file, or fetches."""
    template = tmp_path / "template.json"
    template.write_text('{"content": "from a file"}')
    web = server.url("/template").replace("json:", "http:")
    hook = "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"

    for named in (template, f"file://{template}", web):
        command = (sys.executable, "-c", TEMPLATES_OF, f"{hook}?template={named}")
        ended = await child_process.run(*command, env={"PYTHONPATH": str(ROOT)}, timeout_s=60)
        assert ended.out.decode().strip() == "[True, False]", ended.err

    assert server.asked == ["/template"]  # by Apprise as it is


WRONG = ("nosuch://host", "discord://too-short", "json://", "https://example.com/is-no-service")


async def test_urls_that_apprise_cannot_use_are_known_without_sending_anything(server: NoticeServer) -> None:
    answers = await courier().deliver([Parcel(url) for url in (server.url("/ok"), *WRONG)])

    assert [one.is_well for one in answers] == [True, *[False] * len(WRONG)]
    assert all(one.is_refused and one.says for one in answers[1:])
    assert server.asked == []


async def test_the_child_has_no_secret_in_its_arguments_and_environment_and_ends_with_the_task(
    server: NoticeServer,
) -> None:
    task = asyncio.create_task(told(server.url("/stalls", user=f"me:{PASSWORD}"), within_s=60))
    await asyncio.wait_for(server.stalled.wait(), 60)
    children = _children()
    shown = b"".join((Path("/proc") / pid / name).read_bytes() for pid in children for name in ("cmdline", "environ"))
    limits = [(Path("/proc") / pid / "limits").read_text() for pid in children]

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert len(children) == 1
    assert PASSWORD.encode() not in shown
    assert b"CHANGEOVER" not in shown
    assert str(768 * 2**20) in limits[0]
    assert _children() == []


def _children() -> list[str]:
    found = []
    for process in Path("/proc").iterdir():
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            parent = (process / "stat").read_text().rpartition(") ")[2].split()[1]
        except (OSError, IndexError):
            continue
        if b"orchestrator.notices.deliver" in words and parent == str(Path("/proc/self").resolve().name):
            found.append(process.name)
    return found


async def test_twelve_services_at_once_share_one_process_and_slow_ones_keep_nobody_waiting(
    server: NoticeServer,
) -> None:
    runs: list[int] = []

    class Counting(Courier):
        async def deliver(self, parcels: Any) -> list[Answer]:
            runs.append(len(parcels))
            return await super().deliver(parcels)

    rounds = Rounds(Counting(Secrets(), 6.0))
    going = asyncio.create_task(rounds.keep_going())
    try:
        slow = asyncio.create_task(rounds.send(Parcel(server.url("/stalls"), (HELLO,)), is_slow=True))
        await asyncio.wait_for(server.stalled.wait(), 60)
        sent = [rounds.send(Parcel(server.url(f"/ok/{at}"), (HELLO,)), is_slow=False) for at in range(12)]
        answers = await asyncio.gather(*sent)
        assert not slow.done()
        assert not (await slow).is_well
    finally:
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)

    assert all(one.is_well for one in answers)
    assert runs == [1, 12]
    assert len(json.dumps(server.bodies)) < 10_000
