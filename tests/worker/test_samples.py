import csv
import hashlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from predella.errors import RefusedImageError
from predella.formats import manifest as manifests
from predella.formats.manifest.problems import RowProblem
from worker.images import Limits, Prepared, Sandbox
from worker.samples import write_samples
from worker.samples.works import WORKS, painted


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def rows(manifest: Path) -> dict[str, dict[str, str]]:
    with manifest.open(encoding="utf-8", newline="") as file:
        return {row["filename"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def prepared(manifest: Path, rows: dict[str, dict[str, str]]) -> dict[str, Prepared]:
    with Sandbox() as sandbox:
        return {
            name: sandbox.prepare(manifest.parent / name, Limits())
            for name, row in rows.items()
            if row["sha256"]
        }


class TestWriteSamples:
    def test_lists_every_file_with_the_digest_it_has(
        self, manifest: Path, rows: dict[str, dict[str, str]]
    ) -> None:
        for name, row in rows.items():
            if row["sha256"]:
                content = (manifest.parent / name).read_bytes()
                assert hashlib.sha256(content).hexdigest() == row["sha256"]
        files = {path.name for path in manifest.parent.iterdir()}
        assert files - {"manifest.csv"} == rows.keys() - {"forgotten.jpg"}

    def test_numbers_its_objects_without_gaps(self, rows: dict[str, dict[str, str]]) -> None:
        assert [row["object_number"] for row in rows.values()] == [f"S.{n}" for n in range(1, 27)]

    def test_has_one_work_that_no_text_may_be_written_about(
        self, rows: dict[str, dict[str, str]]
    ) -> None:
        restricted = [row["title"] for row in rows.values() if row["sensitivity"] == "restricted"]
        assert restricted == ["Five Targets"]

    def test_every_whole_picture_can_be_prepared(self, prepared: dict[str, Prepared]) -> None:
        sizes = {(one.width, one.height) for one in prepared.values()}

        assert len(prepared) == len(WORKS) == 24
        assert sizes == {work.size for work in WORKS}

    def test_covers_the_awkward_forms(self, prepared: dict[str, Prepared]) -> None:
        assert prepared["moonlit-sea.png"].format == "PNG"
        assert prepared["study-of-drapery.tif"].facts["bit_depth"] == 16
        assert prepared["counterweight.jpg"].facts["mode"] == "CMYK"
        assert prepared["trunks-against-the-light.jpg"].facts["orientation"] == 6
        assert "nächtlicher-hafen.jpg" in prepared

    def test_the_picture_copied_by_half_is_refused(self, manifest: Path) -> None:
        with Sandbox() as sandbox, pytest.raises(RefusedImageError) as refused:
            sandbox.prepare(manifest.parent / "copied-by-half.jpg", Limits())

        assert refused.value.code == "truncated"

    def test_no_two_pictures_look_alike(self, prepared: dict[str, Prepared]) -> None:
        seen = [np.asarray(Image.open(BytesIO(one.model_png)), float) for one in prepared.values()]

        nearest = min(
            np.abs(one - other).mean() for n, one in enumerate(seen) for other in seen[:n]
        )
        assert nearest > 10

    def test_is_a_manifest_without_a_single_problem(self, manifest: Path) -> None:
        with manifest.open("rb") as file:
            read = list(manifests.read(file, name=manifest.name))

        assert len(read) == 26
        assert not [row for row in read if isinstance(row, RowProblem)]


class TestPainted:
    def test_is_the_same_for_the_same_number_and_seed_and_no_other(self) -> None:
        first = painted(WORKS[10], 10, seed=7)

        assert painted(WORKS[10], 10, seed=7) == first
        assert painted(WORKS[10], 34, seed=7) != first
        assert painted(WORKS[10], 10, seed=8) != first
