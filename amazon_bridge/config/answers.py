"""The file of answers for ``init``: a configuration file of which most may be left out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from amazon_bridge.config.document import read_document
from amazon_bridge.config.messages import (
    FileKind,
    Place,
    Problem,
    message_of,
    place_of,
    refusal,
    written,
)
from amazon_bridge.config.models import NAME, SELLER_ID, Credentials
from amazon_bridge.config.reading import with_defaults
from amazon_bridge.config.section import Section
from amazon_bridge.config.values import (
    AT_LEAST_ONE,
    AmazonUrl,
    FileContext,
    Instant,
    Marketplaces,
    OdooUrl,
    Secret,
    TaxInclusion,
    Text,
)


class OdooAnswers(Section):
    """The Odoo database."""

    url: OdooUrl
    database: Text
    login: Text
    password: Secret
    protocol: Literal["xmlrpc", "jsonrpc", "json2"] = "xmlrpc"


class AccountAnswers(Section):
    """One account. What is left out is proposed from what Amazon and Odoo have."""

    name: Annotated[str, Field(pattern=NAME)] | None = None
    seller_id: str = Field(pattern=SELLER_ID)
    marketplaces: Marketplaces | None = None
    credentials: Credentials
    endpoint: AmazonUrl | None = None
    token_url: AmazonUrl | None = None
    company: Text | None = None
    warehouse: Text | None = None
    sales_team: Text | None = None
    fba_location: Text | None = None
    prices_include_tax: TaxInclusion | None = None
    start: Instant | None = None


class Answers(Section):
    """The whole file; ``defaults`` are merged into each account."""

    odoo: OdooAnswers
    accounts: Annotated[tuple[AccountAnswers, ...], *AT_LEAST_ONE]


ANSWERS = FileKind(
    "file of answers",
    Answers,
    "It has the keys of a configuration file; docs/configuration.md shows one.",
    "Its keys: odoo (url, database, login, password, protocol), accounts"
    f" ({', '.join(AccountAnswers.model_fields)}), and defaults (keys of all accounts)."
    " Add other settings to the file that `init` writes.",
)


def read_answers(path: Path, environ: Mapping[str, str]) -> Answers:
    """Read a file of answers. Files that it names are relative to its folder.

    Raises:
        ConfigError: With all that is wrong in ``problems``.
    """
    problems: list[Problem] = []
    document = with_defaults(read_document(path, environ, problems, ANSWERS), problems)
    file_context = FileContext(environ, path.absolute().parent)
    try:
        answers = Answers.model_validate(document, context=file_context)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        known = {place for place, _ in problems}
        problems += [
            (place, message_of(each, Answers))
            for each in found
            if (place := place_of(each)) not in known
        ]
    if problems:
        raise refusal(ANSWERS, path, [f"{written(place)}: {text}" for place, text in problems])
    return answers


def parsed(section: type[Section], name: str, text: object) -> Any:
    """The value that a text stands for, as the section has it under this name.

    Raises:
        ValueError: It can't be; the message shows no value but a list's wrong entry.
    """
    field = section.model_fields[name]
    adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
    try:
        return adapter.validate_python(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        message = f"{_entry(text, first['loc'])}{message_of(first)}"
    raise ValueError(message)


def _entry(value: object, place: Place) -> str:
    """The entry of a list at this place, with a blank after it; lists hold no secrets."""
    if isinstance(value, list) and place and isinstance(place[0], int):
        return f"{value[place[0]]} "
    return ""
