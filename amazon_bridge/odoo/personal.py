"""Removes buyers' data from Odoo's messages, so that they may be logged, stored and shown.

Odoo's messages quote what it was sent or has stored: names of buyers as well as of products.
Names of the shop's own things stay, because a reason without them helps nobody; anything
unknown is removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from amazon_bridge.model import ORDER_ID

HIDDEN = "…"

_LONGEST = 500
_SHORTEST = 3
_READ = 5_000
"""Characters of a message that are read: a search for quotations may take the square of it."""

_QUOTED = re.compile(
    r"""(?<!\w)'([^'\n]*)'(?!\w)|"([^"\n]*)"|“([^”\n]*)”|«([^»\n]*)»|"""
    "\u2018([^\u2019\n]*)\u2019|"
    r"„([^“”\n]*)[“”]|”([^”\n]*)”|»([^«\n]*)«|"
    "\u201a([^\u2018\u2019\n]*)[\u2018\u2019]|"
    r"「([^」\n]*)」|『([^』\n]*)』"
)
"""Quotation marks of English, French, German, Swedish and Japanese, among others."""
_DETAILS = re.compile(
    r"(?:\b(?:DETAIL|DÉTAIL|DETALLE|DETTAGLI|DETALJ|CONTEXT|CONTEXTE|KONTEXT|CONTEXTO|CONTESTO|"
    r"SAMMANHANG)\b|詳細|コンテキスト|文脈)\s?[:：]",  # noqa: RUF001
    re.IGNORECASE,
)
"""Start of PostgreSQL's details, in the languages of its server; Odoo quotes them as well."""
_MARKS = re.compile(r"""['"“”„«»\[「」『』]|[\u2018\u2019\u201a]""")
"""What a quotation or a name in brackets may begin with."""
_E_MAIL = re.compile(r"(?<![^\s<>'\"()@])[^\s<>'\"()@]+@[^\s<>'\")]+")
_OURS = re.compile(
    rf"amazon_bridge\.\S+|[a-z][a-z0-9]*(?:[._][a-z0-9]+)+|{ORDER_ID}|[-\d.,:TZ /]*|"
    r"[A-Z][A-Z0-9]*(?:/[A-Z0-9]+)+/\d+"
)
"""External ids, names of models and fields, Amazon order ids, numbers, dates, transfers' names."""

_SENTENCES = (re.compile(r'No rule has been found to replenish "[^\n]*" in "[^\n]*"'),)
"""Sentences that quote the shop's own, which may itself hold quotation marks: 24" Monitor."""

_SHOPS_OWN = (
    r"products?|products? variants?|locations?|warehouses?|routes?|rules?|operation types?|lots?|"
    r"serial numbers?|lots?/serial numbers?|packages?|units? of measure|uom|categor(?:y|ies)|"
    r"barcodes?|references?|bills? of materials?|work ?centers?|tax(?:es)?|accounts?|journals?|"
    r"pricelists?|fiscal positions?|carriers?|delivery methods?|shipping methods?|teams?|"
    r"currenc(?:y|ies)|sequences?|groups?|models?|fields?|modules?"
)
_NAMED = re.compile(rf"\b(?:{_SHOPS_OWN})(?:\(s\))?:? $", re.IGNORECASE)
"""Words before a quoted name that belongs to the shop and not to a buyer."""

_PERSON = re.compile(
    r"(\b(?:partner|contact|customer|recipient|user|number|tax id) \[)[^\]\n]*(?=\])", re.IGNORECASE
)
"""Names and numbers of persons in brackets, as module base_vat writes them."""


