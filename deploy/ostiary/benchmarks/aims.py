"""The figures that the design promises, as ratios between rows of the same rounds."""

from collections.abc import Iterator, Mapping, Sequence

from ostiary.benchmarks.figures import Finding, Row
from ostiary.benchmarks.terms import REFERENCE

# Row: its share of nginx (or of the row it is compared with) that must be reached.
SHARES = {"gate-fast": 0.60, "gate-asgi": 0.40, "garbage": 0.30, "page-protected": 0.45}
COST = 2.0  # times nginx's processor time
TIMES = {"gate-fast": 50.0, "miss-fast": 10.0}  # times the best peer


def of(rows: Sequence[Row]) -> Iterator[Finding]:
    """What the rows say about each aim that they can speak of."""
    known = {row.name: row for row in rows}
    for name, least in SHARES.items():
        if row := known.get(name):
            yield Finding(
                f"{name}/{row.against}", f"{row.says}: share of {row.against}", row.ratio, "×", at_least=least
            )
    hit, nginx = known.get("gate-fast"), known.get(REFERENCE)
    if hit and nginx and nginx.cpu_us:
        share = hit.cpu_us / nginx.cpu_us
        yield Finding("gate-fast-cost", "processor time of a hit: times nginx's", share, "×", at_most=COST)
    yield from _peers(known)


def _peers(known: Mapping[str, Row]) -> Iterator[Finding]:
    peers = [row for name, row in known.items() if name.startswith("peer-") and row.ratio]
    if not peers:
        return
    best = max(peers, key=lambda row: row.ratio)  # each as a share of nginx in the same round
    for name, least in TIMES.items():
        if row := known.get(name):
            times = row.ratio / best.ratio
            yield Finding(f"{name}/best-peer", f"{row.says}: times {best.name}", times, "×", at_least=least)
