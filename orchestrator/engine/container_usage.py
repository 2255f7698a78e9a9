"""What a container uses of the host."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ContainerUsage:
    """`cpu_s`: the seconds of a core that it has used since its start. `memory_bytes`: without the file cache that the
    kernel can take back."""

    cpu_s: float
    memory_bytes: int
