import io
from dataclasses import replace
from typing import Any

import pytest
from botocore.stub import Stubber
from pydantic import SecretStr

from predella import storage
from predella.errors import (
    MissingObjectError,
    RefusedImageError,
    SourceChangedError,
    SourceError,
    UnavailableError,
)
from predella.settings import Settings
from predella.storage import Location, ObjectVersion, Store
from predella.uploads import PART
from tests.services import Bucket


def _store(bucket: Bucket, *, access_key_id: str | None = None) -> Store:
    return storage.connect(
        Settings(
            s3_endpoint_url=bucket.endpoint_url,
            s3_access_key_id=access_key_id or bucket.access_key_id,
            s3_secret_access_key=SecretStr(bucket.secret_access_key),
        )
    )


def _without_range(params: dict[str, Any], **_: object) -> None:
    del params["headers"]["Range"]


class TestLocation:
    @pytest.mark.parametrize(
        ("uri", "bucket", "key"),
        [
            ("s3://museum/a/b.csv", "museum", "a/b.csv"),
            ("s3://museum/", "museum", ""),
            ("s3://museum/was?#%20ist.tif", "museum", "was?#%20ist.tif"),
            ("s3://museum/a\tb\nc.tif", "museum", "a\tb\nc.tif"),
        ],
    )
    def test_keeps_a_key_byte_for_byte(self, uri: str, bucket: str, key: str) -> None:
        assert Location.parse(uri) == Location(bucket, key)
        assert str(Location.parse(uri)) == uri

    @pytest.mark.parametrize(
        "uri",
        [
            "museum/a.csv",
            "https://museum/a.csv",
            "s3://10.0.0.1/a.csv",
            "s3://arn:aws:s3:us-east-1:1:accesspoint/x/a.csv",
            "s3://Museum/a.csv",
            "s3:///a.csv",
        ],
    )
    def test_refuses_what_is_not_a_plain_bucket(self, uri: str) -> None:
        with pytest.raises(SourceError):
            Location.parse(uri)


class TestList:
    @pytest.mark.parametrize(
        ("code", "status", "kind"),
        [
            ("SlowDown", 503, UnavailableError),
            ("InternalError", 500, UnavailableError),
            ("AccessDenied", 403, SourceError),
            ("NoSuchBucket", 404, SourceError),
        ],
    )
    def test_tells_a_store_in_trouble_from_one_that_says_no(
        self, s3: Bucket, code: str, status: int, kind: type[Exception]
    ) -> None:
        client = s3.client
        with Stubber(client) as broken:
            broken.add_response("get_bucket_versioning", {})
            broken.add_client_error("list_objects_v2", code, http_status_code=status)

            with pytest.raises(kind):
                list(Store(client).list(s3.name, ""))

    def test_sees_every_page_in_key_order(self, s3: Bucket) -> None:
        store = _store(s3)
        for number in range(1003):
            store.put(s3.name, f"a/{number:04}", b"x", media_type="image/jpeg")
        store.put(s3.name, "b/other", b"x", media_type="image/jpeg")

        found = list(store.list(s3.name, "a/"))

        assert [version.key for version in found] == [f"a/{number:04}" for number in range(1003)]
        assert {version.size for version in found} == {1}

    def test_pins_the_newest_version_where_there_are_versions(self, s3_versioned: Bucket) -> None:
        store = _store(s3_versioned)
        store.put(s3_versioned.name, "a.jpg", b"old", media_type="image/jpeg")
        store.put(s3_versioned.name, "a.jpg", b"newer", media_type="image/jpeg")

        (found,) = store.list(s3_versioned.name, "")

        assert found.size == 5
        assert found.version_id == store.head(s3_versioned.name, "a.jpg").version_id

    def test_says_that_a_bucket_is_not_there(self, s3: Bucket) -> None:
        with pytest.raises(SourceError, match="no-such-bucket"):
            list(_store(s3).list("no-such-bucket", ""))


class TestReadPiece:
    @pytest.mark.parametrize("kind", ["s3", "s3_versioned"])
    def test_returns_the_bytes_from_there_on(
        self, kind: str, request: pytest.FixtureRequest
    ) -> None:
        bucket: Bucket = request.getfixturevalue(kind)
        body = bytes(range(256)) * 1_000
        bucket.client.put_object(Bucket=bucket.name, Key="a b.tif", Body=body)
        pinned = bucket.store.head(bucket.name, "a b.tif")

        pieces = [bucket.store.read_piece(pinned, *each) for each in ((0, 5), (200_001, 40_000))]

        assert pieces == [body[:5], body[200_001:240_001]]

    def test_does_without_a_store_that_knows_ranges(self, s3: Bucket) -> None:
        client = s3.client
        client.put_object(Bucket=s3.name, Key="a", Body=b"0123456789")
        pinned = s3.store.head(s3.name, "a")
        client.meta.events.register("before-call.s3.GetObject", _without_range)

        assert Store(client).read_piece(pinned, 3, 4) == b"3456"

    @pytest.mark.parametrize("kind", ["s3", "s3_versioned"])
    def test_notices_a_changed_object(self, kind: str, request: pytest.FixtureRequest) -> None:
        bucket: Bucket = request.getfixturevalue(kind)
        bucket.client.put_object(Bucket=bucket.name, Key="a", Body=b"old")
        pinned = replace(bucket.store.head(bucket.name, "a"), version_id=None)
        bucket.client.put_object(Bucket=bucket.name, Key="a", Body=b"new")

        with pytest.raises(SourceChangedError):
            bucket.store.read_piece(pinned, 0, 3)

    @pytest.mark.parametrize(
        ("code", "error", "words"),
        [
            ("AccessDenied", RefusedImageError, "Give us the right"),
            ("InvalidObjectState", RefusedImageError, "Restore it there"),
            ("NoSuchKey", MissingObjectError, "no object"),
            ("SlowDown", UnavailableError, "SlowDown"),
            ("ExpiredToken", UnavailableError, "ExpiredToken"),
        ],
    )
    def test_tells_one_object_from_the_whole_store(
        self, s3: Bucket, code: str, error: type[Exception], words: str
    ) -> None:
        client = s3.client
        with Stubber(client) as stub:
            stub.add_client_error("get_object", code)
            with pytest.raises(error, match=words):
                Store(client).read_piece(ObjectVersion(s3.name, "a", 1, "e"), 0, 1)


