"""Which release this code is. tests/house/test_releases.py compares it with what the distributions say."""

VERSION = "0.2.0"
