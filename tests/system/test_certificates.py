"""`./ostiary certificates`: a CA once, certificates that are renewed in time, and nothing touched that is well."""

import json
import ssl
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509

from ostiary import authority
from ostiary.certificates import certificates
from ostiary_shared import clock


def made(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(certificates, [str(folder), *words])


def done(folder: Path, *words: str) -> dict[str, str]:
    """What was done about each certificate."""
    result = made(folder, *words, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    return {"ca": found["ca"]["done"], **{leaf["name"]: leaf["done"] for leaf in found["certificates"]}}


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_the_first_time_makes_all_and_the_second_leaves_all_alone(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    assert done(folder) == {"ca": "made", "auth": "made", "admin": "made", "postgres": "made"}
    before = contents(folder)
    assert sorted(before) == sorted(f"{n}.{end}" for n in ("ca", "auth", "admin", "postgres") for end in ("pem", "key"))
    assert done(folder) == {"ca": "kept", "auth": "kept", "admin": "kept", "postgres": "kept"}
    assert contents(folder) == before
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in before if name.endswith(".key")} == {0o600}


def test_what_is_made_is_what_strict_verifiers_ask_for(tmp_path: Path) -> None:
    done(tmp_path, "--for", "auth=auth,::1,*.auth.internal")
    ca = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    ca.verify_flags |= ssl.VERIFY_X509_STRICT
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(tmp_path / "auth.pem", tmp_path / "auth.key")
    for host in ("auth", "::1", "a.auth.internal"):
        agreed(ca, server, host)
    with pytest.raises(ssl.SSLCertVerificationError):
        agreed(ca, server, "localhost")


def agreed(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> None:
    """Shake hands in memory."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(down, up, server_hostname=host)
    theirs = server.wrap_bio(up, down, server_side=True)
    for _ in range(4):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert ours.getpeercert()


def test_what_ends_soon_is_renewed_for_the_same_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done(tmp_path, "--for", "auth=auth,auth.internal", "--for", "grafana=grafana")
    before = contents(tmp_path)
    for name in ("auth", "grafana"):
        _end_in_days(tmp_path, name, 29, monkeypatch)
    assert done(tmp_path) == {
        "ca": "kept", "auth": "renewed", "admin": "kept", "postgres": "kept", "grafana": "renewed",
    }  # fmt: skip
    assert contents(tmp_path)["admin.pem"] == before["admin.pem"]
    names = x509.load_pem_x509_certificate((tmp_path / "auth.pem").read_bytes()).extensions
    assert names.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName) == [
        "auth",
        "auth.internal",
    ]


def _end_in_days(folder: Path, name: str, days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as once:
        once.setattr(authority, "LEAF_DAYS", days)
        (folder / f"{name}.key").unlink()
        leaf = authority.settled(authority.opened(folder), name, ())
    assert leaf.ends - clock.now() < timedelta(days=days)


def test_other_hosts_make_it_anew_and_a_strangers_is_left_alone(tmp_path: Path) -> None:
    done(tmp_path)
    assert done(tmp_path, "--for", "auth=auth.internal,127.0.0.1")["auth"] == "renewed"
    assert done(tmp_path, "--for", "auth=127.0.0.1,Auth.Internal")["auth"] == "kept"
    other = authority.opened(tmp_path / "other")
    authority.settled(other, "bought", ["login.example.org"])
    bought = (tmp_path / "other/bought.pem").read_bytes()
    (tmp_path / "bought.pem").write_bytes(bought)
    assert done(tmp_path, "--for", "bought=elsewhere")["bought"] == "not ours"
    assert (tmp_path / "bought.pem").read_bytes() == bought


def test_the_cas_key_is_needed_only_to_sign(tmp_path: Path) -> None:
    done(tmp_path)
    (tmp_path / "ca.key").rename(tmp_path / "elsewhere")
    assert done(tmp_path)["auth"] == "kept"
    result = made(tmp_path, "--for", "new=new")
    assert result.exit_code == 2
    assert "ca.key is needed to sign new; put it back" in result.output


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (lambda folder: (folder / "ca.pem").unlink(), "ca.key is there without"),
        (lambda folder: (folder / "ca.key").write_text("no"), "put the right one back"),
        (lambda folder: (folder / "auth.pem").write_text("no"), "auth.pem is no certificate in PEM"),
    ],
)
def test_a_broken_folder_is_told_and_left_as_it_is(break_it: object, told: str, tmp_path: Path) -> None:
    done(tmp_path)
    break_it(tmp_path)  # type: ignore[operator]
    before = contents(tmp_path)
    result = made(tmp_path)
    assert result.exit_code == 2
    assert told in result.output
    assert contents(tmp_path) == before


@pytest.mark.parametrize("word", ["auth", "auth=", "=auth", "ca=ca", "../x=x", "auth=a b", "auth=-", "Auth=auth"])
def test_what_cannot_be_a_name_or_a_host_is_refused(word: str, tmp_path: Path) -> None:
    result = made(tmp_path / "tls", "--for", word)
    assert result.exit_code == 2
    assert "write NAME=HOST,HOST" in result.output
    assert not (tmp_path / "tls").exists()


def test_a_ca_that_ends_soon_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authority, "CA_DAYS", 20)
    result = made(tmp_path)
    assert result.exit_code == 1
    assert "the CA itself ends soon" in result.output
