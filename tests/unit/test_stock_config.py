"""The section ``stock`` of the configuration, and its file of SKUs."""

from datetime import timedelta

import jsonschema
import pytest
from test_config import account, read_accounts

from amazon_bridge.config import AccountConfig, schema
from amazon_bridge.config.sku_settings import SkuSetting, read_sku_settings
from amazon_bridge.engine.errors import ConfigError


def stock(folder, section: str) -> AccountConfig:
    return read_accounts(folder, account(f"stock: {section}")).accounts[0]


def test_is_off_by_default(tmp_path):
    config = read_accounts(tmp_path, account()).accounts[0].stock
    assert (config.push, config.is_on, config.locations) == (False, False, ())
    assert (config.raise_after, config.stale) == (timedelta(minutes=10), timedelta(hours=6))
    assert (config.lead_time, config.cap, config.share) == (None, None, 100)
    assert (config.brake.skus, config.brake.percent) == (20, 20)


@pytest.mark.parametrize(
    ("written", "units", "percent"),
    [("3", 3, 0), ("{units: 2, percent: 5}", 2, 5), ("{percent: 7.5}", 0, 7.5)],
)
def test_a_buffer_is_units_or_both(tmp_path, written, units, percent):
    buffer = stock(tmp_path, f"{{buffer: {written}}}").stock.buffer
    assert (buffer.units, buffer.percent) == (units, percent)


@pytest.mark.parametrize(("written", "days"), [("keep", None), ("0", 0), ("3", 3)])
def test_a_lead_time_is_kept_or_a_number_of_days(tmp_path, written, days):
    assert stock(tmp_path, f"{{lead_time: {written}}}").stock.lead_time == days


@pytest.mark.parametrize(
    "section",
    [{"lead_time": 366}, {"lead_time": -1}, {"buffer": -1}, {"buffer": {"percent": 101}}],
)
def test_the_schema_has_the_bounds(section):
    document = {"$defs": schema()["$defs"], "$ref": "#/$defs/StockConfig"}
    jsonschema.validate({"lead_time": 365, "buffer": {"units": 2, "percent": 5}}, document)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(section, document)


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("{buffer: -1}", "stock.buffer.units: must be at least 0"),
        ("{buffer: many}", "stock.buffer: must be a mapping"),
        ("{lead_time: -1}", "stock.lead_time: must be `keep` or a number of days"),
        ("{lead_time: true}", "stock.lead_time: must be `keep` or a number of days"),
        ("{share: 0}", "stock.share: must be more than 0"),
        ("{share: 101}", "stock.share: must be at most 100"),
        ("{cap: -1}", "stock.cap: must be at least 0"),
        ("{quantity: forecast}", "stock.quantity: must be 'promised' or 'free'"),
        ("{raise_after: 0s}", "stock.raise_after: must be longer than nothing"),
        ("{brake: {percent: 101}}", "stock.brake.percent: must be at most 100"),
        ("{skus: no-such-file.csv}", "no-such-file.csv can't be read"),
        ("{pushes: true}", "stock.pushes: is not a known key here: did you mean push?"),
    ],
)
def test_errors_say_where_and_what(tmp_path, section, problem):
    with pytest.raises(ConfigError) as error:
        stock(tmp_path, section)
    assert any(problem in each for each in error.value.problems), error.value.problems


def test_single_skus_have_their_own_settings(tmp_path):
    (tmp_path / "skus.csv").write_text("sku;buffer;cap;push\nMUG;2;;true\nHAT;;5;\n")
    config = stock(tmp_path, "{skus: skus.csv, buffer: 7, cap: 9}").stock
    assert config.is_on
    assert [config.pushes(sku) for sku in ("MUG", "HAT", "CAP")] == [True, False, False]
    assert [config.buffer_of(sku).units for sku in ("MUG", "HAT", "CAP")] == [2, 7, 7]
    assert [config.cap_of(sku) for sku in ("MUG", "HAT", "CAP")] == [9, 5, 9]


def test_a_single_sku_can_be_left_out(tmp_path):
    (tmp_path / "skus.yaml").write_text("- {sku: MUG, push: false}\n")
    config = stock(tmp_path, "{skus: skus.yaml, push: true}").stock
    assert [config.pushes(sku) for sku in ("MUG", "HAT")] == [False, True]


def test_the_digest_follows_the_file_of_skus(tmp_path):
    digests = []
    for buffer in (1, 2):
        (tmp_path / "skus.csv").write_text(f"sku,buffer\nMUG,{buffer}\n")
        digests.append(stock(tmp_path, "{skus: skus.csv}").digest())
    assert digests[0] != digests[1]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name\nMUG\n", "its first line must name the columns sku, buffer, cap, push"),
        ("sku,buffer\nMUG,-1\n", "entry 1 has a buffer that is not a whole number"),
        ("sku,cap\nMUG,1.5\n", "entry 1 has a cap that is not a whole number"),
        ("sku,push\nMUG,perhaps\n", "entry 1 has a push that is neither true nor false"),
        ("sku,push\nMUG,\nMUG,\n", "entry 2 occurs twice"),
        ("sku,push\n,true\n", "entry 1 lacks its sku"),
        ('sku,push\n"MUG,false\nHAT,false\n', "is not valid CSV: a quotation mark is not closed"),
        ('sku,push\n"MUG,false\n"HAT",false\n', "is not valid CSV: a quotation mark is not closed"),
    ],
)
def test_problems_of_the_file_of_skus_are_named(tmp_path, text, problem):
    path = tmp_path / "skus.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=problem):
        read_sku_settings(path)


def test_a_yaml_file_of_skus_may_have_numbers_and_truths(tmp_path):
    path = tmp_path / "skus.yml"
    path.write_text("- {sku: 4711, buffer: 0, push: true}\n- {sku: MUG, cap: 3}\n")
    settings = read_sku_settings(path)
    assert settings.of("4711") == SkuSetting(buffer=0, push=True)
    assert settings.of("MUG") == SkuSetting(cap=3)
