"""The values of a configuration that are never shown."""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator.config import loader
from orchestrator.config.secret_values import secret_values

SHOP = "apps:\n  shop:\n    route: {host: shop.test}\n    build: {secrets: {token: secrets/token}}\n"


def test_a_secret_file_that_is_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    os.mkfifo(tmp_path / "secrets" / "token")

    assert secret_values(loader.parse(SHOP, "c.yaml").config, tmp_path) == set()


def test_all_of_a_secret_file_is_a_secret(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "token").write_text("npm-token-value\n")

    assert secret_values(loader.parse(SHOP, "c.yaml").config, tmp_path) == {"npm-token-value"}
