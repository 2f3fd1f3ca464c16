"""`python -m ostiary.healthy auth`: exit status 0 when the service in this container is ready. For HEALTHCHECK."""

import http.client
import os
import ssl
import sys

SECONDS = 4.0
# What is asked of each service: its readiness on its main port; the courier's only port is the one for figures.
READY = {"auth": "/readyz", "admin": "/admin/readyz", "courier": "/readyz"}
MAIN, FIGURES = 8000, 9464


def main(service: str) -> None:
    """Ask the service whether it is ready, and end with its answer."""
    if service not in READY:
        print(f"usage: python -m ostiary.healthy {'|'.join(READY)}", file=sys.stderr)  # noqa: T201 - a program of its own
        sys.exit(2)
    try:
        with_tls = service != "courier" and bool(os.environ.get("OSTIARY_TLS_CERT_FILE"))
        answer = asked(connection(port(service), with_tls=with_tls), READY[service])
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"{service} does not answer: {error}")
    if answer.status != http.HTTPStatus.OK:
        sys.exit(f"{service} is not ready: {answer.read(500).decode(errors='replace')}")


def port(service: str) -> int:
    """Where the service listens in its image."""
    if service != "courier":
        return MAIN
    _, _, number = os.environ.get("OSTIARY_METRICS_LISTEN", "").rpartition(":")
    return int(number) if number else FIGURES


def connection(number: int, *, with_tls: bool) -> http.client.HTTPConnection:
    """To this very container, so nobody else can answer and the certificate, made for other names, proves nothing."""
    if not with_tls:
        return http.client.HTTPConnection("127.0.0.1", number, timeout=SECONDS)
    unverified = ssl._create_unverified_context()  # noqa: S323, SLF001 - as said above
    return http.client.HTTPSConnection("127.0.0.1", number, timeout=SECONDS, context=unverified)


def asked(connected: http.client.HTTPConnection, path: str) -> http.client.HTTPResponse:
    """The answer to a GET."""
    connected.request("GET", path)
    return connected.getresponse()


if __name__ == "__main__":
    main("".join(sys.argv[1:2]))
