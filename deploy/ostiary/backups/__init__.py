"""Backups: one file with a manifest and a dump, the way back in one transaction, and scratch databases to rehearse in.

All functions block and run an event loop of their own; what cannot be done is a Refusal or a Finding.
"""

from ostiary.backups.manifest import Manifest
from ostiary.backups.restoring import restore
from ostiary.backups.scratching import scratch
from ostiary.backups.taking import take
from ostiary.backups.terms import Restored, Restoring, Taking

__all__ = ["Manifest", "Restored", "Restoring", "Taking", "restore", "scratch", "take"]
