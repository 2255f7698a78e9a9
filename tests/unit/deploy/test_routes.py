"""From the configuration to the proxy: hosts, paths, and the host of probes."""

from __future__ import annotations

from orchestrator.config import loader
from orchestrator.config.schema import Config
from orchestrator.deploy.routes import route_of
from orchestrator.proxy.routes import AppRoute, paths, stripped, ways

TEXT = """
public: {panel: {host: panel.test}}
apps:
  shop:
    route: {hosts: [Shop.test., www.shop.test], path: /api/, strip_path: true}
    health: {host: health.test}
  blog:
    route: {host: blog.test}
  rest:
    route: {default: true}
  path:
    route: {path: /path}
"""


def routes(config: Config) -> list[AppRoute]:
    return [route_of(app, settings, None, None) for app, settings in config.all_apps().items()]


def test_the_panel_has_its_own_hosts_and_the_one_that_is_configured() -> None:
    own = {key for key, app in ways(routes(loader.parse(TEXT, "c.yaml").config)).items() if app == "panel"}

    assert own == {"127.0.0.1/", "localhost/", "[::1]/", "panel.test/"}


def test_the_routes_of_the_configuration_are_those_of_the_proxy() -> None:
    found = routes(loader.parse(TEXT, "c.yaml").config)

    others = {key: app for key, app in ways(found).items() if app != "panel"}
    assert others == {"shop.test/api/": "shop", "www.shop.test/api/": "shop", "blog.test/": "blog"}
    assert paths(found) == {"/path/": "path", "/": "rest"}
    assert stripped(found) == {"shop": "4"}
    assert {route.app: route.probe_host for route in found} == {
        "panel": "127.0.0.1",
        "shop": "health.test",
        "blog": "blog.test",
        "rest": "rest.localhost",
        "path": "path.localhost",
    }
