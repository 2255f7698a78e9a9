"""What is wrong with a configuration file is told with file, line, key, what was expected and what was found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from orchestrator.config import loader
from orchestrator.config.keys import APP, Key, every_key
from orchestrator.config.value_types import HostName
from orchestrator.errors import ConfigError

SHOP = "apps:\n  shop:\n    route: {host: shop.test}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "apps:\n  shop:\n    route: {host: 'http:/x'}\n",
            "c.yaml:3: apps.shop.route.host: expected a host name such as shop.example.com: it has no "
            "scheme, port or path; found 'http:/x'",
        ),
        (
            "apps:\n  shop:\n    route: {host: bücher.test}\n",
            "c.yaml:3: apps.shop.route.host: expected a host name as browsers send it: with other letters than a to z "
            "it begins with xn--; found another text of 11 characters",
        ),
        (
            "apps:\n  shop:\n    route: {hosts: ['*.test']}\n",
            "c.yaml:3: apps.shop.route.hosts.0: expected each host name by itself: names with * are not supported; "
            "found '*.test'",
        ),
        (
            "apps:\n  shop:\n    route: {host: foo_bar.localhost}\n",
            "c.yaml:3: apps.shop.route.host: expected a host name such as shop.example.com: it has letters, digits, "
            "'-' and '.', and not '_'; found another text of 17 characters",
        ),
        ("updat: {}\n", "c.yaml:1: updat: unknown key. Did you mean 'update'?"),
        (
            "disk:\n  wheels: 4\n",
            "c.yaml:2: disk.wheels: unknown key. "
            "Known keys here: build_cache_mb, keep_images, keep_output, min_free_mb",
        ),
        ("disk: {min_free_mb: plenty}\n", "c.yaml:1: disk.min_free_mb: expected a whole number; found 'plenty'"),
        (
            SHOP + "    run: {port: 80000}\n",
            "c.yaml:4: apps.shop.run.port: expected a number of at most 65535; found 80000",
        ),
        ("disk: {keep_images: 0}\n", "c.yaml:1: disk.keep_images: expected a number of at least 1; found 0"),
        ("proxy: {spare_backends: -1}\n", "c.yaml:1: proxy.spare_backends: expected a number of at least 0; found -1"),
        (
            "update: {background_check: {interval: 0}}\n",
            "c.yaml:1: update.background_check.interval: expected a number greater than 0; found 0",
        ),
        ("update: {enabled: 1}\n", "c.yaml:1: update.enabled: expected true or false; found 1"),
        (
            "update: {git: {branch: 1.0}}\n",
            "c.yaml:1: update.git.branch: expected text; found 1.0. Write the value in quotes",
        ),
        (
            "update: {source: svn}\n",
            "c.yaml:1: update.source: expected one of 'git', 'pypi', 'url' or 'registry'; found 'svn'",
        ),
        (
            "update: {git: {branch: main, tags: v*}}\n",
            "c.yaml:1: update.git.tags: tags are followed instead of a branch; remove one",
        ),
        (
            "update: {git: {tags: -x}}\n",
            "c.yaml:1: update.git.tags: expected a pattern of tags, such as v*; found '-x'",
        ),
        (
            "update: {source: pypi, version_scheme: commit, pypi: {package_name: x}}\n",
            "c.yaml:1: update.version_scheme: packages of an index have the scheme pep440; remove the key",
        ),
        (
            "update: {source: registry, version_scheme: commit, registry: {image: x/y, version_range: '>1'}}\n",
            "c.yaml:1: update.version_scheme: a version_range of tags needs the scheme semver or pep440; remove one of "
            "these keys",
        ),
        ("update: {source: url}\n", "c.yaml:1: update.url: the source 'url' needs this section"),
        ("update: {source: pypi}\n", "c.yaml:1: update.pypi: the source 'pypi' needs this section"),
        (
            "update:\n",
            "c.yaml:1: update: expected a section with keys; found nothing. Remove the key, or give it a value",
        ),
        (
            "update: {backup: {backup_location: backups}}\n",
            "c.yaml:1: update.backup.backup_location: expected an absolute path on the host, such as /srv/backups or "
            "~/backups; found 'backups'",
        ),
        (
            SHOP + "    run: {env: {PASSWORD: 12345}}\n",
            "c.yaml:4: apps.shop.run.env.PASSWORD: expected text; found a value of another kind (a number). "
            "Write the value in quotes",
        ),
        (
            SHOP + "    run: {env: {TOKEN=hunter2hunter2}}\n",
            "c.yaml:4: apps.shop.run.env.TOKEN=(not shown): expected text; found nothing. "
            "Remove the key, or give it a value",
        ),
        (
            SHOP + "    run: {TOKEN=hunter2hunter2}\n",
            "c.yaml:4: apps.shop.run.TOKEN=(not shown): unknown key. Known keys here: capabilities, command, data, "
            "env, env_file, extra_hosts, memory, networks, pids, port, privileges, read_only, user, volumes",
        ),
        (
            SHOP + "    run: {env: {'TOKEN=hunter2hunter2': ''}}\n",
            "c.yaml:4: apps.shop.run.env: expected names of letters, digits and _, such as LOG_LEVEL, not 'TOKEN'. "
            "Write NAME: value, not NAME=value",
        ),
        (
            SHOP + "    migrate: {}\n",
            "c.yaml:4: apps.shop.migrate.command: the key is required here. docs/configuration.md describes it",
        ),
        (
            SHOP + "    run: {memory: 5x}\n",
            "c.yaml:4: apps.shop.run.memory: expected a size such as 256m or 1g; found '5x'",
        ),
        (
            SHOP + "    run: {capabilities: [chwon]}\n",
            "c.yaml:4: apps.shop.run.capabilities.0: expected a Linux capability such as chown or setuid; "
            "found 'chwon'. Did you mean chown?",
        ),
        *(
            (SHOP + f"    {section}: {{memory: {value}}}\n", f"c.yaml:4: apps.shop.{section}.memory: {says}")
            for section in ("run", "build")
            for value, says in (
                ("128", "expected a size such as 256m or 1g; found 128. Did you mean 128m?"),
                ("'128'", "expected a size of at least 6m, such as 256m or 1g; found '128'. Did you mean 128m?"),
                ("128k", "expected a size of at least 6m, such as 256m or 1g; found '128k'. Did you mean 128m?"),
                ("5m", "expected a size of at least 6m, such as 256m or 1g; found '5m'"),
                ("1M", "expected a size such as 256m or 1g; found '1M'"),
                ("128M", "expected a size such as 256m or 1g; found '128M'. Did you mean 128m?"),
                ("128 MB", "expected a size such as 256m or 1g; found '128 MB'. Did you mean 128m?"),
                ("2GiB", "expected a size such as 256m or 1g; found '2GiB'. Did you mean 2g?"),
                ("134217728", "expected a size such as 256m or 1g; found another number. Did you mean 128m?"),
                ("true", "expected a size such as 256m or 1g; found true"),
                ("1.5", "expected a size such as 256m or 1g; found 1.5"),
                ("0", "expected a size such as 256m or 1g; found 0"),
                ("'٣٢m'", "expected a size such as 256m or 1g; found '٣٢m'"),
                (
                    "999999999999g",
                    "expected a size such as 256m or 1g, not more than any machine has; "
                    "found another text of 13 characters",
                ),
            )
        ),
        (
            SHOP + "    migrate: {command: alembic 'upgrade}\n",
            "c.yaml:4: apps.shop.migrate.command: expected a command line whose quotes are closed, such as alembic "
            "upgrade head; found another text of 16 characters",
        ),
        (
            SHOP + "    migrate: {command: x, status: ''}\n",
            "c.yaml:4: apps.shop.migrate.status: expected a command line with a program, such as alembic upgrade head; "
            "found ''",
        ),
        *(
            (
                SHOP + f"    run: {{command: {command}}}\n",
                "c.yaml:4: apps.shop.run.command: expected a list that begins with a program, such as [gunicorn, "
                f"shop:app]; found a list of {length}",
            )
            for command, length in (("[]", 0), ("['']", 1))
        ),
        *(
            (
                SHOP + f"    run: {{user: '{user}'}}\n",
                "c.yaml:4: apps.shop.run.user: expected the name or number of a user, and of its group if needed, such "
                f'as "1000:1000"; found {user!r}',
            )
            for user in ("", "a b", "-1", "root:", ":1")
        ),
        *(
            (
                SHOP + f"    run: {{user: '{user}'}}\n",
                "c.yaml:4: apps.shop.run.user: expected a user and group of at most 2147483647, as Docker has them; "
                f"found another text of {len(user)} characters",
            )
            for user in ("2147483648", "4294967295", "1000:9999999999")
        ),
        *(
            (
                SHOP + f"    run: {{data: '{data}'}}\n",
                "c.yaml:4: apps.shop.run.data: expected a folder of the app's own, such as /data: not one of the "
                f"image's system folders; found {data!r}",
            )
            for data in ("/./etc", "/etc/.", "//etc", "/.", "/proc/x", "/sys/fs")
        ),
        *(
            (
                SHOP.replace("host: shop.test", f"host: shop.test, path: {path}"),
                "c.yaml:3: apps.shop.route.path: expected a path prefix such as /shop. For all paths of the hosts, "
                f"leave path out; found {path!r}",
            )
            for path in ("/",)
        ),
        *(
            (
                SHOP.replace("shop.test", f"'{host}'"),
                "c.yaml:3: apps.shop.route.host: expected a host name as browsers send it: one that ends in a number "
                f"is an IPv4 address there; found {host!r}",
            )
            for host in ("127.1", "0x7f.1", "2130706", "1.2.03", "shop.1", "a.0x")
        ),
        (
            SHOP + "    run: {data: /data, volumes: ['uploads:/./data/']}\n",
            "c.yaml:4: apps.shop.run: /data is mounted twice by data and volumes. Use another path for one of them",
        ),
        (
            SHOP + "    run: {read_only: true, volumes: ['uploads:/tmp']}\n",
            "c.yaml:4: apps.shop.run: /tmp is mounted twice by data and volumes, and read_only mounts /tmp. "
            "Use another path for one of them",
        ),
        (
            SHOP + "    run: {networks: [host]}\n",
            "c.yaml:4: apps.shop.run.networks: expected networks that a container can join in addition. 'host' is "
            "none; for a service of this host, see run.extra_hosts; found a list of 1",
        ),
        *(
            (
                f"apps:\n  shop:\n    route: {{host: shop.test, path: '{path}'}}\n",
                "c.yaml:3: apps.shop.route.path: expected a path prefix that begins with /, without // and /../, such "
                f"as /shop; found {path!r}",
            )
            for path in ("//", "/./", "/a/..", "/../a", "/a//b")
        ),
        (
            "disk: {keep_output: 99999999999999999999}\n",
            "c.yaml:1: disk.keep_output: expected a number of at most 1000000; found another number",
        ),
        (
            SHOP + "    run: {volumes: ['uploads']}\n",
            "c.yaml:4: apps.shop.run.volumes.0: expected SOURCE:PATH or SOURCE:PATH:ro with the name of a volume or an "
            "absolute path of the host, such as uploads:/srv/uploads; found 'uploads'",
        ),
        (
            SHOP + "    run: {volumes: ['/srv/../etc:/etc']}\n",
            "c.yaml:4: apps.shop.run.volumes.0: expected SOURCE:PATH or SOURCE:PATH:ro with the name of a volume or an "
            "absolute path of the host, such as uploads:/srv/uploads; found another text of 16 characters",
        ),
        (
            SHOP + "    run: {extra_hosts: {db.internal: gateway}}\n",
            "c.yaml:4: apps.shop.run.extra_hosts.db.internal: expected an IP address, or host-gateway for this host; "
            "found 'gateway'",
        ),
        (
            SHOP + "    update: {window: {from: '02:00', to: '05:00', days: [monday]}}\n",
            "c.yaml:4: apps.shop.update.window.days.0: expected one of 'mon', 'tue', 'wed', 'thu', 'fri', 'sat' or "
            "'sun'; found 'monday'. Did you mean 'mon'?",
        ),
        (
            SHOP + "    update: {window: {from: '02:00', to: '05:00', days: []}}\n",
            "c.yaml:4: apps.shop.update.window.days: expected a list with at least 1 value; found a list of 0",
        ),
        (
            SHOP + "    update: {source: pipy}\n",
            "c.yaml:4: apps.shop.update.source: expected one of 'git', 'pypi', 'url' or 'registry'; found 'pipy'. Did "
            "you mean 'pypi'?",
        ),
        (
            "apps:\n\tshop:\n",
            "c.yaml:2: a tab stands where YAML has spaces. Indent with spaces, and remove the tab",
        ),
        (
            SHOP + "---\n" + SHOP,
            "c.yaml:4: a second document begins here, by the line ---. Keep one in the file, and remove the line",
        ),
        ("Apps: {}\n", "c.yaml:1: Apps: unknown key. Did you mean 'apps'?"),
        (
            SHOP + "    run: {envFile: a.env}\n",
            "c.yaml:4: apps.shop.run.envFile: unknown key. Did you mean 'env_file'?",
        ),
        (
            "apps:\n  shop:\n    route: {hosts: a.test}\n",
            "c.yaml:3: apps.shop.route.hosts: expected a list; found 'a.test'. Write it in brackets, with a comma "
            "between two of them: [one, two]",
        ),
        (
            "apps:\n  shop:\n    route: {}\n",
            "c.yaml:3: apps.shop.route: expected at least one of hosts, path or default: true",
        ),
        (
            SHOP + "  stall:\n    route: {host: shop.test}\n",
            "c.yaml:5: apps.stall.route.host: shop.test is already the host of app shop. "
            "Give one of the two apps another route",
        ),
        (
            SHOP + "  api:\n    route: {hosts: [shop.test], path: /api}\n"
            "  twice:\n    route: {hosts: [www.test, shop.test.], path: /api/}\n",
            "c.yaml:7: apps.twice.route.hosts: shop.test/api is already the host and path of app api. "
            "Give one of the two apps another route",
        ),
        (
            "apps:\n  shop:\n    route: {host: a.test}\n    run: {volumes: ['x-data:/x']}\n"
            "  shop-x:\n    route: {host: b.test}\n    run: {data: /data}\n",
            "c.yaml:7: apps.shop-x.run.data: the volume 'data' of shop-x would be one of app shop, too. "
            "Give one of the two another name",
        ),
        (
            "apps:\n  one:\n    route: {path: /x}\n  two:\n    route: {path: /x}\n",
            "c.yaml:5: apps.two.route.path: /x is already the path of app one. Give one of the two apps another route",
        ),
        (
            "apps:\n  one:\n    route: {default: true}\n  two:\n    route: {default: true}\n",
            "c.yaml:5: apps.two.route.default: app one is the default app already. "
            "Give one of the two apps another route",
        ),
        (
            "public: {panel: {host: Panel.test}}\napps:\n  shop:\n    route: {hosts: [panel.test], path: /shop}\n",
            "c.yaml:4: apps.shop.route.hosts: panel.test is a host of the panel. An app cannot share it, because the "
            "app's pages could then act as the person who is signed in. Use another host, such as shop.localhost",
        ),
        (
            "apps:\n  shop:\n    route: {host: LocalHost}\n",
            "c.yaml:3: apps.shop.route.host: localhost is a host of the panel. An app cannot share it, because the "
            "app's pages could then act as the person who is signed in. Use another host, such as shop.localhost",
        ),
        (
            "apps:\n  shop:\n    route: {default: true, path: /x, strip_path: true}\n",
            "c.yaml:3: apps.shop.route: strip_path cannot be combined with default: true, whose requests have other "
            "paths, too",
        ),
        (
            "apps:\n  Shop: {route: {host: shop.test}}\n",
            "c.yaml:2: apps.Shop: expected a name of at most 31 lower-case letters, digits and hyphens that begins "
            "with a letter and does not end with a hyphen",
        ),
        (
            "apps:\n  shop-: {route: {host: shop.test}}\n",
            "c.yaml:2: apps.shop-: expected a name of at most 31 lower-case letters, digits and hyphens that begins "
            "with a letter and does not end with a hyphen",
        ),
        (
            SHOP + "    health: {timeout: 1:30}\n",
            "c.yaml:4: apps.shop.health.timeout: expected a number of seconds, or a duration such as 90s, 10m or "
            "1h30m; found '1:30'",
        ),
        (
            SHOP + "    health: {timeout: 0s}\n",
            "c.yaml:4: apps.shop.health.timeout: expected a number greater than 0; found '0s'",
        ),
        (
            SHOP + "    health: {timeout: .inf}\n",
            "c.yaml:4: apps.shop.health.timeout: expected a number of at most 31622400; found Infinity",
        ),
        (
            SHOP + "    health: {path: readyz}\n",
            "c.yaml:4: apps.shop.health.path: expected a URL path that begins with /, without host and spaces, such as "
            "/readyz; found 'readyz'",
        ),
        (
            SHOP + "    drain: {signal: SIGUSER1}\n",
            "c.yaml:4: apps.shop.drain.signal: expected the name of a signal, such as SIGUSR1; "
            "found another text of 8 characters. Did you mean SIGUSR1?",
        ),
        (
            SHOP + "    drain: {stop_timeout: 1.5}\n",
            "c.yaml:4: apps.shop.drain.stop_timeout: expected a whole number; found 1.5",
        ),
        (
            "disk: {}\napps: {panel: {route: {path: /x}}}\n",
            "c.yaml:2: apps: the name 'panel' is reserved, because the panel is configured at the top level; "
            "rename this app",
        ),
        ("disk: {}\ndisk: {}\n", "c.yaml:2: disk: the key is set twice, first in line 1. Remove one of the two"),
        ("- disk\n", "c.yaml:1: expected a section with keys; found a list of 1"),
    ],
)
def test_a_problem_is_told_in_one_line(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        loader.parse(text, "c.yaml")

    assert str(refused.value) == told


def test_text_that_is_not_yaml_is_told_with_its_line() -> None:
    with pytest.raises(ConfigError, match=r"^c.yaml:2: not valid YAML: .+\. Correct this line"):
        loader.parse("apps:\n  shop: ]\n", "c.yaml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("apps: [a\n", "expected ',' or ']', but got '<stream end>'"),
        ("apps: {a: 1\n", "expected ',' or '}', but got '<stream end>'"),
        ("apps: *a-secret-that-is-long\n", "found undefined alias a value"),
        ("apps: @x\n", "found character '@' that cannot start any token"),
    ],
)
def test_the_parsers_own_words_are_kept_and_a_text_of_the_file_is_not(text: str, told: str) -> None:
    """The comma's quotes were taken for a text of the file: "expected ',' or ']a value<stream end>'"."""
    with pytest.raises(ConfigError) as refused:
        loader.parse(text, "c.yaml")

    assert f"not valid YAML: {told}." in str(refused.value)


