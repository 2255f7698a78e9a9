"""HAProxy's configuration file, as text. Pure functions of the routes.

All files that the configuration names (maps, Lua, pages) are beside it in the shared volume, so that HAProxy 3.0 in any
image can use it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

from orchestrator.config.schema import PANEL
from orchestrator.domain.colour import Colour
from orchestrator.proxy import backends, hooks_way, request_log
from orchestrator.proxy.backends import ServerName
from orchestrator.proxy.routes import CLOSE, DEFAULT_PREFIX, AppRoute, Server

HOME = "/run/changeover"
"""The path of the shared volume in the proxy's container."""
PAUSE, STARTING = "pause.lua", "starting.http"
WAYS_MAP = f"{HOME}/ways.map"
PATHS_MAP = f"{HOME}/paths.map"
STRIP_MAP = f"{HOME}/strip.map"
TRAFFIC_MAP = f"{HOME}/traffic.map"
PAUSE_MAP = f"{HOME}/pause.map"
RELAY_MAP = f"{HOME}/relay.map"
"""Empty in the file. RELAY_ON in it lets a worker relay when it stops (relay.py)."""
RELAY_ON = "on"
RETRY_MAP = f"{HOME}/retry.map"
LIMITS_MAP = f"{HOME}/limits.map"
"""App -> its time limits and whether its connections are closed, for the apps that have others than usual
(routes.limits)."""

NO_SERVER = Server("192.0.2.1", 9)
"""The address of a server in maintenance, for a colour without a container: one of TEST-NET-1 (RFC 5737)."""

OWN_FRONTEND = "internal"
"""The frontend of the orchestrator's own requests."""
OWN_LIMIT_S = 6
"""How long an app may be silent that owes the orchestrator an answer, in seconds: longer than each of its requests."""
_OWN_LIMITS = ":".join([str(1000 * OWN_LIMIT_S)] * 3)
"""In the form of LIMITS_MAP."""

HEADER_APP = "x-changeover-app"
HEADER_BACKEND = "x-changeover-backend"
HEADER_SERVED_BY = "x-changeover-served-by"

_SAID_BY_US = "^(x[-_]forwarded([-_].*)?|x[-_]real[-_]ip|forwarded|x-changeover-.*)$"
"""Headers that say who the client is, and our own. Servers such as WSGI's take an underscore for a hyphen."""
_RELAYED = f"{{ stopping }} {{ str({RELAY_ON}),map_str({RELAY_MAP}) -m found }}"
"""In a worker from before a reload (relay.py)."""

_OUR_COOKIES = "(__Host-|__Secure-)?changeover_(session|token)"
"""The cookies of the panel's sessions (panel/web/cookie.py), and of its versions before. Regular expressions here are
POSIX extended ones, so that every build of HAProxy has them."""
_BLANKS = "[[:blank:]]*"
"""Spaces and tabs, which browsers take away around the name of a cookie."""
_LIMITED = "{ var(txn.limits) -m found }"
_CLOSED = f"{{ var(txn.limits),field(4,:) -m str {CLOSE} }}"
"""HAProxy takes the header for its connection to the server; the client's own connection is kept."""
_NO_UPGRADE = "!{ req.hdr(upgrade) -m found }"
_TIME_LIMITS = (
    f"    http-request set-timeout server var(txn.limits),field(1,:) if {_LIMITED}",
    f"    http-request set-timeout tunnel var(txn.limits),field(3,:) if {_LIMITED}",
)
_PANEL = f"{{ var(txn.app) -m str {PANEL} }}"
_NOT_PANEL = f"!{_PANEL}"
_HAS_OURS = "{ var(txn.ours) -m bool }"
_WITHOUT_OUR_LAST_ONE = f"replace-header cookie '^(.*; *)?{_OUR_COOKIES}=[^;]*(; *(.*))?$' '\\1\\5'"
_OUR_COOKIES_OUT = "\n".join([f"    http-request {_WITHOUT_OUR_LAST_ONE} if {_HAS_OURS}"] * 4)
"""Each removes one from each line of cookies. A browser has three at most; who sends more than four has none left."""