class TestCopyPinned:
    def _pinned(self, bucket: Bucket, body: bytes) -> ObjectVersion:
        store = _store(bucket)
        store.put(bucket.name, "a.jpg", body, media_type="image/jpeg")
        return store.head(bucket.name, "a.jpg")

    def test_copies_what_was_pinned(self, s3: Bucket) -> None:
        body = bytes(range(256)) * 9000
        pinned = self._pinned(s3, body)
        out = io.BytesIO()

        _store(s3).copy_pinned(pinned, out, max_bytes=len(body))

        assert out.getvalue() == body

    @pytest.mark.parametrize("kind", ["s3", "s3_versioned"])
    def test_notices_a_changed_object(self, kind: str, request: pytest.FixtureRequest) -> None:
        bucket: Bucket = request.getfixturevalue(kind)
        pinned = self._pinned(bucket, b"as handed in")
        _store(bucket).put(bucket.name, "a.jpg", b"replaced later", media_type="image/jpeg")
        unversioned = ObjectVersion(pinned.bucket, pinned.key, pinned.size, pinned.etag)

        with pytest.raises(SourceChangedError):
            _store(bucket).copy_pinned(unversioned, io.BytesIO(), max_bytes=1000)

    def test_reads_the_pinned_version_though_a_newer_one_is_there(
        self, s3_versioned: Bucket
    ) -> None:
        pinned = self._pinned(s3_versioned, b"as handed in")
        _store(s3_versioned).put(s3_versioned.name, "a.jpg", b"later", media_type="image/jpeg")
        out = io.BytesIO()

        _store(s3_versioned).copy_pinned(pinned, out, max_bytes=1000)

        assert out.getvalue() == b"as handed in"

    def test_refuses_more_bytes_than_agreed_before_reading_them(self, s3: Bucket) -> None:
        pinned = self._pinned(s3, b"x" * 100)

        with pytest.raises(RefusedImageError) as caught:
            _store(s3).copy_pinned(pinned, io.BytesIO(), max_bytes=99)

        assert caught.value.code == "too_large"

    def test_tells_gone_from_unreachable(self, s3: Bucket) -> None:
        gone = ObjectVersion(s3.name, "gone.jpg", 1, "0" * 32)
        away = _store(replace(s3, endpoint_url="http://127.0.0.1:9"))

        with pytest.raises(MissingObjectError):
            _store(s3).copy_pinned(gone, io.BytesIO(), max_bytes=9)
        with pytest.raises(UnavailableError):
            away.head(s3.name, "gone.jpg")

    def test_wrong_keys_are_turned_away(self, s3: Bucket) -> None:
        pinned = self._pinned(s3, b"x")
        stranger = _store(s3, access_key_id="somebody-else-entirely")

        with pytest.raises(UnavailableError):
            stranger.copy_pinned(pinned, io.BytesIO(), max_bytes=9)


class TestWriting:
    @pytest.mark.parametrize("size", [0, 1, PART, 2 * PART + 5])
    def test_stores_what_was_written_once_the_block_ends(self, s3: Bucket, size: int) -> None:
        body = bytes(range(256)) * (size // 256 + 1)

        with s3.store.writing(s3.name, "a.xml", media_type="application/xml") as out:
            for start in range(0, size, 1_000_003):
                out.write(body[start : min(start + 1_000_003, size)])
            assert not s3.store.exists(s3.name, "a.xml")

        assert s3.store.read(s3.name, "a.xml") == body[:size]
        found = s3.client.head_object(Bucket=s3.name, Key="a.xml")
        assert found["ContentType"] == "application/xml"

    @pytest.mark.parametrize("size", [1, 2 * PART])
    def test_leaves_what_was_there_when_the_block_fails(self, s3: Bucket, size: int) -> None:
        s3.store.put(s3.name, "a.csv", b"old", media_type="text/csv")

        with pytest.raises(ZeroDivisionError):
            self._fail_after(s3, size)

        assert s3.store.read(s3.name, "a.csv") == b"old"
        if size > PART:
            assert not s3.client.list_multipart_uploads(Bucket=s3.name).get("Uploads")

    def _fail_after(self, s3: Bucket, size: int) -> None:
        with s3.store.writing(s3.name, "a.csv", media_type="text/csv") as out:
            out.write(b"x" * size)
            raise ZeroDivisionError

    def test_says_that_the_store_stopped_in_the_middle(self, s3: Bucket) -> None:
        store = _store(s3, access_key_id="nobody")

        with (
            pytest.raises(UnavailableError),
            store.writing(s3.name, "a.csv", media_type="text/csv") as out,
        ):
            out.write(b"x" * 2 * PART)
