import io
import json

import pytest

from predella.formats import catalog, paintingform
from predella.formats.paintingform import TrainingRecordError
from tests.predella.formats import factories, hostile

_UPSIDE_DOWN = [{"from": "gpt", "value": ""}, {"from": "human", "value": ""}]


class TestRead:
    def test_gives_back_what_was_written(self) -> None:
        entries = [factories.full(text, title=text) for text in hostile.TEXTS.values()]
        out = io.BytesIO()

        list(catalog.write(entries, out, to=paintingform))
        out.seek(0)

        assert list(paintingform.read(out)) == [paintingform.record(entry) for entry in entries]

    def test_reads_the_published_form_with_the_image_first_or_last(self) -> None:
        turns = ("Describe it.\n<image>", "<image>\nDescribe it.")
        published = [
            {
                "id": "identity_0",
                "image": "images/2505.png",
                "conversations": [
                    {"from": "human", "value": turn},
                    {"from": "gpt", "value": "A shepherdess."},
                ],
            }
            for turn in turns
        ]

        found = list(paintingform.read(io.BytesIO(json.dumps(published).encode())))

        assert {record.question for record in found} == {"Describe it."}
        assert found[0].answer == "A shepherdess."
        assert found[0].disclosure is None

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"", "cannot be read as JSON"),
            (b"\xff", "cannot be read as JSON"),
            (b"{}", "no JSON array"),
            (b"[1]", "record 1: it needs id, image"),
            (b'[{"id": "a", "image": "b", "conversations": []}]', "record 1: it needs id, image"),
            (
                json.dumps([{"id": "a", "image": "b", "conversations": _UPSIDE_DOWN}]).encode(),
                "record 1: a conversation is one of human and one of gpt",
            ),
        ],
    )
    def test_says_what_is_wrong(self, data: bytes, said: str) -> None:
        with pytest.raises(TrainingRecordError, match=said):
            list(paintingform.read(io.BytesIO(data)))


class TestRecord:
    def test_asks_what_the_model_was_asked(self) -> None:
        record = paintingform.record(factories.full())

        assert record.question == "Describe the form of this painting."
        assert record.image == "a/\u00c5 b.tif"
        assert record.disclosure is not None
