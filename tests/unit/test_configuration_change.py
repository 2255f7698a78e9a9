"""A configuration file that a schema revision cannot change."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrations.configuration import CannotChange, Configuration


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('apps:\n  shop:\n    run: {env: {PASSWORD: "hunter2hunter2}}\n', "not valid YAML near line 4"),
        ("a: 1\nb: hunter2hunter2: c\n", "not valid YAML near line 2"),
        ("a: 1\na: hunter2hunter2\n", "not valid YAML near line 2"),
        ("a: *hunter2hunter2\n", "not valid YAML near line 1"),
        ("a: \x01hunter2hunter2\n", "not valid YAML in UTF-8"),
        ("a: 2026-99-99\n", "not valid YAML in UTF-8"),
    ],
)
def test_it_is_told_where_it_is_wrong_and_nothing_of_it_is_repeated(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)

    with pytest.raises(CannotChange, match=f"config.yaml must be changed .*{says}") as refused:
        _ = Configuration(file).content

    assert "hunter2" not in str(refused.value)
