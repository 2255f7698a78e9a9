"""Files with the URLs of services, read again for each notice. Whatever is read is known to the border at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from border.secrets import Secrets
from orchestrator.config.notify_urls import ServiceUrls, secrets_of_urls, service_urls
from orchestrator.host.uninterrupted import to_its_end


class UrlFiles:
    """Used on the event loop alone. `folder` is the configuration file's."""

    def __init__(self, folder: Path, known_secrets: Secrets) -> None:
        self._folder, self._border = folder, known_secrets
        self._told: dict[str, tuple[str, ...]] = {}

    async def read(self, files: list[str]) -> dict[str, ServiceUrls]:
        """By file: its services, and what is wrong with it. In a thread: they are files."""
        found = await to_its_end(
            asyncio.to_thread(lambda: {file: service_urls(self._folder, file) for file in dict.fromkeys(files)})
        )
        for one in found.values():
            self._border.know(secrets_of_urls("\n".join(service.url for service in one.urls)))
        return found

    def new_problems(self, found: Mapping[str, ServiceUrls]) -> list[str]:
        """What is wrong with these files and was not the last time that this was asked about the same file."""
        new = [says for file, one in found.items() for says in one.problems if says not in self._told.get(file, ())]
        self._told |= {file: one.problems for file, one in found.items()}
        return new


def together(found: Mapping[str, ServiceUrls]) -> ServiceUrls:
    """The services of all these files, each once, and all problems."""
    by_url = {service.url: service for one in reversed(list(found.values())) for service in reversed(one.urls)}
    return ServiceUrls(tuple(reversed(by_url.values())), tuple(says for one in found.values() for says in one.problems))
