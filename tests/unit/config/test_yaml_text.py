"""What the configuration's YAML may be, and that nothing in it takes long or is anything but plain."""

from __future__ import annotations

import time

import pytest

from orchestrator.config import loader, yaml_text
from orchestrator.errors import ConfigError

ALIASES = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("YES", "YES"), ("on", "on"), ("no", "no"), ("true", True), ("False", False), ("1:30", "1:30"), ("017", "017"),
        ("2026-01-01", "2026-01-01"), ("10", 10), ("-3", -3), ("1_000", 1000), ("0.5", 0.5), ("=", "="), ("~", None),
        ("0x1F", "0x1F"), ("'true'", "true"),
    ],
)  # fmt: skip
def test_only_true_and_false_are_booleans_and_only_decimals_are_numbers(text: str, value: object) -> None:
    assert yaml_text.read(f"key: {text}").content == {"key": value}


def test_an_environment_variable_named_yes_stays_so() -> None:
    apps = "apps:\n  shop:\n    route: {host: a.test}\n    run: {env: {YES: 'x', ON: 'off'}}\n"

    assert loader.parse(apps, "c.yaml").config.apps["shop"].run.env == {"YES": "x", "ON": "off"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (ALIASES, "more than 50000 values, aliases included"),
        ("a: &a {b: *a}\n", "contains itself"),
        ("a: &a\n  - *a\n", "contains itself"),
        ("[" * 2000 + "]" * 2000, "nested more than"),
        ("[" * 200_000, "c.yaml:1: the file is nested more than"),
        ("a:\n" + "- " * 60 + "x", "c.yaml:2: the file is nested more than"),
        ("{a:\n" * 60_000, "c.yaml:42: the file is nested more than"),
        ("? {a: b}\n: c\n", "a key must be text, not a list or a section"),
        ("? [a]\n: c\n", "a key must be text, not a list or a section"),
        ("a: &x {b: c}\nd:\n  <<: *x\n", r"c.yaml:3: merge keys \(<<\) are not read. Write each key"),
        ("a: b\nc: \x01\n", r"c.yaml:2: the file has the character U\+0001, which YAML cannot have"),
        ('a: b\nc: "\\ud800"\n', "c.yaml:2: the text has a NUL or half of a surrogate pair"),
        ('a: b\nc: "x\\0"\n', "c.yaml:2: the text has a NUL or half of a surrogate pair"),
        ('a: b\n"c\\0": x\n', "c.yaml:2: the text has a NUL or half of a surrogate pair"),
        ('a: "\\U0001F600"\nc: "\\U00110000"\n', r"c.yaml:2: an escape such as \\U00110000 names no character"),
        (f"a: b\nc: {'9' * 5000}\n", "c.yaml:2: the number has more than 40 characters"),
        ("&a &a x\n", "expected '<document start>', but found '<anchor>'"),
        ("[]\n", "expected a section with keys; found a list of 0"),
        ("false\n", "expected a section with keys; found false"),
        ("''\n", "expected a section with keys; found ''"),
        ("2026: x\n", "a key must be text; put quotes around '2026'"),
        ("? !!timestamp 2026-01-01\n: x\n", "a key must be text"),
        ("a: !!binary aGVsbG8=\n", "neither text, number, boolean, list nor section"),
        ("a: !!timestamp 2026-01-01\n", "neither text, number, boolean, list nor section"),
        ("a: !!python/object/apply:os.system [echo]\n", "neither text, number, boolean, list nor section"),
        ("a: !!int x\n", "does not fit its tag !!int"),
        ("a: !!int ''\n", "does not fit its tag !!int"),
        ("a: !!float x\n", "does not fit its tag !!float"),
        ("a: !!bool maybe\n", "does not fit its tag !!bool"),
        ("a: !!null x\n", "does not fit its tag !!null"),
        ("a: !!map [x]\n", "does not fit its tag !!map"),
        ("a: !!seq {x: y}\n", "does not fit its tag !!seq"),
        ("a: !!timestamp x\n", "neither text, number, boolean, list nor section"),
        ("a: !!set {x, y}\n", "neither text, number, boolean, list nor section"),
        ("a: !!omap [x: y]\n", "neither text, number, boolean, list nor section"),
        ("x" * (yaml_text.MOST_BYTES + 1), "larger than 256 kB"),
        ("<<<<<<< ours\na: b\n=======\nc: d\n>>>>>>> theirs\n", "c.yaml:1: the file has marks of a merge conflict"),
        ("a: b\n>>>>>>> theirs\n", "c.yaml:2: the file has marks of a merge conflict"),
    ],
)
def test_what_is_not_plain_is_refused_at_once_with_its_reason(text: str, says: str) -> None:
    began = time.monotonic()

    with pytest.raises(ConfigError, match=says):
        loader.parse(text, "c.yaml")

    assert time.monotonic() - began < 30


def test_the_line_of_what_is_wrong_is_named() -> None:
    with pytest.raises(ConfigError, match=r"c.yaml:3: a key must be text"):
        loader.parse("disk:\n  min_free_mb: 100\n7: x\n", "c.yaml")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            f"a: &a {'x' * 10_000}\nb: [{'*a,' * 10_000}]\n",
            "c.yaml:1: the file has more than 1024 kB of keys and values",
        ),
        (
            f"a: &a {{{'x' * 200}: y}}\nb: [{'*a,' * 10_000}]\n",
            "more than 1024 kB of keys and values, aliases included",
        ),
        (f"a: b\n? {'x' * 300}\n: c\n", "c.yaml:2: the key has more than 256 characters"),
        (f"a: &a {'x' * 300}\n*a : c\n", "the key has more than 256 characters"),
    ],
    ids=["a value", "a key", "a long key", "a long key by its alias"],
)
def test_a_small_file_becomes_no_large_configuration_and_no_large_message(text: str, says: str) -> None:
    """A read token had a file of 117 kB checked, which took 1.2 GB, and more than there is with 250 kB."""
    with pytest.raises(ConfigError, match=says):
        loader.parse(text, "c.yaml")
