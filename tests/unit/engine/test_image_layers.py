"""The size of the layers that one image has and another has not."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.engine.docker.image_layers import new_bytes


def layer(command: str, size: int | None, created: int = 1) -> dict[str, Any]:
    return {"Created": created, "CreatedBy": command, "Size": size, "Id": "<missing>"}


BASE, PACKAGES = layer("FROM", 1000), layer("RUN pip install", 500)


@pytest.mark.parametrize(
    ("image", "before", "size"),
    [
        ([layer("COPY", 7, 3), PACKAGES, BASE], [layer("COPY", 6, 2), PACKAGES, BASE], 7),
        (
            [layer("CMD", 0), layer("COPY", 7, 3), PACKAGES, BASE],
            [layer("CMD", 0), layer("COPY", 7, 3), PACKAGES, BASE],
            0,
        ),
        # From the first layer that differs on, all are new.
        ([layer("COPY", 7, 3), layer("RUN pip install", 500, 2), BASE], [layer("COPY", 7, 3), PACKAGES, BASE], 507),
        ([layer("COPY", 7, 3), PACKAGES, BASE], [BASE], 507),
        ([BASE], [layer("COPY", 7, 3), PACKAGES, BASE], 0),
        ([layer("COPY", 7), layer("FROM", 900)], [layer("COPY", 7), BASE], 907),
        ([layer("COPY", None, 3), BASE], [BASE], 0),
        ([BASE], [], 1000),
    ],
)
def test_the_layers_after_those_that_both_have_are_new(
    image: list[dict[str, Any]], before: list[dict[str, Any]], size: int
) -> None:
    assert new_bytes(image, before) == size
