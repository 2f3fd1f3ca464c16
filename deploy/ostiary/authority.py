"""A small certificate authority in a folder, for the links between our own processes. Browsers never meet it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ostiary.faults import Refusal
from ostiary_shared import clock

CA_DAYS, LEAF_DAYS = 3650, 365
RENEWED_BEFORE = timedelta(days=30)
SKEW = timedelta(minutes=10)
MADE, RENEWED, KEPT, FOREIGN = "made", "renewed", "kept", "not ours"

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate of the folder, and what has just been done about it."""

    name: str
    file: Path
    hosts: tuple[str, ...]
    ends: datetime
    done: str


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs. The key may be kept elsewhere while nothing is to be signed."""

    folder: Path
    certificate: x509.Certificate
    key: Key | None
    done: str


def opened(folder: Path) -> Authority:
    """The folder's authority, made if there is none yet. Raises Refusal for files that are not what they should be."""
    file, key_file = folder / "ca.pem", folder / "ca.key"
    if not file.exists():
        if key_file.exists():
            raise Refusal(f"{key_file} is there without {file}; put the certificate back, or choose another folder.")
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        made = _ca(key)
        _write(folder, "ca", key, made)
        return Authority(folder, made, key, MADE)
    return Authority(folder, _read(file), _read_key(key_file) if key_file.exists() else None, KEPT)


def settled(ours: Authority, name: str, hosts: Sequence[str]) -> Certificate:
    """The certificate `name`: kept if it lasts and is for these hosts (none: those that it is for), else made anew."""
    file = ours.folder / f"{name}.pem"
    if not file.exists():
        return _issue(ours, name, tuple(hosts), MADE)
    found = _read(file)
    named, ends = _hosts(found), found.not_valid_after_utc
    if not _signed(ours, found):
        return Certificate(name, file, named, ends, FOREIGN)
    lasts = ends - clock.now() > RENEWED_BEFORE and (ours.folder / f"{name}.key").exists()
    if lasts and set(hosts or named) == set(named):
        return Certificate(name, file, named, ends, KEPT)
    return _issue(ours, name, tuple(hosts) or named, RENEWED)


def names_in(folder: Path) -> list[str]:
    """The names of all certificates in the folder but the authority's."""
    return sorted(file.stem for file in folder.glob("*.pem") if file.stem != "ca")


def _issue(ours: Authority, name: str, hosts: tuple[str, ...], done: str) -> Certificate:
    if ours.key is None:
        raise Refusal(f"{ours.folder / 'ca.key'} is needed to sign {name}; put it back from where you keep it.")
    key = ec.generate_private_key(ec.SECP256R1())
    ends = min(clock.now() + timedelta(days=LEAF_DAYS), ours.certificate.not_valid_after_utc)
    usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    issuer = ours.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    made = (
        _begun(name, key, ends)
        .issuer_name(ours.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(usages, critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
        .sign(ours.key, hashes.SHA256())
    )
    return Certificate(name, _write(ours.folder, name, key, made), hosts, made.not_valid_after_utc, done)


def _ca(key: Key) -> x509.Certificate:
    name = f"Ostiary {clock.now():%Y-%m-%d}"
    return (
        _begun(name, key, clock.now() + timedelta(days=CA_DAYS))
        .issuer_name(_name(name))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _begun(common_name: str, key: Key, ends: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - SKEW)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _hosts(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in names)


def _signed(ours: Authority, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(ours.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _read(file: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except ValueError:
        raise Refusal(f"{file} is no certificate in PEM; move it away, or choose another folder.") from None


def _read_key(file: Path) -> Key:
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Key):
        raise Refusal(f"{file} is no key that ./ostiary certificates has made; put the right one back.")
    return key


def _write(folder: Path, name: str, key: Key, certificate: x509.Certificate) -> Path:
    """Key and certificate, each whole at any moment. Only its owner reads the key."""
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _replace(folder / f"{name}.key", key.private_bytes(*form), 0o600)
    _replace(folder / f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    return folder / f"{name}.pem"


def _replace(file: Path, content: bytes, mode: int) -> None:
    beside = file.with_name(f".{file.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as opened_file:
        os.fchmod(opened_file.fileno(), mode)  # whatever the umask
        opened_file.write(content)
    if file.exists():  # it stays its owner's: PostgreSQL reads no key of anybody else's
        state = file.stat()
        if (state.st_uid, state.st_gid) != (os.geteuid(), os.getegid()):
            os.chown(beside, state.st_uid, state.st_gid)
    beside.replace(file)
