"""One object on its way into S3, in parts, while somebody is still writing it."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART = 8 << 20
"""Bytes. A store takes 10,000 parts, so an object may have 80 GB."""


class Upload:
    """A file to write to, of which the store has nothing to show before it is complete.

    While one part travels the next is filled; no more than these two are in memory. What
    fits into one part goes as a plain object.
    """

    def __init__(self, client: "S3Client", bucket: str, key: str, media_type: str) -> None:
        self._client, self._bucket, self._key = client, bucket, key
        self._media_type = media_type
        self._part = bytearray()
        self._id: str | None = None
        self._number = 0
        self._sent: list[CompletedPartTypeDef] = []
        self._travelling: Future[CompletedPartTypeDef] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1)

    def write(self, data: bytes) -> int:
        """Take bytes; an error of the part before them is raised here, or at the end."""
        self._part += data
        while len(self._part) >= PART:
            self._send(bytes(self._part[:PART]))
            del self._part[:PART]
        return len(data)

    def complete(self) -> None:
        """Make the object appear under its key."""
        with self._thread:
            if self._id is None:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=self._key,
                    Body=bytes(self._part),
                    ContentType=self._media_type,
                )
                return
            if self._part:
                self._send(bytes(self._part))
            self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._id,
                MultipartUpload={"Parts": self._arrived()},
            )

    def abort(self) -> None:
        """Let the store forget the parts that it has."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        if self._id is not None:
            self._client.abort_multipart_upload(
                Bucket=self._bucket, Key=self._key, UploadId=self._id
            )

    def _send(self, part: bytes) -> None:
        if self._id is None:
            made = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=self._key, ContentType=self._media_type
            )
            self._id = made["UploadId"]
        self._arrived()
        self._number += 1
        self._travelling = self._thread.submit(self._put, self._id, self._number, part)

    def _arrived(self) -> "Sequence[CompletedPartTypeDef]":
        """Wait for the part that is travelling; return all that have arrived."""
        if self._travelling is not None:
            self._sent.append(self._travelling.result())
            self._travelling = None
        return self._sent

    def _put(self, upload: str, number: int, part: bytes) -> "CompletedPartTypeDef":
        made = self._client.upload_part(
            Bucket=self._bucket, Key=self._key, UploadId=upload, PartNumber=number, Body=part
        )
        return {"PartNumber": number, "ETag": made["ETag"]}
