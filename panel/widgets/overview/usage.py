"""What the containers of an app use: CPU and memory, now and at most."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len

from panel.client.traffic_model import AppTraffic, Column
from panel.text.size import size
from panel.widgets.apps.numbers import share


@dataclass(frozen=True)
class Usage:
    """Of a container, in words: what it uses now, and with the most of the time that is shown."""

    container: str
    colour: str
    now: str
    now_and_most: str

    def fitting(self, room: int, before: str = "") -> str:
        """After `before`, with the most if there is room for that in so many cells."""
        whole = f"{before}{self.now_and_most}"
        return whole if cell_len(whole) <= room else f"{before}{self.now}"


def usage(traffic: AppTraffic) -> tuple[Usage, ...]:
    """Those of which anything is known, by colour and name."""
    found = []
    for name, one in traffic.containers.items():
        cpu, memory = (share(_newest(one.cpu)), share(_most(one.cpu))), (_size(_newest(one.memory)), _most(one.memory))
        if memory[1] is None and _most(one.cpu) is None:
            continue
        most = f"{_with_most('CPU', *cpu)}, {_with_most('memory', memory[0], _size(memory[1]))}"
        found.append(Usage(name, one.colour, f"CPU {cpu[0]}, memory {memory[0]}", most))
    return tuple(sorted(found, key=lambda one: (one.colour, one.container)))


def _with_most(of: str, now: str, most: str) -> str:
    return f"{of} {now}" if now == most else f"{of} {now} (most {most})"


def _size(memory: float | None) -> str:
    return "–" if memory is None else size(int(memory))


def _newest(values: Column) -> float | None:
    return values[-1] if values else None


def _most(values: Column) -> float | None:
    return max((one for one in values if one is not None), default=None)
