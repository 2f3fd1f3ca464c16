"""`./ostiary serve`: each service as a process of its own, told by its environment, ended by SIGTERM with status 0."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

from tests.conftest import ADMIN_SECRET, AUTH_SECRET, Databases
from tests.system.test_up import free_port

OUTSIDE = {name: value for name, value in os.environ.items() if not name.startswith("OSTIARY_")}


def ready(url: str) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False


def test_the_services_run_apart_and_end_orderly(database: Databases) -> None:
    auth, admin = free_port(), free_port()
    common = {**OUTSIDE, "OSTIARY_PUBLIC_URL": f"http://localhost:{auth}"}
    for_auth = {
        "OSTIARY_DATABASE_URL": database.auth,
        "OSTIARY_SECRET_KEY": AUTH_SECRET,
        "OSTIARY_SMTP_URL": "smtp://127.0.0.1:1",
        "OSTIARY_MAIL_FROM": "Ostiary <door@example.test>",
    }
    for_admin = {
        "OSTIARY_DATABASE_URL": database.admin,
        "OSTIARY_SECRET_KEY": ADMIN_SECRET,
        "OSTIARY_AUTH_URL": f"http://127.0.0.1:{auth}",
    }
    asked = [
        (("auth", "--port", str(auth)), for_auth),
        (("admin", "--port", str(admin)), for_admin),
        (("courier",), for_auth),
    ]
    running = [
        subprocess.Popen([sys.executable, "-P", "-m", "ostiary", "serve", *words], env={**common, **environment})
        for words, environment in asked
    ]
    try:
        assert ready(f"http://127.0.0.1:{auth}/readyz")
        assert ready(f"http://127.0.0.1:{admin}/admin/readyz")
        assert [process.poll() for process in running] == [None, None, None]
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        ended = [process.wait(30) for process in running]
    assert ended == [0, 0, 0]


def test_a_wrong_setting_or_a_busy_port_stops_the_start_with_a_sentence(database: Databases) -> None:
    line = [sys.executable, "-P", "-m", "ostiary", "serve", "auth"]
    environment = {**OUTSIDE, "OSTIARY_DATABASE_URL": database.auth}
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "OSTIARY_PUBLIC_URL is not set" in done.stderr
    assert "Traceback" not in done.stderr
