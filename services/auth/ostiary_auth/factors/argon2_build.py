"""Which build of Argon2 this process hashes with, for the log and for whoever looks into slow sign-ins.

Images bring one for each level of x86-64, of which the dynamic loader takes the best that the processor can run
(glibc-hwcaps in ld.so(8)); elsewhere it is the one of the wheel. docs/decisions/0018 has the figures.
"""

import re
from pathlib import Path

MAPS = Path("/proc/self/maps")  # of Linux; see proc_pid_maps(5)
WHEEL, PLAIN = "wheel", "plain"


def name() -> str:
    """`x86-64-v2` to `x86-64-v4` or `plain` in an image, else `wheel`."""
    import argon2.low_level  # noqa: F401, PLC0415 - what is not loaded yet cannot be seen

    return named(MAPS.read_text(encoding="utf-8", errors="replace")) if MAPS.exists() else WHEEL


def named(maps: str) -> str:
    """The build that is among the mapped files of a process."""
    library = re.search(r" (/.*libargon2\.so.*)$", maps, flags=re.MULTILINE)
    if library is None:  # the wheel's bindings have it inside
        return WHEEL
    level = re.search(r"/glibc-hwcaps/([^/]+)/", library[1])
    return level[1] if level else PLAIN