def test_a_byte_that_is_no_text_is_told_with_its_line() -> None:
    with pytest.raises(ConfigError, match=r"^c.yaml:3: not UTF-8 text"):
        loader.text_of(b"apps: {}\n# a\n# \xff\n", "c.yaml")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_bytes(b"apps: \xff\n")

    with pytest.raises(ConfigError, match=r"^c.yaml:1: not UTF-8 text: .+ at byte 6\. Save the file as UTF-8"):
        loader.load(file)


def test_a_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory") as refused:
        loader.load(tmp_path)
    assert ":1:" not in refused.value.cause, "the reason is in no line"
    assert "that the orchestrator can read" in refused.value.remedy


def test_without_a_file_all_defaults_hold(tmp_path: Path) -> None:
    loaded = loader.load(tmp_path / "c.yaml")

    assert loaded == loader.parse("", "c.yaml")


CANARY = "canary-4711-value"
AS_WRITTEN = [
    CANARY,
    f"[{CANARY}]",
    f"{{{CANARY}: 1}}",
    f"[[{CANARY}]]",
    f"*{CANARY}",
    f"!{CANARY} x",
    f"'{CANARY}",
    "4711471147",
]
FREE = {"apps", *(key.path[-1] for key in every_key() if get_origin(key.field.annotation) is dict)}
"""Keys below which the names are the user's own."""
NUMBERS = [key for key in every_key() if key.field.annotation in (int, float)]
SETTINGS = sorted({tuple("shop" if part == APP else part for part in key.path) for key in every_key()})
SECTIONS = sorted({path[:length] for path in SETTINGS for length in range(1, len(path)) if path[:length] != ("apps",)})


