"""What docker-compose.yml promises, read off the file: rights, networks, limits, secrets, ports, images."""

import re
from typing import Any

import pytest
import yaml

from ostiary_admin.settings import AdminSettings
from ostiary_auth.settings import AuthSettings
from tests.house.tree import ROOT

TEXT = (ROOT / "docker-compose.yml").read_text()
FILE = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = FILE["services"]
PROXIES = {
    path.stem: yaml.safe_load(path.read_text())["services"]["proxy"]
    for path in (ROOT / "deploy/docker/proxy").iterdir()
}
VARIABLE = re.compile(r"\$\{((?:OSTIARY|COMPOSE)_[A-Z0-9_]+)")

ONE_SHOT = {"secrets", "migrate", "operator", "keys", "certificates"}
# They start as root to give files away, and for nothing else.
AS_ROOT = {"postgres": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"], "secrets": ["CHOWN"]}
IMAGES = re.compile(
    r"ostiary-(auth|courier|admin|operator):\$\{OSTIARY_VERSION:-latest\}"
    r"|(postgres:18|caddy:2|nginx:1|traefik:v3\.\d+|prom/prometheus:v\d+\.\d+\.\d+|grafana/grafana:\d+\.\d+\.\d+)"
)
WAYS = {
    "proxy": {"edge", "apps", "inside"},
    "auth": {"inside", "database", "metrics"},
    "admin": {"inside", "database", "metrics"},
    "courier": {"database", "mail", "caught", "metrics"},
    "postgres": {"database"},
    "migrate": {"database"},
    "operator": {"database", "inside"},
    "keys": {"database"},
    "mailbox": {"caught", "desk"},
    "example": {"apps", "inside"},
    "prometheus": {"metrics", "desk"},
    "grafana": {"metrics", "desk"},
    "secrets": set(),
    "certificates": set(),
}
# Not for .env: compose says these itself.
FIXED = {
    "database_url", "secret_key", "trusted_proxies", "trusted_services", "runtime_dir", "gate_listen", "metrics_listen",
    "auth_url", "auth_ca_file", "tls_cert_file", "tls_key_file", "tracing",
}  # fmt: skip


def whole(name: str) -> dict[str, Any]:
    """A service; the proxy as Caddy."""
    return {**PROXIES["caddy"], **SERVICES[name]} if name == "proxy" else SERVICES[name]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_write_and_may_do_nothing(name: str) -> None:
    service = whole(name)
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "pid", "ipc", "devices", "userns_mode"} & set(service)
    assert all("docker.sock" not in str(volume) for volume in service.get("volumes", []))
    if name in AS_ROOT:
        assert service["cap_add"] == AS_ROOT[name]
    else:
        assert re.match(r"(?!0)\d+:", service["user"])
        assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_limits_and_an_end_to_its_log(name: str) -> None:
    service = whole(name)
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert float(service["deploy"]["resources"]["limits"]["cpus"]) <= 1, "an engine with one core refuses more"
    assert service["logging"]["driver"] == "json-file"
    assert {"max-size", "max-file"} == set(service["logging"]["options"])


@pytest.mark.parametrize("name", SERVICES)
def test_what_goes_on_is_watched_and_restarted_and_what_ends_is_not(name: str) -> None:
    service = whole(name)
    if name in ONE_SHOT:
        assert "restart" not in service
        assert "healthcheck" not in service
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}


def test_each_service_has_its_ways_and_no_other() -> None:
    found = {name: set(service.get("networks", [])) for name, service in SERVICES.items()}
    assert found == WAYS
    assert all(SERVICES[name]["network_mode"] == "none" for name, ways in WAYS.items() if not ways)


def test_only_the_proxy_and_the_courier_reach_the_world() -> None:
    closed = {name for name, network in FILE["networks"].items() if (network or {}).get("internal")}
    masked = {"desk"}
    assert FILE["networks"]["desk"]["driver_opts"]["com.docker.network.bridge.enable_ip_masquerade"] == "false"
    out = {name for name, ways in WAYS.items() if ways - closed - masked}
    assert out == {"proxy", "courier"}


def test_the_one_believed_address_is_the_proxy_s() -> None:
    address = SERVICES["proxy"]["networks"]["inside"]["ipv4_address"]
    for name in ("auth", "admin", "courier"):
        assert SERVICES[name]["environment"]["OSTIARY_TRUSTED_PROXIES"] == address
    lent = FILE["networks"]["inside"]["ipam"]["config"][0]["ip_range"]
    assert address.removesuffix(".2") + ".128/25" == lent, "no replica is given the proxy's address"


def test_only_the_proxy_is_published_and_pages_for_this_machine() -> None:
    for name, service in SERVICES.items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
    for proxy in PROXIES.values():
        ports = {port.partition("/")[0] for port in proxy["ports"]}
        assert {VARIABLE.search(port)[1] for port in ports} == {"OSTIARY_HTTP_PORT", "OSTIARY_HTTPS_PORT"}  # type: ignore[index]


