"""The command of the orchestrator's Docker HEALTHCHECK: exit code 0 when the API answers.

It asks /healthz, not /readyz. The orchestrator is ready only when the proxy answers, and `make up` waits for a healthy
orchestrator before it replaces the proxy: each would wait for the other. And whoever acts on this, such as a tool that
restarts unhealthy containers, can mend nothing by that: a journal that is away, or a task that keeps failing, needs no
restart, which would interrupt deployments. Monitoring asks /readyz, which names what is wrong.
"""

from __future__ import annotations

import sys
import urllib.request

from orchestrator.settings import Settings


def main() -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{Settings().api_port}/healthz", timeout=2) as answer:
            return 0 if answer.status == 200 else 1
    except OSError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
