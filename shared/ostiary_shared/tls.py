"""TLS between processes: the certificate that a port shows, and the one CA that a client trusts. Files are PEM.

A port reads its files again when they change, so that a renewed certificate needs no restart.
"""

import math
import ssl
import time
from pathlib import Path

import structlog

from ostiary_shared.errors import Misconfigured

# Seconds. Whoever connects has so long to agree on keys; a goodbye is waited for as long.
LIMITS = {"ssl_handshake_timeout": 5.0, "ssl_shutdown_timeout": 5.0}
LOOK_SECONDS = 1.0
RETRY_SECONDS = 60.0  # what could not be read may be read later, without another change: too many files were open, say

log = structlog.get_logger("ostiary")

Stamp = tuple[tuple[int, int, int], ...]


def shown(cert_file: str, key_file: str) -> ssl.SSLContext | None:
    """What a port shows; none when no files are named. Raises Misconfigured: one is missing, unreadable or no match."""
    if not cert_file and not key_file:
        return None
    if not cert_file or not key_file:
        have, lack = ("CERT", "KEY") if cert_file else ("KEY", "CERT")
        raise Misconfigured(f"OSTIARY_TLS_{have}_FILE is set, so OSTIARY_TLS_{lack}_FILE is needed, too.")
    return _Shown(cert_file, key_file).context


def trusted(ca_file: str) -> ssl.SSLContext:
    """Trust what this CA has signed, for the host that is asked, and nobody else. Raises Misconfigured."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # a file that holds no certificate is an ssl.SSLError, which is one of them
        reason = _reason(error, "it holds no certificate in PEM")
        raise Misconfigured(f"OSTIARY_AUTH_CA_FILE names {ca_file}, which cannot be used: {reason}.") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _Shown:
    """Two files, and the context made of them when they were last seen to be whole."""

    def __init__(self, cert_file: str, key_file: str) -> None:
        self._files = (cert_file, key_file)
        self._looked_at = time.monotonic()
        self._stamp, self._retry_at = self._stamped(), math.inf
        self._newest = self.context = self._read()
        self.context.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _first: ssl.SSLContext) -> None:
        """Called at each handshake, whether or not a name was sent."""
        now = time.monotonic()
        if now - self._looked_at > LOOK_SECONDS:
            self._looked_at = now
            self._look(now)
        connection.context = self._newest

    def _look(self, now: float) -> None:
        try:
            stamp = self._stamped()
            if stamp == self._stamp and now < self._retry_at:
                return
            self._stamp, self._retry_at = stamp, now + RETRY_SECONDS
            self._newest, self._retry_at = self._read(), math.inf
        except Misconfigured as error:  # half of a renewal is there: the old pair serves until both are
            log.warning("certificate_not_renewed", reason=str(error))
        else:
            log.info("certificate_renewed", file=self._files[0])

    def _stamped(self) -> Stamp:
        found = []
        for name, variable in zip(self._files, ("CERT", "KEY"), strict=True):
            try:
                state = Path(name).stat()
            except OSError as error:
                message = f"OSTIARY_TLS_{variable}_FILE names {name}, which cannot be read: {error.strerror}."
                raise Misconfigured(message) from None
            found.append((state.st_mtime_ns, state.st_ino, state.st_size))
        return tuple(found)

    def _read(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        cert_file, key_file = self._files
        try:
            context.load_cert_chain(cert_file, key_file, password=_no_password)
        except OSError as error:
            reason = _reason(error, "they are not a certificate in PEM and its own key, without a password")
            raise Misconfigured(
                f"OSTIARY_TLS_CERT_FILE ({cert_file}) and OSTIARY_TLS_KEY_FILE ({key_file}) cannot be used: {reason}."
            ) from None
        return context


def _no_password() -> str:
    """Instead of OpenSSL's question at the terminal."""
    return ""


def _reason(error: OSError, otherwise: str) -> str:
    return otherwise if isinstance(error, ssl.SSLError) else f"{error.filename or ''} {error.strerror}".strip()
