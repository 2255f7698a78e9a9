"""HAProxy's configuration and map files, as text. Pure functions of the routes.

Sections named in comments are those of the HAProxy 3.0 configuration manual.
"""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.domain.colour import Colour
from orchestrator.proxy.routes import AppRoute, Server

HOME = "/run/changeover"
"""The shared volume as the proxy's container sees it."""
ACTIVE_MAP = f"{HOME}/active.map"
HOLD_MAP = f"{HOME}/hold.map"
SHARE = "/usr/local/share/changeover"

NO_SERVER = Server("192.0.2.1", 9)
"""A colour without a container: an address of TEST-NET-1 (RFC 5737), on a server that is in maintenance."""

HEADER_APP = "x-changeover-app"
HEADER_BACKEND = "x-changeover-backend"
HEADER_SERVED_BY = "x-changeover-served-by"

_GLOBAL = f"""\
# Written by the orchestrator; changes made by hand are written over.
global
    stats socket {HOME}/admin.sock mode 666 level admin expose-fd listeners
    lua-load {SHARE}/hold.lua
    log stdout format raw local0 notice

defaults
    mode http
    log global
    option dontlognull
    option idle-close-on-response
    option redispatch 1
    option http-no-delay
    retries 3
    # Only what cannot have had an effect is tried again; disable-l7-retry below keeps it to GET.
    retry-on conn-failure empty-response
    # A container of this host answers a connection in microseconds or is not there.
    timeout connect 50ms
    timeout queue 5s
    timeout http-request 30s
    timeout http-keep-alive 60s
    timeout client 300s
    timeout server 300s
    timeout tunnel 24h
    timeout client-fin 30s
    # pool-purge-delay gives idle connections up before most servers close them from their side (uvicorn: 5 s).
    default-server check inter 2s fall 2 rise 1 fastinter 200ms observe layer4 error-limit 1 on-error mark-down \
pool-purge-delay 2s
"""


def render(routes: Iterable[AppRoute]) -> str:
    """The whole haproxy.cfg."""
    routes = list(routes)
    parts = [_GLOBAL, _public(routes), _internal(), _nobody()]
    parts += [_backends(route) for route in routes]
    return "\n".join(parts)


def active_map(routes: Iterable[AppRoute]) -> str:
    """app -> backend, one a line, for the apps that have a live release."""
    return "".join(f"{route.app} {route.backend(route.active)}\n" for route in routes if route.active)


def _public(routes: list[AppRoute]) -> str:
    lines = ["frontend public", "    bind :8080"]
    lines += ["    http-request set-var(txn.host) req.hdr(host),field(1,:),lower"]
    for route in routes:
        if route.host:
            lines.append(
                f"    http-request set-var(txn.app) str({route.app}) if {{ var(txn.host) -m str {route.host} }}"
            )
    unclaimed = "!{ var(txn.app) -m found }"
    for route in sorted((r for r in routes if r.path), key=lambda r: -len(r.path or "")):
        claimed = f"{{ path {route.path} }} || {unclaimed} {{ path_beg {route.path}/ }}"
        lines.append(f"    http-request set-var(txn.app) str({route.app}) if {unclaimed} {claimed}")
    lines += [f"    http-request set-var(txn.app) str({r.app}) if {unclaimed}" for r in routes if r.default]
    lines += [
        f"    http-request del-header {HEADER_APP}",
        "    http-request lua.hold",
        '    http-request return status 503 content-type text/plain string "Held for longer than allowed.\\n" '
        "hdr retry-after 5 if { var(txn.hold_expired) -m bool }",
        "    http-request disable-l7-retry if !METH_GET",
        # Said by us and never taken from the client, who could say anything.
        "    http-request set-header x-forwarded-proto http",
        "    http-request del-header x-forwarded-for",
        "    option forwardfor",
        f"    use_backend %[var(txn.app),map_str({ACTIVE_MAP},nobody)]",
        "    default_backend nobody",
        "",
    ]
    return "\n".join(lines)


def _internal() -> str:
    """The orchestrator's own way in, by a socket that only the shared volume gives: previews and confirmations."""
    return "\n".join(
        [
            "frontend internal",
            f"    bind unix@{HOME}/internal.sock mode 666",
            f"    http-request set-var(txn.app) req.hdr({HEADER_APP})",
            f"    http-request set-var(txn.backend) req.hdr({HEADER_BACKEND})",
            f"    http-request del-header {HEADER_APP}",
            f"    http-request del-header {HEADER_BACKEND}",
            f"    http-response set-header {HEADER_SERVED_BY} %[be_name]/%[srv_name]",
            "    use_backend %[var(txn.backend)] if { var(txn.backend) -m found }",
            f"    use_backend %[var(txn.app),map_str({ACTIVE_MAP},nobody)]",
            "    default_backend nobody",
            "",
        ]
    )


def _nobody() -> str:
    return f"backend nobody\n    errorfile 503 {SHARE}/starting.http\n    http-request deny deny_status 503\n"


def _backends(route: AppRoute) -> str:
    lines = []
    for colour in Colour:
        fallback = route.servers.get(colour.other) if colour.other in route.fallbacks else None
        lines += [f"backend {route.backend(colour)}", _server("app", route.servers.get(colour))]
        lines += [_server("fallback backup", fallback), ""]
    # The candidate of the moment; its address is only ever set on the runtime socket.
    lines += [f"backend {route.preview}", "    option http-server-close", _server("app no-check", None), ""]
    return "\n".join(lines)


def _server(name_and_options: str, server: Server | None) -> str:
    name, *options = name_and_options.split()
    return " ".join(["    server", name, str(server or NO_SERVER), *options, *(() if server else ("disabled",))])
