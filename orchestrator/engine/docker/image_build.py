"""Image builds with BuildKit, by the docker command: the Docker SDK does not support BuildKit."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from border.secrets import Secrets
from orchestrator.config.registry_login import RegistryLogin
from orchestrator.engine.docker.version_tips import version_tip
from orchestrator.engine.image_build import ImageBuild
from orchestrator.errors import StepFailed
from orchestrator.host import child_process
from orchestrator.host.output import Output

Build = Callable[[ImageBuild, Callable[[str], None], Secrets], Awaitable[str]]
LAST_LINES = 40
LINES_FOR_TIP = 200
"""BuildKit says again what a step said at its end: that alone takes half of the last lines."""
AT_ONCE = max(2, os.cpu_count() or 1)
"""How many images are built at the same time."""
OF_DOCKER = re.compile(
    r"PATH|HOME|USER|TZ|TMPDIR|LANG|LC_\w+|LANGUAGE|TERM|NO_COLOR|(XDG|SSH|SSL|LD|MALLOC|DOCKER|BUILDX|BUILDKIT|BUILD|"
    r"COMPOSE|OTEL|GRPC|EXPERIMENTAL|SOURCE)_\w+|GLIBC_TUNABLES|GO(DEBUG|GC|TRACEBACK|MAXPROCS|MEMLIMIT|ROOT)"
)
"""Variables by which the docker command itself, its language or the loader work. They hold no secrets."""


def build_command(image: ImageBuild, digest_file: Path) -> list[str]:
    """The command line of a build. `--load` stores the image in the engine with any builder.

    No value can become an option of its own. The values of build arguments are in its environment
    (`build_environment`), because everybody on the host can read the command lines of processes.
    """
    command = ["docker", "buildx", "build", "--load", "--progress=plain", "--provenance=false"]
    command += [f"--file={image.dockerfile}", f"--tag={image.tag}", f"--iidfile={digest_file}"]
    if image.target:
        command.append(f"--target={image.target}")
    command += [f"--build-arg={_argument(name, value)}" for name, value in sorted(image.args.items())]
    command += [f"--secret=id={name},src={file}" for name, file in sorted(image.secrets.items())]
    if image.memory_bytes is not None:
        # Private writable memory (setrlimit(2), RLIMIT_DATA). Docker's own builder takes no limit for a whole build.
        command.append(f"--ulimit=data={image.memory_bytes}")
    return [*command, "--", str(image.folder)]


def build_environment(image: ImageBuild) -> dict[str, str]:
    """What the docker command gets in addition: the values of the build arguments that it is given by name."""
    by_name = {name: value for name, value in image.args.items() if _argument(name, value) == name}
    return {**by_name, "BUILDKIT_COLORS": "", "NO_COLOR": "1"}


def _argument(name: str, value: str) -> str:
    """A build argument on the command line: its name alone, unless the docker command would go by such a variable."""
    needs_value = OF_DOCKER.fullmatch(name) or not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII)
    return f"{name}={value}" if needs_value else name


class ImageBuilder:
    """Builds images, at most `at_once` at the same time. Others wait for their turn; that is no part of their time.

    A build that is cancelled is ended, or loses its place.
    """

    def __init__(self, known_secrets: Secrets, at_once: int = AT_ONCE, build: Build | None = None) -> None:
        self._known_secrets = known_secrets
        self._turns = asyncio.Semaphore(at_once)
        self._build = build or build_image

    async def build(self, image: ImageBuild, on_line: Callable[[str], None]) -> str:
        """As `build_image`."""
        if self._turns.locked():
            on_line("Waiting for the builds of other apps to end.")
        async with self._turns:
            return await self._build(image, on_line, self._known_secrets)


async def build_image(image: ImageBuild, on_line: Callable[[str], None], known_secrets: Secrets) -> str:
    """Build an image. Calls `on_line` with each line of BuildKit's output. Returns the digest, `sha256:…`.

    Raises StepFailed with the last lines when the build fails or takes longer than the image's `timeout_s`.
    """
    last: deque[str] = deque(maxlen=LINES_FOR_TIP)

    def line(text: str) -> None:
        if text := text.rstrip():
            last.append(text)
            on_line(text)

    output = Output(line, known_secrets=known_secrets)
    with TemporaryDirectory() as folder:
        digest_file = Path(folder) / "digest"
        image = replace(image, secrets=image.secrets | _secret_files(Path(folder), image.secret_texts))
        login = {"DOCKER_CONFIG": _docker_config(Path(folder) / "docker", image.login)} if image.login else {}
        try:
            ended = await child_process.run(
                *build_command(image, digest_file),
                env=build_environment(image) | login,
                timeout_s=image.timeout_s,
                on_chunk=output.feed,
            )
        except TimeoutError as error:
            raise StepFailed(
                f"The image was not built within {image.timeout_s:g} s (build.timeout).",
                "Raise build.timeout if the build needs longer.",
                log=tuple(last)[-LAST_LINES:],
            ) from error
        except OSError as error:
            raise StepFailed(
                f"The image was not built: docker could not be started: {error.strerror}.",
                "Check the length of build.args, and the memory and the processes of this host.",
            ) from error
        finally:
            output.close()
        if ended.exit_code != 0:
            cause = why_it_failed(last)
            raise StepFailed(cause, tip_for(last), log=tuple(last)[-LAST_LINES:], exit_code=exit_code_in(cause))
        return digest_file.read_text().strip()


def _secret_files(folder: Path, texts: Mapping[str, str]) -> dict[str, Path]:
    """A file for each secret that is a text, which only this process's user may read."""
    files = {name: folder / f"secret-{number}" for number, name in enumerate(texts)}
    for name, file in files.items():
        file.touch(mode=0o600)
        file.write_text(texts[name])
    return files


