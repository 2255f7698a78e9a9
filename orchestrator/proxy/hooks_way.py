"""The way of pushes through the proxy: from `/v1/hooks/` of the panel's hosts to a socket in the shared volume.

The orchestrator takes pushes there, and nothing else. While nobody listens, planned or not, pushes wait and are not
refused: forges send them once.
"""

from __future__ import annotations

SOCKET = "hooks.sock"
"""The name of the orchestrator's socket in the shared volume."""
PATH = "/v1/hooks/"
LUA = "hooks.lua"
"""It keeps a push waiting for at most 8.8 s. GitHub waits for an answer for 10 s."""
AT_ONCE = 32
"""So many pushes are with the orchestrator at the same time; others wait at the proxy. A full queue of a Unix socket
refuses at once, so this is below its length."""
LONG_AT_ONCE = 8
"""The same for long pushes, which have places of their own: the orchestrator reads their bodies as slowly as a stranger
sends them, and those with a short body, which are nearly all, must not wait for that."""
BODY_WITHIN_S = 5
"""How long a client may take for the first 64 kB of a body, or all of it: until then it costs the orchestrator nothing.
"""
LONG_BODY_WITHIN_S = 8.0
"""How long the orchestrator reads a body. Below the 9 s that a push waits for a place: who held one is gone by then."""

IS_HOOK = "{ var(txn.hook) -m bool }"
"""After `recognised`, in the proxy's public frontend."""
_IS_LONG = "{ var(txn.long_hook) -m bool }"
_IS_WHOLE = "{ req.fhdr_cnt(content-length) eq 1 } { req.body_len,sub(txn.body_size) eq 0 }"
"""All of the body is here. The size of one without a length is not known: it may go on."""


def recognised(of_panel: str) -> str:
    """The lines that recognise a push. `of_panel`: the condition that a request belongs to the panel.

    Of the long ones that wait, those of an address that has two already come last.
    """
    return f"""\
    http-request set-var(txn.hook) bool(true) if {of_panel} {{ path_beg {PATH} }}
    http-request wait-for-body time {BODY_WITHIN_S}s if {IS_HOOK}
    http-request set-var(txn.body_size) req.body_size if {IS_HOOK}
    http-request set-var(txn.long_hook) bool(true) if {IS_HOOK} METH_POST
    http-request set-var(txn.long_hook) bool(false) if {_IS_LONG} {_IS_WHOLE}
    http-request track-sc0 src table long_hooks if {_IS_LONG}
    http-request set-priority-class int(1) if {_IS_LONG} {{ sc0_conn_cur(long_hooks) gt 2 }}
    http-request lua.until_hooks_listen if {IS_HOOK} METH_POST"""


def use_backends() -> str:
    """The lines that send pushes to their backends."""
    return f"""\
    use_backend long_hooks if {_IS_LONG}
    use_backend hooks if {IS_HOOK}"""


def backends(home: str) -> str:
    """`home` is the path of the shared volume in the proxy's container.

    A push is taken twice without harm: one that was with an orchestrator that ended is sent to the next one.
    """
    return "\n\n".join((_backend("hooks", AT_ONCE, home), _backend("long_hooks", LONG_AT_ONCE, home))) + (
        "\n    stick-table type ipv6 size 10k expire 60s store conn_cur"
    )


def _backend(name: str, most: int, home: str) -> str:
    return f"""\
backend {name}
    retries 3
    retry-on conn-failure empty-response
    timeout queue 9s
    timeout server 20s
    option http-server-close
    http-request del-header cookie
    server orchestrator unix@{home}/{SOCKET} maxconn {most} no-check"""
