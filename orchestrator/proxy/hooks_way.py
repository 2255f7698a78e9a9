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
BODY_WITHIN_S = 5
"""How long a client may take for the first 64 kB of a body, or all of it: until then it costs the orchestrator nothing.
"""

IS_HOOK = "{ var(txn.hook) -m bool }"
"""After `recognised`, in the proxy's public frontend."""


def recognised(of_panel: str) -> str:
    """The lines that recognise a push. `of_panel`: the condition that a request belongs to the panel."""
    return f"""\
    http-request set-var(txn.hook) bool(true) if {of_panel} {{ path_beg {PATH} }}
    http-request wait-for-body time {BODY_WITHIN_S}s if {IS_HOOK}
    http-request lua.until_hooks_listen if {IS_HOOK}"""


def backend(home: str) -> str:
    """`home` is the path of the shared volume in the proxy's container.

    A push is taken twice without harm: one that was with an orchestrator that ended is sent to the next one.
    """
    return f"""\
backend hooks
    retries 3
    retry-on conn-failure empty-response
    timeout queue 9s
    timeout server 20s
    option http-server-close
    http-request del-header cookie
    server orchestrator unix@{home}/{SOCKET} maxconn {AT_ONCE} no-check"""
