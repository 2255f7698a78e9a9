"""What the orchestrator takes while nothing happens."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.stack import Stack

SETTLE_S = 3
WATCH_S = 20


@dataclass(frozen=True)
class Rest:
    memory_mb: float
    core_percent: float


def measure(stack: Stack) -> Rest:
    """Resident memory of the process, and the share of one core it used, over WATCH_S seconds."""
    assert stack.process is not None
    process = Path(f"/proc/{stack.process.pid}")
    time.sleep(SETTLE_S)
    before = ticks(process)
    time.sleep(WATCH_S)
    used = (ticks(process) - before) / os.sysconf("SC_CLK_TCK")
    status = (process / "status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return Rest(int(resident.split()[1]) / 1024, 100 * used / WATCH_S)


def ticks(process: Path) -> int:
    """What a process has used of processors, in the clock ticks of the system."""
    fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])
