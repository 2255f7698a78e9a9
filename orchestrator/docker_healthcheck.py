"""The command of the orchestrator's HEALTHCHECK: exit code 0 when it is ready and no background task keeps failing.

It asks /readyz, so that `docker ps` shows a trouble that needs a person; `docker inspect` has what was answered.
Nothing of ours waits for it or acts on it, and neither should a tool that restarts unhealthy containers: a journal that
is away, or a task that keeps failing, is not mended by a restart, which would interrupt deployments.

Docker starts it every ten seconds for as long as the orchestrator runs, so it imports little: with pydantic, which
reads the settings, it took 0.2 s of a processor each time.
"""

from __future__ import annotations

import http.client
import os
import sys

DEFAULT_PORT = 8090
"""As in orchestrator/settings.py."""
MOST_OF_ANSWER = 1000


def main() -> int:
    api = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("CHANGEOVER_API_PORT", DEFAULT_PORT)), timeout=2)
    try:
        api.request("GET", "/readyz")
        answer = api.getresponse()
        if answer.status == http.client.OK:
            return 0
        print(answer.read(MOST_OF_ANSWER).decode(errors="replace").strip())
    except (OSError, http.client.HTTPException) as error:
        print(error, file=sys.stderr)
    finally:
        api.close()
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
