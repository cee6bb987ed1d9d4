import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predella.formats import jsonl
from predella.formats.entry import Departing
from predella.formats.text import normalise
from tests.predella.formats import factories, hostile


def encoded(line: Departing) -> bytes:
    return jsonl.encode(factories.bundle(line))


class TestEncode:
    @given(st.text())
    def test_brings_any_wording_through(self, text: str) -> None:
        written = encoded(factories.bare(normalise(text)))

        assert json.loads(written)["wording"]["text"] == normalise(text)

    @pytest.mark.parametrize("name", hostile.TEXTS)
    def test_is_one_line(self, name: str) -> None:
        written = encoded(factories.full(hostile.TEXTS[name], title=hostile.TEXTS[name]))

        assert written.count(b"\n") == 1
        assert written.endswith(b"}\n")

    def test_has_the_same_keys_however_little_is_known(self) -> None:
        full, bare = (json.loads(encoded(e)) for e in (factories.full(), factories.bare()))

        assert _paths(full) == _paths(bare)

    def test_carries_the_whole_provenance(self) -> None:
        document = json.loads(encoded(factories.full()))

        assert document["record_id"] == "paintings/SK-C/5 (1)/formal-analysis/en"
        assert document["object"]["extra"] == {"Room": "2.8", "Zustand": "gut"}
        assert document["wording"]["kind"] == "formal_analysis"
        assert document["wording"]["revision_id"] == "01890000-0000-7000-8000-000000000001"
        assert document["disclosure"]["human_involvement"] == "ai_edited"
        assert document["disclosure"]["text"].startswith(factories.NOTICE)
        assert document["run_id"] == "01890000-0000-7000-8000-000000000002"
        assert document["release"]["decoding"] == {"beams": 1, "max_new_tokens": 512}
        assert document["withdrawn_at"] is None
        assert document["review"] == {
            "decision": "approved",
            "reviewer": "A. Curator",
            "decided_at": "2026-01-20T10:00:00Z",
        }
        assert document["release"]["weights_sha256"] == "ab" * 32
        assert document["image"]["width"] == 2400
        assert document["generated_at"] == "2026-01-15T09:30:00Z"

    def test_says_when_a_text_was_accepted_by_sample(self) -> None:
        entry = factories.full()
        sampled = replace(entry, approval=replace(entry.approval, by_sample=True))

        assert json.loads(encoded(sampled))["review"]["decision"] == "accepted_by_sample"


class TestBury:
    def test_names_the_record_and_since_when_it_is_withdrawn(self) -> None:
        entry = factories.full()

        document = json.loads(encoded(factories.tombstone(entry)))

        assert document["record_id"] == entry.record_id
        assert document["withdrawn_at"] == "2026-02-01T08:00:00Z"
        assert "wording" not in document


def _paths(document: dict[str, object], at: str = "") -> set[str]:
    paths: set[str] = set()
    for key, value in document.items():
        paths |= {f"{at}/{key}"}
        if isinstance(value, dict) and key not in {"extra", "decoding"}:
            paths |= _paths(value, f"{at}/{key}")
    return paths
