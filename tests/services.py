"""The real services that tests talk to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url

from predella.storage import Store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Chosen(BaseSettings):
    """Services that are used instead of starting our own."""

    model_config = SettingsConfigDict(env_prefix="PREDELLA_TEST_")

    pg_url: SecretStr | None = None
    """Of a role that may create databases, as in ``postgresql://predella:secret@host/postgres``."""


UrlOf = Callable[[str], str]
"""From the name of a database to its address, as psycopg takes it."""


@dataclass(frozen=True)
class Bucket:
    """One empty bucket of one S3 server, for one test."""

    name: str
    endpoint_url: str
    access_key_id: str
    secret_access_key: str

    @property
    def client(self) -> "S3Client":
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                response_checksum_validation="when_required",
                request_checksum_calculation="when_required",
            ),
        )

    @property
    def store(self) -> Store:
        return Store(self.client)


def sqlalchemy_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def service_url(url: str) -> str:
    """The same database for the role that the service has: it owns nothing."""
    own = make_url(sqlalchemy_url(url)).set(username="predella_service", password="of-tests")
    return own.render_as_string(hide_password=False)
