import dataclasses
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from predella.embedded.home import Home
from predella.embedded.s3 import S3
from tests.services import Bucket


@pytest.fixture
def server(own_home: Home) -> Iterator[S3]:
    own = S3(own_home)
    try:
        own.launch()
        own.wait_until_ready()
        yield own
    finally:
        own.process.stop()


def _bucket(server: S3) -> Bucket:
    return Bucket("pictures", server.url, server.access_key_id, server.secret_access_key)


class TestS3:
    def test_keeps_its_objects_when_it_is_killed(self, server: S3) -> None:
        bucket = _bucket(server)
        bucket.client.create_bucket(Bucket=bucket.name)
        bucket.client.put_object(Bucket=bucket.name, Key="Röntgen/1 a.jpg", Body=b"picture")
        assert server.process.pid
        os.kill(server.process.pid, signal.SIGKILL)

        server.launch()
        server.wait_until_ready()

        assert bucket.store.read(bucket.name, "Röntgen/1 a.jpg") == b"picture"

    @pytest.mark.parametrize("field", ["access_key_id", "secret_access_key"])
    def test_refuses_a_wrong_key(self, server: S3, field: str) -> None:
        stranger = dataclasses.replace(_bucket(server), **{field: "0123456789abcdef"})

        with pytest.raises(ClientError, match=r"Access|Signature"):
            stranger.client.list_buckets()

    def test_shows_its_key_to_nobody_who_lists_processes(self, server: S3) -> None:
        command = Path(f"/proc/{server.process.pid}/cmdline")
        if not command.exists():
            pytest.skip("no /proc on this system")

        assert server.secret_access_key not in command.read_text()
