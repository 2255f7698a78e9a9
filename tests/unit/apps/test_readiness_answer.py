"""Which answers mean that an app is ready, with `health.path` and without it."""

from __future__ import annotations

import httpx
import pytest

from orchestrator.apps.readiness_answer import ask_ready


@pytest.mark.parametrize(
    ("configured", "statuses", "path", "ready"),
    [
        ("/health", {"/health": 200}, "/health", True),
        ("/health", {"/health": 204}, "/health", True),
        ("/health", {"/health": 301}, "/health", False),
        ("/health", {"/health": 401}, "/health", False),
        ("/health", {"/health": 404}, "/health", False),
        ("/readyz", {"/readyz": 404, "/": 200}, "/readyz", False),
        (None, {"/readyz": 200}, "/readyz", True),
        (None, {"/readyz": 302}, "/readyz", True),
        (None, {"/readyz": 403}, "/readyz", True),
        (None, {"/readyz": 503, "/": 200}, "/readyz", False),
        (None, {"/readyz": 400, "/": 200}, "/readyz", False),
        (None, {"/readyz": 404, "/": 200}, "/", True),
        (None, {"/readyz": 404, "/": 302}, "/", True),
        (None, {"/readyz": 404, "/": 401}, "/", True),
        (None, {"/readyz": 404, "/": 403}, "/", True),
        (None, {"/readyz": 404, "/": 404}, "/", False),
        (None, {"/readyz": 404, "/": 500}, "/", False),
    ],
)
async def test_the_path_and_the_statuses(
    configured: str | None, statuses: dict[str, int], path: str, ready: bool
) -> None:
    async def ask(asked: str) -> httpx.Response:
        return httpx.Response(
            statuses[asked], headers={"location": "/sign-in"} if statuses[asked] in (301, 302) else {}
        )

    found = await ask_ready(configured, ask)

    assert (found.path, found.ready) == (path, ready)


async def test_why_an_answer_does_not_count_is_explained() -> None:
    async def ask(_path: str) -> httpx.Response:
        return httpx.Response(301, headers={"location": "https://shop.test/health"})

    assert (await ask_ready("/health", ask)).why_not == (
        "/health answered with status 301, a redirect to https://shop.test/health, instead of 200 to 299 (health.path)"
    )


@pytest.mark.parametrize(
    ("known", "statuses", "asked"),
    [
        ("/", {"/": 200}, ["/"]),
        ("/", {"/": 302}, ["/"]),
        ("/", {"/": 500, "/readyz": 200}, ["/", "/readyz"]),
        ("/", {"/": 500, "/readyz": 404}, ["/", "/readyz", "/"]),
        ("/readyz", {"/readyz": 200}, ["/readyz"]),
        ("", {"/readyz": 404, "/": 200}, ["/readyz", "/"]),
    ],
)
async def test_what_answered_well_before_is_asked_first(known: str, statuses: dict[str, int], asked: list[str]) -> None:
    paths = list[str]()

    async def ask(path: str) -> httpx.Response:
        paths.append(path)
        return httpx.Response(statuses[path])

    found = await ask_ready(None, ask, known=known)

    assert paths == asked
    assert found.ready is (statuses[found.path] < 400)
