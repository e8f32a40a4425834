"""How events look, at which level, and what never comes out."""

import io
import json
import logging
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import structlog
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import SecretStr
from sp_api.base import client as sp_api_client

from amazon_bridge import log

LEVELS = ["debug", "info", "warning", "error", "critical"]


@pytest.fixture(autouse=True)
def _fresh(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(log, "_hidden", log._Hidden())
    hook = sys.excepthook
    yield
    log.configure("critical", "json", stream=io.StringIO())
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    sys.excepthook = hook


class Log:
    """The log, written to memory."""

    def __init__(self, level: str = "debug", style: str | None = "json", **more: Any) -> None:
        self.stream = io.StringIO()
        log.configure(level, style, stream=self.stream, **more)
        self.logger = structlog.get_logger("amazon_bridge.test")

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def names(self) -> list[str]:
        return [event["event"] for event in self.events]


def strings(value: object) -> Iterator[str]:
    """All strings in a JSON value, keys included."""
    match value:
        case dict():
            for key, below in value.items():
                yield from (key, *strings(below))
        case list():
            for each in value:
                yield from strings(each)
        case _:
            yield str(value)


@dataclass
class Thing:
    value: object


AWKWARD = "ä b'c\\d/\x1be"


class TestForm:
    def test_an_event_is_one_json_object_a_line(self):
        written = Log()
        before = datetime.now(UTC)
        written.logger.info("order_imported", order_id="402-1", lines=2, total=Decimal("12.30"))
        [event] = written.events
        assert before <= datetime.fromisoformat(event.pop("timestamp")) <= datetime.now(UTC)
        assert event == {
            "event": "order_imported",
            "level": "info",
            "logger": "amazon_bridge.test",
            "order_id": "402-1",
            "lines": 2,
            "total": "12.30",
        }

    def test_for_people_it_is_a_line_of_text(self):
        written = Log(style="console")
        written.logger.info("order_imported", order_id="402-1")
        [line] = written.text.splitlines()
        assert "info" in line
        assert "order_imported" in line
        assert "order_id=402-1" in line

    def test_json_is_the_default_where_there_is_no_terminal(self):
        written = Log(style=None)
        written.logger.info("started")
        assert written.names == ["started"]

    def test_text_is_the_default_on_a_terminal(self):
        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        stream = Terminal()
        log.configure(stream=stream)
        structlog.get_logger("x").info("started")
        assert "started" in stream.getvalue()
        assert not stream.getvalue().startswith("{")

    def test_libraries_speak_through_it_too(self):
        written = Log()
        logging.getLogger("apscheduler").info("Added job %s", "orders")
        warnings.warn("old call", DeprecationWarning, stacklevel=1)
        assert written.events[0]["event"] == "Added job orders"
        assert written.events[0]["logger"] == "apscheduler"
        assert "old call" in written.events[1]["event"]

    def test_what_is_bound_to_the_context_is_in_every_event(self):
        written = Log()
        with structlog.contextvars.bound_contextvars(account="acme"):
            written.logger.info("a")
            logging.getLogger("library").info("b")
        assert [event["account"] for event in written.events] == ["acme", "acme"]

    def test_a_message_that_can_not_be_written_is_counted_and_not_shown(self, capsys):
        written = Log()
        [handler] = [each for each in logging.root.handlers if isinstance(each, log._Handler)]
        fields = {"name": "library", "msg": "%d orders", "args": ("of Jane",), "levelname": "INFO"}
        handler.handle(logging.makeLogRecord(fields | {"levelno": logging.INFO}))
        assert written.events == [
            {"event": "log_event_lost", "level": "error", "logger": "library"}
        ]
        assert capsys.readouterr().err == ""

    def test_an_object_that_can_not_be_written_does_not_stop_it(self):
        class Silent:
            def __str__(self) -> str:
                raise RuntimeError

        written = Log()
        written.logger.info("a", value=Silent())
        assert written.events[0]["value"] == "<Silent>"

    def test_a_value_that_holds_itself_does_not_stop_it(self):
        endless: list[object] = []
        endless.append(endless)
        written = Log()
        written.logger.info("a", value=endless)
        assert written.names == ["a"]


class TestLevels:
    @pytest.mark.parametrize("level", LEVELS)
    def test_only_this_level_and_above(self, level):
        written = Log(level)
        for each in LEVELS:
            getattr(written.logger, each)(each)
            logging.getLogger("library").log(getattr(logging, each.upper()), each)
        expected = LEVELS[LEVELS.index(level) :]
        assert written.names == [name for name in expected for _ in range(2)]

    def test_of_single_modules(self):
        written = Log("warning", modules={"amazon_bridge.odoo": "debug", "library": "error"})
        structlog.get_logger("amazon_bridge.odoo.session").debug("a")
        structlog.get_logger("amazon_bridge.flows").info("b")
        logging.getLogger("library.part").warning("c")
        assert written.names == ["a"]

    def test_can_be_changed(self):
        first = Log("debug", modules={"amazon_bridge.odoo": "debug"})
        second = Log("warning")
        structlog.get_logger("amazon_bridge.odoo").info("a")
        structlog.get_logger("amazon_bridge.odoo").warning("b")
        assert first.names == []
        assert second.names == ["b"]

    @pytest.mark.parametrize("library", sorted(log.QUIET_LIBRARIES))
    def test_talkative_libraries_are_never_heard_below_warning(self, library):
        written = Log("debug", modules={library: "debug", f"{library}.part": "debug"})
        for name in (library, f"{library}.part"):
            logging.getLogger(name).debug("a")
            logging.getLogger(name).info("b")
            logging.getLogger(name).warning("c")
        assert written.names == ["c", "c"]

    def test_python_amazon_sp_api_sets_its_own_level_in_vain(self, monkeypatch: pytest.MonkeyPatch):
        # As the library does when it is imported; another test may have silenced it since.
        monkeypatch.setattr(sp_api_client.log, "level", logging.INFO)
        written = Log("debug")
        sp_api_client.log.info("request with personal data")
        assert written.names == []


class TestExceptions:
    def raised(self, written: Log) -> None:
        local = "a local variable's value"
        try:
            try:
                _ = {}[len(local)]
            except KeyError as error:
                raise ValueError("no such order") from error
        except ValueError:
            written.logger.exception("failed")

    def test_are_a_short_list_in_json(self):
        written = Log()
        self.raised(written)
        outer, inner = written.events[0]["exception"]
        assert (outer["exc_type"], outer["exc_value"]) == ("ValueError", "no such order")
        assert (inner["exc_type"], inner["is_cause"]) == ("KeyError", True)
        assert outer["frames"][0]["name"] == "raised"
        assert "local variable" not in written.text

    def test_are_text_for_people(self):
        written = Log(style="console")
        self.raised(written)
        assert "ValueError: no such order" in written.text
        assert "The above exception was the direct cause" in written.text
        assert "a local variable's value" not in written.text

    def test_that_nobody_caught_are_logged(self):
        written = Log()
        log.hide([SecretStr("hunter22")])
        error = ValueError("hunter22")
        sys.excepthook(ValueError, error, None)
        assert written.names == ["crashed"]
        assert "hunter22" not in written.text


class TestCleaning:
    @pytest.mark.parametrize(
        "key",
        [
            *("password", "Passwd", "client_secret", "refresh_token", "Authorization"),
            *("x-amz-access-token", "api_key", "cookie", "credentials"),
        ],
    )
    def test_values_of_telling_keys(self, key):
        written = Log()
        written.logger.info("a", **{key: 12345}, nested=[{key: ["xyz", {"below": "xyz"}]}])
        [event] = written.events
        assert event[key] == "***"
        assert "xyz" not in written.text

    @pytest.mark.parametrize(
        ("text", "cleaned"),
        [
            ("from jane.o'doe+x@mail.example.com to b@example.com", "from *** to ***"),
            ("got Atza|IwEBIA-x/y_z and Atzr|Abc", "got *** and ***"),
            ("secret amzn1.oa2-cs.v1.0a1b", "secret ***"),
            (
                "PUT https://s3.example.com/a/b?X-Amz-Signature=1&x=2 ok",
                "PUT https://s3.example.com/a/b?*** ok",
            ),
            ("http://me:pass@proxy:3128/", "http://***@proxy:3128/"),
            ("postgresql://me@db.example.com:5432/db", "postgresql://***@db.example.com:5432/db"),
            ("password=abc&x=1", "password=***&x=1"),
            ('{"access_token": "a b", "x": 1}', '{"access_token": ***, "x": 1}'),
            ("{'client_secret': 'a b'}", "{'client_secret': ***}"),
            ("Authorization: Bearer abcdef.123456", "Authorization: Bearer ***"),
            ("odoo.password: must not be empty", "odoo.password: must not be empty"),
            ("402-1234567-1234567 of acme-eu: 3 lines", "402-1234567-1234567 of acme-eu: 3 lines"),
        ],
    )
    def test_revealing_text_anywhere(self, text, cleaned):
        written = Log()
        written.logger.info("a", value=text, below={"list": [text]})
        logging.getLogger("library").warning("%s", text)
        written.logger.error("b", exc_info=ValueError(text))
        own, library, failed = written.events
        assert own["value"] == cleaned
        assert own["below"]["list"] == [cleaned]
        assert library["event"] == cleaned
        assert failed["exception"][0]["exc_value"] == cleaned

    def test_long_text_takes_no_time(self):
        written = Log()
        begun = time.process_time()
        for part in ("a", "token", "@", "https://", "bearer ", "a.", "a@"):
            written.logger.info("a", value=part * (100_000 // len(part)))
        assert time.process_time() - begun < 20  # a pattern gone wild takes hours

    @pytest.mark.parametrize(
        ("value", "cleaned"),
        [
            (Thing(AWKWARD), 'Thing(value="***")'),
            (Thing(f'it"s {AWKWARD}'), "Thing(value='it\"s ***')"),
            (Thing("it's so"), 'Thing(value="it\'s so")'),
            (json.dumps({"a": AWKWARD}), '{"a": "***"}'),
            (json.dumps({"a": AWKWARD}, ensure_ascii=False), '{"a": "***"}'),
            (f"https://host/{quote(AWKWARD, safe='')}/x", "https://host/***/x"),
            (f"a={quote_plus(AWKWARD)}", "a=***"),
        ],
    )
    def test_secrets_in_all_their_spellings(self, value, cleaned):
        written = Log()
        log.hide([SecretStr(AWKWARD)])
        written.logger.info("a", value=value)
        assert written.events[0]["value"] == cleaned

    def test_short_secrets_do_not_hide_innocent_words(self):
        written = Log()
        log.hide([SecretStr("order")])
        written.logger.info("order_imported")
        assert written.names == ["order_imported"]


class Unprintable(Exception):
    def __str__(self) -> str:
        return f"Unprintable({self.args!r})"


SECRETS = st.text(min_size=6, max_size=30).filter(lambda text: "*" not in text)


def hidden(secret: str) -> str:
    """Registers the secret. A stretch of an event's constant text is none."""
    constant = '2026-11-23T00:00:00.000000Z [critical ] amazon_bridge.test {"value": \\n Traceback'
    assume(secret not in constant)
    log._hidden = log._Hidden()
    log.hide([SecretStr(secret)])
    return secret


@given(secret=SECRETS, around=st.text(max_size=10), level=st.sampled_from(LEVELS), data=st.data())
@pytest.mark.parametrize("style", ["json", "console"])
def test_no_secret_ever_comes_out(style, secret, around, level, data):
    hidden(secret)
    text = data.draw(st.sampled_from([secret, f"{around}{secret}", f"{secret}{around}"]))
    value = data.draw(
        st.sampled_from(
            [
                *(text, text.encode(), [text], {text: 1}, {"a": [{"b": (text,)}]}, {text}),
                *(Thing(text), [Thing([text])], ValueError(text), {"a": KeyError(text)}),
                *(f"https://host/path/{quote(secret)}", f"{text!r}", json.dumps(text)),
            ]
        )
    )
    written = Log(level, style)
    say(written, level, value, text)
    assert written.text
    shown = list(strings(written.events)) if style == "json" else [written.text]
    assert not [each for each in shown if secret in each]


def say(written: Log, level: str, value: object, text: str) -> None:
    """Logs the value in all the ways there are."""
    library = logging.getLogger("library")
    number = getattr(logging, level.upper())
    getattr(written.logger, level)("event", value=value, **{text: value})
    getattr(written.logger, level)(text)
    library.log(number, "got %s and %r", value, text)
    logging.getLogger(text).log(number, "named")
    try:
        try:
            _ = {}[text]
        except KeyError as error:
            error.add_note(text)
            raise Unprintable(text) from error
    except Unprintable:
        getattr(written.logger, level)("failed", exc_info=True)
        library.log(number, "failed", exc_info=True)


@given(st.emails(), st.sampled_from(["json", "console"]))
def test_no_email_address_ever_comes_out(email, style):
    written = Log(style=style)
    written.logger.info("a", value=f"to {email}", below=[{"buyer": email}])
    logging.getLogger("library").warning("sent to <%s>", email)
    assert email not in written.text
    assert "@" + email.partition("@")[2] not in written.text
