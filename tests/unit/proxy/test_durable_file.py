"""The proxy's files, and those of the version before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orchestrator.domain.colour import Colour
from orchestrator.proxy import durable_file
from orchestrator.proxy.haproxy import HAProxy
from orchestrator.proxy.routes import AppRoute, Server

ROUTE = AppRoute("shop", default=True, active=Colour.BLUE, servers={Colour.BLUE: Server("10.0.0.9", 80)})


def test_a_line_that_is_not_an_entry_does_not_drop_the_others(tmp_path: Path) -> None:
    path = tmp_path / "some.map"
    path.write_text("a 1\nbroken\n\nb 2\nc 3 4\n")

    assert durable_file.read_map(path) == {"a": "1", "b": "2"}
    assert durable_file.read_map(tmp_path / "absent.map") == {}


def test_the_predecessor_is_kept_and_the_same_text_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "some.map"

    assert durable_file.write_if_changed(path, "1")
    assert durable_file.write_if_changed(path, "2")
    assert not durable_file.write_if_changed(path, "2")
    assert (path.read_text(), path.with_name("some.map.previous").read_text()) == ("2", "1")


def test_the_colour_is_read_from_the_files_of_this_version_and_of_the_one_before(tmp_path: Path) -> None:
    proxy = HAProxy(tmp_path)
    (tmp_path / "active.map").write_text("shop shop_green\nbad shop_blue\nodd odd_red\n")

    assert [proxy.colour_in_file(app) for app in ("shop", "bad", "odd", "none")] == [Colour.GREEN, None, None, None]


def test_files_of_the_version_before_are_written_anew_for_the_same_colours(tmp_path: Path) -> None:
    (tmp_path / "haproxy.cfg").write_text("global\n    lua-load /usr/local/share/changeover/hold.lua\n")
    (tmp_path / "active.map").write_text("shop shop_green\n")
    (tmp_path / "hold.map").write_text("shop 30000\n")

    HAProxy(tmp_path).prepare_files([ROUTE])

    assert "/run/changeover/pause.lua" in (tmp_path / "haproxy.cfg").read_text()
    assert HAProxy(tmp_path).colour_in_file("shop") is Colour.GREEN
    assert durable_file.read_map(tmp_path / "pause.map") == {"shop": "30000"}


def test_files_of_this_version_that_are_there_are_left_alone(tmp_path: Path) -> None:
    HAProxy(tmp_path).prepare_files([ROUTE])
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}

    HAProxy(tmp_path).prepare_files([replace(ROUTE, active=Colour.GREEN, hosts=("shop.test",))])

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before
