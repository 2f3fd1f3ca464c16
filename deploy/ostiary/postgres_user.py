"""The embedded PostgreSQL refuses to run as root; here it gets a user of its own and a way to its files.

As an ordinary user there is nothing to do. As root, only what that one user needs is opened, by an access list
where the file system has them, so that a private home directory stays closed to everybody else.
"""

import os
import pwd
import struct
import subprocess
from pathlib import Path

from ostiary.faults import Refusal

NAME = "pgserver"
ACL = "system.posix_acl_access"
# The kernel's access list (linux/posix_acl_xattr.h): a version, then entries of tag, permission and id.
VERSION = 2
OWNER, USER, GROUP, MASK, OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
NO_ID = 0xFFFFFFFF
SEARCH = 0o1


def account() -> pwd.struct_passwd | None:
    """The user PostgreSQL runs as, made when missing; None when we are not root and it can run as we do."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        pass
    try:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", NAME]
        subprocess.run(command, check=True, capture_output=True)
        return pwd.getpwnam(NAME)
    except (OSError, subprocess.CalledProcessError, KeyError):
        message = f"PostgreSQL cannot run as root and making the user {NAME} failed; start Ostiary as an ordinary user."
        raise Refusal(message) from None


def open_way(target: Path, uid: int) -> None:
    """Let `uid` walk through (not list) every folder above `target` that is closed to it."""
    for folder in reversed(target.absolute().parents):
        known = folder.stat()
        if known.st_uid != uid and not known.st_mode & SEARCH:
            _let_through(folder, uid)


def open_tree(root: Path) -> None:
    """Make an installed package readable again that was unpacked under a strict umask."""
    for path in [root, *root.rglob("*")]:
        mode = path.stat().st_mode
        wanted = mode | 0o444 | (0o111 if mode & 0o100 else 0)
        if wanted != mode:
            path.chmod(wanted)


def _let_through(folder: Path, uid: int) -> None:
    try:
        entries = _entries(folder)
        mask = entries.get((MASK, NO_ID), entries[GROUP, NO_ID])
        if entries.get((USER, uid), 0) & mask & SEARCH:  # a later chmod may have closed the mask again
            return
        entries |= {(USER, uid): SEARCH, (MASK, NO_ID): mask | SEARCH}
        packed = b"".join(struct.pack("<HHI", tag, allowed, who) for (tag, who), allowed in sorted(entries.items()))
        os.setxattr(folder, ACL, struct.pack("<I", VERSION) + packed)
    except (OSError, AttributeError):  # this file system or platform has no access lists
        folder.chmod(folder.stat().st_mode | SEARCH)


def _entries(folder: Path) -> dict[tuple[int, int], int]:
    """The access list as {(tag, id): permission}; the plain mode bits when there is none yet."""
    try:
        packed = os.getxattr(folder, ACL)
    except OSError:
        mode = folder.stat().st_mode
        return {(OWNER, NO_ID): mode >> 6 & 7, (GROUP, NO_ID): mode >> 3 & 7, (OTHER, NO_ID): mode & 7}
    return {(tag, who): allowed for tag, allowed, who in struct.iter_unpack("<HHI", packed[4:])}