def _docker_config(folder: Path, login: RegistryLogin) -> str:
    """A folder of settings of the docker command, with this login and nothing else."""
    folder.mkdir(mode=0o700)
    credentials = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {login.host: {"auth": credentials}}}))
    return str(folder)


def why_it_failed(lines: deque[str]) -> str:
    """The cause of a failed build: the last line that begins with ERROR."""
    for line in reversed(lines):
        if line.startswith("ERROR: "):
            return "The build failed: " + line.removeprefix("ERROR: ").removeprefix("failed to solve: ") + "."
    return "The build failed."


def exit_code_in(cause: str) -> int | None:
    """That of the command of the Dockerfile which failed; None if none did. Docker's own is 1 for whatever it was."""
    found = re.search(r" did not complete successfully: exit code: (\d{1,5})\b", cause)
    return int(found[1]) if found else None


_NOTICED = "Docker's builder keeps what it knew of a registry for some minutes: then deploy again."
_TIPS = (
    (r"Cannot connect to the Docker daemon", "Start Docker (systemctl start docker, or tools/engine), then try again."),
    (r"no such file or directory.*Dockerfile|failed to read dockerfile", "Correct build.dockerfile."),
    (
        r"No matching distribution|Could not find a version",
        "Correct the requirements: a package or version does not exist.",
    ),
    (
        r"Requires-Python|requires a different Python",
        "Use a base image with the Python version that the package needs.",
    ),
    (r"Temporary failure in name resolution|Connection timed out", "Check the network of the host's builds."),
    (
        r"Cannot allocate memory|MemoryError|out of memory|bad_alloc",
        "Raise build.memory if the build needs more memory.",
    ),
    (r"no space left on device", "The disk is full. Free disk space: 'changeover doctor' shows its use."),
    (
        r"failed to resolve source metadata.*x509: certificate signed by unknown authority",
        "The Docker engine does not accept the registry's certificate. Put the certificate of its authority into "
        f"/etc/docker/certs.d/HOST:PORT/ca.crt of this host. {_NOTICED}",
    ),
    (
        r"failed to resolve source metadata.*server gave HTTP response to HTTPS client",
        "The registry has no certificate, and the Docker engine wants one. Give it one, or add HOST:PORT to "
        f"insecure-registries in /etc/docker/daemon.json of this host, and reload Docker. {_NOTICED}",
    ),
    (
        r"failed to resolve source metadata.*(no such host|dial tcp|i/o timeout|network is unreachable|TLS|x509|EOF|"
        r"connection re|deadline exceeded|server misbehaving)",
        "The image's registry cannot be reached from this host. Check its network and name resolution "
        "(DNS), or load the image with 'docker load'.",
    ),
    (
        r"failed to resolve source metadata.*(toomanyrequests|429)",
        "The registry refuses more downloads for now. Wait, sign in with 'docker login', or load the image with "
        "'docker load'.",
    ),
    (
        r"failed to resolve source metadata|pull access denied",
        "Correct the name of the image (update.registry.image, or the base image in the Dockerfile), or load it with "
        "'docker load': its registry does not have it, or wants a 'docker login'.",
    ),
)


_FAILED_STEP = re.compile(r"(#\d{1,6} )ERROR: ")


def tip_for(lines: deque[str]) -> str:
    """What to do, by what the step that failed has said, or by the last lines."""
    if tip := version_tip("\n".join(_of_failed_step(lines))):
        return tip
    text = "\n".join(list(lines)[-LAST_LINES:])
    return next((tip for pattern, tip in _TIPS if re.search(pattern, text, re.IGNORECASE)), "")


def _of_failed_step(lines: deque[str]) -> list[str]:
    """Those of other steps that ran beside it are left out. All of them, if BuildKit names no step."""
    step = next((found[1] for line in reversed(lines) if (found := _FAILED_STEP.match(line))), "")
    return [line for line in lines if line.startswith(step) or " FROM " in line]
