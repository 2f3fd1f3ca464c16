"""Encryption and sign-in at the SMTP server, with real certificates: no password and no link in the clear."""

import ssl
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ostiary_auth.settings import AuthSettings
from ostiary_shared import clock
from ostiary_shared.database import Sessions
from tests.auth.mail.post_office import Server, at, carrying, listening, recovery, row, settled, until


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "smtp.example.test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(hours=1))
        .not_valid_after(clock.now() + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(key.private_bytes(*form) + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    """The server's side of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate's signer is known to this machine."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


def _login(_server: object, _session: object, _envelope: object, _mechanism: str, data: object) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=data == LoginPassword(b"ada", b"right p/w"), handled=False)


async def _reply(sessions: Sessions, settings: AuthSettings, words: str) -> None:
    mail = await recovery(sessions)

    async def said() -> bool:
        return words in (await row(sessions, mail)).last_reply

    async with carrying(settings):
        await until(said)


@pytest.mark.usefixtures("trusted")
async def test_required_starttls_encrypts(sessions: Sessions, auth_settings: AuthSettings, tls: ssl.SSLContext) -> None:
    async with (
        listening(Server(), tls_context=tls, require_starttls=True) as server,
        carrying(at(auth_settings, server.port, "?starttls=required")),
    ):
        await settled(sessions, await recovery(sessions))
    assert server.encrypted == [True]


async def test_required_starttls_sends_nothing_when_the_offer_is_missing(
    sessions: Sessions, auth_settings: AuthSettings, smtp: Server
) -> None:
    await _reply(sessions, at(auth_settings, smtp.port, "?starttls=required"), "STARTTLS")
    assert smtp.got == []


async def test_required_starttls_sends_nothing_to_a_stranger(
    sessions: Sessions, auth_settings: AuthSettings, tls: ssl.SSLContext
) -> None:
    async with listening(Server(), tls_context=tls) as server:
        await _reply(sessions, at(auth_settings, server.port, "?starttls=required"), "ertificate")
    assert server.got == []


async def test_starttls_is_used_when_offered(
    sessions: Sessions, auth_settings: AuthSettings, tls: ssl.SSLContext
) -> None:
    async with (
        listening(Server(), tls_context=tls) as server,
        carrying(at(auth_settings, server.port, "?starttls=auto")),
    ):
        await settled(sessions, await recovery(sessions))
    assert server.encrypted == [True]


@pytest.mark.usefixtures("trusted")
async def test_a_password_is_given_after_starttls(
    sessions: Sessions, auth_settings: AuthSettings, tls: ssl.SSLContext
) -> None:
    async with (
        listening(Server(), tls_context=tls, authenticator=_login, auth_required=True) as server,
        carrying(at(auth_settings, server.port, who="ada:right%20p%2Fw@")),
    ):
        await settled(sessions, await recovery(sessions))
    assert server.encrypted == [True]


@pytest.mark.usefixtures("trusted")
async def test_a_wrong_password_is_our_fault_and_the_mail_waits(
    sessions: Sessions, auth_settings: AuthSettings, tls: ssl.SSLContext
) -> None:
    async with listening(Server(), tls_context=tls, authenticator=_login, auth_required=True) as server:
        await _reply(sessions, at(auth_settings, server.port, who="ada:wrong@"), "535")
        async with carrying(at(auth_settings, server.port, who="ada:right%20p%2Fw@")):
            await until(lambda: len(server.got) == 1)


async def test_a_password_is_never_given_in_the_clear(sessions: Sessions, auth_settings: AuthSettings) -> None:
    async with listening(Server(), authenticator=_login, auth_require_tls=False) as server:
        await _reply(sessions, at(auth_settings, server.port, who="ada:right%20p%2Fw@"), "STARTTLS")
    assert server.got == []


@pytest.mark.usefixtures("trusted")
async def test_smtps_is_encrypted_from_the_start(
    sessions: Sessions, auth_settings: AuthSettings, tls: ssl.SSLContext
) -> None:
    async with listening(Server(), ssl_context=tls) as server, carrying(at(auth_settings, server.port, scheme="smtps")):
        await settled(sessions, await recovery(sessions))
    assert server.to() == ["ada@example.org"]
