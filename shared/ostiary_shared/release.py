"""Which release this code is, and which schemas it serves on; tests/house/test_releases.py compares."""

VERSION = "0.2.0"
# The newest revision of the schema that this code knows, and the oldest on which its statements work.
SCHEMA = "0003"
NEEDS_SCHEMA = "0003"
