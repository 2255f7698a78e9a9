"""The orchestrator's HTTP API, as the panel and the command use it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from panel.errors import ClientError, Failed, NotFound, NotSignedIn, Refused, Unreachable
from panel.model import App, Backup, Deployment, Event, Finding, Migrations, Update

DEFAULT_URL = "http://127.0.0.1:8090"
TOKEN_FILE = Path(".changeover/token")
TIMEOUT = httpx.Timeout(30, connect=5)
RETRY_PAUSES_S = (0.0, 0.05, 0.1, 0.2, 0.4, 1.0)


def configured_url() -> str:
    return os.environ.get("CHANGEOVER_URL", DEFAULT_URL)


def configured_token() -> str:
    """From CHANGEOVER_TOKEN, the file that CHANGEOVER_TOKEN_FILE names, or .changeover/token here."""
    if token := os.environ.get("CHANGEOVER_TOKEN"):
        return token.strip()
    file = Path(os.environ.get("CHANGEOVER_TOKEN_FILE", TOKEN_FILE))
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise NotSignedIn(f"The token file {file} cannot be read: {error.strerror}.") from error


class Client:
    """An open connection to one orchestrator. Every method raises a ClientError."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._http = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {token}"} if token else {}, timeout=TIMEOUT
        )

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    def sign_in(self, token: str) -> None:
        """Use this token from now on."""
        self._http.headers["Authorization"] = f"Bearer {token}"

    async def apps(self) -> list[App]:
        return [App.model_validate(app) for app in (await self._ask("GET", "/v1/apps"))["apps"]]

    async def app(self, name: str) -> App:
        return App.model_validate(await self._ask("GET", f"/v1/apps/{name}"))

    async def check(self, app: str) -> Update | None:
        found = await self._ask("POST", f"/v1/apps/{app}/update/check")
        return Update.model_validate(found) if found else None

    async def dismiss(self, app: str) -> None:
        await self._ask("POST", f"/v1/apps/{app}/update/dismiss")

    async def deploy(self, app: str, ref: str = "", idempotency_key: str = "", *, migrate: bool = False) -> Deployment:
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        wanted = {"ref": ref, "migrate": migrate}
        return Deployment.model_validate(
            await self._ask("POST", f"/v1/apps/{app}/deployments", json=wanted, headers=headers)
        )

    async def rollback(self, app: str, restore: str = "") -> Deployment:
        """To the standby; with the data of the backup `restore`, if one is named."""
        wanted = {"restore": restore}
        return Deployment.model_validate(await self._ask("POST", f"/v1/apps/{app}/rollback", json=wanted, timeout=None))

    async def migrations(self, app: str) -> Migrations:
        return Migrations.model_validate(await self._ask("GET", f"/v1/apps/{app}/migrations", timeout=None))

    async def cancel(self, deployment: str) -> Deployment:
        return Deployment.model_validate(await self._ask("POST", f"/v1/deployments/{deployment}/cancel"))

    async def deployment(self, deployment: str) -> Deployment:
        return Deployment.model_validate(await self._ask("GET", f"/v1/deployments/{deployment}"))

    async def history(self, app: str, limit: int = 20) -> list[Deployment]:
        found = await self._ask("GET", f"/v1/apps/{app}/deployments", params={"limit": limit})
        return [Deployment.model_validate(one) for one in found["deployments"]]

    async def logs(self, app: str, tail: int = 200) -> list[str]:
        return list((await self._ask("GET", f"/v1/apps/{app}/logs", params={"tail": tail}))["lines"])

    async def backups(self, app: str) -> list[Backup]:
        found = await self._ask("GET", f"/v1/apps/{app}/backups")
        return [Backup.model_validate(one) for one in found["backups"]]

    async def create_backup(self, app: str) -> Backup:
        return Backup.model_validate(await self._ask("POST", f"/v1/apps/{app}/backups", timeout=None))

    async def verify_backup(self, app: str, backup: str) -> Backup:
        return Backup.model_validate(await self._ask("POST", f"/v1/apps/{app}/backups/{backup}/verify", timeout=None))

    async def restore_backup(self, app: str, backup: str) -> Deployment:
        return Deployment.model_validate(
            await self._ask("POST", f"/v1/apps/{app}/backups/{backup}/restore", timeout=None)
        )

    async def hold(self, app: str, limit_s: float) -> None:
        await self._ask("POST", f"/v1/apps/{app}/hold", json={"limit": limit_s})

    async def release(self, app: str) -> None:
        await self._ask("POST", f"/v1/apps/{app}/release")

    async def validate(self, text: str, name: str) -> list[str]:
        """What is wrong with a configuration; empty when nothing is."""
        return list((await self._ask("POST", "/v1/config/validate", json={"text": text, "name": name}))["problems"])

    async def doctor(self) -> list[Finding]:
        return [Finding.model_validate(one) for one in (await self._ask("GET", "/v1/doctor"))["findings"]]

    async def tokens(self) -> list[dict[str, Any]]:  # Any: shown as they are
        return list((await self._ask("GET", "/v1/tokens"))["tokens"])

    async def create_token(self, name: str, scope: str) -> str:
        return str((await self._ask("POST", "/v1/tokens", json={"name": name, "scope": scope}))["token"])

    async def revoke_token(self, name: str) -> None:
        await self._ask("DELETE", f"/v1/tokens/{name}")

    async def past_events(self, deployment: str, after: int = 0) -> list[Event]:
        found = await self._ask("GET", f"/v1/deployments/{deployment}/events", params={"after": after})
        return [Event.model_validate(event) for event in found["events"]]

    async def events(self, after: int | None = None, deployment: str = "", recent: int = 0) -> AsyncIterator[Event]:
        """The event stream, for ever, from `after` on, or from `recent` events ago.

        A connection that ends is opened again where it was; nothing is missed.
        Raises Unreachable only when the first connection cannot be made.
        """
        tried, ever = 0, False
        while True:
            try:
                async for event in self._stream(after, deployment, recent):
                    after, tried, ever = event.id, 0, True
                    yield event
            except httpx.TransportError as error:
                if not ever and tried >= len(RETRY_PAUSES_S):
                    raise Unreachable(f"The event stream at {self.url} does not answer: {error}.") from error
            await asyncio.sleep(RETRY_PAUSES_S[min(tried, len(RETRY_PAUSES_S) - 1)])
            tried += 1

    async def wait_until_decided(self, deployment: str) -> AsyncIterator[Event]:
        """What happens in a deployment from its beginning until it is live or has ended otherwise."""
        async for event in self.events(0, deployment):
            yield event
            if event.kind in ("live", "failed", "rolled_back", "superseded", "cancelled"):
                return

    async def _stream(self, after: int | None, deployment: str, recent: int) -> AsyncIterator[Event]:
        start = {"recent": str(recent)} if after is None else {"after": str(after)}
        parameters = {"deployment": deployment} | start
        timeout = httpx.Timeout(10, read=60)
        async with self._http.stream("GET", "/v1/events", params=parameters, timeout=timeout) as answer:
            if not answer.is_success:
                await answer.aread()
                raise _error(answer)
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    yield Event.model_validate_json(line.removeprefix("data: "))

    async def _ask(self, method: str, path: str, **request: Any) -> Any:  # Any: JSON, made into values by the callers
        try:
            answer = await self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise Unreachable(
                f"Nothing answers at {self.url} ({error or type(error).__name__}).",
                "Is it up (make up)? CHANGEOVER_URL says where to look.",
            ) from error
        if not answer.is_success and not (answer.status_code == 502 and "id" in answer.text):
            raise _error(answer)
        return answer.json()


def _error(answer: httpx.Response) -> ClientError:
    try:
        problem = answer.json()
    except json.JSONDecodeError:
        return Unreachable(f"{answer.url} answered with status {answer.status_code}, and not as Changeover does.")
    cause = str(problem.get("detail", f"status {answer.status_code}"))
    remedy = str(problem.get("remedy", ""))
    kinds: dict[int, type[ClientError]] = {
        401: NotSignedIn,
        403: NotSignedIn,
        404: NotFound,
        409: Refused,
        422: NotFound,
        503: Refused,
    }
    return kinds.get(answer.status_code, Failed)(cause, remedy, tuple(problem.get("log", ())))
