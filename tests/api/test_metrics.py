from datetime import timedelta

from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from predella import clock, db, ids
from predella.models import Decision, ItemState
from predella.services import runs
from predella.services.runs import Work
from tests import factories


def _numbers(client: TestClient) -> dict[tuple[str, ...], float]:
    """Return each number by its name and the values of its labels."""
    page = client.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }


class TestReadMetrics:
    def test_an_empty_house_shows_zeros_not_gaps(self, admin: TestClient) -> None:
        numbers = _numbers(admin)

        assert numbers["predella_items", "prepare", "waiting"] == 0
        assert numbers["predella_oldest_ready_seconds", "analyze"] == 0
        assert numbers["predella_reviews", "needs_review"] == 0
        assert not any(numbers.values())

    def test_counts_what_waits_runs_and_is_done(self, admin: TestClient) -> None:
        with db.transaction() as session:
            submission = factories.submission(session)
            hour_ago = clock.now() - timedelta(hours=1)
            factories.item(session, submission, next_attempt_at=hour_ago)
            factories.item(session, submission, next_attempt_at=clock.now() + timedelta(hours=1))
            factories.item(
                session,
                submission,
                state=ItemState.LEASED,
                lease_token=ids.new(),
                lease_until=hour_ago,
            )
            release = factories.release(session)
            for decision in (None, Decision.REJECTED, Decision.APPROVED):
                item = factories.item(session, submission)
                analysis = factories.analysis(session, item, by=release)
                if decision:
                    factories.review(session, analysis, decision)
            factories.export(session)
            run_id = runs.start(session, worker="a:1", model_name="m", device="cpu", batch_size=8)
            work = Work(images=7, tokens=700, engine_seconds=2.0, occupied_seconds=1.0)
            runs.progress(session, run_id, work)
            written_by = (release.model_name, str(release.id))

        numbers = _numbers(admin)

        assert numbers["predella_items", "prepare", "waiting"] == 2
        assert numbers["predella_items", "analyze", "done"] == 3
        assert 3600 <= numbers["predella_oldest_ready_seconds", "prepare"] < 3700
        assert numbers["predella_expired_leases",] == 1
        assert numbers["predella_exports_writing",] == 1
        assert numbers["predella_analyses", *written_by] == 3
        assert numbers["predella_reviews", "needs_review"] == 1
        assert numbers["predella_reviews", "approved"] == 1
        assert numbers["predella_reviews", "rejected"] == 1
        assert numbers["predella_run_images_per_second", "m", "a:1"] == 7
        assert numbers["predella_run_tokens_per_second", "m", "a:1"] == 700
        assert numbers["predella_run_starved", "m", "a:1"] == 0
        assert numbers["predella_run_occupancy", "m", "a:1"] == 0.5
        assert numbers["predella_runs_images_total", "m"] == 7
        assert numbers["predella_runs_engine_seconds_total", "m"] == 2
