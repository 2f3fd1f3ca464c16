"""`serve`: one service as a process of its own, for a real set-up. What it is told stands in OSTIARY_* variables."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import click
import structlog
import uvloop
from quart import Quart

from ostiary import counting, logs, serving, workers
from ostiary.telling import told
from ostiary_shared import tls
from ostiary_shared.settings import Settings

Known = TypeVar("Known", bound=Settings)
Run = Callable[[], Coroutine[Any, Any, None]]
Place = Callable[[Quart], serving.Site]

log = structlog.get_logger("ostiary")


@click.command()
@click.argument("service", type=click.Choice(["auth", "admin", "courier", "mailbox"]))
@click.option("--host", default=serving.HOST, show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--smtp-port", default=1025, show_default=True, type=click.IntRange(1, 65535), help="Of the mailbox.")
@click.option("--public-url", envvar="OSTIARY_PUBLIC_URL", default="http://localhost:8000", hidden=True)
def serve(service: str, host: str, port: int, smtp_port: int, public_url: str) -> None:
    """Run one service: auth, admin or courier. Or mailbox, which shows all mail instead of sending it.

    Settings are read from the environment (OSTIARY_PUBLIC_URL and so on); SIGTERM and Ctrl-C end it orderly.
    """
    with told():
        if service == "courier":
            _loop(_courier)
        elif service == "mailbox":
            from ostiary import mail_catcher  # noqa: PLC0415 - the images of services hold no SMTP server

            _loop(lambda: mail_catcher.run(mail_catcher.Ports(host, port, smtp_port), public_url))
        else:
            (_auth if service == "auth" else _admin)(lambda: serving.bind(port, "--port", host))


def _auth(bind: Callable[[], socket.socket]) -> None:
    from ostiary_auth.settings import AuthSettings  # noqa: PLC0415 - each image holds its own service only

    settings = _logged("auth", AuthSettings.load())
    workers.open_files(settings.max_connections * 2)
    with counting.shared_figures(settings.workers, settings.runtime_dir):
        from ostiary import inside  # noqa: PLC0415 - with the library that looks for the shared figures
        from ostiary_auth import metrics  # noqa: PLC0415
        from ostiary_auth.app import create_app  # noqa: PLC0415
        from ostiary_auth.factors import argon2_build  # noqa: PLC0415

        log.info("argon2", build=argon2_build.name())
        metrics.HASHER.labels(argon2_build.name()).set(1)
        place, gate, figures = (
            _at(settings, bind),
            serving.bind_gate(settings.gate_listen),
            inside.bound("auth", settings),
        )
        work = lambda: inside.site(settings, lambda: place(create_app(settings, gate)), figures)  # noqa: E731
        workers.run(settings.workers, lambda: _loop(work))


def _admin(bind: Callable[[], socket.socket]) -> None:
    from ostiary_admin.settings import AdminSettings  # noqa: PLC0415

    settings = _logged("admin", AdminSettings.load())
    workers.open_files(settings.max_connections)
    if settings.auth_ca_file:
        tls.trusted(settings.auth_ca_file)  # a fault shows here, not in each worker
    with counting.shared_figures(settings.workers):
        from ostiary import inside  # noqa: PLC0415 - as above
        from ostiary_admin.app import create_app  # noqa: PLC0415

        place, figures = _at(settings, bind), inside.bound("admin", settings)
        work = lambda: inside.site(settings, lambda: place(create_app(settings)), figures)  # noqa: E731
        workers.run(settings.workers, lambda: _loop(work))


def _at(settings: Settings, bind: Callable[[], socket.socket]) -> Place:
    shown, listener = tls.shown(settings.tls_cert_file, settings.tls_key_file), bind()
    return lambda app: serving.Site(
        app, listener, shown, settings.max_connections, app.extensions.get("ostiary-at-once")
    )


def _loop(run: Run) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def _logged(service: str, settings: Known) -> Known:
    logs.to_stdout(settings.log_level, service, addresses=settings.log_addresses)
    return settings


async def _courier() -> None:
    from ostiary import inside  # noqa: PLC0415
    from ostiary_auth.mail import courier  # noqa: PLC0415
    from ostiary_auth.settings import AuthSettings  # noqa: PLC0415
    from ostiary_shared.health import Health  # noqa: PLC0415

    settings, stop, health = _logged("courier", AuthSettings.load()), asyncio.Event(), Health()
    with serving.stop_signals(stop):
        figures = inside.bound("courier", settings)
        async with inside.traced(settings), inside.told(health, figures):
            await courier.run(settings, stop, health)
