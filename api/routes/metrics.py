"""The house in numbers, for Prometheus."""

from collections.abc import Iterator, Mapping

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector

from api.dependencies import DbSession, Monitor
from predella.services import metrics
from predella.services.metrics import Numbers
from predella.services.runs import Work

_OF_A_RUN = {
    "images_per_second": "Written about by this worker since its run began.",
    "tokens_per_second": "Written by this worker since its run began.",
    "starved": "Share of its engine's places that stood empty though there was work.",
    "occupancy": "Share of its engine's places that were at work while the engine was.",
}
_OF_ALL_RUNS = {
    "images": "Written about by models.",
    "duplicates": "Items that were given an analysis of the same image.",
    "failed": "Items whose attempt brought no analysis.",
    "tokens": "Written by models.",
    "engine_seconds": "That engines were at work.",
    "starved_seconds": "That engines were kept waiting, by the share that was empty.",
}

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
    told = gauge("webhook_deliveries", "Deliveries to webhooks in the last 30 days.", "state")
    for delivery_state, number in numbers.deliveries.items():
        told.labels(delivery_state).set(number)
    _show_runs(numbers, registry)
    gauge("expired_leases", "Items whose worker fell silent.").set(numbers.expired_leases)
    gauge("submissions_receiving", "Submissions being read.").set(numbers.submissions_receiving)
    gauge("exports_writing", "Exports being written.").set(numbers.exports_writing)
    return registry


def _show_runs(numbers: Numbers, registry: CollectorRegistry) -> None:
    for name, what in _OF_A_RUN.items():
        gauge = Gauge(f"predella_run_{name}", what, ("worker", "model"), registry=registry)
        for run in numbers.runs:
            gauge.labels(run.worker, run.model_name).set(getattr(run, name))
    registry.register(_Totals(numbers.done))


class _Totals(Collector):
    """Counters that were counted elsewhere: they did not begin when they are read."""

    def __init__(self, done: Mapping[str, Work]) -> None:
        self._done = done

    def collect(self) -> Iterator[CounterMetricFamily]:
        for name, what in _OF_ALL_RUNS.items():
            counter = CounterMetricFamily(f"predella_runs_{name}", what, labels=["model"])
            for model, work in self._done.items():
                counter.add_metric([model], getattr(work, name))
            yield counter
