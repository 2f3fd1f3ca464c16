"""The two services as `up` runs them: settings in, ASGI apps, courier and first things out."""

import asyncio
from dataclasses import dataclass

from quart import Quart

from ostiary import database, environments
from ostiary.postgres import Cluster
from ostiary_admin.app import create_app as create_admin
from ostiary_auth.app import create_app as create_auth
from ostiary_auth.mail import courier
from ostiary_auth.settings import AuthSettings


@dataclass(frozen=True)
class Services:
    """Everything `up` runs beside the mailbox."""

    settings: AuthSettings
    auth: Quart
    admin: Quart


def build(cluster: Cluster, smtp_port: int) -> Services:
    """Both services on the embedded database, each with its own rights there."""
    auth = environments.auth(cluster.home, cluster.url(database.AUTH, database.NAME), smtp_port)
    admin = environments.admin(cluster.home, cluster.url(database.ADMIN, database.NAME))
    return Services(auth, create_auth(auth), create_admin(admin))


async def deliver(services: Services, stop: asyncio.Event) -> None:
    """Send mail until `stop` is set."""
    await courier.run(services.settings, stop)
