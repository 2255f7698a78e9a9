"""The proxy's configuration, as it is rendered from the routes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.colour import Colour
from orchestrator.proxy import rendering
from orchestrator.proxy.routes import AppRoute, Server


@given(st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True), unique=True, max_size=6))
def test_every_app_has_a_backend_for_each_colour_and_nothing_points_nowhere(names: list[str]) -> None:
    routes = [
        AppRoute(name, host=f"{name}.test", servers={Colour.BLUE: Server("10.0.0.9", 80)}, fallbacks=frozenset())
        for name in names
    ]

    text = rendering.render(routes)

    for name in names:
        for end in ("blue", "green", "preview"):
            assert text.count(f"backend {name}_{end}\n") == 1
    assert text.count("    server app 10.0.0.9:80\n") == len(names)


def test_longer_path_prefixes_win_over_shorter_ones() -> None:
    text = rendering.render([AppRoute("short", path="/a"), AppRoute("long", path="/a/b")])

    assert text.index("str(long)") < text.index("str(short)")