def refusal(text: str) -> str:
    """Why a file is refused; empty if it is not."""
    try:
        loader.parse(text, "c.yaml")
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("written", AS_WRITTEN)
def test_no_message_repeats_a_value_that_may_be_a_secret(written: str) -> None:
    # The names of keys are repeated; in FREE they are the user's.
    places = [path for path in SETTINGS if path[-1] not in FREE] if written.startswith("{") else SETTINGS + SECTIONS
    for path in places:
        text = "".join(f"{'  ' * depth}{part}:\n" for depth, part in enumerate(path[:-1]))
        text += f"{'  ' * (len(path) - 1)}{path[-1]}: {written}\n"
        assert "4711" not in refusal(text)


@pytest.mark.parametrize("key", NUMBERS, ids=lambda key: key.name)
def test_every_number_has_a_largest_value(key: Key) -> None:
    """A database, a socket, a timer or HAProxy would fail on it later, in the middle of a deployment."""
    path = ("shop" if part == APP else part for part in key.path)
    settings: object = 10**18
    for part in reversed(list(path)):
        settings = {part: settings}

    with pytest.raises(ConfigError) as refused:
        loader.parse(json.dumps(settings), "c.yaml")

    assert f"{key.path[-1]}: expected a number of at most" in refused.value.cause


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"no_such_key_{number}: 1\n" for number in range(1000)),
        "disk: {}\n" * 1001,
        "apps:\n" + "".join(f"  a{number}: {{route: {{host: shop.test}}}}\n" for number in range(1001)),
    ],
    ids=["unknown", "twice", "the same route"],
)
def test_of_many_problems_the_first_ones_are_said_and_how_many_more_there_are(text: str) -> None:
    """`status` has them all, for every page of the panel."""
    with pytest.raises(ConfigError) as refused:
        loader.parse(text, "c.yaml")

    assert len(refused.value.problems) == loader.MOST_PROBLEMS + 1
    assert str(refused.value.problems[-1]) == "c.yaml: and 900 more problems"


