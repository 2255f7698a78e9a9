"""Runs git, and what goes with it, to its end."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from types import MappingProxyType

from orchestrator.errors import StepFailed
from orchestrator.host import child_process
from orchestrator.sources.git_environment import ENVIRONMENT

FETCH_TIMEOUT_S = 300.0
NOTHING: Mapping[str, str] = MappingProxyType({})


def certificates(environment: Mapping[str, str]) -> dict[str, str]:
    """The machine's certificate bundle, as git is told of it: its library does not know SSL_CERT_FILE."""
    bundle = environment.get("SSL_CERT_FILE")
    return {"GIT_SSL_CAINFO": bundle} if bundle else {}


async def ended_command(
    called: str, *command: str, env: Mapping[str, str] = NOTHING, on_out: Callable[[bytes], None] | None = None
) -> child_process.Ended:
    """Run a command, which messages call `called`, with `env` beside the environment of every git process.
    `on_out` gets its standard output, which is then not limited.

    Raises StepFailed if it did not end in time, wrote more than is read, or could not be started.
    """
    try:
        every = {**ENVIRONMENT, **certificates(os.environ), **env}
        return await child_process.run(*command, env=every, timeout_s=FETCH_TIMEOUT_S, on_out=on_out)
    except TimeoutError as error:
        says = f"{called} did not end within {FETCH_TIMEOUT_S:g} s."
        raise StepFailed(says, "Check how fast this host reaches the repository, and how large it is.") from error
    except child_process.OutputTooLong as error:
        says = f"The output of {called} is not used: {error.strerror}."
        raise StepFailed(
            says, "Look how many files, branches and tags the repository has: they are too many."
        ) from error
    except OSError as error:
        says = f"{called} could not be started: {error.strerror}."
        raise StepFailed(says, "Check the memory and the processes of this host, then try again.") from error
