"""A small page behind nginx, with `auth_request` over a unix socket that stays open, and the same page unprotected."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ostiary.benchmarks import carried, requests, servers
from ostiary.benchmarks.contender import Contender, Expected
from ostiary.benchmarks.requests import Target
from ostiary.benchmarks.servers import Auth
from ostiary.benchmarks.terms import Terms
from ostiary.benchmarks.world import HOST, World

OPEN, PROTECTED = "page-open", "page-protected"
NAMES = (OPEN, PROTECTED)
MARK = "<title>A page</title>"
BYTES = 2048
# As deploy/proxy/nginx.conf has it, in front of files instead of an app.
CONFIGURATION = """
upstream ostiary {{ server unix:{socket}; keepalive 64; keepalive_requests 1000000000; }}
server {{
    listen 127.0.0.1:{port};
    root {root};
    location /open/ {{ alias {root}/; }}
    location / {{
        auth_request /.ostiary;
        auth_request_set $ostiary_user $upstream_http_remote_user;
        auth_request_set $ostiary_email $upstream_http_remote_email;
        auth_request_set $ostiary_name $upstream_http_remote_name;
        auth_request_set $ostiary_groups $upstream_http_remote_groups;
        auth_request_set $ostiary_assertion $upstream_http_x_ostiary_assertion;
        add_header X-Bench-User $ostiary_user;
    }}
    location = /.ostiary {{
        internal;
        proxy_pass http://ostiary/gate/nginx;
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
        proxy_set_header X-Forwarded-Method $request_method;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host "{host}";
        proxy_set_header X-Forwarded-Uri $request_uri;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Request-Id $request_id;
        proxy_set_header Connection "";
        proxy_http_version 1.1;
        proxy_buffer_size 16k;
        proxy_buffers 4 16k;
    }}
}}
"""


@contextlib.contextmanager
def contenders(world: World, terms: Terms) -> Iterator[list[Contender]]:
    """On one core nginx, on the other auth and the load: left to itself, that comes beside either, as it happens."""
    if not terms.wants(*NAMES):
        yield []
        return
    gate, port = world.folder / "gate.sock", servers.free_port()
    inside = CONFIGURATION.format(socket=gate, port=port, root=_root(world.folder), host=HOST)
    with servers.auth(world, Auth(f"unix:{gate}", core=1)) as auth, servers.nginx(inside, port) as nginx:
        yield _pages(world, port, (nginx.pid, auth.pid))


def _root(folder: Path) -> Path:
    root = folder / "site"
    root.mkdir()
    (root / "page.html").write_text(f"<!doctype html>{MARK}<p>".ljust(BYTES, "."))
    return root


def _pages(world: World, port: int, pids: tuple[int, int]) -> list[Contender]:
    """Both are sent the same cookies; the unprotected page costs auth nothing."""
    found = []
    for name, path, says in (
        (OPEN, "/open/page.html", "page of 2 kB through nginx, unprotected"),
        (PROTECTED, "/page.html", "the same page, protected by auth_request"),
    ):
        cookies = (carried.cookie(person.token) for person in world.people)
        file = requests.keep(
            world.folder / f"{name}.requests", (requests.get(Target(port), path, cookie) for cookie in cookies)
        )
        says_who = {"x-bench-user": str(world.people[0].id)} if name == PROTECTED else {}
        expected = Expected(200, {"": MARK, **says_who})
        found.append(Contender(name, says, port, file, expected, pids, against=OPEN))
    return found
