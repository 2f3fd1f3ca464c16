"""The two services as `up` and `serve` build them: settings in, ASGI apps and the courier out."""

import asyncio
from dataclasses import dataclass

from ostiary import database
from ostiary import home as folder
from ostiary.postgres import Cluster
from ostiary.serving import App
from ostiary_admin.app import create_app as create_admin
from ostiary_admin.settings import AdminSettings
from ostiary_auth.app import create_app as create_auth
from ostiary_auth.mail import courier
from ostiary_auth.settings import AuthSettings

MAIL_FROM = "Ostiary <ostiary@localhost>"
# Only this machine reaches `up`, so a proxy on it may ask the gate.
LOCAL_PROXIES = "127.0.0.1,::1"


@dataclass(frozen=True)
class Services:
    """Everything `up` runs beside the mailbox."""

    settings: AuthSettings
    auth: App
    admin: App


def build(cluster: Cluster, public_url: str, smtp_port: int) -> Services:
    """Both services on the embedded database; mail goes to the catcher on `smtp_port`."""
    auth = AuthSettings.load(auth_environment(cluster, public_url, smtp_port))
    admin = AdminSettings.load(admin_environment(cluster, public_url))
    return Services(auth, create_auth(auth), create_admin(admin))


async def deliver(services: Services, stop: asyncio.Event) -> None:
    """Send mail until `stop` is set."""
    await courier.run(services.settings, stop)


def auth_environment(cluster: Cluster, public_url: str, smtp_port: int) -> dict[str, str]:
    """The settings of auth under `up`."""
    return {
        "OSTIARY_PUBLIC_URL": public_url,
        "OSTIARY_DATABASE_URL": cluster.url(database.AUTH, database.NAME),
        "OSTIARY_SECRET_KEY": folder.secrets(cluster.home)["auth_secret_key"],
        "OSTIARY_SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
        "OSTIARY_MAIL_FROM": MAIL_FROM,
        "OSTIARY_TRUSTED_PROXIES": LOCAL_PROXIES,
    }


def admin_environment(cluster: Cluster, public_url: str) -> dict[str, str]:
    """The settings of admin under `up`."""
    return {
        "OSTIARY_PUBLIC_URL": public_url,
        "OSTIARY_DATABASE_URL": cluster.url(database.ADMIN, database.NAME),
        "OSTIARY_SECRET_KEY": folder.secrets(cluster.home)["admin_secret_key"],
        "OSTIARY_AUTH_URL": public_url.replace("localhost", "127.0.0.1"),
    }
