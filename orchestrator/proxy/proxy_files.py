"""The files that the orchestrator writes into the volume that it shares with the proxy.

They are written before the running proxy is changed, so that a restarted proxy has the same routes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.domain.colour import Colour
from orchestrator.errors import ProxyError
from orchestrator.proxy import backends, durable_file, haproxy_config, previous_version
from orchestrator.proxy.routes import AppRoute, Server, limits, paths, retries, stripped, ways

CONFIGURATION = "haproxy.cfg"
NUMBERS = "backends.map"
TRAFFIC = "traffic.map"
PAUSES = "pause.map"
RELAY = "relay.map"


class ProxyFiles:
    """The proxy's files. The methods that write raise ProxyError when a file cannot be written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def complete(self) -> bool:
        """The configuration is written last. One of the version before has no numbered backends."""
        return self.declared() > 0

    def numbers(self) -> dict[str, int]:
        """App -> number of its backends; numbers that are not recorded are read from the traffic map."""
        return backends.numbers_from_files(self._map(NUMBERS), self._map(TRAFFIC))

    def declared(self) -> int:
        """How many sets of backends the configuration has."""
        path = self._folder / CONFIGURATION
        return backends.declared_in(path.read_text(encoding="utf-8")) if path.exists() else 0

    def server(self, backend: str) -> Server | None:
        """The server of a backend, as the configuration has it."""
        path = self._folder / CONFIGURATION
        return haproxy_config.server_in(path.read_text(encoding="utf-8"), backend) if path.exists() else None

    def colour(self, app: str) -> Colour | None:
        if not (self._folder / TRAFFIC).exists():
            return previous_version.colour_in_file(self._folder, app)
        return backends.colour_of(self._map(TRAFFIC).get(app, ""))

    def pauses(self) -> dict[str, str]:
        """App -> the longest time that one of its requests waits, in milliseconds."""
        if not (self._folder / PAUSES).exists():
            return previous_version.paused(self._folder)
        return self._map(PAUSES)

    def write_numbers(self, numbers: Mapping[str, int]) -> None:
        self._write(NUMBERS, durable_file.map_text({app: str(number) for app, number in numbers.items()}))

    def write_traffic(self, routes: Sequence[AppRoute], numbers: Mapping[str, int]) -> None:
        self._write(TRAFFIC, durable_file.map_text(haproxy_config.traffic(routes, numbers)))

    def write_pauses(self, pauses: Mapping[str, str]) -> None:
        self._write(PAUSES, durable_file.map_text(pauses))

    def write_configuration(self, routes: Sequence[AppRoute], numbers: Mapping[str, int], spare: int) -> None:
        """Write haproxy.cfg, after the files that it names and that an earlier version may not have written."""
        self._write(RELAY, "")
        for name, text in haproxy_config.beside().items():
            self._write(name, text)
        self._write("ways.map", durable_file.map_text(ways(routes)))
        self._write("paths.map", durable_file.map_text(paths(routes)))
        self._write("strip.map", durable_file.map_text(stripped(routes)))
        self._write("retry.map", durable_file.map_text(retries(routes)))
        self._write("limits.map", durable_file.map_text(limits(routes)))
        declared = backends.to_declare(numbers, self.declared(), spare)
        self._write(CONFIGURATION, haproxy_config.render(routes, numbers, declared))

    def write_all(self, routes: Sequence[AppRoute], numbers: Mapping[str, int], spare: int) -> None:
        """Write all files, the configuration last, so that the files that it names exist."""
        self.write_numbers(numbers)
        self.write_pauses({app: limit for app, limit in self.pauses().items() if app in numbers})
        self.write_traffic(routes, numbers)
        self.write_configuration(routes, numbers, spare)

    def remove_those_of_the_previous_version(self) -> None:
        previous_version.remove_files(self._folder)

    def _map(self, name: str) -> dict[str, str]:
        return durable_file.read_map(self._folder / name)

    def _write(self, name: str, text: str) -> None:
        try:
            durable_file.write_if_changed(self._folder / name, text)
        except OSError as error:
            raise ProxyError(
                f"The proxy's {name} cannot be written: {error.strerror}.",
                "Check the free disk space: changeover doctor",
            ) from error
