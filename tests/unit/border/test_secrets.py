"""No known secret is left in a text, however it is written, split or cut."""

from __future__ import annotations

import base64
import html
import json
import random
import shlex
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from border.lines import MOST_HELD, CutLine, SecretLines
from border.secrets import LEAST, Secrets, may_be_secret
from border.urls import HIDDEN, credentials_in, hide_in_urls, without_credentials
from orchestrator.host.output import LINE_BYTES, Output

CANARY = "canary-4711/with@odd characters"
PLAIN = st.text("abcdefghij4711/@:% ", min_size=LEAST, max_size=24).map(str.strip).filter(lambda one: len(one) >= LEAST)


def knowing(*values: str) -> Secrets:
    secrets = Secrets()
    secrets.know(values)
    return secrets


@given(PLAIN, st.text(max_size=20), st.text(max_size=20))
def test_a_secret_is_taken_out_of_any_text(value: str, before: str, after: str) -> None:
    assert value not in knowing(value).text(f"{before}{value}{after}")


@pytest.mark.parametrize(
    "written",
    [
        CANARY, quote(CANARY), quote(CANARY, safe=""), quote_plus(CANARY), quote(CANARY, safe="").lower(),
        json.dumps(CANARY), repr(CANARY), html.escape(CANARY),
    ],
)  # fmt: skip
def test_a_secret_is_taken_out_in_every_form(written: str) -> None:
    assert "4711" not in knowing(CANARY).hide(f"a {written} b")


ODD = "it's<4711>&\"+=/~ \\é$`x"
PRINTED = {
    "Go, encoding/json": r"""it's\u003c4711\u003e\u0026\"+=/~ \\é$`x""",
    "Gson": r"""it\u0027s\u003c4711\u003e\u0026\"+\u003d/~ \\é$`x""",
    ".NET": r"""it\u0027s\u003C4711\u003E\u0026\u0022\u002B=/~ \\\u00E9$\u0060x""",
    "PHP, json_encode": r"""it's<4711>&\"+=\/~ \\\u00e9$`x""",
    "JSON within JSON": r"""it's<4711>&\\\"+=/~ \\\\\\u00e9$`x""",
    "encodeURIComponent": "it's%3C4711%3E%26%22%2B%3D%2F~%20%5C%C3%A9%24%60x",
    "encodeURI": "it's%3C4711%3E&%22+=/~%20%5C%C3%A9$%60x",
    "Java, URLEncoder": "it%27s%3C4711%3E%26%22%2B%3D%2F%7E+%5C%C3%A9%24%60x",
    "lower-case digits": "it%27s%3c4711%3e%26%22%2b%3d%2f~%20%5c%c3%a9%24%60x",
    "Go, html/template": r"""it&#39;s&lt;4711&gt;&amp;&#34;&#43;=/~ \é$`x""",
    "PHP, htmlspecialchars": r"""it&#039;s&lt;4711&gt;&amp;&quot;+=/~ \é$`x""",
    "Mustache": r"""it&#39;s&lt;4711&gt;&amp;&quot;+&#x3D;&#x2F;~ \é$&#x60;x""",
    "XML": r"""it&apos;s&lt;4711&gt;&amp;&quot;+=/~ \&#233;$`x""",
    "shlex.quote": r"""it'"'"'s<4711>&"+=/~ \é$`x""",
    "set -x": r"""it'\''s<4711>&"+=/~ \é$`x""",
    "printf %q": r"""it\'s\<4711\>\&\"+=/~\ \\\é\$\`x""",
    "in double quotes": r"""it's<4711>&\"+=/~ \\é\$\`x""",
    "SQL": r"""it''s<4711>&"+=/~ \é$`x""",
    "bytes of Python": r"""it\'s<4711>&"+=/~ \\\xc3\xa9$`x""",
}


@pytest.mark.parametrize("program", PRINTED)
def test_a_secret_is_taken_out_as_programs_escape_it(program: str) -> None:
    assert knowing(ODD).hide(f"a {PRINTED[program]} b") == f"a {HIDDEN} b"


@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl")), min_size=LEAST, max_size=24))
def test_a_secret_is_taken_out_as_real_encoders_escape_it(value: str) -> None:
    value = value.strip()
    if len(value) < LEAST:
        return
    for written in (
        json.dumps(value), json.dumps(json.dumps(value)), quote(value), quote_plus(value), html.escape(value),
        shlex.quote(value), repr(value), repr(value.encode()),
        html.escape(value).encode("ascii", "xmlcharrefreplace").decode(),
    ):  # fmt: skip
        shown = knowing(value).hide(f"a {written} b")
        assert HIDDEN in shown, written
        assert len(shown) <= len(HIDDEN) + 10, written


