"""Where log lines go: JSON, one line an event. `serve` writes to standard output, `up` to its data folder."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog
from structlog.types import Processor

FILE = "ostiary.log"
OURS = "ostiary"
LIMIT = 5_000_000  # bytes; a longer log starts afresh
SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


def to_stdout(level: str) -> None:
    """Everything of `level` and above, for whatever collects the output of processes."""
    _configure(level, [_as_json(logging.StreamHandler(sys.stdout))])


def to_folder(home: Path) -> None:
    """Everything into DIR/ostiary.log; on the terminal only that something failed, and where to read on."""
    path = home / FILE
    if path.exists() and path.stat().st_size > LIMIT:
        path.replace(path.with_suffix(".log.1"))
    path.touch(mode=0o600)
    failures = logging.StreamHandler(sys.stderr)
    failures.setLevel(logging.ERROR)
    failures.setFormatter(_Brief(f"Something failed; {path} says what."))
    _configure("info", [_as_json(logging.FileHandler(path, encoding="utf-8")), failures])


class _Brief(logging.Formatter):
    """Always the one sentence, without values and without a traceback."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence

    def format(self, record: logging.LogRecord) -> str:  # noqa: ARG002
        return self.sentence


def _as_json(handler: logging.Handler) -> logging.Handler:
    last: tuple[Processor, ...] = (
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.JSONRenderer(),
    )
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=last, foreign_pre_chain=SHARED))
    return handler


def _configure(level: str, handlers: Sequence[logging.Handler]) -> None:
    """Our own events and those of the libraries take the same way; of the libraries' only what needs attention."""
    logging.basicConfig(level=logging.WARNING, handlers=handlers, force=True)
    logging.getLogger(OURS).setLevel(level.upper())
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
