"""One app's section of an earlier configuration file is put back, and nothing else changes."""

from __future__ import annotations

import textwrap

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.config import loader
from orchestrator.config.app_section import difference, put_back
from orchestrator.config.schema import Config
from orchestrator.errors import Refused

NAME = "control-panel-config.yaml"
NOW = """\
# Our apps.
disk: {keep_images: 4}

apps:
  # The shop sells.
  shop:
    route: {host: new.test}   # since March
    update:
      git: {remote: /srv/shop}
    run: {port: 9000}

  # The blog.
  blog:
    route: {host: blog.test}
    update: {git: {remote: /srv/blog}}
# the end
"""
OLD = """\
apps:
    shop:
        # It was so in January.
        route: {host: old.test}
        update: {git: {remote: /srv/shop}}

        run:
            port: 8000
            env:
                GREETING: |
                    Hello
                      you
"""


def config(text: str) -> Config:
    return loader.parse(text, NAME).config


def test_a_file_keeps_the_ends_of_its_lines() -> None:
    assert put_back(NOW.replace("\n", "\r\n"), OLD, "shop", NAME) == put_back(NOW, OLD, "shop", NAME).replace(
        "\n", "\r\n"
    )


def test_the_section_is_replaced_and_every_other_line_stays() -> None:
    text = put_back(NOW, OLD, "shop", NAME)

    before, after = NOW.partition("  shop:\n")[0], NOW[NOW.index("\n  # The blog.") :]
    assert text.startswith(before)
    assert text.endswith(after)
    assert "    # It was so in January.\n" in text.replace("        #", "    #")
    assert "since March" not in text
    assert config(text).apps["shop"] == config(OLD).apps["shop"]
    assert config(text).apps["shop"].run.env == {"GREETING": "Hello\n  you\n"}
    assert config(text).apps["blog"] == config(NOW).apps["blog"]
    assert config(text).disk == config(NOW).disk


def test_the_difference_is_that_of_this_app_alone() -> None:
    said = difference(NOW, OLD, "shop")

    assert "-    route: {host: new.test}   # since March" in said
    assert any(line.startswith("+") and "old.test" in line for line in said)
    assert "blog" not in "\n".join(said)
    assert difference(OLD, OLD, "shop") == []


@pytest.mark.parametrize(
    "now",
    [
        "",
        "disk: {keep_images: 4}\n",
        "apps: {}\n",
        "apps: {}  # none yet\ndisk: {keep_images: 4}\n",
        "apps:\n  blog:\n    update: {git: {remote: /srv/b}}\n    route: {host: blog.test}\ndisk: {keep_images: 4}\n",
        "apps:\n  blog: {update: {git: {remote: /srv/blog}}, route: {host: blog.test}}  # short\n",
        "apps:\n  shop: {update: {git: {remote: /srv/shop}},\n    route: {host: s.test}}\n  # end\n",
    ],
)
def test_it_is_put_wherever_it_was_or_was_not(now: str) -> None:
    text = put_back(now, OLD, "shop", NAME)

    assert config(text) == config(now).model_copy(
        update={"apps": config(now).apps | {"shop": config(OLD).apps["shop"]}}
    )


@pytest.mark.parametrize(
    ("now", "old", "app", "why"),
    [
        (NOW, OLD, "blog", "has no app 'blog'"),
        (NOW, OLD, "panel", "settings are those of the whole file"),
        ("<<<<<<< HEAD\n", OLD, "shop", "The configuration in use is not valid"),
        (NOW, "apps: [\n", "shop", "The configuration in the backup is not valid"),
        (NOW, "apps: {shop: {update: {git: {remote: /s}}, route: {host: a.test}}}\n", "shop", "on a line with others"),
        ("apps: {blog: {update: {git: {remote: /s}}, route: {host: a.test}}}\n", OLD, "shop", "apps on one line"),
        (NOW.replace("blog.test", "old.test"), OLD, "shop", "with the section of the backup is not valid"),
        (
            NOW,
            "apps:\n  shop:\n    update: &u {git: {remote: /s}}\n    route: {host: a.test}\n"
            "  blog:\n    update: *u\n    route: {host: b.test}\n",
            "blog",
            "with the section of the backup is not valid",
        ),
    ],
)
def test_what_cannot_be_put_back_is_refused_with_why(now: str, old: str, app: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        put_back(now, old, app, NAME)


COMMENTS = st.sampled_from(["", "# a comment\n", "\n", "\n# between\n\n"])


@st.composite
def files(draw: st.DrawFn) -> str:
    """A file of three apps, in any order, layout and indentation, with comments between."""
    indent = draw(st.integers(1, 6))
    parts = ["disk: {keep_images: 3}\n", "apps:\n"]
    for app in draw(st.permutations(["a", "shop", "z"])):
        port = draw(st.integers(1000, 9999))
        values = {
            "route": {"host": f"{app}.test"},
            "update": {"git": {"remote": "/srv/x"}},
            "run": {
                "port": port,
                "env": {"TEXT": draw(st.sampled_from(["a: b # c", "one\n two\n\nthree", "' \"", "ä"]))},
            },
        }
        layout = draw(st.sampled_from([None, True, False]))
        section = yaml.safe_dump({app: values}, default_flow_style=layout, indent=draw(st.integers(2, 5)), width=40)
        if section.startswith("{"):
            section = f"{app}: {yaml.safe_dump(values, default_flow_style=True, width=10_000).strip()}\n"
        parts.append(textwrap.indent(draw(COMMENTS), " " * draw(st.sampled_from([0, indent]))))
        parts.append(textwrap.indent(section, " " * indent))
    return "".join([*parts, draw(COMMENTS), draw(st.sampled_from(["", "public: {}\n"]))])


@settings(max_examples=40, deadline=None)
@given(files(), files())
def test_the_result_is_this_apps_archived_settings_and_the_current_ones_of_all_others(now: str, old: str) -> None:
    text = put_back(now, old, "shop", NAME)

    after = config(text)
    assert after.apps == config(now).apps | {"shop": config(old).apps["shop"]}
    assert put_back(text, old, "shop", NAME) == text
    kept = [line for line in now.splitlines() if "comment" in line or "between" in line]
    assert [line for line in text.splitlines() if line in kept][: len(kept)] == kept
