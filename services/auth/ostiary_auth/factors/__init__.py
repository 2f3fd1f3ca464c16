"""Mechanisms of authentication alone: no database, no HTTP."""
