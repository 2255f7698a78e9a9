"""`python -m orchestrator.notices.deliver`: gives notices to services with Apprise, and ends. A child process.

Standard input is one JSON object: `within_s`, and `services`, each with its `url` and `messages` (`title`, `body`,
`tone`); a service without messages is only looked at. For each message that has come to its end, and for each service
that was looked at or cannot be used, one JSON object is printed on a line. What a service says is passed on as it is:
whoever started this process cleans it. Standard output is a pipe: this process can write no file.

Apprise has services and parameters that read files of the machine, fetch templates, write keys or follow redirects. All
of this is off here, whatever a URL says.
"""

from __future__ import annotations

import json
import logging
import os
import re
import resource
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any, TextIO

MOST_MEMORY = 768 * 2**20
"""Bytes of address space. Apprise with all services takes 60 MB of memory, and each thread some address space."""
MOST_SAID = 3000
"""More than is kept (courier.py), so that no half of a secret, such as the URL, is at the end of what is."""
ENDS_AFTER_S = 10
"""After so many seconds beyond `within_s` the kernel ends this process, whoever waits for it or does not any more."""
_STATUS = re.compile(r"error=(\d{3})\b")


@dataclass(frozen=True)
class Outcome:
    """`taken`: the service has the message. `status`: of HTTP, where the service said one. `is_wrong`: the URL cannot
    be used, so that another try is of no use."""

    service: int
    message: int
    taken: bool
    says: str
    seconds: float
    status: int | None = None
    is_wrong: bool = False


class Printed:
    """Lines of standard output, one at a time. Nothing else may write there: services print what they like."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._turn = out, threading.Lock()

    def add(self, outcome: Outcome) -> None:
        with self._turn:
            print(json.dumps(vars(outcome)), file=self._out, flush=True)


def main() -> None:
    asked = json.load(sys.stdin)
    within_s = float(asked["within_s"])
    _limit(within_s)
    printed = Printed(_own_output())
    work = [
        threading.Thread(target=_serve, args=(number, service, within_s, printed), daemon=True)
        for number, service in enumerate(asked["services"])
    ]
    opened("json://localhost", within_s)  # loads Apprise: on a busy machine that takes seconds, which are no service's
    signal.alarm(int(within_s) + ENDS_AFTER_S)
    ends = time.monotonic() + within_s
    for one in work:
        one.start()
    for one in work:
        one.join(max(0.0, ends - time.monotonic()))
    os._exit(0)  # without waiting for threads of services that do not answer


def _limit(within_s: float) -> None:
    """Nothing that a service makes this process do may cost the machine more than this."""
    limits = {"AS": MOST_MEMORY, "FSIZE": 0, "CORE": 0, "NOFILE": 256, "CPU": int(within_s) + ENDS_AFTER_S}
    for name, most in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (least, least))
    threading.stack_size(2**20)
    signal.alarm(int(within_s) + ENDS_AFTER_S)


def _own_output() -> TextIO:
    """Standard output for this module alone; for all others it leads nowhere, as standard error does."""
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return own


def _serve(number: int, service: dict[str, Any], within_s: float, printed: Printed) -> None:  # Any: JSON
    began = time.monotonic()
    try:
        apprise, why = opened(service["url"], within_s)
        if apprise is None:
            printed.add(Outcome(number, 0, taken=False, says=why, seconds=0.0, is_wrong=True))
            return
        if not service["messages"]:
            printed.add(Outcome(number, 0, taken=True, says="", seconds=0.0))
        for at, message in enumerate(service["messages"]):
            outcome = _told(apprise, number, at, message)
            printed.add(outcome)
            if not outcome.taken:
                return
    except Exception as error:  # noqa: BLE001 (a defect in a service's code concerns this service alone)
        says = f"Its code in Apprise has a defect: {type(error).__name__}."
        printed.add(Outcome(number, 0, taken=False, says=says, seconds=time.monotonic() - began))


_importing = threading.Lock()


def opened(url: str, within_s: float) -> tuple[Any, str]:  # Any: an Apprise, which must not be imported earlier
    """Apprise with this one service; None, and why, if the URL cannot be used."""
    with _importing:
        import apprise
        import requests.sessions

        # Templates and keys are attachments to Apprise: no file is read, and nothing is fetched.
        attachments: Any = apprise.manager_attachment.AttachmentManager  # Any: it has no types
        attachments = attachments()
        for schema in list(attachments.schemas()):
            attachments[schema].location = apprise.common.ContentLocation.INACCESSIBLE
        # Not all services honour the setting. A redirect is an error then.
        requests.sessions.DEFAULT_REDIRECT_LIMIT = 0
        logging.getLogger("apprise").setLevel(logging.WARNING)
        asset = apprise.AppriseAsset(
            app_id="Changeover",
            app_desc="Notices of Changeover",
            app_url="",
            storage_mode="memory",
            secure_logging=True,
            service_timeout=within_s,
            allow_templates=False,
            interpret_emojis=False,
            http_redirects=False,
            pgp_autogen=False,
            pem_autogen=False,
        )
        found = apprise.Apprise(asset=asset)
        schema = url.partition("://")[0].lower()
        # The web address of a chat's hook is one of the chat's own URLs, written as the chat shows it.
        known: Any = apprise.manager_plugins.NotificationManager
        if schema not in ("http", "https") and schema not in known():
            return None, f"Apprise knows no service {schema}://."
        if not found.add(url):
            return None, f"It is no complete URL of {schema}://, or this service needs more than is installed."
        for service in found:
            service.redirects = False
        return found, ""


def without_doubled_marks(says: str) -> str:
    """Apprise puts the sentence of a status into another one: "Internal Server Error., error=500." """
    return re.sub(r"\.+(?=[,;:])|\.+(?=\.)", "", says)


def _told(apprise: Any, number: int, at: int, message: dict[str, Any]) -> Outcome:  # Any: as above, JSON
    from apprise import NotifyFormat, NotifyType

    began = time.monotonic()
    kind = NotifyType(message["tone"])
    result = apprise.notify(
        title=message["title"], body=message["body"], notify_type=kind, body_format=NotifyFormat.TEXT
    )
    said = [entry.message for service in result for entry in service.logs()]
    says = without_doubled_marks(said[-1]) if said else "" if result else "It did not take it, and did not say why."
    says = says[:MOST_SAID]
    status = _STATUS.search(says)
    return Outcome(number, at, bool(result), says, time.monotonic() - began, int(status[1]) if status else None)


if __name__ == "__main__":
    main()
