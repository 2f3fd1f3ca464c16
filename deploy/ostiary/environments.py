"""What the services are told under `up`: the same OSTIARY_* settings as anywhere, made from the data folder."""

from pathlib import Path

from ostiary import home as folder
from ostiary_admin.settings import AdminSettings
from ostiary_auth.settings import AuthSettings

MAIL_FROM = "Ostiary <ostiary@localhost>"
# A proxy on this machine may ask the gate; nobody else reaches these ports.
LOCAL_PROXIES = "127.0.0.1,::1"


def auth(home: Path, database_url: str, smtp_port: int) -> AuthSettings:
    """The settings of auth; mail goes to the catcher on `smtp_port`."""
    return AuthSettings.load(
        {
            "OSTIARY_PUBLIC_URL": folder.public_url(home),
            "OSTIARY_DATABASE_URL": database_url,
            "OSTIARY_SECRET_KEY": folder.secrets(home)["auth_secret_key"],
            "OSTIARY_SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
            "OSTIARY_MAIL_FROM": MAIL_FROM,
            "OSTIARY_TRUSTED_PROXIES": LOCAL_PROXIES,
        }
    )


def admin(home: Path, database_url: str) -> AdminSettings:
    """The settings of admin; it asks auth on the same port as everybody."""
    public_url = folder.public_url(home)
    return AdminSettings.load(
        {
            "OSTIARY_PUBLIC_URL": public_url,
            "OSTIARY_DATABASE_URL": database_url,
            "OSTIARY_SECRET_KEY": folder.secrets(home)["admin_secret_key"],
            "OSTIARY_TRUSTED_PROXIES": LOCAL_PROXIES,
            "OSTIARY_AUTH_URL": public_url.replace("localhost", "127.0.0.1"),
        }
    )
