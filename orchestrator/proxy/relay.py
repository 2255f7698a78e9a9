"""Workers from before a reload pass their new requests to the current worker.

After a reload HAProxy 3.0 keeps the old worker until its connections have ended. It still routes the next request of
each kept-alive connection, and refuses changes of servers with "Proxy is disabled.". So a request that arrives there
while it stops goes to the current worker's own socket, with its client's address (PROXY protocol). It finds the routes,
pauses and servers of that moment. What the old worker had begun before, it finishes.

A worker relays only if its relay map says so, which is set before a reload: a proxy that stops without a successor has
nobody to relay to, and serves its last requests itself.
"""

from __future__ import annotations

from orchestrator.errors import ProxyError
from orchestrator.proxy.haproxy_config import RELAY_MAP, RELAY_ON
from orchestrator.proxy.maps import RuntimeMap
from orchestrator.proxy.retry import retrying
from orchestrator.proxy.runtime import Worker

STOPPING_DEADLINE_S = 2.0


async def turn_on(worker: Worker) -> None:
    """Let the worker relay from the moment it stops. Does nothing in a worker of an earlier version. ProxyError."""
    relay = RuntimeMap(worker, RELAY_MAP)
    if await relay.exists():
        await relay.set(RELAY_ON, RELAY_ON)


async def turn_off(worker: Worker) -> None:
    """The worker has no successor after all. Raises ProxyError."""
    if RELAY_ON in await RuntimeMap(worker, RELAY_MAP).entries():
        await RuntimeMap(worker, RELAY_MAP).remove(RELAY_ON)


async def relays(old_worker: Worker) -> bool:
    """Whether every new request of this old worker reaches the current one. Turns it on where it is possible.

    A worker that was told to stop a moment ago is waited for. Raises ProxyError if it does not stop.
    """
    await turn_on(old_worker)
    if RELAY_ON not in await RuntimeMap(old_worker, RELAY_MAP).entries():
        return False
    async for attempt in retrying(STOPPING_DEADLINE_S):
        with attempt:
            if not await old_worker.stopping():
                raise ProxyError(
                    f"The proxy's worker {old_worker.pid} from before a reload does not stop.",
                    "Restart the proxy: docker compose restart proxy",
                )
    return True