def test_the_lines_of_a_secret_are_secrets_and_short_values_are_not() -> None:
    secrets = knowing("-----BEGIN KEY-----\r\nline-of-a-key\nshort\n-----END KEY-----\n", "postgres")

    assert secrets.hide("x line-of-a-key x") == f"x {HIDDEN} x"
    assert secrets.hide("short") == "short"
    assert secrets.hide("postgres") == HIDDEN
    assert knowing("1234567").hide("1234567") == "1234567"


def test_fields_that_programs_go_by_keep_what_they_are() -> None:
    answer = {"id": CANARY, "version": CANARY, "log": [CANARY], "detail": f"x{CANARY}", "fields": {"line": CANARY}}

    assert knowing(CANARY).values(answer) == {
        "id": CANARY, "version": CANARY, "log": [HIDDEN], "detail": f"x{HIDDEN}", "fields": {"line": HIDDEN},
    }  # fmt: skip


def test_tokens_and_sessions_are_hidden_without_being_known() -> None:
    text = f"a co_{'x' * 43} b cs_{'y' * 43} c"

    assert Secrets().hide(text) == f"a {HIDDEN} b {HIDDEN} c"


def shown(secrets: Secrets, text: str, size: int = 7, line_bytes: int = LINE_BYTES) -> list[str]:
    lines: list[str] = []
    output = Output(lines.append, line_bytes=line_bytes, known_secrets=secrets)
    encoded = text.encode()
    for start in range(0, len(encoded), size):
        output.feed(encoded[start : start + size])
    output.close()
    return lines


@given(
    st.lists(st.integers(1, 16), min_size=1, max_size=5), st.integers(1, 40), st.sampled_from(["", "#12 3.45 ", "  "])
)
def test_a_secret_that_is_split_by_lines_is_hidden_wherever_the_chunks_end(
    cuts: list[int], size: int, prefix: str
) -> None:
    value = "Canary0123456789"
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(value[at : at + cut])
        at += cut
    pieces.append(value[at:])
    text = f"\n{prefix}".join(["before", *filter(None, pieces), "after"])

    lines = shown(knowing(value), text, size)

    left = "".join(line.removeprefix(prefix) for line in lines)
    assert max((length for length in range(len(value)) if value[:length] in left), default=0) < 4
    assert "3456789" not in left
    assert lines[0] == "before"
    assert lines[-1].endswith("after")


def test_a_line_that_is_cut_in_the_middle_of_a_secret_shows_nothing_of_it() -> None:
    for before in range(80, 100):
        (line,) = shown(knowing("canary-4711-value"), "x" * before + "canary-4711-value" + "y" * 50, line_bytes=100)

        assert "canary-4" not in line
        assert "bytes left out" in line


@given(st.integers(0, 200), st.integers(0, 200), st.integers(1, 50))
def test_of_a_secret_in_a_line_that_is_cut_nothing_is_shown_wherever_it_stands(
    before: int, after: int, size: int
) -> None:
    value = "canary-4711-value"
    lines = shown(knowing(value), "x" * before + value + "y" * after + "\nnext", size, line_bytes=100)

    assert not any(value[at : at + 5] in line for at in range(len(value) - 4) for line in lines)


@given(st.integers(0, 60), st.integers(1, 30), st.sampled_from(["pässwört-0815-ñandú", "秘密のパスワード1234"]))
def test_a_secret_is_not_shown_where_one_of_its_characters_is_cut(before: int, size: int, value: str) -> None:
    for lines in (
        shown(knowing(value), "x" * before + value + "y" * 100 + "\nnext", size, line_bytes=100),
        shown(knowing(value), "x" * 100 + "y" * before + value + "\nnext", size, line_bytes=100),
    ):
        assert not any(value[at : at + 5] in line for at in range(len(value) - 4) for line in lines)
        assert "\N{REPLACEMENT CHARACTER}" not in "".join(lines)


TOKEN = "cs_" + "t0ken" * 8 + "abc"