HEADER_BYTES = 65536
"""The size of a buffer, which must hold all headers of a request or an answer. nginx takes 32 kB, Node.js 16 kB."""
HEADERS = 2000
"""The most headers of a request or an answer. nginx has no limit; Node.js takes so many."""

_GLOBAL = f"""\
    stats socket {HOME}/admin.sock mode 666 level admin expose-fd listeners
    lua-load {HOME}/{PAUSE}
    lua-load {HOME}/{hooks_way.LUA}
    log stdout format raw local0 notice
    tune.bufsize {HEADER_BYTES}
    tune.http.maxhdr {HEADERS}

{request_log.SECTION}
defaults
    mode http
    log global
    option dontlognull
    option idle-close-on-response
    # A busy app is not a dead one: a full queue of connections (the app's `backlog`) lets new ones wait, as it would
    # without a proxy. A connection is tried again each 0.4 s, for 31 s, and at the same server: the standby's
    # server is in maintenance until the engine says that the active container is gone (deploy/failover.py), 150 to 370
    # ms after that, and the standby is awake, 80 ms later. HAProxy waits `timeout connect`, too, after a connection
    # that was refused.
    timeout connect 400ms
    retries 76
    option redispatch 1
    option http-no-delay
    # A request that a container may have begun is sent a second time only if the app allows it (route.retry): what
    # crashed one release would crash the next. It is also cheaper: a request that could be repeated must be kept, some
    # 2.5 us of a processor each.
    retry-on conn-failure empty-response
    timeout queue 60s
    timeout http-request 30s
    timeout http-keep-alive 60s
    timeout client 300s
    timeout server 300s
    timeout tunnel 24h
    timeout client-fin 30s
    # pool-purge-delay gives idle connections up before most servers close them from their side (uvicorn: 5 s).
    # Without health checks: a slow answer is no reason to send requests anywhere else.
    default-server pool-purge-delay 2s

frontend public
    bind :8080
    # Requests that a worker from before a reload passes on, with the address of their client (relay.py).
    bind unix@{HOME}/relay.sock mode 666 accept-proxy
    # The orchestrator asks here where requests lead (public_way.py).
    bind unix@{HOME}/check.sock mode 666 name check
{request_log.PUBLIC}
    http-request allow if {_RELAYED}
    http-request set-var(txn.host) req.hdr(host),host_only,rtrim(.),lower
    http-request set-var-fmt(txn.way) %[var(txn.host)]%[path]/
    http-request set-var(txn.app) var(txn.way),map_beg({WAYS_MAP})
    http-request set-var(txn.app) path,concat(/),map_beg({PATHS_MAP}) if !{{ var(txn.app) -m found }}
    # Of what has no path, such as OPTIONS *.
    http-request set-var(txn.app) str({DEFAULT_PREFIX}),map_str({PATHS_MAP}) if !{{ var(txn.app) -m found }}
    http-request return status 404 content-type text/plain string "No app is configured for this host and path.\\n" \
unless {{ var(txn.app) -m found }}
    http-request return status 200 content-type text/plain \
lf-string "%[var(txn.app)] %[var(txn.app),map_str({TRAFFIC_MAP},nobody)]" if {{ so_name -m str check }}
    # Pushes of forges, at the panel's hosts. They wait for the orchestrator, and for no pause of the panel.
{hooks_way.recognised(_PANEL)}
    # Lua on each request would cost a fifth of the requests per second.
    http-request lua.pause if {{ var(txn.app),map_str({PAUSE_MAP}) -m found }} !{hooks_way.IS_HOOK}
    http-request return status 503 content-type text/plain string "Paused for longer than allowed.\\n" \
hdr retry-after 5 if {{ var(txn.pause_expired) -m bool }}
    http-request disable-l7-retry unless {hooks_way.IS_HOOK} or \
{{ method,concat(/,txn.app),map_str({RETRY_MAP}) -m found }}
    # What has waited here while the proxy was reloaded.
    http-request allow if {_RELAYED}
    # Said by us and never taken from the client, who could say anything.
    http-request del-header {_SAID_BY_US} -m reg
    http-request set-header x-forwarded-for %[src]
    http-request set-header x-forwarded-host %[req.hdr(host)]
    http-request set-header x-forwarded-proto http
    http-request set-header x-real-ip %[src]
    # An app never sees the panel's cookie, which a browser sends to every app of the panel's host name, at any port.
    acl our_cookie req.fhdr(cookie) -m reg '(^|; *){_OUR_COOKIES}='
    http-request set-var(txn.ours) bool(true) if {_NOT_PANEL} our_cookie
{_OUR_COOKIES_OUT}
    http-request replace-header cookie '^(.*[^ ;])[ ;]*$' '\\1' if {_HAS_OURS}
    http-request del-header cookie if {_HAS_OURS} our_cookie
    http-request del-header cookie if {_HAS_OURS} {{ req.fhdr_cnt(cookie) eq 1 }} {{ req.fhdr(cookie) -m len 0 }}
    # Nor does it set one, with a name or, which browsers send in the same form, with none.
    http-response replace-header set-cookie '^( *)=?{_BLANKS}{_OUR_COOKIES}{_BLANKS}(=.*|;.*)?$' '\\1' \
if {_NOT_PANEL} {{ res.fhdr(set-cookie) -m sub changeover_ }}
    http-request set-var(txn.limits) var(txn.app),map_str({LIMITS_MAP})
    http-request set-timeout client var(txn.limits),field(2,:) if {_LIMITED}
    http-request set-header connection close if {_LIMITED} {_CLOSED} {_NO_UPGRADE}
    http-request set-var(txn.strip) var(txn.app),map_str_int({STRIP_MAP})
    http-request set-header x-forwarded-prefix %[path,bytes(0,txn.strip)] if {{ var(txn.strip) -m found }}
    http-request set-path %[path,bytes(txn.strip)] if {{ var(txn.strip) -m found }}
    http-request set-path / if {{ var(txn.strip) -m found }} !{{ path_beg / }}
    use_backend relay if {_RELAYED}
{hooks_way.use_backends()}
    use_backend %[var(txn.app),map_str({TRAFFIC_MAP},nobody)]
    default_backend nobody

# The orchestrator's own way in, by a socket that only the shared volume gives: previews and confirmations.
frontend {OWN_FRONTEND}
    bind unix@{HOME}/internal.sock mode 666
{request_log.OWN}
    # HAProxy goes on with a request whose client has gone: without a limit of its own, each probe of an app that is
    # silent would keep one of the app's connections for `timeout server`.
    http-request set-var(txn.limits) str({_OWN_LIMITS})
    http-request set-var(txn.app) req.hdr({HEADER_APP})
    http-request set-var(txn.backend) req.hdr({HEADER_BACKEND})
    http-request del-header {HEADER_APP}
    http-request del-header {HEADER_BACKEND}
    http-request disable-l7-retry
    # A probe leaves no idle connection behind, which could be all that the app serves at the same time.
    http-request set-header connection close if {_NO_UPGRADE}
    http-response set-header {HEADER_SERVED_BY} %[be_name]/%[srv_name]
    use_backend %[var(txn.backend)] if {{ var(txn.backend) -m found }}
    use_backend %[var(txn.app),map_str({TRAFFIC_MAP},nobody)]
    default_backend nobody

backend relay
    timeout connect 5s
    server current unix@{HOME}/relay.sock send-proxy-v2 no-check

{hooks_way.backends(HOME)}

backend nobody
    errorfile 503 {HOME}/{STARTING}
    http-request deny deny_status 503
"""