def without_personal_data(text: str, sent: Iterable[Any] = ()) -> str:
    """Odoo's text without what may be a buyer's.

    Left out are: every text of three or more characters that was sent, everything in
    quotation marks (Odoo quotes stored values) unless it is the name of a product, a location
    or another thing of the shop's, e-mail addresses, and PostgreSQL's DETAIL. External ids,
    names of models and fields, of transfers, Amazon order ids, numbers and dates stay, unless
    they were sent as a buyer's (``OfBuyer``).

    Args:
        text: a message of Odoo's. The session requests English, but a module may have its own
            language, and so may PostgreSQL.
        sent: what was sent and may be a buyer's; see ``of_buyers``.
    """
    text = _DETAILS.split(text)[0]
    for value in sorted(set(_texts(sent)), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", HIDDEN, text)
    text = _PERSON.sub(rf"\1{HIDDEN}", _without_quotations(_shortened(text)))
    clean = " ".join(_E_MAIL.sub(HIDDEN, text).split())
    return clean if len(clean) <= _LONGEST else f"{clean[: _LONGEST - 1]}{HIDDEN}"


def _shortened(text: str) -> str:
    """The beginning of an overlong text, up to the first quotation: it must not be cut in two."""
    if len(text) <= _READ:
        return text
    beginning = _MARKS.split(text[:_READ])[0].rsplit(maxsplit=1)
    return f"{beginning[0] if beginning else ''} {HIDDEN}"


def _without_quotations(text: str) -> str:
    parts, end = [], 0
    for start, stop in sorted(m.span() for pattern in _SENTENCES for m in pattern.finditer(text)):
        parts += [_QUOTED.sub(_hide_quoted, text[end:start]), text[start:stop]]
        end = stop
    return "".join([*parts, _QUOTED.sub(_hide_quoted, text[end:])])


def _hide_quoted(quoted: re.Match[str]) -> str:
    content = next(group for group in quoted.groups() if group is not None)
    whole, before = quoted[0], quoted.string[: quoted.start()]
    if _OURS.fullmatch(content) or _NAMED.search(before):
        return whole
    return f"{whole[0]}{HIDDEN}{whole[-1]}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        is_buyers = isinstance(value, OfBuyer) or not _OURS.fullmatch(value)
        if len(value) >= _SHORTEST and is_buyers:
            yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, Iterable):
        for inner in value:
            yield from _texts(inner)


# What is sent


class OfBuyer(str):
    """A text that is a buyer's whatever it looks like: a phone number, a name as ``ann.meier``."""

    __slots__ = ()


_CONTACT = re.compile("name|vat|phone|mobile|email.*|zip|city|district|street.*|comment")
"""Fields of contacts that hold a buyer's data."""

_WITHOUT_BUYERS = frozenset(
    {
        *("product.product", "product.template", "product.pricelist", "product.pricelist.item"),
        *("stock.location", "stock.warehouse", "stock.route", "stock.location.route", "stock.rule"),
        *("stock.picking.type", "stock.quant", "stock.move", "stock.move.line", "delivery.carrier"),
        *("account.tax", "account.journal", "account.fiscal.position", "account.account"),
        *("crm.team", "crm.tag", "res.company", "res.currency", "res.country", "res.country.state"),
        *("ir.model.data", "ir.module.module", "uom.uom"),
    }
)
"""Models to which nothing of a buyer's is sent: names there are those of the shop."""

_NAMES = "order_line/name"
_KINDS = "order_line/display_type"


def of_buyers(model: str, method: str, arguments: Sequence[Any], options: Any = ()) -> list[Any]:
    """What may be a buyer's of what a call sends.

    Args:
        model: Odoo's.
        method: of the model.
        arguments: by position. Those of ``load`` are the columns and the rows.
        options: by keyword.
    """
    if model in _WITHOUT_BUYERS:
        return []
    if method == "load":
        fields, rows = arguments
        arguments = [dict(zip(fields, row, strict=True)) for row in rows]
    if model == "res.partner":
        return [_marked(arguments), _marked(options)]
    if model == "sale.order" and method == "load":
        return [_without_title(row) for row in arguments]
    return [arguments, options]


def _marked(value: Any, field: str = "") -> Any:
    """Values of a contact's fields, in rows, in values to write and in domains."""
    match value:
        case str() if _CONTACT.fullmatch(field):
            return OfBuyer(value)
        case {}:
            return {name: _marked(inner, name) for name, inner in value.items()}
        case [str(name), str(), of] if _CONTACT.fullmatch(name):
            return _marked(of, name)
        case list() | tuple():
            return [_marked(inner, field) for inner in value]
    return value


def _without_title(row: Mapping[str, Any]) -> list[Any]:
    """The cells of a load of sale orders without the titles of items; gift messages stay."""
    if not row.get(_KINDS):
        return [value for name, value in row.items() if name != _NAMES]
    return [OfBuyer(value) if name == _NAMES else value for name, value in row.items()]