@pytest.mark.parametrize(
    ("said", "secret"),
    [
        ("https://host/app?access_token=" + "p4ss" * 20, "p4ssp4ss"),
        ("Authorization: Bearer " + "p4ss" * 20, "p4ssp4ss"),
        (f"the token {TOKEN}", "t0kent0ken"),
        ("https://anna:" + "p4ss" * 20 + "@host/app", "p4ssp4ss"),
    ],
)
def test_credentials_that_begin_in_what_is_cut_are_not_shown_in_the_end_of_the_line(said: str, secret: str) -> None:
    for after in range(60):
        (line,) = shown(Secrets(), "x" * 200 + " " + said + " " + "y" * after, line_bytes=100)

        assert secret not in line, line


def test_a_line_that_is_cut_is_known_as_such_also_where_it_may_end_with_the_beginning_of_a_secret() -> None:
    lines = SecretLines(knowing("canary-4711-value"))

    given_first = lines.take("a line", " [9 bytes left out] canary-47")
    given_then = lines.take("11-value ends")

    assert not given_first, "it is kept back"
    assert [type(one) for one in given_then] == [CutLine, str]
    assert "canary-47" not in given_then[0]


def test_what_may_be_the_end_of_credentials_does_not_begin_the_end_of_a_line_that_is_cut() -> None:
    (line,) = shown(Secrets(), "x" * 100 + "https://anna:" + "p" * 60 + "@host/app failed", line_bytes=100)

    assert "ppp" not in line
    assert line.endswith(" failed")


def test_lines_are_not_kept_back_for_ever() -> None:
    value = "a" * 5000
    lines = SecretLines(knowing(value))

    given_so_far = [one for _ in range(MOST_HELD * 3) for one in lines.take("aaaa")]

    assert len(given_so_far) >= MOST_HELD


@given(st.lists(st.text("abc", max_size=5)))
def test_output_without_secrets_is_passed_on_line_by_line_and_whole(written: list[str]) -> None:
    lines = SecretLines(knowing("abcabcabc-never"))

    assert [*(one for line in written for one in lines.take(line)), *lines.close()] == written


@pytest.mark.parametrize(
    ("url", "secret", "shown"),
    [
        ("https://user:pass4711@host/x.git", "pass4711", "https://host/x.git"),
        ("https://user:pa/ss4711@host/x", "pa/ss4711", "https://host/x"),
        ("https://user:p@ss4711@host/x", "p@ss4711", "https://host/x"),
        ("https://user:pa?ss4711@host/x", "pa?ss4711", "https://host/x"),
        ("https://user:pa#ss4711@host/x", "pa#ss4711", "https://host/x"),
        ("https://ghp_4711abcd@host/x", "ghp_4711abcd", "https://host/x"),
        ("https://tok/en4711@host/x", "tok/en4711", "https://host/x"),
        ("https://u:p%40ss%2F4711@host/x", "p@ss/4711", "https://host/x"),
        ("https://host/x.git?private_token=4711abcd&y=1", "4711abcd", "https://host/x.git"),
        ("postgresql://u:secret4711@db:5432/shop", "secret4711", "postgresql://db:5432/shop"),
    ],
)
def test_credentials_of_an_address_are_known_and_not_shown(url: str, secret: str, shown: str) -> None:
    assert secret in credentials_in(url)
    assert without_credentials(url) == shown


def test_the_credentials_of_a_long_address_take_no_time() -> None:
    """An environment file has values of any length, and each is looked at when a configuration is taken."""
    assert credentials_in("https://host.test/x?" + "x." * 500_000 + "&private_token=4711abcd") == {"4711abcd"}


@pytest.mark.parametrize(
    "url",
    ["https://host.test/@scope/x", "https://host:8080/x@1", "git@host.test:x.git", "/srv/shop", ".", "https://h/x"],
)
def test_an_address_without_credentials_stays_as_it_is(url: str) -> None:
    assert credentials_in(url) == set()
    assert without_credentials(url) == url
    assert hide_in_urls(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "fatal: unable to access 'https://u:s3cr3t@host/x.git/': 403", "GET https://host/x?access_token=s3cr3t&x=1",
        "Authorization: Bearer s3cr3t", '"authorization": "Basic s3cr3t"', "https://s3cr3t@host/",
    ],
)  # fmt: skip
def test_credentials_that_nobody_configured_are_hidden_in_any_text(text: str) -> None:
    assert "s3cr3t" not in hide_in_urls(text)


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("NODE_ENV", "production", False), ("DATA", "/data/shop/database", False), ("MODULE", "shop.settings", False),
        ("LIMIT", "104857600", False), ("HOST", "shop-1.example.com", False), ("VERSION", "3.13.0-slim", False),
        ("SITE", "https://shop.example.com/x", False),
        ("GREETING", "hello-4711", True), ("API_KEY", "production", True), ("DB", "postgresql://u:p@db/x", True),
        ("X", "1234567", False), ("PASSWORD", "/data/shop/database", True), ("X", "p4ss1.2word", True),
    ],
)  # fmt: skip
def test_ordinary_settings_are_not_taken_out_of_output(name: str, value: str, secret: bool) -> None:
    assert may_be_secret(name, value) is secret


