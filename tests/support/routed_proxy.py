"""A real HAProxy in its container, with an app's server behind each route."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from orchestrator.domain.colour import Colour
from orchestrator.proxy.haproxy import HAProxy
from orchestrator.proxy.routes import AppRoute
from tests.support.app_server import AppServer
from tests.support.images import build_image
from tests.support.proxy_container import ProxyContainer, gateway


@contextmanager
def routed_proxy(folder: Path, ways: Mapping[str, AppRoute]) -> Iterator[ProxyContainer]:
    """Runs on files in `folder`. The server of each app answers at the address of Docker's bridge."""
    build_image("proxy")
    folder.chmod(0o1777)
    with ProxyContainer(folder) as container, ExitStack() as running:
        servers = {app: running.enter_context(AppServer(app, gateway())) for app in ways}
        routes = [
            replace(route, active=Colour.BLUE, servers={Colour.BLUE: servers[app].server})
            for app, route in ways.items()
        ]
        HAProxy(folder, 1).prepare_files(routes)
        container.start()
        yield container
