"""Logging: one event a fact, on stderr, without secrets and without buyers' data.

The bridge's own events (structlog) and the libraries' messages (logging) go through the same
chain: levels, then a clean-up of everything that an event holds, then JSON lines or text.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, TextIO
from urllib.parse import quote, quote_plus

import structlog
from pydantic import SecretStr
from structlog.stdlib import ProcessorFormatter
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

HIDDEN = "***"
QUIET_LIBRARIES = frozenset({"sp_api", "httpx", "httpcore", "urllib3", "odoorpc"})
"""Below WARNING they print tokens, presigned URLs or whole orders: that is never let through."""

_LEAST_SECRET = 6
_DEEPEST = 8
_MOST_FRAMES = 20


def configure(
    level: str = "info",
    format: str | None = None,  # noqa: A002 (named as its key in the configuration)
    *,
    modules: Mapping[str, str] | None = None,
    stream: TextIO | None = None,
) -> None:
    """Sends all logging of the process to one stream; may be called again to change it.

    Args:
        level: The least level that is logged, such as ``info``.
        format: ``json`` or ``console``; by default ``console`` on a terminal, else ``json``.
        modules: Levels of single modules, by their Python name.
        stream: Where to write, by default stderr.
    """
    stream = stream or sys.stderr
    for_people = stream.isatty() if format is None else format == "console"
    _attach(_Handler(stream, modules or {}, for_people=for_people), level)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_crash
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_ABOUT,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def hide(secrets: Iterable[SecretStr]) -> None:
    """Hides these secrets, from now on, in everything that is logged.

    Secrets shorter than 6 characters are left out: they would hide innocent words.
    """
    _hidden.add(secret.get_secret_value() for secret in secrets)


_ABOUT: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


class _Handler(logging.StreamHandler[TextIO]):
    """Writes the events; knows the modules whose level it changed."""

    def __init__(self, stream: TextIO, modules: Mapping[str, str], *, for_people: bool) -> None:
        super().__init__(stream)
        self.modules = modules
        self.addFilter(_may_be_logged)
        self.setFormatter(
            ProcessorFormatter(
                foreign_pre_chain=_ABOUT,
                processors=[
                    ProcessorFormatter.remove_processors_meta,
                    *(_for_people(stream) if for_people else _for_machines()),
                ],
            )
        )

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's own name)
        """Replaces logging's own, which prints the event's values as they are."""
        lost = {"event": "log_event_lost", "level": "error", "logger": record.name}
        with suppress(OSError, ValueError):
            self.stream.write(json.dumps(lost) + "\n")


def _attach(handler: _Handler, level: str) -> None:
    root = logging.getLogger()
    for earlier in [each for each in root.handlers if isinstance(each, _Handler)]:
        root.removeHandler(earlier)
        for module in earlier.modules:
            logging.getLogger(module).setLevel(logging.NOTSET)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for module, its_level in handler.modules.items():
        logging.getLogger(module).setLevel(its_level.upper())


def _may_be_logged(record: logging.LogRecord) -> bool:
    # A filter, because python-amazon-sp-api 2.1.35 sets levels of its own.
    library = record.name.partition(".")[0]
    return record.levelno >= logging.WARNING or library not in QUIET_LIBRARIES


def _for_people(stream: TextIO) -> list[Processor]:
    renderer = structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
    )

    def render(logger: WrappedLogger, method: str, event: EventDict) -> str:
        return _hidden.cleaned(renderer(logger, method, event))

    return [structlog.processors.format_exc_info, _clean_event, render]


def _for_machines() -> list[Processor]:
    return [
        structlog.processors.ExceptionRenderer(_exceptions),
        _clean_event,
        structlog.processors.JSONRenderer(),
    ]


_as_dicts = ExceptionDictTransformer(show_locals=False, max_frames=_MOST_FRAMES)


def _exceptions(exc_info: ExcInfo) -> list[dict[str, Any]]:
    """The exception and those behind it, without what is empty."""
    return [{key: value for key, value in each.items() if value} for each in _as_dicts(exc_info)]


def _log_crash(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.get_logger(__name__).critical("crashed", exc_info=(kind, error, trace))


# What is taken out of an event

_TELLING_KEY = re.compile(
    r"passw|token|secret|authori[sz]ation|api_?-?key|cookie|signature|credential", re.IGNORECASE
)
_PATTERNS = [
    # Login with Amazon: tokens and client secrets
    (re.compile(r"Atz[ar]\|[^\s\"'&,}\\]+|amzn1\.oa2-cs\.[\w.-]+"), HIDDEN),
    # URLs: a login, and what follows the ?, such as a presigned URL's signature
    (re.compile(r"(?<=://)[^/\s@]{1,200}@"), f"{HIDDEN}@"),
    (re.compile(r"(https?://[^\s?\"'<>]{1,2000})\?[^\s\"'<>]+"), rf"\1?{HIDDEN}"),
    # password=..., "access_token": "...", Bearer ...
    (
        re.compile(
            rf"((?:{_TELLING_KEY.pattern})[\w-]{{0,40}}(?:=|[\"']\s?:\s?))"
            r"(?:\"[^\"]*\"|'[^']*'|[^\s\"',;&}]+)",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b(bearer|basic) [\w+/=.~|-]{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    # E-mail addresses; not the host of a URL whose login is hidden already
    (
        re.compile(r"[^\s@<>()\"\\,:;\[\]]{1,64}(?<!\*{3})@[\w-]{1,64}(?:\.[\w-]{1,64})+"),
        HIDDEN,
    ),
]


class _Hidden:
    """The secrets that must not come out, in every spelling that an event may give them."""

    def __init__(self) -> None:
        self._spellings: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, secrets: Iterable[str]) -> None:
        known = (secret for secret in secrets if len(secret) >= _LEAST_SECRET)
        self._spellings |= {spelling for secret in known for spelling in _spellings(secret)}
        longest_first = sorted(self._spellings, key=len, reverse=True)
        self._pattern = (
            re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
        )

    def cleaned(self, text: str) -> str:
        if self._pattern:
            text = self._pattern.sub(HIDDEN, text)
        return text


_hidden = _Hidden()


def _spellings(secret: str) -> set[str]:
    """The secret itself, and as a ``repr``, JSON and a URL spell it."""
    return {
        secret,
        repr(secret)[1:-1],
        repr(f'"{secret}')[2:-1],
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret, safe="", errors="replace"),
        quote_plus(secret, errors="replace"),
    }


def _clean_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {_clean_text(str(key)): _clean(value, str(key)) for key, value in event.items()}


def _clean(value: Any, key: str = "", depth: int = 0) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if _TELLING_KEY.search(key):
        return HIDDEN
    if depth < _DEEPEST and isinstance(value, Mapping):
        items = ((_text(name), below) for name, below in value.items())
        return {_clean_text(name): _clean(below, name, depth + 1) for name, below in items}
    if depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [_clean(each, key, depth + 1) for each in value]
    text = _text(value)
    cleaned = _clean_text(text)
    return value if isinstance(value, int | float) and cleaned == text else cleaned


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 (an object that can't be written must not stop the log)
        return f"<{type(value).__name__}>"


def _clean_text(text: str) -> str:
    text = _hidden.cleaned(text)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