@pytest.mark.parametrize(
    "text",
    [
        "a." * 100_000 + "://", "a-b+c" * 40_000 + "://x", "a://" * 50_000, "?" + "token" * 40_000 + " =",
        "?auth" * 40_000 + "=", "authorization " * 15_000, "authorization:" + " " * 200_000, "&" * 200_000 + "=",
    ],
)  # fmt: skip
def test_a_long_text_takes_no_longer_than_its_length(text: str) -> None:
    """Its writer is a stranger: of a commit, or of a log. Where the time grows with the square, this takes minutes."""
    began = time.monotonic()

    hide_in_urls(text)

    assert time.monotonic() - began < 10


def test_a_secret_parameter_inside_of_another_one_is_hidden() -> None:
    text = "see https://a.test/in?next=https://b.test/x?my_token=abc&q=1 and ?q=2&api-key.x=5"

    assert hide_in_urls(text.replace("api-key", "api_key")) == (
        f"see https://a.test/in?next=https://b.test/x?my_token={HIDDEN}&q=1 and ?q=2&api_key.x={HIDDEN}"
    )


@pytest.mark.parametrize(
    "value",
    ["\x01" * 8, "\u200b" * 9, "\x1b[31m\x1b[0m", "\0\1\2\3\4\5\6e\7", "\x1b[0;31mX", " \x01\x02\x03 e \x04\x05 "],
)
def test_a_secret_of_control_characters_hides_no_other_text(value: str) -> None:
    """A line of a binary key, or a colour in the environment."""
    secrets = knowing(value)

    assert secrets.text("hello here, X") == "hello here, X"
    lines = SecretLines(secrets)
    assert [*lines.take("hello here, X"), *lines.close()] == ["hello here, X"]


def test_thousands_of_secrets_are_looked_for_as_fast_as_a_few() -> None:
    """A bundle of certificates has thousands of lines. One after the other, 20 lines of output would take seconds."""
    dice = random.Random(1)
    values = [
        "".join(dice.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/", k=64))
        for _ in range(1500)
    ]
    few, many, line = knowing(*values[:30]), knowing(*values), "".join(values)[:4096:3] * 3

    def spent(secrets: Secrets) -> float:
        began = time.process_time()
        for _ in range(20):
            secrets.hide(line)
        return time.process_time() - began

    assert all(many.hide(f"x{value}y") == f"x{HIDDEN}y" for value in values)
    assert spent(many) < 20 * max(spent(few), 0.001)


@pytest.mark.parametrize("named_first", [True, False])
def test_a_name_that_everybody_sees_is_no_secret_and_a_secret_that_has_it_is(named_first: bool) -> None:
    secrets = Secrets()
    if named_first:
        secrets.leave(["shop-backend"])
    secrets.know(["shop-backend", "shop-backend-4711", "changeover"])
    if not named_first:
        secrets.leave(["shop-backend"])

    assert secrets.text("changeover deploy shop-backend") == "changeover deploy shop-backend"
    assert secrets.text("password shop-backend-4711.") == f"password {HIDDEN}."


@given(
    value=st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=8, max_size=60),
    before=st.binary(max_size=7),
    after=st.binary(max_size=7),
)
def test_a_secret_is_taken_out_of_what_is_written_in_base64_or_hexadecimal_digits(
    value: str, before: bytes, after: bytes
) -> None:
    """`Authorization: Basic` in the log of a client, a Secret of Kubernetes, a dump of bytes."""
    secrets = Secrets()
    secrets.know([value])
    content = before + value.encode() + after

    for written in (base64.b64encode(content), base64.urlsafe_b64encode(content), content.hex().encode()):
        shown = secrets.text(written.decode())

        assert HIDDEN in shown
        around = len(before) + len(after)
        assert len(shown.replace(HIDDEN, "")) <= 2 * around + 7
