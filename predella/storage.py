"""Objects in S3: read what was pinned, write what is ours."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.utils import parse_timestamp

from predella.errors import (
    MissingObjectError,
    RefusedImageError,
    SourceChangedError,
    SourceError,
    UnavailableError,
)
from predella.settings import Settings, get_settings
from predella.uploads import Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

_ADDRESS = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", re.DOTALL)
_IPV4 = re.compile(r"\d+\.\d+\.\d+\.\d+")
_MISSING = {"NoSuchKey", "NoSuchVersion", "404", "NotFound"}
_FORBIDDEN = {"NoSuchBucket", "AccessDenied", "AllAccessDisabled"}
_CHANGED = {"PreconditionFailed", "412"}
_CHUNK = 1 << 20


@dataclass(frozen=True)
class ObjectVersion:
    """One object as it was when somebody looked: enough to notice that it changed."""

    bucket: str
    key: str
    size: int
    etag: str
    """Without quotes; not a digest of the content when it was uploaded in parts."""
    version_id: str | None = None


@dataclass(frozen=True)
class Location:
    """A bucket and a key or prefix in it, as written ``s3://bucket/key``."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> "Location":
        """Read an ``s3://`` address.

        Raises:
            SourceError: it is not one, or the bucket is an ARN, an address or malformed.
        """
        # Not urlsplit: it drops tabs and line breaks without a word, and keys are exact.
        match = _ADDRESS.fullmatch(uri)
        if match is None or _IPV4.fullmatch(match[1]):
            raise SourceError(f"{uri!r} is not an address like s3://bucket/path")
        return cls(match[1], match[2] or "")

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class Store:
    """An S3 service, with the few verbs that predella needs."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectVersion]:
        """Yield the newest version of every object under a prefix, in key order.

        Raises:
            SourceError: there is no such bucket, or we may not list it.
            UnavailableError: the store does not answer, or stopped in the middle.
        """
        try:
            pages = (
                self._versions(bucket, prefix)
                if self._is_versioned(bucket)
                else self._objects(bucket, prefix)
            )
            yield from pages
        except ClientError as error:
            if error.response["Error"]["Code"] in _FORBIDDEN:
                raise SourceError(f"cannot list s3://{bucket}/{prefix}: {error}") from error
            raise UnavailableError(f"the object store did not list: {error}") from error
        except BotoCoreError as error:
            raise UnavailableError(f"the object store does not answer: {error}") from error

    def head(self, bucket: str, key: str) -> ObjectVersion:
        """Return what the store holds under a key now.

        Raises:
            MissingObjectError: nothing, or nothing that we may see.
        """
        with _translated(bucket, key):
            found = self._client.head_object(Bucket=bucket, Key=key)
            return ObjectVersion(
                bucket, key, found["ContentLength"], _bare(found["ETag"]), found.get("VersionId")
            )

    def read(self, bucket: str, key: str) -> bytes:
        """Return the bytes of one of our own objects."""
        with _translated(bucket, key):
            return self._client.get_object(Bucket=bucket, Key=key)["Body"].read()

    def open(self, bucket: str, key: str, piece: range | None = None) -> BinaryIO:
        """Return a stream of an object's bytes, or of a piece of them, read as it is consumed."""
        with _translated(bucket, key):
            if piece is None:
                found = self._client.get_object(Bucket=bucket, Key=key)
            else:
                bytes_ = f"bytes={piece.start}-{piece.stop - 1}"
                found = self._client.get_object(Bucket=bucket, Key=key, Range=bytes_)
            return found["Body"]  # type: ignore[return-value]  # botocore's StreamingBody is an IOBase

    def copy_pinned(self, pinned: ObjectVersion, out: BinaryIO, *, max_bytes: int) -> None:
        """Write exactly the pinned version to a file.

        Raises:
            MissingObjectError: it is gone.
            SourceChangedError: the key now holds something else.
            RefusedImageError: it is larger than ``max_bytes`` (code ``too_large``).
            UnavailableError: the store does not answer, or stopped in the middle.
        """
        with _translated(pinned.bucket, pinned.key):
            found = self._get_pinned(pinned)
            # Not every S3-compatible store honours If-Match.
            if _bare(found["ETag"]) != pinned.etag:
                raise SourceChangedError(pinned.key, "its ETag differs")
            if found["ContentLength"] > max_bytes:
                size = found["ContentLength"]
                raise RefusedImageError(
                    "too_large", f"the file has {size:,} bytes; at most {max_bytes:,} are read"
                )
            out.writelines(found["Body"].iter_chunks(_CHUNK))

    def read_piece(self, pinned: ObjectVersion, start: int, length: int) -> bytes:
        """Return so many bytes of exactly the pinned version, from there on.

        Raises:
            MissingObjectError: it is gone.
            SourceChangedError: the key now holds something else.
            RefusedImageError: the store keeps it from us (code ``unreadable``).
            UnavailableError: the store does not answer, or stopped in the middle.
        """
        with _translated(pinned.bucket, pinned.key):
            try:
                found = self._get_pinned(pinned, Range=f"bytes={start}-{start + length - 1}")
            except ClientError as error:
                if refused := _kept_from_us(error):
                    raise refused from error
                raise
            with closing(found["Body"]) as body:
                if _bare(found["ETag"]) != pinned.etag:
                    raise SourceChangedError(pinned.key, "its ETag differs")
                # A store that does not know ranges sends all, from the start.
                before = 0 if found.get("ContentRange") else start
                return body.read(before + length)[before:]

    def put(self, bucket: str, key: str, body: bytes | BinaryIO, *, media_type: str) -> None:
        """Store an object of ours, in parts when it is large."""
        with _translated(bucket, key):
            if isinstance(body, bytes):
                self._client.put_object(Bucket=bucket, Key=key, Body=body, ContentType=media_type)
            else:
                self._client.upload_fileobj(
                    body, bucket, key, ExtraArgs={"ContentType": media_type}
                )

    @contextmanager
    def writing(self, bucket: str, key: str, *, media_type: str) -> Iterator[BinaryIO]:
        """Store an object of ours while it is being written, in the memory of a few parts.

        Under its key there is nothing new before the block has ended, and nothing new at all
        when an error ends it.

        Raises:
            UnavailableError: the store does not answer, or stopped in the middle.
        """
        with _translated(bucket, key):
            upload = Upload(self._client, bucket, key, media_type)
            try:
                yield cast(BinaryIO, upload)
                upload.complete()
            except BaseException:
                with suppress(BotoCoreError, ClientError):
                    upload.abort()
                raise

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object of ours, if it is there."""
        with _translated(bucket, key):
            self._client.delete_object(Bucket=bucket, Key=key)

    def exists(self, bucket: str, key: str) -> bool:
        """Say whether there is an object under this key."""
        try:
            self.head(bucket, key)
        except MissingObjectError:
            return False
        return True

    def make_bucket(self, bucket: str) -> None:
        """Make a bucket unless it is there."""
        with _translated(bucket, ""):
            known = {entry["Name"] for entry in self._client.list_buckets()["Buckets"]}
            if bucket not in known:
                self._client.create_bucket(Bucket=bucket)

    def _get_pinned(self, pinned: ObjectVersion, **more: Any) -> "GetObjectOutputTypeDef":
        if pinned.version_id is not None:
            more["VersionId"] = pinned.version_id
        return self._client.get_object(
            Bucket=pinned.bucket, Key=pinned.key, IfMatch=f'"{pinned.etag}"', **more
        )

    def _is_versioned(self, bucket: str) -> bool:
        try:
            return self._client.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"
        except ClientError as error:
            # Stores without versioning say so in this way.
            if error.response["Error"]["Code"] in {"NotImplemented", "501"}:
                return False
            raise

    def _objects(self, bucket: str, prefix: str) -> Iterator[ObjectVersion]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for found in page.get("Contents", ()):
                yield ObjectVersion(bucket, found["Key"], found["Size"], _bare(found["ETag"]))

    def _versions(self, bucket: str, prefix: str) -> Iterator[ObjectVersion]:
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=bucket, Prefix=prefix
        )
        for page in pages:
            for found in page.get("Versions", ()):
                if found["IsLatest"]:
                    yield ObjectVersion(
                        bucket,
                        found["Key"],
                        found["Size"],
                        _bare(found["ETag"]),
                        found["VersionId"],
                    )


class _translated:  # noqa: N801  (reads as the verb it is: with _translated(...))
    """Turn botocore's errors into ours."""

    def __init__(self, bucket: str, key: str) -> None:
        self._bucket, self._key = bucket, key

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ClientError):
            code = error.response["Error"]["Code"]
            if code in _MISSING:
                raise MissingObjectError(self._bucket, self._key) from error
            if code in _CHANGED:
                raise SourceChangedError(self._key, "its ETag differs") from error
            raise UnavailableError(f"the object store answered {code}: {error}") from error
        if isinstance(error, BotoCoreError):
            raise UnavailableError(f"the object store does not answer: {error}") from error