def render(routes: Iterable[AppRoute], numbers: Mapping[str, int], declared: int) -> str:
    """The text of haproxy.cfg, with `declared` sets of backends. `numbers`: app -> the number of its set."""
    owners = {numbers[route.app]: route for route in routes}
    parts = [
        "# Written by the orchestrator; changes made by hand are written over.",
        "global",
        f"    description {shape()}",
        _GLOBAL,
    ]
    parts += [_backend_set(number, owners.get(number)) for number in range(1, declared + 1)]
    return "\n".join(parts)


def shape(files: Mapping[str, str] | None = None) -> str:
    """A digest of the configuration without the number of its backends and the addresses of their servers, and of the
    files that HAProxy reads only when it starts: `files`, or those of this version.

    The running proxy has it as its description in `show info`. If it differs, the proxy must be reloaded.
    """
    text = _GLOBAL + _backend_set(0, None) + "".join((files or beside()).values())
    return "changeover-" + hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def beside() -> Mapping[str, str]:
    """The files that the configuration names and that are the same in every installation, by their names."""
    return {
        name: resources.files(__package__).joinpath(name).read_bytes().decode()
        for name in (PAUSE, STARTING, hooks_way.LUA)
    }


def traffic(routes: Iterable[AppRoute], numbers: Mapping[str, int]) -> dict[str, str]:
    """App -> backend, for the apps that have a live release."""
    return {route.app: backends.backend(numbers[route.app], route.active) for route in routes if route.active}


