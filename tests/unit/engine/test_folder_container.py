"""The container through which a folder is made in a volume: also an engine that ends in the middle leaves none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from docker.errors import NotFound

from border.secrets import Secrets
from orchestrator.engine.base import LABEL_STACK
from orchestrator.engine.docker.sidecars import Sidecars
from orchestrator.errors import EngineError
from tests.support import virtual_time

STACK = "stack"


class Engine:
    """Docker's client, as far as it is used: it ends as soon as a container is there, and comes back."""

    def __init__(self) -> None:
        self.containers = self
        self.there: dict[str, Engine.Made] = {}
        self.away = False

    class Made:
        def __init__(self, engine: Engine, name: str, labels: dict[str, str]) -> None:
            self._engine, self.name, self.labels, self.status = engine, name, labels, "created"

        def put_archive(self, _path: str, _content: bytes) -> None:
            self._engine.away = True
            self._engine.answer()

        def remove(self, **_: object) -> None:
            self._engine.answer()
            del self._engine.there[self.name]

        def kill(self) -> None:
            self._engine.answer()

    def answer(self) -> None:
        if self.away:
            raise ConnectionError("the engine is gone")

    def create(self, _image: str, *, name: str, labels: dict[str, str], **_: object) -> Made:
        self.answer()
        self.there[name] = self.Made(self, name, labels)
        return self.there[name]

    def get(self, name: str) -> Made:
        self.answer()
        if name not in self.there:
            raise NotFound(name)
        return self.there[name]


def test_a_folder_whose_container_outlives_the_engine_leaves_nothing_when_the_engine_is_back() -> None:
    engine = Engine()

    async def short(ask: Callable[[Any], Any]) -> Any:  # Any: as the calls of the engine
        try:
            return ask(engine)
        except ConnectionError as error:
            raise EngineError(str(error)) from error

    async def story() -> None:
        sidecars = Sidecars(STACK, short, short, Secrets())
        with pytest.raises(EngineError):
            await sidecars.ensure_folders("backups", ("shop",), "image")
        (left,) = engine.there.values()
        assert left.labels[LABEL_STACK] == STACK
        assert sidecars.at_work == {left.name}, "it is removed by itself: the doctor does not tell a person to do it"
        engine.away = False
        for removal in list(sidecars._removals):
            await removal
        assert sidecars.at_work == frozenset()

    virtual_time.run(story())
    assert engine.there == {}
