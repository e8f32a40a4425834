"""The messages in what Odoo returns instead of executing a call."""

from typing import Any

import pytest

from amazon_bridge.odoo.sale_actions import _plain, _words


@pytest.mark.parametrize(
    ("response", "words"),
    [
        ({"type": "ir.actions.act_window", "name": "Blocked in draft"}, "Blocked in draft"),
        (
            {
                "type": "ir.actions.client",
                "tag": "display_notification",
                "params": {
                    "title": "Not confirmed",
                    "message": "<p>The credit limit is reached</p>",
                },
            },
            "Not confirmed: The credit limit is reached",
        ),
        ({"type": "ir.actions.act_window_close", "name": False, "params": "odd"}, ""),
    ],
)
def test_a_popup_says_what_it_objects_to(response: dict[str, Any], words: str) -> None:
    assert _words(response) == words


def test_a_list_of_exceptions_becomes_a_sentence() -> None:
    markup = (
        "<ul><li>No ZIP code: <i></i> <b></b></li><li>R&amp;D only: <i>ask</i> <b></b></li></ul>"
    )
    assert _plain(markup) == "No ZIP code; R&D only: ask"


def test_the_name_of_a_rule_that_is_its_description_is_said_once() -> None:
    said = "<li>No ZIP code: <i>No ZIP code.</i> <b></b></li>"
    assert _plain(f"<ul>{said}</ul>") == _plain(f"<ul>{said}{said}</ul>") == "No ZIP code"
    assert _words({"name": "Blocked", "params": {"title": "Blocked"}}) == "Blocked"
