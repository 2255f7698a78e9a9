"""The URL of an app that `status` shows."""

from __future__ import annotations

import pytest

from orchestrator.api.status import url_of
from orchestrator.config.schema import PANEL, Route

BY_HOST, BY_PATH = Route(host="shop.test"), Route(path="/shop")


@pytest.mark.parametrize(
    ("public", "route", "url"),
    [
        ("http://127.0.0.1:8080", BY_HOST, "http://shop.test:8080"),
        ("http://127.0.0.1:8080", BY_PATH, "http://shop.localhost:8080/shop"),
        ("http://[::1]:8080", BY_HOST, "http://shop.test:8080"),
        ("http://[2001:db8::1]", BY_HOST, "http://shop.test"),
        ("https://panel.example.com", BY_PATH, "https://shop.localhost/shop"),
        ("https://panel.example.com/", BY_HOST, "https://shop.test"),
        ("https://panel.example.com:8443/", BY_PATH, "https://shop.localhost:8443/shop"),
    ],
)
def test_an_app_has_the_port_of_the_panel(public: str, route: Route, url: str) -> None:
    assert url_of(public, "shop", route) == url
    assert url_of(public, PANEL, route) == public
