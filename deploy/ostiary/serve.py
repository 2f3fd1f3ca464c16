"""`serve`: one service as a process of its own, for a real set-up. What it is told stands in OSTIARY_* variables."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import click
import uvloop

from ostiary import logs, serving, workers
from ostiary.telling import told
from ostiary_shared import tls
from ostiary_shared.settings import Settings

Known = TypeVar("Known", bound=Settings)
Run = Callable[[], Coroutine[Any, Any, None]]
Place = Callable[[serving.App], serving.Site]


@click.command()
@click.argument("service", type=click.Choice(["auth", "admin", "courier"]))
@click.option("--host", default=serving.HOST, show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
def serve(service: str, host: str, port: int) -> None:
    """Run one service: auth, admin or courier.

    Settings are read from the environment (OSTIARY_PUBLIC_URL and so on); SIGTERM and Ctrl-C end it orderly.
    """
    with told():
        if service == "courier":
            _loop(_courier)
        else:
            (_auth if service == "auth" else _admin)(lambda: serving.bind(port, "--port", host))


def _auth(bind: Callable[[], socket.socket]) -> None:
    from ostiary_auth.app import create_app  # noqa: PLC0415 - each image holds its own service only
    from ostiary_auth.settings import AuthSettings  # noqa: PLC0415

    settings = _logged(AuthSettings.load())
    workers.open_files(settings.max_connections * 2)
    place, gate = _at(settings, bind), serving.bind_gate(settings.gate_listen)
    workers.run(settings.workers, lambda: _loop(lambda: _site(create_app(settings, gate), place)))


def _admin(bind: Callable[[], socket.socket]) -> None:
    from ostiary_admin.app import create_app  # noqa: PLC0415
    from ostiary_admin.settings import AdminSettings  # noqa: PLC0415

    settings = _logged(AdminSettings.load())
    workers.open_files(settings.max_connections)
    if settings.auth_ca_file:
        tls.trusted(settings.auth_ca_file)  # a fault shows here, not in each worker
    place = _at(settings, bind)
    workers.run(settings.workers, lambda: _loop(lambda: _site(create_app(settings), place)))


def _at(settings: Settings, bind: Callable[[], socket.socket]) -> Place:
    shown, listener = tls.shown(settings.tls_cert_file, settings.tls_key_file), bind()
    return lambda app: serving.Site(app, listener, shown, settings.max_connections)


def _loop(run: Run) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def _logged(settings: Known) -> Known:
    logs.to_stdout(settings.log_level)
    return settings


async def _site(app: serving.App, place: Place) -> None:
    stop = asyncio.Event()
    with serving.stop_signals(stop):
        async with serving.lifespan(app), serving.serving(place(app)):
            await stop.wait()


async def _courier() -> None:
    from ostiary_auth.mail import courier  # noqa: PLC0415
    from ostiary_auth.settings import AuthSettings  # noqa: PLC0415

    stop = asyncio.Event()
    with serving.stop_signals(stop):
        await courier.run(_logged(AuthSettings.load()), stop)
