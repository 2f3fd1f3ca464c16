"""How each proxy is started with its shipped configuration: only names, ports and the places of files are ours."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SHIPPED = Path(__file__).parents[2] / "deploy" / "proxy"
AUTH, ADMIN, APP = "127.0.0.1:8000", "127.0.0.1:8001", "127.0.0.1:9000"


@dataclass(frozen=True)
class Wiring:
    """Where everything is: a folder for the proxy, its port, and the ports behind it. `gate` is a socket's path.

    `name` is what the site is called; nginx and Caddy can be told another.
    """

    place: Path
    port: int
    app: int
    auth: int
    admin: int = 0
    gate: str = ""
    name: str = "localhost"

    @property
    def addresses(self) -> list[tuple[str, str]]:
        return [
            (AUTH, f"127.0.0.1:{self.auth}"),
            (ADMIN, f"127.0.0.1:{self.admin or self.auth}"),
            (APP, f"127.0.0.1:{self.app}"),
        ]

    def written(self, name: str, changes: list[tuple[str, str]], before: str = "", after: str = "") -> Path:
        """The shipped file with our names. A change that finds nothing to change is a mistake."""
        text = (SHIPPED / name).read_text()
        for shipped, ours in changes:
            assert shipped in text, shipped
            text = text.replace(shipped, ours)
        (self.place / name).write_text(before + text + after)
        return self.place / name


def nginx(wiring: Wiring) -> list[str]:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {wiring.place}/{kind}; " for kind in kinds)
    gate = f"server unix:{wiring.gate};\n        keepalive 64;"
    written = wiring.written(
        "nginx.conf",
        [
            ("http {", f"http {{ access_log off; {paths}"),
            *([(f"server {AUTH};\n        keepalive 64;", gate)] if wiring.gate else []),
            *wiring.addresses,
            ("listen 80;", f"listen 127.0.0.1:{wiring.port};"),
            ("listen 80 default_server;", f"listen 127.0.0.1:{wiring.port} default_server;"),
            ("server_name app.example.org;", f"server_name {wiring.name};"),
            ('"app.example.org"', f'"{wiring.name}:{wiring.port}"'),
        ],
    )
    user = "user root; " if os.geteuid() == 0 else ""
    globals_ = f"daemon off; {user}worker_processes 1; pid {wiring.place}/pid; error_log stderr;"
    return ["nginx", "-p", str(wiring.place), "-c", str(written), "-e", "stderr", "-g", globals_]


def caddy(wiring: Wiring) -> list[str]:
    written = wiring.written(
        "Caddyfile",
        [
            *([(f"\tforward_auth {AUTH} {{", f"\tforward_auth unix/{wiring.gate} {{")] if wiring.gate else []),
            *wiring.addresses,
            ("app.example.org {", f"http://{wiring.name}:{wiring.port} {{"),
            ("login.example.org {", f"http://login.example.org:{wiring.port} {{"),
        ],
        before="{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n}\n",
    )
    return ["caddy", "run", "--config", str(written), "--adapter", "caddyfile"]


def haproxy(wiring: Wiring) -> list[str]:
    written = wiring.written(
        "haproxy.cfg",
        [
            ("/etc/haproxy/", f"{SHIPPED}/"),
            *([(f"GATE_ADDRESS {AUTH}", f"GATE_ADDRESS unix@{wiring.gate}")] if wiring.gate else []),
            *wiring.addresses,
            ("bind :80", f"bind 127.0.0.1:{wiring.port}"),
            ("-i app.example.org app.example.org.", "-i localhost localhost."),
            ("Host app.example.org", f"Host localhost:{wiring.port}"),
        ],
    )
    return ["haproxy", "-db", "-f", str(written)]


MODULES = (
    *("mpm_event", "authn_core", "authz_core", "headers", "lua", "proxy", "proxy_http", "rewrite", "setenvif"),
    "unique_id",
)
APACHE = """\
ServerRoot {place}
DefaultRuntimeDir {place}
PidFile {place}/pid
Mutex file:{place}
ErrorLog {place}/log
ServerName localhost
Listen 127.0.0.1:{port}
"""


def apache(wiring: Wiring) -> list[str]:
    loaded = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in MODULES)
    written = wiring.written(
        "apache.conf",
        [
            ("/etc/apache2/ostiary/", f"{wiring.place}/"),
            *([(f"ostiary_gate={AUTH}", f"ostiary_gate=unix:{wiring.gate}")] if wiring.gate else []),
            *wiring.addresses,
            ("*:80>", f"127.0.0.1:{wiring.port}>"),
            ("ServerName app.example.org", "ServerName localhost"),
            ("ostiary_site=app.example.org", f"ostiary_site=localhost:{wiring.port}"),
        ],
        before=loaded
        + APACHE.format(place=wiring.place, port=wiring.port)
        + ("User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""),
    )
    # Apache does not serve as root: it and its Lua become somebody else, who must be able to read them.
    wiring.written("apache.lua", [])
    wiring.place.chmod(0o755)
    return ["apache2", "-D", "FOREGROUND", "-f", str(written)]


def traefik(wiring: Wiring) -> list[str]:
    sites = wiring.written("traefik-sites.yml", [*wiring.addresses, ("Host(`app.example.org`)", "Host(`localhost`)")])
    written = wiring.written(
        "traefik.yml",
        [('address: ":80"', f'address: "127.0.0.1:{wiring.port}"'), ("/etc/traefik/traefik-sites.yml", str(sites))],
        after="global:\n  checkNewVersion: false\n  sendAnonymousUsage: false\n",
    )
    return ["traefik", f"--configFile={written}"]


COMMANDS: dict[str, Callable[[Wiring], list[str]]] = {
    "nginx": nginx,
    "caddy": caddy,
    "haproxy": haproxy,
    "apache2": apache,
}
