"""What keys of the configuration do to a real app, which reports how it was built, started and asked."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker
import httpx
import pytest
import yaml

from tests.support.addresses import create_network
from tests.support.paths import ROOT
from tests.support.repository import Repository
from tests.support.stack import Stack

WITNESS: dict[str, Any] = {
    "update": {
        "check_on_startup": False,
        "background_check": {"enabled": False},
        "backup": {"create_before_update": False},
    },
    "build": {"dockerfile": "Containerfile", "target": "web", "args": {"GREETING": "hello"}},
    "run": {
        "port": 9000,
        "command": ["python3", "witness.py", "as configured"],
        "env": {"PORT": "9000", "BOTH": "from env"},
        "env_file": "witness.env",
        "data": "/data",
        "memory": "200m",
        "user": "1234:1234",
        "volumes": ["extra:/extra"],
        "extra_hosts": {"host.internal": "host-gateway"},
    },
    "route": {"host": "witness.test", "path": "/witness"},
    "health": {"path": "/ok", "answers": 4, "page": "/page", "websocket": "/socket", "timeout": 30},
    "drain": {"timeout": 1, "signal": "SIGUSR1", "stop_timeout": 1},
    "standby": "stopped",
}


SPARE = 3


def configuration(repository: Repository, **sections: Any) -> str:
    """With the keys of WITNESS, but for those given here, section by section."""
    app = WITNESS | {name: WITNESS.get(name, {}) | keys for name, keys in sections.items()}
    shared = f"{repository.path.parent / 'shared'}:/shared:ro"
    app["run"] = {key: value for key, value in app["run"].items() if value is not None}
    app["run"] |= {"volumes": [*app["run"]["volumes"], shared]}
    app["update"] = app["update"] | {"git": {"remote": str(repository.path), "path": "services/web"}}
    whole = {
        "disk": {"min_free_mb": 100, "keep_output": 2},
        "proxy": {"spare_backends": SPARE},
        "apps": {"witness": app},
    }
    return yaml.safe_dump(whole)


class Witness:
    """The app, its repository, the stack that it is deployed to, and a network that exists beside it."""

    def __init__(self, stack: Stack, repository: Repository, network: str) -> None:
        self.stack, self.repository, self.network = stack, repository, network

    def configure(self, **sections: Any) -> None:
        self.stack.set_config(configuration(self.repository, **sections))

    def deploy(self) -> Any:
        return self.stack.deploy("witness")

    def report(self) -> Any:
        return httpx.get(self.stack.url("/witness/about"), headers={"Host": "witness.test"}, timeout=10).json()


@contextmanager
def another_network() -> Iterator[str]:
    engine, name = docker.from_env(), f"other-{secrets.token_hex(4)}"
    try:
        create_network(engine, name)
        yield name
        engine.networks.get(name).remove()
    finally:
        engine.close()


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory, proxy_image: None) -> Iterator[Witness]:
    folder = tmp_path_factory.mktemp("witness")
    repository = Repository(folder / "repository", ROOT / "tests" / "support" / "witness")
    (folder / "shared").mkdir()
    (folder / "shared" / "note").write_text("from the host")
    (folder / "witness.env").write_text("SECRET=from a file\nBOTH=from a file\n")
    with another_network() as network, Stack(folder, configuration(repository)) as stack:
        witness = Witness(stack, repository, network)
        first = witness.deploy()
        assert first["state"] == "live", first["failure"]
        yield witness


def container_of(witness: Witness) -> Any:
    return witness.stack.engine.containers.get(witness.stack.app("witness")["active"]["container"])


def test_the_image_is_built_as_the_build_keys_say(witness: Witness) -> None:
    """The only Dockerfile has another name and is in a folder, and its last stage would not run."""
    environment = witness.report()["environment"]

    assert environment["STAGE"] == "web"
    assert environment["GREETING"] == "hello"


def test_the_container_runs_as_the_run_keys_say(witness: Witness) -> None:
    report = witness.report()

    assert report["arguments"] == ["as configured"]
    assert report["environment"]["SECRET"] == "from a file"
    assert report["environment"]["BOTH"] == "from env"
    assert report["user"] == "1234:1234"
    assert report["data"] is not None
    assert container_of(witness).attrs["HostConfig"]["Memory"] == 200 * 2**20
    # A volume of its own that it can write to, a folder of the host that it cannot, and this host by name.
    assert report["written"] is True
    assert report["shared"] == ["from the host", False]
    assert len(report["hosts"]["host.internal"]) == 1


def test_the_candidate_was_asked_as_the_health_keys_say(witness: Witness) -> None:
    """Its fourth answer is a bad one: four good ones in a row take eight probes, and three would have taken three."""
    report = witness.report()

    assert report["probes before page"] == [8]
    assert report["asked"]["/socket"] == 1


def test_privileges_are_kept_where_the_app_asks_for_them(witness: Witness) -> None:
    without = witness.report()["capabilities"]
    witness.configure(run={"privileges": True, "user": "4321:4321"})

    assert witness.deploy()["state"] == "live"

    report = witness.report()
    assert int(without, 16) == 0
    assert int(report["capabilities"], 16) != 0
    # The volumes have followed the other user, with the files that the one before has made.
    assert report["user"] == "4321:4321"
    assert report["written"] is True


def test_the_smallest_set_of_capabilities_suffices_for_a_server_that_starts_as_root(witness: Witness) -> None:
    """And it joins a network that exists already."""
    witness.configure(run={"user": None, "capabilities": ["chown", "CAP_SETUID"], "networks": [witness.network]})

    assert witness.deploy()["state"] == "live"

    report = witness.report()
    assert report["user"] == "0:0"
    assert report["written"] is True
    assert int(report["capabilities"], 16) == 1 << 0 | 1 << 7
    assert report["interfaces"] == 2


def test_a_candidate_has_as_long_as_health_timeout_says(witness: Witness) -> None:
    witness.configure(health={"path": "/never", "timeout": 0.5})

    failure = witness.deploy()["failure"]

    assert failure["step"] == "verify"
    assert "0.5 s" in failure["cause"]


def test_a_build_has_as_long_as_build_timeout_says(witness: Witness) -> None:
    witness.configure(build={"timeout": 0.01})

    failure = witness.deploy()["failure"]

    assert failure["step"] == "build"
    assert "0.01 s" in failure["cause"]


@pytest.mark.parametrize(
    ("backup", "migrations", "backed_up", "migrated"),
    [
        ({"create_before_update": False}, {"backup_before_migration": False}, False, True),
        ({"create_before_update": False}, {"backup_before_migration": True}, True, True),
        ({"create_before_update": False}, {"backup_before_migration": True, "enabled": False}, False, False),
        ({"create_before_update": True}, {"enabled": False}, True, False),
    ],
    ids=["neither", "before a migration", "migrations off", "before every update"],
)
def test_backups_and_migrations_of_an_update_are_as_configured(
    witness: Witness, backup: dict[str, bool], migrations: dict[str, bool], backed_up: bool, migrated: bool
) -> None:
    mark = f"{backed_up}-{migrated}"
    update = WITNESS["update"] | {"backup": backup, "migrations": migrations}
    witness.configure(update=update, migrate={"command": f"touch /data/{mark}"})

    ended = witness.deploy()

    assert ended["state"] == "live", ended["failure"]
    assert bool(ended["backup"]) is backed_up
    assert (mark in witness.report()["data"]) is migrated


@pytest.mark.parametrize("compatible", [True, False])
def test_requests_are_paused_for_a_migration_that_is_not_called_compatible(witness: Witness, compatible: bool) -> None:
    witness.configure(migrate={"command": "true", "compatible": compatible})

    ended = witness.deploy()

    assert ended["state"] == "live", ended["failure"]
    assert (ended["paused"] is None) is compatible


def test_a_dump_has_as_long_as_backup_timeout_says(witness: Witness) -> None:
    witness.configure(
        backup={"dump": "sleep 60", "restore": "true", "timeout": 0.5},
        update=WITNESS["update"] | {"backup": {"create_before_update": True}},
    )

    failure = witness.deploy()["failure"]

    assert failure["step"] == "backup"
    assert "0.5 s" in failure["cause"]


def test_requests_reach_the_app_by_its_host_and_by_its_path_and_by_no_other(witness: Witness) -> None:
    witness.configure()
    other = httpx.get(witness.stack.url("/witness/about"), headers={"Host": "other.test"}, timeout=10)
    elsewhere = httpx.get(witness.stack.url("/about"), headers={"Host": "witness.test"}, timeout=10)
    its_own = httpx.get(witness.stack.url("/witness/about"), headers={"Host": "Witness.test:81"}, timeout=10)

    assert (other.status_code, elsewhere.status_code) == (404, 404)
    assert "arguments" in its_own.json()


def test_the_proxy_has_as_many_spare_backends_as_configured(witness: Witness) -> None:
    assert (witness.stack.proxy_folder / "haproxy.cfg").read_text().count("# spare\n") == SPARE


def test_draining_is_as_the_drain_keys_say(witness: Witness) -> None:
    """The app hears the signal, a request that hangs is cut, and stopping ends before the two seconds that it takes."""
    witness.configure()
    old = container_of(witness)
    cut = threading.Event()

    def hang() -> None:
        try:
            httpx.get(witness.stack.url("/witness/hang"), headers={"Host": "witness.test"}, timeout=120)
        except httpx.TransportError:
            cut.set()

    request = threading.Thread(target=hang)
    request.start()
    ended = witness.deploy()
    request.join(timeout=30)
    old.reload()

    assert ended["state"] == "live", ended["failure"]
    assert b"told that draining begins" in old.logs()
    assert cut.is_set()
    assert old.attrs["State"]["ExitCode"] == 137


def test_a_rollback_that_is_switched_off_is_refused(witness: Witness) -> None:
    witness.configure(update=WITNESS["update"] | {"rollback": {"enabled": False}})

    refused = witness.stack.request("POST", "/apps/witness/rollback")

    assert refused.status_code == 409
    assert "update.rollback.enabled" in refused.text


def test_output_is_kept_for_as_many_deployments_as_configured(witness: Witness) -> None:
    witness.configure()
    deployments = [witness.deploy()["id"] for _ in range(3)]

    kept = [any("line" in event["fields"] for event in witness.stack.events(one)) for one in deployments]

    assert kept == [False, True, True]
