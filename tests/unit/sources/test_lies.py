"""A server of releases that lies: what it says costs little, hides nothing else, and shows no secret."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from border.secrets import Secrets
from orchestrator.config.source_schema import PypiSource
from orchestrator.domain.image_name import image_name
from orchestrator.errors import StepFailed
from orchestrator.sources.manifest import read_manifest
from orchestrator.sources.package_index import JSON
from orchestrator.sources.pypi import PackageReleases
from orchestrator.sources.registry_client import MOST_TAGS, RegistryClient
from orchestrator.sources.web import Web


def web(*answers: httpx.Response) -> Web:
    """A server that gives these answers, one after the other, and then the last one again."""
    left = list(answers)

    def answer(_request: httpx.Request) -> httpx.Response:
        return left.pop(0) if len(left) > 1 else left[0]

    return Web(httpx.MockTransport(answer), pause_s=0.0)


def of_index(*files: dict[str, Any]) -> PackageReleases:
    page = {"meta": {"api-version": "1.1"}, "name": "shop", "files": files}
    answer = httpx.Response(200, headers={"content-type": JSON}, stream=httpx.ByteStream(json.dumps(page).encode()))
    return PackageReleases(PypiSource(package_name="shop", index_url="http://index.test/simple/"), web(answer))


@pytest.mark.parametrize("content", [b'{"releases": [%s]}' % b",".join([b"1"] * 20_000),
                                     b'{"releases": [%s]}' % b",".join([b"{}"] * 20_000),
                                     b'{"version": "1", "changelog": [%s]}' % b",".join([b"1"] * 20_000)])  # fmt: skip
def test_of_all_that_is_wrong_with_a_manifest_few_errors_are_made(content: bytes) -> None:
    """Four million bytes of wrong values made two million errors, and kept everything waiting for half a minute."""
    with pytest.raises(StepFailed, match="is not a manifest") as refused:
        read_manifest(content, "http://web.test/m.json")

    assert isinstance(refused.value.__cause__, ValidationError)
    assert refused.value.__cause__.error_count() < 5


@pytest.mark.parametrize("wants", [f">={'9' * 5000}", f"=={'9' * 5000}.*", ">=1,,<2", "x" * 5000, "\ud800"])
async def test_a_file_that_wants_an_odd_python_hides_no_other_release(wants: str) -> None:
    one = {"url": "x", "hashes": {"sha256": "0" * 64}}
    source = of_index(
        {**one, "filename": "shop-1.0-py3-none-any.whl", "requires-python": wants},
        {**one, "filename": "shop-2.0-py3-none-any.whl", "requires-python": ">=3.8"},
    )

    assert (await source.newest()).release.version == "2.0"


async def test_a_version_that_no_deployment_can_record_is_not_offered() -> None:
    one = {"url": "x", "hashes": {"sha256": "0" * 64}}
    long = ".".join(["9"] * 150)
    source = of_index(
        {**one, "filename": f"shop-{long}-py3-none-any.whl"}, {**one, "filename": "shop-2.0-py3-none-any.whl"}
    )

    assert (await source.newest()).release.version == "2.0"


async def test_a_million_tags_are_not_looked_at_one_by_one() -> None:
    listed = {"tags": ["-"] * (MOST_TAGS + 1)}
    client = RegistryClient(
        image_name("registry.test/shop"), web(httpx.Response(200, stream=httpx.ByteStream(json.dumps(listed).encode())))
    )

    with pytest.raises(StepFailed, match="has more than 20,000 tags"):
        await client.tags()


SIGNED = "https://registry.test/blob?sig=T0KEN-4711&se=2026"


@pytest.mark.parametrize("content", [b"no json", b"[]"])
async def test_the_signed_address_that_a_registry_leads_to_is_not_shown(content: bytes) -> None:
    answers = httpx.Response(307, headers={"location": SIGNED}), httpx.Response(200, stream=httpx.ByteStream(content))
    client = RegistryClient(image_name("registry.test/shop"), web(*answers))

    with pytest.raises(StepFailed, match="is not an answer of a registry") as refused:
        await client.tags()

    assert "T0KEN" not in Secrets().text(str(refused.value))


async def test_the_signed_address_that_an_index_leads_to_is_not_shown() -> None:
    answers = httpx.Response(307, headers={"location": SIGNED}), httpx.Response(200, stream=httpx.ByteStream(b"{"))
    answers[1].headers["content-type"] = JSON
    settings = PypiSource(package_name="shop", index_url="https://registry.test/simple/")

    with pytest.raises(StepFailed, match="is not a page of a package index") as refused:
        await PackageReleases(settings, web(*answers)).newest()

    assert "T0KEN" not in Secrets().text(str(refused.value))


@pytest.mark.parametrize("is_led", [False, True])
@pytest.mark.parametrize(
    "address",
    ["https://localhost:99999/m", "https://me:T0KEN/4711@localhost/m", "https://[::1/m", "https://localhost:0/m",
     "https://xn--.localhost/m", "https://me:T0KEN@localhost\u2100/m", "https://localhost/\ud800"],
)  # fmt: skip
async def test_what_can_be_no_address_is_told_as_such_without_its_password(address: str, is_led: bool) -> None:
    """It was told as a defect of Changeover, or with a part of the password."""
    answer = httpx.Response(200, stream=httpx.ByteStream(b"{}"))

    with pytest.raises(StepFailed, match="no address") as refused:
        await web(answer).page(address, "text/plain", led_from="https://web.test/" if is_led else "")

    assert "T0KEN" not in str(refused.value)
