"""The command of the orchestrator's HEALTHCHECK: exit code 0 when it is ready and no background task keeps failing.

It asks /readyz, so that `docker ps` shows a trouble that needs a person; `docker inspect` has what was answered.
Nothing of ours waits for it or acts on it, and neither should a tool that restarts unhealthy containers: a journal that
is away, or a task that keeps failing, is not mended by a restart, which would interrupt deployments.
"""

from __future__ import annotations

import sys
import urllib.error
import urllib.request

from orchestrator.settings import Settings

MOST_OF_ANSWER = 1000


def main() -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{Settings().api_port}/readyz", timeout=2):
            return 0
    except urllib.error.HTTPError as not_ready:
        print(not_ready.read(MOST_OF_ANSWER).decode(errors="replace").strip())
    except OSError as error:
        print(error, file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