SCHEME, IPV6, CHARACTERS, EMPTY, HYPHEN = "no scheme", "IPv6", "letters, digits", "between two dots, and", "'-'"


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("http://shop.test", SCHEME), ("shop.test:80", SCHEME), ("shop.test/x", SCHEME), ("shop.test:", SCHEME),
        ("[::1]:80", SCHEME), ("[::2]", IPV6), ("::2", IPV6), ("fe80::1", IPV6), ("2001:db8::5:80", IPV6),
        ("foo_bar.test", "not '_'"), ("shop test", "not white space"), ("shop\ttest", "not white space"),
        ("shop\x07", "not control characters"), ("user@shop.test", "not '@'"), ("shop..test", EMPTY), (".test", EMPTY),
        ("", EMPTY), ("shop.test..", EMPTY), ("-shop.test", HYPHEN), ("shop-.test", HYPHEN), ("a" * 64, "at most 63"),
        (".".join(["a" * 60] * 5), "at most 253"),
    ],
)  # fmt: skip
def test_a_host_name_is_refused_for_what_is_wrong_with_it(host: str, says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(HostName).validate_python(host)

    assert says in str(refused.value)
    assert (SCHEME in str(refused.value)) == (says == SCHEME)


@given(st.text(st.sampled_from("ab1-._:/[]@ "), max_size=10))
def test_a_host_name_is_refused_with_a_reason_or_has_none_that_is_wrong(host: str) -> None:
    try:
        found = TypeAdapter(HostName).validate_python(host)
    except ValidationError:
        return

    assert all(part.strip("-") == part != "" for part in found.split("."))
