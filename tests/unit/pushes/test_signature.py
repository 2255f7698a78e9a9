"""Who knows the secret, and who does not: the published vectors of each forge, and every flipped bit."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.config.secret_file import SecretUnreadable
from orchestrator.domain.push_check import Forge
from orchestrator.pushes.secret import push_secret
from orchestrator.pushes.signature import TOLERATED_S, expected
from tests.support.forges import SECRET, Sent, delivery, git_push, standard

SIGNED = {
    Forge.GITHUB: ("x-hub-signature-256",),
    Forge.GITLAB: ("webhook-id", "webhook-timestamp", "webhook-signature"),
    Forge.GITEA: ("x-gitea-signature",),
    Forge.FORGEJO: ("x-forgejo-signature",),
}


def accepted(sent: Sent, secret: str = SECRET, now_s: float | None = None) -> bool:
    signature = expected(sent.forge, sent.headers, secret, time.time() if now_s is None else now_s)
    if signature is None:
        return False
    for start in range(0, len(sent.body), 7):
        signature.update(sent.body[start : start + 7])
    return signature.is_true()


def test_githubs_own_example_is_accepted() -> None:
    """Of GitHub's documentation, "Validating webhook deliveries"."""
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    sent = Sent(Forge.GITHUB, b"Hello, World!", {"x-hub-signature-256": signature})

    assert accepted(sent, "It's a Secret to Everybody")
    assert not accepted(sent, "It's a Secret to Everybody!")


VECTOR = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
"""Of Standard Webhooks' own libraries."""


@pytest.mark.parametrize(
    ("signature", "late_s", "is_accepted"),
    [
        (VECTOR["webhook-signature"], 0, True),
        (VECTOR["webhook-signature"], TOLERATED_S - 1, True),
        (VECTOR["webhook-signature"], TOLERATED_S + 1, False),
        (VECTOR["webhook-signature"], -TOLERATED_S - 1, False),
        (f"v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= {VECTOR['webhook-signature']}", 0, True),
        (VECTOR["webhook-signature"].replace("v1,", "v2,"), 0, False),
        (VECTOR["webhook-signature"].removeprefix("v1,"), 0, False),
        ("v1,", 0, False),
        ("", 0, False),
    ],
)
def test_the_vectors_of_standard_webhooks(signature: str, late_s: float, is_accepted: bool) -> None:
    sent = Sent(Forge.GITLAB, b'{"test": 2432232314}', VECTOR | {"webhook-signature": signature})

    assert accepted(sent, now_s=1614265330 + late_s) is is_accepted


@pytest.mark.parametrize("missing", VECTOR)
def test_without_one_of_its_three_headers_nothing_is_signed_also_beside_a_token(missing: str) -> None:
    headers = {name: value for name, value in VECTOR.items() if name != missing}
    sent = Sent(Forge.GITLAB, b'{"test": 2432232314}', headers | {"x-gitlab-token": SECRET})

    assert not accepted(sent, now_s=1614265330)


@pytest.mark.parametrize("moment", ["now", "-1614265330", "1614265330.0", "9" * 5000, "١٦١٤٢٦٥٣٣٠", " 1614265330"])
def test_a_time_that_is_no_number_is_refused(moment: str) -> None:
    sent = Sent(Forge.GITLAB, b"{}", VECTOR | {"webhook-timestamp": moment})

    assert not accepted(sent, now_s=1614265330)


@pytest.mark.parametrize(
    ("forge", "header", "before"),
    [
        (Forge.GITLAB, "x-gitlab-token", ""),
        (Forge.REGISTRY, "authorization", "Bearer "),
        (Forge.REGISTRY, "authorization", ""),
    ],
)
def test_a_token_is_compared_whole(forge: Forge, header: str, before: str) -> None:
    assert accepted(Sent(forge, b"{}", {header: before + SECRET}))
    for wrong in ("", SECRET[:-1], SECRET + "x", SECRET.swapcase(), " " + SECRET, "\xff" * 20):
        assert not accepted(Sent(forge, b"{}", {header: before + wrong}))


@pytest.mark.parametrize("forge", Forge)
def test_without_headers_nothing_is_accepted(forge: Forge) -> None:
    assert not accepted(Sent(forge, b"{}"))


@given(st.sampled_from(sorted(SIGNED)), st.integers(0, 2**31), st.sampled_from(["body", "header"]))
def test_one_flipped_bit_is_refused(forge: Forge, place: int, part: str) -> None:
    sent = delivery(forge, git_push())
    assert accepted(sent)

    if part == "body":
        flipped = Sent(forge, _flipped(sent.body, place), sent.headers)
    else:
        name = SIGNED[forge][place % len(SIGNED[forge])]
        value = _flipped(sent.headers[name].encode(), place).decode("latin-1")
        flipped = Sent(forge, sent.body, sent.headers | {name: value})

    assert not accepted(flipped)


@given(st.integers(0, 8 * len(SECRET) - 1))
def test_a_token_with_one_flipped_bit_is_refused(place: int) -> None:
    wrong = _flipped(SECRET.encode(), place).decode("latin-1")

    assert not accepted(Sent(Forge.GITLAB, b"{}", {"x-gitlab-token": wrong}))
    assert not accepted(Sent(Forge.REGISTRY, b"{}", {"authorization": f"Bearer {wrong}"}))


def _flipped(content: bytes, place: int) -> bytes:
    place %= 8 * len(content)
    changed = bytearray(content)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def test_the_tests_own_signer_is_the_standards() -> None:
    assert standard(VECTOR["webhook-id"], 1614265330, b'{"test": 2432232314}', SECRET) == VECTOR


HEADER_NAMES = [name for names in SIGNED.values() for name in names] + ["authorization", "x-gitlab-token"]
ANY_SECRET = st.text() | st.text().map(lambda text: f"whsec_{text}") | st.binary().map(lambda some: f"whsec_{some!r}")


@given(
    forge=st.sampled_from(Forge),
    secret=ANY_SECRET.filter(lambda text: not any("\ud800" <= one <= "\udfff" for one in text)),
    headers=st.dictionaries(st.sampled_from(HEADER_NAMES), st.binary().map(lambda some: some.decode("latin-1"))),
    body=st.binary(),
)
@example(Forge.GITLAB, "whsec_ä", dict.fromkeys(SIGNED[Forge.GITLAB], "1"), b"")
def test_whatever_a_secret_and_a_stranger_say_is_an_answer_and_no_error(
    forge: Forge, secret: str, headers: dict[str, str], body: bytes
) -> None:
    """A secret of whsec_ and what is not ASCII gave a traceback for each delivery of a stranger."""
    signature = expected(forge, headers, secret, 1.0)
    if signature:
        signature.update(body)
        signature.is_true()


@given(content=st.binary(max_size=200))
def test_whatever_the_secret_file_has_is_a_secret_or_is_said_to_be_none(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "any-secret").write_bytes(content)
    try:
        secret = push_secret(folder, "any-secret")
    except SecretUnreadable:
        return
    expected(Forge.GITLAB, VECTOR, f"whsec_{secret}", float(VECTOR["webhook-timestamp"]))
