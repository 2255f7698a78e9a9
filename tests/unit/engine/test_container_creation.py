"""What a container may do and reach is what its specification asks for, and nothing else."""

from __future__ import annotations

import io
import tarfile
from types import SimpleNamespace
from typing import Any, cast

import docker
import pytest
from docker.errors import NotFound
from requests.exceptions import ReadTimeout

from orchestrator.engine.base import LABEL_ROLE, LABEL_STACK, ContainerSpec, Role
from orchestrator.engine.docker.container_creation import create, ensure_folders
from orchestrator.errors import EngineError


class Containers:
    """Keeps what was asked of the SDK. Each container has this /etc/passwd; None: it has none."""

    def __init__(self, passwd: str | None) -> None:
        self.made: list[dict[str, Any]] = []
        self.removed = 0
        self.put: list[tuple[str, bytes]] = []
        self._passwd = passwd
        self.answers_late = False

    def create(self, image: str, **options: Any) -> Any:
        self.made.append({"image": image, **options})

        def get_archive(path: str, chunk_size: int = 0) -> tuple[list[bytes], object]:
            if self.answers_late:
                raise ReadTimeout("the engine does not answer")
            if self._passwd is None or path != "/etc/passwd":
                raise NotFound(path)
            packed = io.BytesIO()
            with tarfile.open(fileobj=packed, mode="w") as archive:
                entry = tarfile.TarInfo("passwd")
                entry.size = len(self._passwd)
                archive.addfile(entry, io.BytesIO(self._passwd.encode()))
            return [packed.getvalue()], None

        def remove(**_options: bool) -> None:
            self.removed += 1

        def put_archive(path: str, content: bytes) -> None:
            self.put.append((path, content))

        return SimpleNamespace(get_archive=get_archive, remove=remove, put_archive=put_archive)


def client(
    containers: Containers, *, user: str = "", api: str = "1.45", labels: dict[str, str] | None = None
) -> docker.DockerClient:
    images = SimpleNamespace(get=lambda _image: SimpleNamespace(attrs={"Config": {"User": user, "Labels": labels}}))
    endpoint = {"create_endpoint_config": lambda ipv4_address=None: {"address": ipv4_address}}
    return cast(
        docker.DockerClient,
        SimpleNamespace(containers=containers, images=images, api=SimpleNamespace(api_version=api, **endpoint)),
    )


def spec(**more: Any) -> ContainerSpec:
    return ContainerSpec("test-app", "sha256:1", **{"labels": {}, "network": "test"} | more)


def made(containers: Containers, **more: Any) -> dict[str, Any]:
    create(client(containers), spec(**more), "test")
    return containers.made[-1]


PASSWD = "app:x:1000:1000\ntoor:x:0:0\n"


@pytest.mark.parametrize(
    ("written", "runs_as"),
    [
        ("", "10001:10001"), ("root", "10001:10001"), ("00", "10001:10001"), ("root:staff", "10001:10001"),
        ("toor", "10001:10001"), ("app", "app"), ("1000:0", "1000:0"),
    ],
)  # fmt: skip
def test_an_image_never_runs_as_root_by_itself(written: str, runs_as: str) -> None:
    containers = Containers(PASSWD)

    create(client(containers, user=written), spec(), "test")

    assert containers.made[-1]["user"] == runs_as
    assert containers.removed == len(containers.made) - 1


def test_an_image_with_an_endless_list_of_users_runs_as_nobody_of_them() -> None:
    containers = Containers("app:x:1000:1000:" + "x" * 5 * 2**20)

    create(client(containers, user="app"), spec(), "test")

    assert containers.made[-1]["user"] == "10001:10001"


@pytest.mark.parametrize("user", ["", "1000"])
def test_an_image_with_labels_of_megabytes_is_refused(user: str) -> None:
    containers = Containers(PASSWD)

    with pytest.raises(EngineError, match="labels of 976 kB, more than 64 kB"):
        create(client(containers, user="1000", labels={"a": "x" * 10**6}), spec(user=user), "test")

    assert containers.made == []


@pytest.mark.parametrize(("user", "configured"), [("app", ""), ("", "app")])
def test_a_container_whose_users_cannot_be_read_is_removed(user: str, configured: str) -> None:
    """Nobody else knows of it: that of a sidecar stood there until the next start."""
    containers = Containers(PASSWD)
    containers.answers_late = True

    with pytest.raises(ReadTimeout):
        create(client(containers, user=configured), spec(user=user), "test")

    assert containers.removed == len(containers.made) == 1


def test_root_is_who_the_configuration_says_it_is() -> None:
    containers = Containers(PASSWD)

    create(client(containers, user="app"), spec(user="root"), "test")

    assert [one["user"] for one in containers.made] == ["root"]


