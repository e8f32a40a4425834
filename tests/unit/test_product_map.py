"""The product map: its format, and the errors of an invalid one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_bridge.config.product_map import ITEM, SHIPPING, ProductMap, read_product_map

FRANCE, GERMANY = "A13V1IB3VIYZZH", "A1PA6795UKMFR9"
CSV = """kind,marketplace,code,internal_reference
item,,A-1,MUG
,de,A-1,KRUG
shipping,,FAST,EXPRESS
"""
YAML = """
- {code: A-1, internal_reference: MUG}
- {kind: item, marketplace: A1PA6795UKMFR9, code: A-1, internal_reference: KRUG}
- {kind: shipping, code: FAST, internal_reference: EXPRESS}
"""


def read(folder, text, name="map.csv") -> ProductMap:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_product_map(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("map.csv", CSV),
        ("map.csv", CSV.replace(",", ";")),
        ("map.CSV", "\ufeff" + CSV.replace("\n", "\r\n")),
        ("map.yaml", YAML),
        ("map.yml", YAML),
    ],
)
def test_csv_and_yaml_mean_the_same(tmp_path, name, text):
    found = read(tmp_path, text, name)
    assert found.reference(ITEM, FRANCE, "A-1") == "MUG"
    assert found.reference(ITEM, None, "A-1") == "MUG"
    assert found.reference(ITEM, GERMANY, "A-1") == "KRUG"
    assert found.reference(SHIPPING, GERMANY, "FAST") == "EXPRESS"
    assert found.reference(ITEM, FRANCE, "FAST") is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sku,product\nA,B\n", "its first line must name the columns kind, marketplace, code"),
        ("code,internal_reference\nA,\n", "entry 1 lacks its code or its internal_reference"),
        ("code,internal_reference\nA,B\nA,C\n", "entry 2 occurs twice"),
        ("kind,code,internal_reference\nthing,A,B\n", "entry 1 has a kind that is none of item"),
        ("marketplace,code,internal_reference\nXX,A,B\n", "entry 1 names no marketplace"),
        ("code,internal_reference\n" + ",\n" * 9, "; and 4 more"),
        (b"\xff\xfe\xfd", "is not UTF-8 text"),
        ("code,internal_reference,colour\nA,B,red\n", "names columns that are unknown: colour"),
        ("code,internal_reference,Kind\nA,B,item\n", "known are kind, marketplace, code"),
        ("code,code,internal_reference\nA,A,B\n", "unknown: code (twice)"),
        ("code,internal_reference\nA,B\nA2,B,6\n", "entry 2 has more cells than the first line"),
        ("code,internal_reference,\nA,B,6\n", "entry 1 has the unknown key ''"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, problem):
    with pytest.raises(ValueError, match=r"map\.csv") as caught:
        read(tmp_path, text)
    assert problem in str(caught.value)


def test_a_spreadsheet_may_leave_empty_columns_at_the_end(tmp_path):
    found = read(tmp_path, "code,internal_reference,,\nA,B,,\nC,D,,,\nE,F\n")
    assert (found.reference(ITEM, FRANCE, "A"), found.reference(ITEM, FRANCE, "C")) == ("B", "D")
    assert found.reference(ITEM, FRANCE, "E") == "F"


@pytest.mark.parametrize(("key", "shown"), [("colour", "colour"), ("null", "None"), ("1", "1")])
def test_an_unknown_key_of_a_yaml_entry_is_an_error(tmp_path, key, shown):
    text = "- {code: A, internal_reference: B}\n- {code: C, internal_reference: D, %s: 6}\n"
    with pytest.raises(ValueError, match=r"map\.yaml") as caught:
        read(tmp_path, text % key, "map.yaml")
    assert f"entry 2 has the unknown key {shown!r}; known are kind, " in str(caught.value)


@pytest.mark.parametrize(
    "code", ["0123", "1e3", "0x10", "0o17", "true", "2026-11-01", "1_000", "1.50"]
)
def test_a_yaml_code_is_read_as_it_is_written(tmp_path, code):
    text = f"- {{code: {code}, internal_reference: {code}}}\n"
    assert read(tmp_path, text, "map.yaml").reference(ITEM, FRANCE, code) == code


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[" * 2000, "it is nested too deeply"),
        (
            "- {code: [A, C], internal_reference: B}",
            "entry 1 has several values under the key code",
        ),
        ("- &a {code: *a, internal_reference: B}", "entry 1 has several values under the key code"),
        ("- {code: A\n- {code: B", "line 2, column 3: "),
        ("- {code: !!set A}", "line 1, column 10: "),
    ],
)
def test_what_is_wrong_in_yaml_is_said(tmp_path, text, problem):
    with pytest.raises(ValueError, match=r"map\.yaml") as caught:
        read(tmp_path, text, "map.yaml")
    assert problem in str(caught.value)


@pytest.mark.parametrize("text", ["a: b", "- a", "[}"])
def test_a_yaml_file_must_be_a_list_of_mappings(tmp_path, text):
    with pytest.raises(ValueError, match=r"map\.yaml"):
        read(tmp_path, text, "map.yaml")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match="can't be read: No such file"):
        read_product_map(tmp_path / "nowhere.csv")


WORDS = st.text("abcXYZ-_0é ", min_size=1).map(str.strip).filter(bool)


UNITS = "kind,marketplace,code,internal_reference,units\n"
UNITS_YAML = """
- {code: SET-6, internal_reference: MUG, units: 6}
- {marketplace: de, code: SET-6, internal_reference: KRUG}
- {marketplace: fr, code: SET-6, internal_reference: MUG, units: '12'}
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("map.csv", UNITS + "item,,SET-6,MUG,6\nitem,de,SET-6,KRUG,\n,fr,SET-6,MUG, 12 \n"),
        (
            "map.yaml",
            UNITS_YAML,
        ),
    ],
)
def test_units_follow_the_entry_that_names_the_product(tmp_path, name, text):
    found = read(tmp_path, text, name)
    assert found.units(None, "SET-6") == 6
    assert found.units(GERMANY, "SET-6") == 1
    assert found.units(FRANCE, "SET-6") == 12
    assert found.units(FRANCE, "MUG") == 1


