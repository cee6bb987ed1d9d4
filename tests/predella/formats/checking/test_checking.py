import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from predella.errors import NotFoundError
from predella.formats import catalog, checking, disclosure, profiles
from predella.formats.catalog import CatalogFormat
from predella.formats.checking import Schemas, UnknownFileError
from predella.formats.entry import Departing
from tests.predella.formats import factories
from tests.predella.formats.judging import official, problems, written

EVERY_FORMAT = pytest.mark.parametrize("name", catalog.FORMATS)


def every_text(form: CatalogFormat) -> Iterator[Departing]:
    """Yield every kind of text in two languages, of one object with all and one with half left."""
    for number in ("1", "2"):
        for kind in sorted(form.KINDS):
            texts = factories.of_kind(kind), factories.of_kind(kind, "A vase.")
            english, plain = (factories.numbered(entry, number) for entry in texts)
            dutch = factories.in_language(plain, "nl", f"{kind} {number}: een vaas | ^^ ␞")
            yield from (english, dutch if number == "1" else factories.tombstone(dutch))


class TestCheck:
    @EVERY_FORMAT
    def test_finds_nothing_in_what_we_write_of_hostile_data(
        self, name: str, tmp_path: Path
    ) -> None:
        assert problems(written(tmp_path, name)) == []

    @EVERY_FORMAT
    def test_the_official_schemas_find_nothing_either(self, name: str, tmp_path: Path) -> None:
        assert problems(written(tmp_path, name), official()) == []

    @EVERY_FORMAT
    def test_the_same_lines_make_the_same_bytes(self, name: str, tmp_path: Path) -> None:
        first = written(tmp_path, name).read_bytes()

        assert written(tmp_path, name).read_bytes() == first

    @EVERY_FORMAT
    def test_sees_that_a_record_stands_twice(self, name: str, tmp_path: Path) -> None:
        form = catalog.named(name)
        kind = min(form.KINDS)
        first = factories.of_kind(kind)
        other = replace(
            first,
            object=replace(first.object, number="between", object_uri=None),
            image=replace(first.image, key="between.jpg"),
        )
        twice = iter([first, other, first])

        assert any("stands already at" in said for said in problems(written(tmp_path, name, twice)))

    @EVERY_FORMAT
    def test_finds_nothing_in_objects_with_texts_of_every_kind_in_two_languages(
        self, name: str, tmp_path: Path
    ) -> None:
        assert problems(written(tmp_path, name, every_text(catalog.named(name)))) == []

    @EVERY_FORMAT
    def test_the_official_schemas_find_nothing_in_them_either(
        self, name: str, tmp_path: Path
    ) -> None:
        path = written(tmp_path, name, every_text(catalog.named(name)))

        assert problems(path, official()) == []

    @EVERY_FORMAT
    def test_sees_that_a_file_was_cut_off(self, name: str, tmp_path: Path) -> None:
        path = written(tmp_path, name)
        path.write_bytes(path.read_bytes()[:-1100])

        assert problems(path)

    @pytest.mark.parametrize(
        ("name", "damage", "said"),
        [
            ("lido", lambda b: b.replace(b"sourceDescriptiveNote", b"note"), "who wrote the text"),
            ("lido", lambda b: b.replace(b"http://creativecommons", b"https://creativecommons"),
             "no rights statement"),
            ("lido", lambda b: b.replace(b"2026-01-20T", b"20 January "), "is no date"),
            ("iiif", lambda b: b.replace(b'"requiredStatement"', b'"requiredStatemenT"'),
             "requiredStatement is missing"),
            ("iiif", lambda b: b.replace(b'"generator"', b'"generatoR"'), "what wrote it"),
            ("linked-art", lambda b: b.replace(b"aat/300456841", b"aat/300456840"),
             "not classified as AI"),
            ("jsonl", lambda b: b.replace(b"low horizon", b"new horizon"), "it was altered"),
            ("jsonl", lambda b: b.replace(b'"record_id"', b'"record"'), "a key is missing"),
            ("paintingform", lambda b: b.replace(b'"disclosure"', b'"disclosurE"'), "who wrote"),
            ("xmp", lambda b: b.replace(b"ExtDescrAccessibility", b"ExtDescrAccessibilitY")
             .replace(b"http://iptc.org/std/Iptc4xmpCore/1.0/", b"http://iptc.org/std/Iptc4xmpExt/1.00/"),
             "only texts for accessibility"),
        ],
    )  # fmt: skip
    def test_sees_what_is_missing_or_wrong(
        self, name: str, damage: Callable[[bytes], bytes], said: str, tmp_path: Path
    ) -> None:
        path = written(tmp_path, name, iter([factories.full()]))
        path.write_bytes(damage(path.read_bytes()))

        assert any(said in sentence for sentence in problems(path))

    @pytest.mark.parametrize(
        ("name", "old", "new"),
        [
            ("lido", b"lido00921", b"lido99999"),
            ("iiif", b'"height": 1800,\n', b'"height": "12",'),
            ("linked-art", b'"type": "Group"', b'"type": "Actor"'),
            ("linked-art", b"2026-01-15T09", b"2026-01-15X09"),
        ],
    )
    def test_the_official_schemas_see_more(
        self, name: str, old: bytes, new: bytes, tmp_path: Path
    ) -> None:
        path = written(tmp_path, name, iter([factories.full()]))
        sound = path.read_bytes()
        path.write_bytes(sound.replace(old, new.ljust(len(old))))

        assert problems(path) == []
        assert problems(path, official())

    def test_says_at_which_record_and_which_column(self, tmp_path: Path) -> None:
        path = written(tmp_path, "csv", iter([factories.full(), factories.bare(" ")]))

        assert problems(path) == ["record 2: 'text' is empty"]

    def test_sees_a_cell_that_a_spreadsheet_would_run(self, tmp_path: Path) -> None:
        path = written(tmp_path, "csv", iter([factories.full(title="=1+1")]))
        path.write_bytes(path.read_bytes().replace(b"'=1+1", b"=1+1"))

        assert problems(path) == ["record 1: a spreadsheet would run what stands in 'title'"]

    def test_asks_for_the_header_of_a_profile(self, tmp_path: Path) -> None:
        path = tmp_path / "own.csv"
        path.write_text("Nummer,Tekst,Herkomst\r\n1,Een vaas.,Software\r\n")
        columns = "{Nummer: object_number, Tekst: text, Herkomst: disclosure}"
        own = profiles.read("own", f"columns: {columns}".encode())

        assert problems(path) == ["line 1: this is not the header of any profile of ours"]
        assert list(checking.check(path, profile=own)) == []

    def test_knows_the_columns_of_languages_and_asks_each_for_its_disclosure(
        self, tmp_path: Path
    ) -> None:
        english = factories.full("A vase.")
        dutch = factories.in_language(english, "nl", "Een vaas.")
        path = tmp_path / "omeka.csv"
        with path.open("wb") as out:
            form = profiles.shipped("omeka-s").within(["en", "nl"])
            list(catalog.write([english, dutch], out, to=form))

        assert problems(path) == []
        path.write_text(path.read_text().replace(disclosure.sentence(dutch), ""))
        said = "nothing tells who wrote the text in 'dcterms:description @nl'"
        assert problems(path) == [f"record 1: {said}"]

    @pytest.mark.parametrize("suffix", [".xml", ".csv", ".json", ".jsonl", ".tar"])
    @pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"[1]", b"{}", b"<a/>", b"null"])
    def test_says_so_whatever_else_is_in_a_file(
        self, suffix: str, data: bytes, tmp_path: Path
    ) -> None:
        path = tmp_path / f"odd{suffix}"
        path.write_bytes(data)

        assert problems(path) or (suffix, data) in {(".jsonl", b""), (".tar", b"")}

    def test_opens_no_entity_of_a_stranger(self, tmp_path: Path) -> None:
        secret, path = tmp_path / "secret", tmp_path / "evil.xml"
        secret.write_text("secret")
        path.write_text(
            f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{secret}">]>'
            '<lido:lido xmlns:lido="http://www.lido-schema.org">'
            "<lido:lidoRecID>&x;</lido:lidoRecID></lido:lido>"
        )

        assert "secret" not in json.dumps(problems(path))

    def test_refuses_a_file_that_we_do_not_write(self, tmp_path: Path) -> None:
        with pytest.raises(UnknownFileError, match=r"picture\.png.*\.csv, \.json"):
            checking.check(tmp_path / "picture.png")


class TestSchemas:
    def test_says_that_there_is_no_such_folder(self, tmp_path: Path) -> None:
        with pytest.raises(NotFoundError, match="no folder with schemas"):
            Schemas(tmp_path / "nowhere")
