"""The dashboard and the alert rules speak of metrics that there are, and say what they should."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filled import BOOKING, HOUR, NOW, busy_runner
from prometheus_client import generate_latest
from ruamel.yaml import YAML
from running import needs

from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.durations import BOUNDS
from amazon_bridge.service.durations import BUCKETS
from amazon_bridge.service.gauges import Gauges

CONFIG = Path(__file__).parents[2] / "config"
MONITORING = CONFIG / "monitoring"
TESTS_OF_RULES = ("alerts.test.yaml", "alerts.days.test.yaml")
PROMTOOL = shutil.which("promtool")
FOREIGN = {"process_resident_memory_bytes", "process_cpu_seconds_total", "up"}


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> str:
    runner = busy_runner(tmp_path_factory.mktemp("busy"), BOOKING)
    runner.counters.count_run(("acme-eu", "orders"), Counts(seen=3, created=2, quarantined=1), 4.2)
    runner.counters.count_run(("acme-us", "orders"), Counts(error="It is down."), 1)
    runner.app.throttle.wait("A1", "searchOrders")
    runner.app.throttle.waits["A1", "searchOrders"].count += 1
    runner.counters.registry.register(Gauges(runner, lambda: NOW))
    return generate_latest(runner.counters.registry).decode()


def load(name: str) -> Any:
    return YAML(typ="safe", pure=True).load((MONITORING / name).read_text())


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:amazon_bridge|process)_\w+|\bup\b", expression))


def expressions() -> Iterator[str]:
    for panel in json.loads((MONITORING / "dashboard.json").read_text())["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    for group in load("alerts.yaml")["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


def test_metrics_show_the_state(metrics: str):
    for line in (
        'amazon_bridge_items_total{account="acme-eu",job="orders",outcome="created"} 2.0',
        'amazon_bridge_rounds_total{account="acme-us",job="orders",result="failed"} 1.0',
        'amazon_bridge_round_seconds_sum{account="acme-eu",job="orders"} 4.2',
        'amazon_bridge_quarantined{account="acme-eu",job="orders"} 1.0',
        'amazon_bridge_pending{account="acme-eu",job="pickings"} 1.0',
        'amazon_bridge_cursor_age_seconds{account="acme-jp"} 18000.0',
        'amazon_bridge_backlog_seconds{account="acme-jp"} 0.0',
        'amazon_bridge_last_success_timestamp_seconds{account="acme-us",job="orders"} 0.0',
        'amazon_bridge_failures{account="acme-us",job="orders"} 1.0',
        'amazon_bridge_stock_skus{account="acme-eu",state="watched"} 2.0',
        'amazon_bridge_stock_skus{account="acme-eu",state="unproven"} 1.0',
        'amazon_bridge_stock_drift_total{account="acme-eu"} 0.0',
        'amazon_bridge_orders_to_ship{account="acme-eu",risk="overdue"} 1.0',
        'amazon_bridge_orders_to_ship{account="acme-jp",risk="at_risk"} 0.0',
        'amazon_bridge_settlements_difference{account="acme-eu",currency="EUR"} -10.0',
        'amazon_bridge_settlements_unexplained{account="acme-eu",currency="EUR"} -5.0',
        'amazon_bridge_side_up{side="acme-us"} 0.0',
        'amazon_bridge_side_up{side="Odoo"} 1.0',
        'amazon_bridge_odoo_calls_total{operation="login",result="ok"} 1.0',
        'amazon_bridge_throttle_waits_total{operation="searchOrders",seller="A1"} 1.0',
    ):
        assert line in metrics.splitlines()
    call = 'amazon_calls_total{account="acme-us",operation="searchOrders",result="unavailable"} 1.0'
    assert call in metrics


def value_of(metrics: str, sample: str) -> float:
    (line,) = (line for line in metrics.splitlines() if line.startswith(f"amazon_bridge_{sample} "))
    return float(line.rpartition(" ")[2])


def test_metrics_show_the_oldest_items_and_how_long_orders_took(metrics: str):
    oldest = 'oldest_open_timestamp_seconds{account="acme-eu",job="orders",kind="internal_error"}'
    assert value_of(metrics, oldest) == (NOW - 5 * HOUR).timestamp()
    of_fba = 'order_import_seconds_count{account="acme-eu",channel="FBA"}'
    assert value_of(metrics, of_fba) == 169
    by_bound = [
        value_of(
            metrics,
            f'order_import_seconds_bucket{{account="acme-eu",channel="FBM",le="{bound}"}}',
        )
        for bound in ("120.0", "300.0", "1800.0", "+Inf")
    ]
    assert by_bound == sorted(by_bound)
    assert by_bound[0] == 0 < by_bound[1] < by_bound[2] == by_bound[3] == 298
    of_us = 'shipment_confirmation_seconds_count{account="acme-us"}'
    assert value_of(metrics, of_us) == 104


def test_dashboard_and_rules_ask_for_metrics_that_there_are(metrics: str):
    exported = set(re.findall(r"^(?:# TYPE )?(\w+)", metrics, re.MULTILINE))
    queried = {name for expression in expressions() for name in names_in(expression)}
    assert queried - exported <= FOREIGN


def test_every_metric_is_documented(metrics: str):
    documented = (CONFIG.parent / "docs" / "monitoring.md").read_text()
    families = set(re.findall(r"^# TYPE (amazon_bridge_\w+)", metrics, re.MULTILINE))
    assert [name for name in sorted(families) if f"`{name}`" not in documented] == []


def test_the_buckets_of_durations_are_bounds_of_the_state_store():
    assert set(BUCKETS) <= set(BOUNDS)


def test_no_metric_shows_a_secret(metrics: str):
    assert not re.search("sesame|amzn-client", metrics)


@pytest.mark.slow
@needs(PROMTOOL, "promtool")
@pytest.mark.parametrize(
    "command", [["check", "rules", "alerts.yaml"], ["test", "rules", *TESTS_OF_RULES]]
)
def test_promtool_finds_nothing_wrong_with_the_rules(command: list[str]):
    subprocess.run([str(PROMTOOL), *command], cwd=MONITORING, check=True, capture_output=True)


@needs(PROMTOOL, "promtool")
def test_promtool_finds_nothing_wrong_with_the_metrics(metrics: str):
    command = [str(PROMTOOL), "check", "metrics"]
    subprocess.run(command, input=metrics.encode(), check=True, capture_output=True)


def test_every_rule_is_tried():
    rules = {rule["alert"] for group in load("alerts.yaml")["groups"] for rule in group["rules"]}
    tried = {
        each["alertname"]
        for name in TESTS_OF_RULES
        for test in load(name)["tests"]
        for each in test["alert_rule_test"]
        if each["exp_alerts"]
    }
    assert tried == rules


ANALYZE = shutil.which("systemd-analyze")


@needs(ANALYZE, "systemd")
@pytest.mark.parametrize("drop_ins", [[], ["amazon-bridge-cluster.conf"]])
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path, drop_ins: list[str]):
    unit = (CONFIG / "amazon-bridge.service").read_text()
    program = re.search(r"^ExecStart=(\S+)", unit, re.MULTILINE)
    assert program
    copy = tmp_path / "amazon-bridge.service"
    copy.write_text(unit.replace(program[1], "/bin/true"))
    for name in drop_ins:
        (tmp_path / f"{copy.name}.d").mkdir()
        shutil.copy(CONFIG / name, tmp_path / f"{copy.name}.d")
    verified = subprocess.run(
        [str(ANALYZE), "verify", str(copy)], check=True, capture_output=True, text=True
    )
    assert verified.stderr == ""


@pytest.mark.parametrize("name", ["compose.yaml", "compose-cluster.yaml"])
def test_the_compose_file_keeps_secrets_out_of_it(name: str):
    text = (CONFIG / name).read_text()
    compose = YAML(typ="safe", pure=True).load(text)
    service = compose["services"]["amazon-bridge"]
    assert "environment" not in service
    assert set(service["secrets"]) == set(compose["secrets"])
    assert all(set(secret) == {"file"} for secret in compose["secrets"].values())
    assert all(f"/run/secrets/{secret}" in text for secret in compose["secrets"])
    assert service["read_only"]
    is_alone = name == "compose.yaml"
    assert ("state:/var/lib/amazon-bridge" in service["volumes"]) == is_alone


def test_the_kubernetes_example_runs_as_the_images_user():
    (deployment, budget) = YAML(typ="safe", pure=True).load_all(
        (CONFIG / "kubernetes.yaml").read_text()
    )
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsUser"] == 10001
    assert "useradd --uid 10001" in (CONFIG.parent / "Dockerfile").read_text()
    assert "env" not in container, "secrets are files"
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    selectors = [deployment["spec"]["selector"], budget["spec"]["selector"]]
    assert all(each["matchLabels"] == labels for each in selectors)
    assert deployment["spec"]["replicas"] > budget["spec"]["minAvailable"]