@pytest.mark.parametrize("units", ["0", "-6", "6.0", "1.5", "six", "1e2", "100000"])
@pytest.mark.parametrize("suffix", ["csv", "yaml"])
def test_units_are_a_positive_whole_number(tmp_path, units, suffix):
    rows = {
        "csv": UNITS + f"item,,A,B,{units}\n",
        "yaml": f"- {{code: A, internal_reference: B, units: {units}}}",
    }
    with pytest.raises(ValueError, match="entry 1 has units that are not a whole number from 1"):
        read(tmp_path, rows[suffix], f"map.{suffix}")


def test_a_yaml_truth_value_is_no_number_of_units(tmp_path):
    for value in ("true", "false"):
        with pytest.raises(ValueError, match="not a whole number"):
            read(tmp_path, f"- {{code: A, internal_reference: B, units: {value}}}", "map.yaml")


@pytest.mark.parametrize("kind", ["shipping", "gift_wrap"])
def test_only_items_have_units(tmp_path, kind):
    with pytest.raises(ValueError, match="entry 1 has units, which only the kind item can have"):
        read(tmp_path, UNITS + f"{kind},,A,B,2\n")


def test_maps_with_other_units_differ():
    key = (ITEM, "", "SET-6")
    one, six = ProductMap({key: "MUG"}, {key: 1}), ProductMap({key: "MUG"}, {key: 6})
    assert one == ProductMap({key: "MUG"}) != six
    assert six.dump() == [[*key, "MUG", "6"]]


@given(st.dictionaries(WORDS, WORDS))
def test_equal_maps_dump_alike(references):
    entries = {(ITEM, "", code): reference for code, reference in references.items()}
    backwards = dict(reversed(entries.items()))
    assert ProductMap(entries) == ProductMap(backwards)
    assert ProductMap(entries).dump() == ProductMap(backwards).dump()
