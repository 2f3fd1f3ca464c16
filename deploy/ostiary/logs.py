"""Where log lines go: JSON, one line an event. `serve` writes to standard output, `up` to its data folder.

docs/operating/observe.md says which lines there are.
"""

import logging
import sys
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

import structlog
from structlog.types import Processor

from ostiary.scrubbing import scrubber

FILE = "ostiary.log"
OURS = "ostiary"
LIMIT = 5_000_000  # bytes; a longer log starts afresh
SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


def to_stdout(level: str, service: str, *, addresses: bool = False) -> None:
    """Everything of `level` and above, for whatever collects the output of processes.

    Each names the `service`. What nobody catches is a line, too. `addresses`: those of people may be in lines.
    """
    configure(level, as_json(logging.StreamHandler(sys.stdout), scrubber(service, addresses=addresses)))
    logging.captureWarnings(capture=True)
    sys.excepthook = _last_words
    threading.excepthook = lambda said: _last_words(
        said.exc_type, said.exc_value or said.exc_type(), said.exc_traceback
    )


def to_folder(home: Path) -> None:
    """Everything into DIR/ostiary.log; on the terminal only that something failed, and where to read on."""
    path = home / FILE
    if path.exists() and path.stat().st_size > LIMIT:
        path.replace(path.with_suffix(".log.1"))
    path.touch(mode=0o600)
    failures = logging.StreamHandler(sys.stderr)
    failures.setLevel(logging.ERROR)
    failures.setFormatter(_Brief(f"Something failed; {path} says what."))
    kept = RotatingFileHandler(path, maxBytes=LIMIT, backupCount=1, encoding="utf-8")
    configure("info", as_json(kept, scrubber("up")), failures)


class _Brief(logging.Formatter):
    """Always the one sentence, without values and without a traceback."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence

    def format(self, record: logging.LogRecord) -> str:  # noqa: ARG002
        return self.sentence


def as_json(handler: logging.Handler, scrub: Processor) -> logging.Handler:
    """Let a handler write one line of JSON an event; control characters and other scripts are escaped in it."""
    last: tuple[Processor, ...] = (
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        scrub,
        structlog.processors.JSONRenderer(),
    )
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=last, foreign_pre_chain=SHARED))
    return handler


def configure(level: str, *handlers: logging.Handler) -> None:
    """Our own events and those of the libraries take the same way; of the libraries' only what needs attention."""
    logging.basicConfig(level=logging.WARNING, handlers=handlers, force=True)
    logging.getLogger(OURS).setLevel(level.upper())
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        structlog.get_logger(OURS).critical("crash", exc_info=(kind, error, trace))
