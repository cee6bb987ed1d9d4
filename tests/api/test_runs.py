from fastapi.testclient import TestClient

from predella import db
from predella.services import runs
from predella.services.runs import Work


class TestListRuns:
    def test_shows_the_newest_first_with_its_rates(self, admin: TestClient) -> None:
        with db.transaction() as session:
            _, second = [
                runs.start(session, worker=worker, model_name="m", device="cpu", batch_size=8)
                for worker in ("a:1", "b:1")
            ]
            runs.end(session, second, Work(images=3, engine_seconds=2.0, occupied_seconds=1.0))

        newest, oldest = admin.get("/v1/runs").json()

        assert (newest["worker"], oldest["worker"]) == ("b:1", "a:1")
        assert (newest["images"], newest["images_per_second"]) == (3, 3)
        assert (newest["occupancy"], newest["starved"]) == (0.5, 0)
        assert newest["ended_at"]
        assert oldest["ended_at"] is None
        assert admin.get("/v1/runs", params={"limit": 1}).json() == [newest]
