"""The shipments job: its steps in a sync run."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from amazon_bridge.flows import outbound
from amazon_bridge.flows.outbound import OutboundJob
from amazon_bridge.flows.shipments import SHIPMENTS, apply, records, tell
from amazon_bridge.flows.shipments.decide import ShipmentTask, is_ready
from amazon_bridge.flows.shipments.find import Found, find, with_goods
from amazon_bridge.flows.shipments.progress import Stage
from amazon_bridge.flows.shipments.records import progress_of
from amazon_bridge.odoo.session import chunks

log = structlog.get_logger(__name__)


def _settle(run: outbound.Run, found: Found) -> None:
    errors = records.file(run, found)
    deliveries = (*(each for each, _ in found.failures), *found.unknown)
    failures = [(each, errors[each.key]) for each in deliveries if each.key in errors]
    tell.quarantine(run, failures)
    run.counts.seen += len(deliveries) + len(found.not_fetched)
    run.note_lookups(found.fetched, found.limit)


def _send(run: outbound.Run, tasks: Sequence[ShipmentTask]) -> None:
    context = run.context
    tell.report_incomplete(context, tasks)
    for page in chunks(apply.due(context, tasks)):
        apply.process(run, with_goods(context, page))


def _preview(run: outbound.Run) -> None:
    task: ShipmentTask
    for task in outbound.preview_tasks(run, find(run.context)):
        progress, lacks = progress_of(run.context, task), task.delivery.lacks
        was_sent = progress.stage == Stage.SENT and not is_ready(task, progress)
        if was_sent or task.delivery.is_cancelled:
            continue
        log.info("dry_run_shipment", **tell.names(run.context, task.delivery), lacks=lacks)
        run.counts.notified += not lacks


sync = OutboundJob(
    job=SHIPMENTS,
    find=find,
    settle=_settle,
    send=_send,
    preview=_preview,
).sync
