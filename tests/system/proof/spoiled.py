"""Orders as Amazon never should, but one day might, show them."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from proxy import Handler, Proxy

ORDERS = "/orders/2026-01-01/orders"

TEXTS = (
    *("", " ", "\0", "a\0b\x07", "\x1b[31mred", "\ud800", "\u202etxet", "\u2028", "\ufeffBOM"),
    *("N" * 10_000, "😀" * 300, "e\u0301" * 200, "\t\r\n", "../../etc/passwd", "%s%n%x"),
    *("<script>alert(1)</script>", '<!DOCTYPE x [<!ENTITY a "b">]>&a;', "]]>", "&#0;"),
    *('=HYPERLINK("http://x")', "'; DROP TABLE sale_order;--", "${jndi:ldap://x}", "{{7*7}}"),
    *("NaN", "-1", "1e400", "9" * 40, "0.001", "12,34", "2026-13-45T99:00:00Z", "0001-01-01"),
)
NUMBERS = (-1, 0, 1.5, 2**31, 2**63, 10**30, 1e308, float("nan"), float("-inf"))
OTHERS = (None, True, False, [], {}, [None], [[]], {"a": {"a": {"a": None}}}, [{}] * 50)

Path = tuple[str | int, ...]


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """The places in a JSON value, itself left out."""
    entries: Any = ()
    if isinstance(value, dict):
        entries = value.items()
    elif isinstance(value, list):
        entries = enumerate(value)
    for key, inner in entries:
        yield (*path, key)
        yield from paths(inner, (*path, key))


def spoil(order: dict[str, Any], chance: random.Random) -> str:
    """Spoil one place of an order, other than its id; say which, and how."""
    places = [path for path in paths(order) if path != ("orderId",)]
    *way, last = path = chance.choice(places)
    parent: Any = order
    for key in way:
        parent = parent[key]
    how = chance.choice([_remove, _replace(TEXTS), _replace(NUMBERS), _replace(OTHERS), _double])
    return f"{'.'.join(map(str, path))} {how(parent, last, chance)}"


Spoiler = Callable[[Any, str | int, random.Random], str]


def _remove(parent: Any, key: str | int, _: random.Random) -> str:
    del parent[key]
    return "removed"


def _replace(values: tuple[Any, ...]) -> Spoiler:
    def replace(parent: Any, key: str | int, chance: random.Random) -> str:
        parent[key] = value = chance.choice(values)
        return f"= {value!r:.40}"

    return replace


def _double(parent: Any, key: str | int, _: random.Random) -> str:
    """A list's entries are duplicated; any other value becomes a list."""
    if isinstance(key, int):
        parent.append(parent[key])
    else:
        parent[key] = [parent[key]] * 2
    return "doubled"


class SpoilingProxy(Proxy):
    """Spoils chosen orders, each of them always in the same way.

    Args:
        target: Amazon's URL.
        chosen: by order id, what chance decides how it is spoiled.
    """

    def __init__(self, target: str, chosen: dict[str, int]) -> None:
        super().__init__(target)
        self.chosen = chosen
        self.spoiled: dict[str, list[str]] = {}

    def handle(self, request: Handler, body: bytes) -> None:
        status, headers, content = request.pass_on(body)
        if request.path.startswith(ORDERS) and status == 200:
            response = json.loads(content)
            for order in response["orders"] if "orders" in response else [response["order"]]:
                if (seed := self.chosen.get(order["orderId"])) is not None:
                    self._spoil(order, random.Random(seed))
            content = json.dumps(response).encode()
        request.respond(status, headers, content)

    def _spoil(self, order: dict[str, Any], chance: random.Random) -> None:
        times = chance.choice((1, 1, 1, 2, 5))
        self.spoiled[order["orderId"]] = [spoil(order, chance) for _ in range(times)]
