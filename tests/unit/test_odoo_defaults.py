from amazon_bridge.odoo.defaults import with_defaults

DEFAULTS = {
    "res.partner": {"x_channel": "Amazon"},
    "sale.order": {"x_origin_id/id": "shop.amazon", "client_order_ref": "never"},
    "sale.order.line": {"x_kind": "1"},
}


def test_records_and_their_lines_get_the_values():
    fields = ["id", "client_order_ref", "order_line/id", "order_line/name"]
    rows = [
        ["a.order", "1", "a.line_1", "Mug"],
        ["", "", "a.line_2", "Shipping"],
        ["a.other", "2", "a.line_3", "Mug"],
    ]
    columns, cells = with_defaults(DEFAULTS, "sale.order", fields, rows)
    assert columns == [*fields, "x_origin_id/id", "order_line/x_kind"]
    assert [row[4:] for row in cells] == [["shop.amazon", "1"], ["", "1"], ["shop.amazon", "1"]]
    assert [row[:4] for row in cells] == rows


def test_other_models_stay_as_they_are():
    rows = [["a.tax", "VAT"]]
    assert with_defaults(DEFAULTS, "account.tax", ["id", "name"], rows) == (["id", "name"], rows)
    assert with_defaults({}, "res.partner", ["id", "name"], rows) == (["id", "name"], rows)


def test_a_load_without_external_ids_creates_nothing():
    rows = [["7", "Ann"]]
    assert with_defaults(DEFAULTS, "res.partner", [".id", "name"], rows)[0] == [".id", "name"]
