from typing import Any

import pytest
from sqlalchemy.orm import Session

from predella import ids
from predella.errors import InvalidError, NameTakenError, NotFoundError
from predella.ids import CollectionId
from predella.models import Collection
from predella.services import collections
from predella.settings import Settings
from tests import factories


def _create(session: Session, settings: Settings, **fields: Any) -> Collection:
    defaults = {
        "slug": "paintings",
        "name": "Paintings",
        "institution": "Example Museum",
        "bucket": next(iter(settings.source_buckets)),
        "prefix": "paintings",
    }
    return collections.create(session, **defaults | fields)


class TestCreate:
    def test_closes_the_prefix_so_that_no_neighbour_is_inside(
        self, session: Session, settings: Settings
    ) -> None:
        made = _create(session, settings, prefix="paint", credit_line=" ")

        assert (made.prefix, made.language, made.credit_line) == ("paint/", "en", None)
        assert collections.by_slug(session, "paintings") is made

    def test_a_taken_slug_leaves_the_transaction_usable(
        self, session: Session, settings: Settings
    ) -> None:
        first = _create(session, settings)

        with pytest.raises(NameTakenError):
            _create(session, settings)

        assert collections.get(session, CollectionId(first.id)) is first

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"bucket": "somebody-elses"}, "PREDELLA_SOURCE_BUCKETS"),
            ({"bucket": "arn:aws:s3:eu-west-1:123456789012:accesspoint/x"}, "not among"),
            ({"prefix": "/paintings"}, "without a / in front"),
            ({"prefix": "a\0b"}, "path in the bucket"),
            ({"slug": "Paintings"}, "slug"),
            ({"slug": "a" * 64}, "slug"),
            ({"name": " \u200b\n"[:1]}, "needs 'name'"),
            ({"language": "dutch!"}, "language tag"),
        ],
    )
    def test_refuses_what_cannot_be_right(
        self, session: Session, settings: Settings, fields: dict[str, str], reason: str
    ) -> None:
        with pytest.raises(InvalidError, match=reason):
            _create(session, settings, **fields)


class TestChooseNumbering:
    def test_changes_what_is_named_and_nothing_else(
        self, session: Session, settings: Settings
    ) -> None:
        made = _create(session, settings, number_pattern="(?P<number>.+)", number_field="2:103")

        collections.choose_numbering(session, made, pattern=None, field="")
        assert (made.number_pattern, made.number_field) == ("(?P<number>.+)", None)

        collections.choose_numbering(session, made, pattern="", field="dc:title")
        assert (made.number_pattern, made.number_field) == (None, "dc:title")

    @pytest.mark.parametrize("said", [{"number_pattern": "x"}, {"number_field": "x"}])
    def test_takes_nothing_that_could_not_be_used(
        self, session: Session, settings: Settings, said: dict[str, str]
    ) -> None:
        with pytest.raises(InvalidError):
            _create(session, settings, **said)


class TestListed:
    def test_goes_on_after_the_last_one_seen(self, session: Session) -> None:
        made = [factories.collection(session) for _ in range(3)]

        first = collections.listed(session, within=None, limit=2)
        rest = collections.listed(session, within=None, after=first[-1].id, limit=2)

        assert [*first, *rest] == made

    def test_names_what_is_not_there(self, session: Session) -> None:
        with pytest.raises(NotFoundError, match="no collection etchings"):
            collections.by_slug(session, "etchings")
        with pytest.raises(NotFoundError):
            collections.get(session, CollectionId(ids.new()))


class TestChange:
    def test_only_what_is_named_is_another(self, session: Session, settings: Settings) -> None:
        made = _create(session, settings, credit_line="Gift, 1925")

        collections.change(
            session,
            made,
            {
                "institution": " Museum of Examples ",
                "text_rights": "https://creativecommons.org/licenses/by/4.0/deed.nl",
                "credit_line": " ",
            },
        )

        assert (made.name, made.institution) == ("Paintings", "Museum of Examples")
        assert made.text_rights == "http://creativecommons.org/licenses/by/4.0/"
        assert made.credit_line is None

    @pytest.mark.parametrize(
        ("fact", "value", "reason"),
        [
            ("name", None, "needs 'name'"),
            ("institution", " ", "needs 'institution'"),
            ("language", None, "language tag"),
            ("institution_uri", "museum.example", "no address on the web"),
            ("institution_uri", "urn:isil:NL-1", "no address on the web"),
            ("concept_uri", f"https://museum.example/{'a' * 2_000}", "no address on the web"),
            ("text_rights", "CC BY", "no statement of creativecommons.org"),
            ("text_rights", "http://rightsstatements.org/vocab/MINE/1.0/", "no statement"),
        ],
    )
    def test_refuses_what_no_catalog_accepts(
        self, session: Session, settings: Settings, fact: str, value: str | None, reason: str
    ) -> None:
        with pytest.raises(InvalidError, match=reason):
            collections.change(session, _create(session, settings), {fact: value})
