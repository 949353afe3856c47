"""How the doctor reads what programs print."""

import pytest

from hub.local.doctor.machine import java_major


@pytest.mark.parametrize(
    ("output", "major"),
    [
        ('openjdk version "25.0.2" 2026-01-20', 25),
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime', 17),
        ('java version "1.8.0_291"', 8),
        ("sh: java: not found", None),
    ],
)
def test_the_major_version_of_java_is_read(output: str, major: int | None) -> None:
    assert java_major(output) == major
