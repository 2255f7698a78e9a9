"""A key that does nothing yet says so, with its line."""

from __future__ import annotations

import pytest
import yaml

from orchestrator.config import loader
from orchestrator.config.keys import Key, every_key
from tests.unit.config.test_documentation import named, said, with_value


@pytest.mark.parametrize("key", [one for one in every_key() if one.no_effect], ids=named)
def test_a_key_without_effect_loads_with_a_notice(key: Key) -> None:
    written = with_value(key, yaml.safe_load(said(key).example))

    notices = loader.parse(yaml.safe_dump(written), "c.yaml").notices

    assert [notice.says for notice in notices] == [f"has no effect yet: {key.no_effect}"]
    assert key.name.startswith(notices[0].key)


@pytest.mark.parametrize("key", [one for one in every_key() if not one.no_effect], ids=named)
def test_a_key_with_an_effect_loads_without_a_notice(key: Key) -> None:
    written = with_value(key, yaml.safe_load(said(key).example))

    assert loader.parse(yaml.safe_dump(written), "c.yaml").notices == ()


def test_a_notice_names_file_line_and_key_and_a_section_is_told_once() -> None:
    text = (
        "hot_reload:\n  enabled: true\n  debounce_ms: 50\n"
        "apps:\n  shop:\n    route: {host: shop.test}\n    update:\n      auto_update: true\n"
    )

    notices = loader.parse(text, "c.yaml").notices

    assert [str(notice).partition(" has no effect yet: ")[0] for notice in notices] == ["c.yaml:1: hot_reload:"]


def test_a_file_that_sets_no_such_key_has_no_notice() -> None:
    assert loader.parse("disk: {min_free_mb: 5}\n", "c.yaml").notices == ()


def test_a_path_for_any_host_is_said_not_to_be_the_panels() -> None:
    loaded = loader.parse("apps:\n  shop:\n    route: {path: /shop}\n", "c.yaml")

    assert [str(notice) for notice in loaded.notices] == [
        "c.yaml:3: apps.shop.route.path: requests for /shop reach shop at every host but those of the panel and of "
        "other apps, for example shop.localhost; at 127.0.0.1 and localhost they reach the panel. Add hosts to choose "
        "them"
    ]


def test_a_path_to_strip_that_is_not_set_is_told() -> None:
    loaded = loader.parse("apps:\n  shop:\n    route: {host: shop.test, strip_path: true}\n", "c.yaml")

    assert [str(notice) for notice in loaded.notices] == [
        "c.yaml:3: apps.shop.route.strip_path: has no effect without route.path, the path to remove"
    ]


def test_the_volume_of_the_data_that_is_mounted_a_second_time_is_told() -> None:
    text = 'apps:\n  shop:\n    route: {host: shop.test}\n    run: {data: /data, volumes: ["data:/x"]}\n'

    (notice,) = loader.parse(text, "c.yaml").notices

    assert str(notice).startswith("c.yaml:4: apps.shop.run.volumes: the volume 'data' is that of run.data")