def servers(number: int, route: AppRoute | None) -> dict[str, Server | None]:
    """`backend/server` -> address, in the three backends of a number. None: the server is in maintenance."""
    found: dict[str, Server | None] = {_preview_server(number): route.candidate if route else None}
    for colour in Colour:
        name = backends.backend(number, colour)
        found[f"{name}/{ServerName.APP}"] = route.server_of(colour) if route else None
        found[f"{name}/{ServerName.FALLBACK}"] = route.fallback_of(colour) if route else None
    return found


def server_in(text: str, backend: str) -> Server | None:
    """The address of a backend's container in the text of haproxy.cfg; None if it has none."""
    before = r"(?:[ \t]+(?!server ).*\n)*"
    line = rf"^backend {re.escape(backend)}\n{before}[ \t]+server {ServerName.APP} (\S+):(\d+)(?!.* disabled)"
    found = re.search(line, text, re.MULTILINE)
    return Server(found[1], int(found[2])) if found else None


def limits_of(routes: Iterable[AppRoute], numbers: Mapping[str, int]) -> dict[str, int]:
    """`backend/server` -> how many requests the server gets at the same time; 0: as many as come."""
    return {
        f"{backends.backend(numbers[route.app], colour)}/{name}": route.max_connections
        for route in routes
        for colour in Colour
        for name in ServerName
    }


def _backend_set(number: int, route: AppRoute | None) -> str:
    lines = [f"# {route.app if route else 'spare'}"]
    where = servers(number, route)
    limit = f"maxconn {route.max_connections}" if route and route.max_connections else ""
    for colour in Colour:
        name = backends.backend(number, colour)
        lines += [f"backend {name}", *_TIME_LIMITS, _server(ServerName.APP, limit, where[f"{name}/{ServerName.APP}"])]
        lines += [_server(ServerName.FALLBACK, f"backup {limit}".strip(), where[f"{name}/{ServerName.FALLBACK}"])]
    lines += [f"backend {backends.preview(number)}", "    option http-server-close"]
    lines += [_server(ServerName.APP, "", where[_preview_server(number)]), ""]
    return "\n".join(lines)


def _preview_server(number: int) -> str:
    return f"{backends.preview(number)}/{ServerName.APP}"


def _server(name: ServerName, option: str, server: Server | None) -> str:
    parts = ["    server", name, str(server or NO_SERVER), option, "" if server else "disabled"]
    return " ".join(filter(None, parts))
