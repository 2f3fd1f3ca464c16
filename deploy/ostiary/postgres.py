"""The embedded PostgreSQL 18: in a process group of its own, so that Ctrl-C is ours to handle, and stopped with us.

It listens on a unix socket in a private folder with a short path and nowhere else, so it asks no password: only the
operator's own processes can reach it. The files are the business of `postgres_files`, roles and tables of `database`.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from ostiary import postgres_files
from ostiary.faults import Refusal

START_SECONDS = 60.0  # recovery after a power cut on a slow disk may take a while
STOP_SECONDS = 10.0
PAUSE = 0.02
REVIVALS = 3
REVIVAL_PAUSE = 0.3
SOCKET_FOLDER_LIMIT = 80  # bytes; the whole path of a socket may have 103 (macOS)
OPTIONS = ("listen_addresses=", "port=5432", "timezone=UTC", "log_timezone=UTC", "max_connections=200", "jit=off")
# PostgreSQL lives exactly as long as the pipe on file descriptor 0: when we close it, or die in whatever way, the
# reader behind it asks for a fast shutdown. $0 is the socket folder, the arguments are the server and its options.
KEEPER = """
exec 3<&0 </dev/null
"$@" 3<&- & server=$!
{ read -r _ <&3; kill -INT $server; } 2>/dev/null & reader=$!
exec 3<&-
wait $server; status=$?
kill $reader 2>/dev/null; rmdir "$0" 2>/dev/null
exit $status
"""


@dataclass(frozen=True)
class Cluster:
    """A server: the data folder of Ostiary it belongs to, and the folder of its socket."""

    home: Path
    sockets: Path

    def url(self, role: str, database: str) -> str:
        """A URL without a password: who may enter the socket's folder may come in."""
        return f"postgresql://{role}@/{database}?host={self.sockets}"


@dataclass
class Start:
    """A server that was told to start and may not answer yet. Its keeper is another one after a revival."""

    cluster: Cluster
    keeper: subprocess.Popen[bytes]


def running(home: Path) -> Cluster | None:
    """The server at work on `home`, if there is one and it has finished starting."""
    lines = postgres_files.pid_lines(home)
    if [line.strip() for line in lines[7:]] != ["ready"] or server_process(home) is None:
        return None
    return Cluster(home, Path(lines[4]))


def server_process(home: Path) -> psutil.Process | None:
    """The process of the pid file, if it is really this cluster's server and not a stranger with the same number."""
    try:
        process = psutil.Process(int(postgres_files.pid_lines(home)[0]))
        ours = process.name() == "postgres" and Path(process.cwd()).samefile(postgres_files.data(home))
    except (IndexError, ValueError, OSError, psutil.Error):
        return None
    return process if ours else None


@contextlib.contextmanager
def started(home: Path) -> Iterator[Start]:
    """Tell the server of `home` to start, making its files first if there are none; it stops when the block ends.

    The caller holds the lock of `home`, so whatever still runs there was left behind by a killed process.
    """
    postgres_files.prepare(home)
    _clear_away(home)
    cluster = Cluster(home, _socket_folder())
    start = Start(cluster, _launch(cluster))
    try:
        yield start
    finally:
        _stop(start)


def wait(start: Start) -> Cluster:
    """Return once the server answers; one that keeps giving up is reported with the last words of its log.

    It may give up once because what a killed server left behind is still dying, so it is tried more than once.
    """
    deadline, home, revivals = time.monotonic() + START_SECONDS, start.cluster.home, 0
    while time.monotonic() < deadline:
        if running(home):
            return start.cluster
        if start.keeper.poll() is not None:
            if revivals == REVIVALS:
                break
            revivals += 1
            time.sleep(REVIVAL_PAUSE)
            revive(start)
        time.sleep(PAUSE)
    message = (
        f"the embedded PostgreSQL did not start: {postgres_files.last_words(home)} (see {postgres_files.log(home)})"
    )
    raise Refusal(message)


def revive(start: Start) -> None:
    """Start a server anew that has ended, where its clients look for it."""
    _close(start.keeper)
    sockets = start.cluster.sockets
    with contextlib.suppress(FileExistsError):
        sockets.mkdir(mode=0o700)
        postgres_files.hand_over(sockets)
    if sockets.stat().st_uid != postgres_files.data(start.cluster.home).stat().st_uid:
        message = f"somebody else has made {sockets}; stop and run ./ostiary up again."
        raise Refusal(message)
    start.keeper = _launch(start.cluster)


def _launch(cluster: Cluster) -> subprocess.Popen[bytes]:
    options = [word for option in (*OPTIONS, f"unix_socket_directories={cluster.sockets}") for word in ("-c", option)]
    server = [str(postgres_files.program("postgres")), "-D", str(postgres_files.data(cluster.home)), *options]
    with postgres_files.open_log(cluster.home) as log:
        return subprocess.Popen(
            ["/bin/sh", "-c", KEEPER, str(cluster.sockets), *server],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **postgres_files.as_database_user(),
        )


def _socket_folder() -> Path:
    usual = tempfile.gettempdir()
    short = usual if len(usual) < SOCKET_FOLDER_LIMIT else "/tmp"  # noqa: S108 - mkdtemp makes a private folder in it
    folder = Path(tempfile.mkdtemp(prefix="ostiary-", dir=short))
    postgres_files.hand_over(folder)
    return folder


def _clear_away(home: Path) -> None:
    """End a server that outlived its `up`. A pid file that names a stranger would stop PostgreSQL from starting."""
    if left_over := server_process(home):
        for way in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            with contextlib.suppress(psutil.Error):
                left_over.send_signal(way)
                left_over.wait(STOP_SECONDS)
                break
    elif _names_a_stranger(postgres_files.pid_lines(home)):
        postgres_files.pid_file(home).unlink(missing_ok=True)


def _names_a_stranger(pid_lines: list[str]) -> bool:
    """Also when no number can be read. A number that nobody has is PostgreSQL's to judge: it knows what is left."""
    try:
        return bool(pid_lines) and psutil.pid_exists(int(pid_lines[0]))
    except (ValueError, OverflowError):
        return True


def _stop(start: Start) -> None:
    _close(start.keeper)
    for way in (signal.SIGQUIT, signal.SIGKILL):
        with contextlib.suppress(subprocess.TimeoutExpired):
            start.keeper.wait(STOP_SECONDS)
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(start.keeper.pid, way)
    with contextlib.suppress(OSError):
        start.cluster.sockets.rmdir()


def _close(keeper: subprocess.Popen[bytes]) -> None:
    """Close the pipe by which the server lives."""
    if keeper.stdin is not None:
        keeper.stdin.close()
