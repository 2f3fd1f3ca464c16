"""The name of the build of Argon2, read from what the process has mapped."""

from pathlib import Path

import pytest

from ostiary_auth.factors import argon2_build

LINE = "7f5cc1a2c000-7f5cc1a2e000 r-xp 00001000 00:30 1834  "
OTHERS = f"{LINE} /usr/lib/libc.so.6\n{LINE} /opt/x/_argon2_cffi_bindings/_ffi.abi3.so\n{LINE} [heap]\n"


@pytest.mark.parametrize(
    ("mapped", "build"),
    [
        ("", "wheel"),
        ("/opt/ostiary/lib/argon2/libargon2.so.1", "plain"),
        ("/opt/ostiary/lib/argon2/glibc-hwcaps/x86-64-v2/libargon2.so.1", "x86-64-v2"),
        ("/opt/ostiary/lib/argon2/glibc-hwcaps/x86-64-v3/libargon2.so.1", "x86-64-v3"),
        ("/opt/ostiary/lib/argon2/glibc-hwcaps/x86-64-v4/libargon2.so.1", "x86-64-v4"),
        ("/usr/lib/x86_64-linux-gnu/libargon2.so.1 (deleted)", "plain"),
        ("/a folder with blanks/glibc-hwcaps/x86-64-v3/libargon2.so.1", "x86-64-v3"),
    ],
)
def test_the_build_is_told_by_the_library_that_is_mapped(mapped: str, build: str) -> None:
    assert argon2_build.named(f"{OTHERS}{LINE} {mapped}\n{OTHERS}") == build


def test_here_it_is_the_one_of_the_wheel() -> None:
    assert argon2_build.name() == "wheel"


def test_a_system_that_does_not_say_what_is_mapped_has_the_wheel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(argon2_build, "MAPS", tmp_path / "maps")
    assert argon2_build.name() == "wheel"
