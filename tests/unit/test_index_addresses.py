"""No file names the address of the package index: it is that of the library, or of the machine's own settings."""

from __future__ import annotations

import subprocess
from urllib.parse import urlsplit

from pypi_simple import PYPI_SIMPLE_ENDPOINT

from tests.support.paths import ROOT


def test_no_file_names_the_host_of_the_package_index() -> None:
    host = urlsplit(PYPI_SIMPLE_ENDPOINT).hostname
    assert host

    found = subprocess.run(
        ["git", "grep", "--fixed-strings", "--files-with-matches", host], cwd=ROOT, capture_output=True, text=True
    )

    assert (found.returncode, found.stdout, found.stderr) == (1, "", ""), "git grep ends with 1 where nothing matches"
