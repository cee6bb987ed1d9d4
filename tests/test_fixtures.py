"""The fixtures themselves: what other tests may rely on."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from predella import db
from predella.models import Account
from predella.settings import Settings, get_settings
from tests import factories
from tests.services import Bucket

_ACCOUNTS = select(func.count(Account.id))


class TestSession:
    def test_alone_is_rolled_back(self, session: Session) -> None:
        factories.account(session)
        session.commit()

        assert session.scalar(_ACCOUNTS) == 1

    def test_alone_sees_nothing_of_another_test(self, session: Session) -> None:
        assert session.scalar(_ACCOUNTS) == 0

    def test_with_settings_shares_their_database(
        self, session: Session, settings: Settings
    ) -> None:
        factories.account(session)
        session.commit()

        with db.transaction() as other:
            assert other.scalar(_ACCOUNTS) == 1
        assert settings is get_settings()


class TestBuckets:
    def test_are_empty_and_kept_apart(self, s3: Bucket, s3_versioned: Bucket) -> None:
        s3.client.put_object(Bucket=s3.name, Key="a", Body=b"1")

        found = s3_versioned.store.list(s3_versioned.name, "")

        assert list(found) == []

    @pytest.mark.parametrize("_again", [1, 2])
    def test_are_new_for_each_test(self, _again: int, s3: Bucket) -> None:
        assert list(s3.store.list(s3.name, "")) == []

        s3.client.put_object(Bucket=s3.name, Key="a", Body=b"1")
