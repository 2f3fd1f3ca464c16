"""The auth service for a server that is not ours: `python -m uvicorn --factory ostiary.benchmarks.plain:app`."""

from quart import Quart

from ostiary_auth.app import create_app
from ostiary_auth.settings import AuthSettings


def app() -> Quart:
    """As it is told by the environment."""
    return create_app(AuthSettings.load())
