"""The house in numbers, for Prometheus."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from api.dependencies import DbSession, Monitor
from predella.services import metrics
from predella.services.metrics import Numbers

router = APIRouter(tags=["metrics"])


@router.get("/metrics", response_class=PlainTextResponse)
def read_metrics(session: DbSession, _monitor: Monitor) -> PlainTextResponse:
    """Show the numbers in Prometheus' text format."""
    page = generate_latest(_gauges(metrics.count(session)))
    return PlainTextResponse(page, media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _gauges(numbers: Numbers) -> CollectorRegistry:
    registry = CollectorRegistry()

    def gauge(name: str, what: str, *labels: str) -> Gauge:
        return Gauge(f"predella_{name}", what, labels, registry=registry)

    items = gauge("items", "Items by stage and state.", "stage", "state")
    for (stage, state), number in numbers.items.items():
        items.labels(stage, state).set(number)
    waits = gauge("oldest_ready_seconds", "Age of the item that could start first.", "stage")
    for stage, seconds in numbers.oldest_ready_seconds.items():
        waits.labels(stage).set(seconds)
    analyses = gauge("analyses", "Analyses by release.", "model", "release")
    for (model, release), number in numbers.analyses.items():
        analyses.labels(model, release).set(number)
    reviews = gauge("reviews", "Analyses by what was decided on them.", "state")
    for review_state, number in numbers.reviews.items():
        reviews.labels(review_state).set(number)
    gauge("expired_leases", "Items whose worker fell silent.").set(numbers.expired_leases)
    gauge("submissions_receiving", "Submissions being read.").set(numbers.submissions_receiving)
    gauge("exports_writing", "Exports being written.").set(numbers.exports_writing)
    return registry
