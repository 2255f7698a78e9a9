"""Image builds with BuildKit, by the docker command: the Docker SDK does not support BuildKit."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from border.secrets import Secrets
from orchestrator.engine.base import ImageBuild
from orchestrator.errors import StepFailed
from orchestrator.host import child_process
from orchestrator.host.output import Output

LAST_LINES = 40


def build_command(image: ImageBuild, digest_file: Path) -> list[str]:
    """The command line of a build. `--load` stores the image in the engine with any builder.

    No value can become an option of its own.
    """
    command = ["docker", "buildx", "build", "--load", "--progress=plain", "--provenance=false"]
    command += [f"--file={image.dockerfile}", f"--tag={image.tag}", f"--iidfile={digest_file}"]
    if image.target:
        command.append(f"--target={image.target}")
    command += [f"--build-arg={name}={value}" for name, value in sorted(image.args.items())]
    command += [f"--secret=id={name},src={file}" for name, file in sorted(image.secrets.items())]
    return [*command, "--", str(image.folder)]


async def build_image(image: ImageBuild, on_line: Callable[[str], None], known_secrets: Secrets) -> str:
    """Build an image. Calls `on_line` with each line of BuildKit's output. Returns the digest, `sha256:…`.

    Raises StepFailed with the last lines when the build fails or takes longer than the image's `timeout_s`.
    """
    last: deque[str] = deque(maxlen=LAST_LINES)

    def line(text: str) -> None:
        if text := text.rstrip():
            last.append(text)
            on_line(text)

    output = Output(line, known_secrets=known_secrets)
    with TemporaryDirectory() as folder:
        digest_file = Path(folder) / "digest"
        try:
            ended = await child_process.run(
                *build_command(image, digest_file),
                env={"BUILDKIT_COLORS": "", "NO_COLOR": "1"},
                timeout_s=image.timeout_s,
                on_chunk=output.feed,
            )
        except TimeoutError as error:
            raise StepFailed(
                f"The image was not built within {image.timeout_s:g} s (build.timeout).",
                "Raise build.timeout if the build needs longer.",
                log=tuple(last),
            ) from error
        finally:
            output.close()
        if ended.exit_code != 0:
            raise StepFailed(why_it_failed(last), tip_for(last), log=tuple(last), exit_code=ended.exit_code)
        return digest_file.read_text().strip()


def why_it_failed(lines: deque[str]) -> str:
    """The cause of a failed build: the last line that begins with ERROR."""
    for line in reversed(lines):
        if line.startswith("ERROR: "):
            return "The build failed: " + line.removeprefix("ERROR: ").removeprefix("failed to solve: ") + "."
    return "The build failed."


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
    (r"no space left on device", "The disk is full. Free disk space: 'changeover doctor' shows its use."),
    (
        r"failed to resolve source metadata|pull access denied",
        "Correct the base image, or load it with 'docker load': no registry has it.",
    ),
)


def tip_for(lines: deque[str]) -> str:
    text = "\n".join(lines)
    return next((tip for pattern, tip in _TIPS if re.search(pattern, text, re.IGNORECASE)), "")
