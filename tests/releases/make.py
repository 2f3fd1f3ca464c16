"""Keeps a release to upgrade from: its wheels, and a database as people left it who used that very code.

    .venv/bin/python tests/releases/make.py 0.2.0

Run it when a release is made, with `VERSION` being that release. Wheels that are there already are used as they are.
It runs `up --demo` of the wheels, signs people in, makes a token, signs somebody up, and writes `sample.sql.gz` (what
pg_dump says) and `sample.json` (what the tests must know: keys, passwords, tokens, when it was).
"""

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RELEASES = Path(__file__).parent
ROOT = RELEASES.parents[1]
DISTRIBUTIONS = ("shared", "shared/ostiary_client", "services/auth", "services/admin", "deploy")
# Of the samples: the first is made an administrator, the others have roles or none.
PEOPLE = ("elif@example.test", "amara@example.test", "mei@example.test", "daniel@example.test")
PATIENCE = 60


def main(version: str) -> None:
    folder = RELEASES / version
    if not list(folder.glob("*.whl")):
        build(folder)
    with tempfile.TemporaryDirectory(prefix="ostiary-release-") as scratch:
        place = Path(scratch)
        place.chmod(0o755)  # the embedded PostgreSQL is another user when root runs this
        unpack(folder, place / "code")
        known = use(place, folder)
    (folder / "sample.json").write_text(json.dumps(known, indent=2) + "\n")
    for file in sorted(folder.iterdir()):
        print(f"{file.stat().st_size:>8} {file.relative_to(ROOT)}")


def build(folder: Path) -> None:
    for distribution in DISTRIBUTIONS:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
        subprocess.run(command, cwd=ROOT / distribution, check=True)


def unpack(folder: Path, code: Path) -> None:
    """The release as something to put on PYTHONPATH."""
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(code)


def use(place: Path, folder: Path) -> dict[str, Any]:
    """What people did to the release; dumps the database while they are still there."""
    port, mail_port = free_port(), free_port()
    asked = ["up", "--demo", "--data", str(place / "home"), "--port", str(port), "--mail-port", str(mail_port)]
    environment = {**os.environ, "PYTHONPATH": str(place / "code")}
    running = subprocess.Popen([sys.executable, "-P", "-m", "ostiary", *asked], env=environment)
    try:
        url = f"http://127.0.0.1:{port}"
        ready(url)
        grant = ["users", "grant", PEOPLE[0], "admin", "--data", str(place / "home")]
        subprocess.run([sys.executable, "-P", "-m", "ostiary", *grant], env=environment, check=True)
        secrets = json.loads((place / "home/secrets.json").read_text())
        known = {"at": datetime.now(UTC).isoformat(), "keys": secrets, **visit(url, secrets["demo_password"])}
        dump(place / "home", folder / "sample.sql.gz")
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(PATIENCE)
    return known


def visit(url: str, password: str) -> dict[str, Any]:
    """Sign some people in, one of them with a program's token too; sign somebody up and start a recovery."""
    people = []
    for email in PEOPLE:
        found = post(f"{url}/api/v1/login", {"email": email, "password": password, "token": True})
        people.append({"email": email, "token": found["token"], "roles": found["user"]["roles"]})
    first = {"Authorization": f"Bearer {people[0]['token']}"}
    wish = {
        "name": "nightly report",
        "scopes": [f"role:{people[0]['roles'][0]}"],
        "days": 90,
        "current_password": password,
    }
    program = post(f"{url}/api/v1/account/tokens", wish, first)
    post(f"{url}/api/v1/signup", {"email": "newcomer@example.test", "password": "a first good password"})
    post(f"{url}/api/v1/recover", {"email": people[1]["email"]})
    version = get(f"{url}/openapi.json")["info"]["version"]
    return {"version": version, "password": password, "people": people, "api_token": program["token"]}


def dump(home: Path, file: Path) -> None:
    from ostiary import postgres_files

    sockets = postgres_files.pid_lines(home)[4]
    program = [str(postgres_files.program("pg_dump")), "-h", sockets, "-U", "postgres", "--no-comments", "ostiary"]
    done = subprocess.run(program, check=True, capture_output=True)
    # No time in it: the same content gives the same file.
    file.write_bytes(gzip.compress(done.stdout, mtime=0))


def ready(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            get(f"{url}/readyz")
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit("the release did not start")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def post(url: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
    sent = {"Content-Type": "application/json", **(headers or {})}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), sent), timeout=30) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        text = error.read()
        print(url, error.code, text.decode())
    return json.loads(text) if text else {}


if __name__ == "__main__":
    main(sys.argv[1])