@pytest.mark.parametrize("name", [*SERVICES, *PROXIES])
def test_no_variable_holds_a_secret(name: str) -> None:
    service = SERVICES.get(name) or PROXIES[name]
    for variable, value in (service.get("environment") or {}).items():
        if re.search(r"SECRET|PASSWORD|TOKEN|KEY(?!_DAYS)", variable):
            assert re.search(r"_FILE$", variable), variable
        assert not re.search(r"//[^/@\s]+:[^/@\s]+@", str(value or "")), variable
    # The address for mail may have a password in it: one short-lived service is told it, and makes it a file.
    told = "OSTIARY_SMTP_URL" in (service.get("environment") or {})
    assert told == (name == "secrets")


def test_each_reader_sees_its_own_secrets_only() -> None:
    seen = {
        name: {str(volume).split(":")[0] for volume in service.get("volumes", []) if str(volume).startswith("secrets-")}
        for name, service in SERVICES.items()
    }
    assert seen["auth"] == seen["courier"] == {"secrets-auth"}
    assert seen["admin"] == {"secrets-admin"}
    assert seen["migrate"] == {"secrets-migrate"}
    assert seen["postgres"] == {"secrets-postgres"}
    assert seen["operator"] == {"secrets-auth", "secrets-operator"}
    assert not seen["proxy"] | seen["mailbox"] | seen["example"] | seen["prometheus"]
    for name in set(SERVICES) - {"secrets", "keys"}:
        assert all(":ro" in str(volume) for volume in SERVICES[name].get("volumes", []) if "secrets-" in str(volume)), (
            name
        )


@pytest.mark.parametrize("name", [*SERVICES, *PROXIES])
def test_images_are_ours_or_public_and_pinned(name: str) -> None:
    service = SERVICES.get(name) or PROXIES[name]
    if name != "proxy":
        assert IMAGES.fullmatch(service["image"])


def test_everything_waits_for_the_secrets_and_the_tables() -> None:
    done = "service_completed_successfully"
    for name in ("proxy", "auth", "admin", "courier"):
        waits = {other: how["condition"] for other, how in SERVICES[name]["depends_on"].items()}
        assert waits == {"secrets": done, "migrate": done}


def test_env_example_has_every_variable_and_no_other() -> None:
    asked = {
        name
        for path in (ROOT / "docker-compose.yml", *(ROOT / "deploy/docker/proxy").iterdir())
        for name in VARIABLE.findall(path.read_text())
    } | {"COMPOSE_PROFILES"}
    shown = set(
        re.findall(r"^#?((?:OSTIARY|COMPOSE)_[A-Z0-9_]+)=", (ROOT / "deploy/env.example").read_text(), re.MULTILINE)
    )
    assert shown == asked


def test_every_setting_is_passed_on_or_fixed() -> None:
    passed = {name.removeprefix("OSTIARY_").lower() for name in VARIABLE.findall(TEXT)}
    known = set(AuthSettings.model_fields) | set(AdminSettings.model_fields)
    assert known - passed == FIXED


def test_the_copies_of_what_strips_are_the_same() -> None:
    """One list of what nobody outside may say, in each proxy's language, whether it runs in a container or not."""
    shipped, composed = (
        (ROOT / place).read_text() for place in ("deploy/proxy/Caddyfile", "deploy/docker/caddy/Caddyfile")
    )
    strip = re.compile(r"^\(ostiary_strip\) \{.*?^\}", re.MULTILINE | re.DOTALL)
    assert strip.findall(shipped) == strip.findall(composed) != []
    cookies = re.compile(r"^\trequest_header (?:Cookie|@ours).*|^\t@ours .*", re.MULTILINE)
    assert cookies.findall(shipped) == cookies.findall(composed) != []

    shipped, composed = (
        (ROOT / place).read_text() for place in ("deploy/proxy/nginx.conf", "deploy/docker/nginx/nginx.conf")
    )
    maps = re.compile(r"^    map \$[a-z_0-9]+ \$ostiary_.*?^    \}", re.MULTILINE | re.DOTALL)
    assert maps.findall(shipped) == maps.findall(composed) != []
    site = (ROOT / "deploy/docker/nginx/site.conf").read_text()
    headers = re.compile(r"proxy_set_header [^;]+;|auth_request[^;]*;|error_page[^;]*;|return \d+[^;]*;")
    inner = shipped[shipped.index("# The protected site.") : shipped.index("# Ostiary itself.")]
    assert headers.findall(inner) == headers.findall(site) != []

    shipped, composed = (
        (ROOT / place).read_text() for place in ("deploy/proxy/traefik-sites.yml", "deploy/docker/traefik/ostiary.yml")
    )
    ours, theirs = (yaml.safe_load(text)["http"]["middlewares"] for text in (composed, shipped))
    assert {name: ours[name] for name in ("ostiary-strip", "ostiary-hide")} == {
        name: theirs[name] for name in ("ostiary-strip", "ostiary-hide")
    }
    assert (
        ours["ostiary-gate"]["forwardAuth"]["authResponseHeaders"]
        == theirs["ostiary-gate"]["forwardAuth"]["authResponseHeaders"]
    )
