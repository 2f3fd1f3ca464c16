"""The list of parts (SBOM) in CycloneDX's JSON: our wheels, and every package of the lock with its hashes."""

import re
import zipfile
from collections.abc import Iterable
from email import message_from_bytes
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from ostiary_release import lock, sums
from ostiary_release.wheels import Commit


def write(commit: Commit, locked: str, folder: Path) -> None:
    """Write `ostiary-VERSION.cdx.json` beside the wheels."""
    pins = lock.read(locked)
    wheels = [(_of_wheel(path), _asked_for(path)) for path in sorted(folder.glob("*.whl"))]
    others = [(_of_pin(pin), set(pin.asked_by)) for pin in pins]
    release = next(made for made, _ in wheels if made.name == "ostiary")
    whole = Component(name="Ostiary", version=release.version, type=ComponentType.APPLICATION, bom_ref="release")
    number = uuid5(NAMESPACE_URL, f"ostiary:{commit.name}")
    about = BomMetaData(component=whole, timestamp=commit.made_at, properties=[_property("commit", commit.name)])
    bom = Bom(serial_number=number, metadata=about, components=[made for made, _ in (*wheels, *others)])
    bom.register_dependency(whole, [made for made, _ in wheels])
    for made, asked in wheels:
        bom.register_dependency(made, [other for other, _ in (*wheels, *others) if other.name in asked])
    for made, _ in others:
        bom.register_dependency(made, [other for other, asked_by in others if made.name in asked_by])
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)
    (folder / f"ostiary-{release.version}.cdx.json").write_text(text + "\n")


def _of_wheel(path: Path) -> Component:
    name, version = path.name.split("-")[:2]
    return _component(name.replace("_", "-"), version, [sums.sha256(path)], [])


def _of_pin(pin: lock.Pin) -> Component:
    # One hash for each file that the lock lets in: for the systems there are, and the source.
    return _component(pin.name, pin.version, pin.hashes, [_property("when", pin.condition)] if pin.condition else [])


def _component(name: str, version: str, hashes: Iterable[str], properties: list[Property]) -> Component:
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{name}=={version}",
        purl=PackageURL("pypi", name=name, version=version),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in hashes],
        properties=properties,
    )


def _property(name: str, value: str) -> Property:
    return Property(name=f"ostiary:{name}", value=value)


def _asked_for(wheel: Path) -> set[str]:
    """The names in a wheel's list of dependencies."""
    with zipfile.ZipFile(wheel) as archive:
        [metadata] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        lines = message_from_bytes(archive.read(metadata)).get_all("Requires-Dist", [])
    return {re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", line)[0]).lower() for line in lines}