@pytest.mark.parametrize(("role", "healthcheck"), [(Role.SIDECAR, {"test": ["NONE"]}), (Role.APP, None)])
def test_a_sidecar_does_not_run_the_healthcheck_of_its_image(role: Role, healthcheck: object) -> None:
    assert made(Containers(None), labels={LABEL_ROLE: role}).get("healthcheck") == healthcheck


def test_a_container_has_only_what_its_specification_asks_for() -> None:
    plain = made(Containers(None))
    asked = made(
        Containers(None), network="", pids=50, memory="1g", read_only=True, capabilities=("CHOWN",), user="0:0"
    )
    privileged = made(Containers(None), privileges=True)

    for one in (plain, asked):
        assert one["cap_drop"] == ["ALL"]
        assert one["security_opt"] == ["no-new-privileges"]
    assert plain["pids_limit"] == 1024
    assert "cap_add" not in plain
    assert plain["network"] == "test"
    assert asked["network_mode"] == "none"
    assert "network" not in asked
    assert (asked["pids_limit"], asked["mem_limit"], asked["memswap_limit"]) == (50, "1g", "1g")
    assert (asked["read_only"], asked["cap_add"]) == (True, ["CHOWN"])
    assert "cap_drop" not in privileged
    assert privileged["pids_limit"] == 1024


def test_a_colon_in_a_path_is_part_of_the_path() -> None:
    (mount,) = made(Containers(None), mounts=(("/srv/a:b", "/backups:ro"),))["mounts"]

    assert (mount["Source"], mount["Target"], mount["ReadOnly"]) == ("/srv/a:b", "/backups:ro", False)


def test_of_a_volume_or_a_folder_only_the_named_part_is_mounted() -> None:
    parts = (("kept", "shop", "/backups"), ("/srv/kept/", "shop", "/b"))

    volume, folder = made(Containers(None), parts=parts)["mounts"]

    assert (volume["Source"], volume["VolumeOptions"]) == ("kept", {"Subpath": "shop"})
    assert (folder["Type"], folder["Source"]) == ("bind", "/srv/kept/shop")


def test_an_engine_that_cannot_mount_a_part_of_a_volume_is_not_given_the_whole_one() -> None:
    containers = Containers(None)

    with pytest.raises(EngineError, match="cannot mount a folder of the volume kept"):
        create(client(containers, api="1.44"), spec(parts=(("kept", "shop", "/backups"),)), "test")

    assert containers.made == []


def test_files_are_put_into_the_mount_that_they_are_in() -> None:
    containers = Containers(None)

    more = {"files": (("/kept/a/b", b"1"), ("/other", b"2")), "parts": (("kept", "shop", "/kept"),)}
    create(client(containers), spec(**more), "test")

    assert [path for path, _ in containers.put] == ["/kept", "/"]


def test_folders_of_a_volume_are_made_through_one_container_that_is_removed_again() -> None:
    containers = Containers(None)

    ensure_folders(client(containers), "test", "test-folder-1", "kept", ("till", "shop/copies", "shop/a"), "sha256:1")

    ((path, packed),) = containers.put
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert [(one.name, one.mode, one.isdir()) for one in archive] == [
            ("till", 0o700, True),
            ("shop", 0o700, True),
            ("shop/copies", 0o700, True),
            ("shop/a", 0o700, True),
        ]
    assert path == "/volume"
    assert (len(containers.made), containers.removed) == (1, 1)


def test_a_volume_that_the_engine_makes_for_an_app_has_the_label_of_its_stack() -> None:
    """By which what an app leaves is found when it is taken out of the configuration."""
    containers = Containers(None)
    spec = ContainerSpec(
        "shop", "image", {}, "net", owned=(), mounts=(("test-shop-uploads", "/uploads"), ("/srv/photos", "/photos")),
        read_only_mounts=(("test-shop-more", "/more"),), user="1000",
    )  # fmt: skip

    create(client(containers), spec, "test")

    volumes = {one["Target"]: one.get("VolumeOptions", {}).get("Labels") for one in containers.made[0]["mounts"]}
    assert volumes == {
        "/uploads": {LABEL_STACK: "test"}, "/photos": None, "/more": {LABEL_STACK: "test"},
    }  # fmt: skip


def test_a_container_keeps_its_address_when_its_own_network_is_asked_for_once_more() -> None:
    """`run.networks: [changeover]` took the address away by which the proxy sends its requests."""
    containers = Containers(None)

    create(client(containers), spec(address="172.30.1.5", more_networks=("test", "database", "database")), "test")

    (made,) = containers.made
    assert made["networking_config"] == {"test": {"address": "172.30.1.5"}, "database": {"address": None}}


def test_a_command_whose_exit_code_decides_has_an_init_beside_its_processes() -> None:
    containers = Containers("")
    for init in (False, True):
        create(client(containers), ContainerSpec("one", "sha256:1", {}, "", pids=10, init=init), "test")

    assert [(made.get("init", False), made["pids_limit"]) for made in containers.made] == [(False, 10), (True, 11)]
