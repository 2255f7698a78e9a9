"""What somebody does who uses Changeover by its API, wherever it runs."""

from __future__ import annotations

import time
from typing import Any

import httpx

READY_S = 120
DEPLOY_S = 240
"""Deadlines for a busy machine: no test is about how fast this one is."""
NO_TLS = False
"""For `verify`, where an address is http://. Else httpx reads all certificates for each client, which takes 22 ms of a
processor, and tests that wait for an answer make a client every 50 ms."""


class User:
    app_name = "shop"
    """The app that is meant where none is named."""

    def __init__(self, api: str, token: str = "") -> None:
        self.api, self.token = api, token
        self._http = httpx.Client(timeout=60, verify=NO_TLS)

    @property
    def host(self) -> str:
        """Where visitors find the app that is meant."""
        return f"{self.app_name}.test"

    def close(self) -> None:
        self._http.close()

    def what_was_logged(self) -> str:
        """For messages of what did not come to pass."""
        return ""

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return self._http.request(method, f"{self.api}/v1{path}", headers=headers, **options)

    def get(self, path: str) -> Any:
        answer = self.request("GET", path)
        assert answer.is_success, answer.text
        return answer.json()

    def post(self, path: str, **body: object) -> Any:
        answer = self.request("POST", path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def app(self, name: str = "") -> Any:
        return self.get(f"/apps/{name or self.app_name}")

    def deploy(self, name: str = "", ref: str = "") -> Any:
        """Deploy, also what is live already, and wait for the end, the old colour's retirement included."""
        return self.wait_ended(self.post(f"/apps/{name or self.app_name}/deployments", ref=ref, force=True)["id"])

    def deploy_to_live(self, name: str = "") -> Any:
        """Deploy and wait until it has the traffic."""
        asked = self.post(f"/apps/{name or self.app_name}/deployments")["id"]
        return self.until(lambda: self._in_state(asked, "live", "failed"), "the deployment ends", DEPLOY_S)

    def wait_ended(self, deployment: str) -> Any:
        def ended() -> Any:
            found = self.get(f"/deployments/{deployment}")
            return found if found["ended_at"] else None

        return self.until(ended, f"deployment {deployment} ends", DEPLOY_S)

    def until_step(self, deployment: str, step: str) -> None:
        """Until the deployment is at this step."""

        def there() -> bool:
            return any(one["name"] == step for one in self.get(f"/deployments/{deployment}")["steps"])

        self.until(there, f"deployment {deployment} is at {step}")

    def until_said(self, deployment: str, words: str) -> None:
        """Until a build or sidecar of the deployment has printed these words."""

        def said() -> bool:
            return any(words in str(event["fields"].get("line")) for event in self.events(deployment))

        self.until(said, f"{words!r} is printed")

    def wait_idle(self, name: str = "") -> None:
        """Until everything that was asked for has ended, retirement included."""
        newest = self.get(f"/apps/{name or self.app_name}/deployments?limit=1")["deployments"][0]
        self.wait_ended(newest["id"])

    def rollback(self, name: str = "") -> Any:
        return self.post(f"/apps/{name or self.app_name}/rollback")

    def events(self, deployment: str) -> list[Any]:
        return list(self.get(f"/deployments/{deployment}/events")["events"])

    def _in_state(self, deployment: str, *states: str) -> Any:
        found = self.get(f"/deployments/{deployment}")
        return found if found["state"] in states else None

    def until(self, holds: Any, what: str, seconds: float = READY_S) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := holds():
                return found
            time.sleep(0.05)
        raise AssertionError(f"not within {seconds} s: {what}\n{self.what_was_logged()}")
