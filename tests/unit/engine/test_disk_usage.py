"""How much room images take, as the engine tells it."""

from __future__ import annotations

import pytest

from orchestrator.doctor.checks import _images
from orchestrator.engine.disk_usage import ImageSize
from orchestrator.engine.docker.disk_usage import usage_of


def test_an_image_has_its_whole_size_and_that_of_its_own_layers() -> None:
    shared = {"RepoTags": ["s/shop:1-a"], "Size": 90, "SharedSize": 90}
    twice = {"RepoTags": ["s/shop:2-b", "s/shop:2-c", "s/till:1"], "Size": 95, "SharedSize": 90}
    unknown = {"RepoTags": None, "Size": 5, "SharedSize": -1}

    usage = usage_of({"Images": [shared, twice, unknown], "LayersSize": 100})

    assert usage.by_image == {
        "s/shop:1-a": ImageSize(90, 0),
        "s/shop:2-c": ImageSize(95, 5),
        "s/till:1": ImageSize(95, 5),
    }


MB = 2**20


@pytest.mark.parametrize(
    ("sizes", "says"),
    [
        ([], "0 images 0.0 MB"),
        ([ImageSize(3 * MB, 3 * MB)], "1 image 3.0 MB"),
        (
            [ImageSize(80 * MB, 0), ImageSize(90 * MB, 10 * MB)],
            "2 images 10.0 MB beside layers shared with other images (the largest has 90.0 MB)",
        ),
    ],
)
def test_images_that_share_all_their_layers_are_not_said_to_take_nothing(sizes: list[ImageSize], says: str) -> None:
    assert _images(sizes) == says