def _kept_from_us(error: ClientError) -> RefusedImageError | None:
    """Return what it means that the store has an object and does not give it; None if it may."""
    code = error.response["Error"]["Code"]
    if code == "InvalidObjectState":
        sentence = "The file lies in an archive of the store. Restore it there, and hand in again."
    elif code == "AccessDenied":
        sentence = (
            "The store does not let us read the file. Give us the right to, and hand in again."
        )
    else:
        return None
    return RefusedImageError("unreadable", sentence)


def _bare(etag: str) -> str:
    return etag.strip('"')


def connect(settings: Settings) -> Store:
    """Open a store with these settings; no request is sent yet."""
    secret = settings.s3_secret_access_key
    core = botocore.session.get_session()
    parsers = core.get_component("response_parser_factory")
    parsers.set_parser_defaults(timestamp_parser=_moment)
    client = boto3.Session(botocore_session=core).client(
        "s3",
        endpoint_url=settings.s3_endpoint_url,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key_id,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if settings.s3_endpoint_url else "auto"},
            # S3-compatible stores send a checksum of the whole object with a part of it.
            response_checksum_validation="when_required",
            request_checksum_calculation="when_required",
            retries={"mode": "adaptive", "max_attempts": 4},
            connect_timeout=5,
            read_timeout=60,
            max_pool_connections=32,
        ),
    )
    return Store(client)


def _moment(value: str) -> datetime:
    """Read a time stamp; botocore's own way takes two thirds of the time of a long listing."""
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return parse_timestamp(value)


@cache
def store() -> Store:
    """Return the process-wide store."""
    return connect(get_settings())
