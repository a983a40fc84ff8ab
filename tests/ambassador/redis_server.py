"""A real Redis server for tests."""

from __future__ import annotations

import subprocess
from contextlib import AbstractContextManager
from pathlib import Path

import redis

from tests.ambassador.certificates import Authority
from tests.ambassador.servers import temporary
from tests.ports import free_port
from tests.waiting import wait_until

PASSWORD = "s3cret of stage"


class RedisServer:
    """One port in plain text, one with TLS for db.example; the user stage, and a default user
    with a password."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.tls_port = free_port()
        self.authority = Authority(directory / "authority")
        certificate, key = self.authority.issue("db.example", "127.0.0.1")
        configuration = directory / "redis.conf"
        configuration.write_text(
            f"bind 127.0.0.1\nport {self.port}\ntls-port {self.tls_port}\nsave ''\n"
            f"dir {directory}\ntls-cert-file {certificate}\ntls-key-file {key}\n"
            f"tls-ca-cert-file {self.authority.file}\ntls-auth-clients no\n"
            f"requirepass {PASSWORD.replace(' ', '_')}\n"
            f'user stage on ">{PASSWORD}" allkeys allcommands allchannels\n'
        )
        self.process = subprocess.Popen(
            ["redis-server", str(configuration)], stdout=subprocess.DEVNULL
        )
        self.config: list[object] = ["127.0.0.1", self.port, 1]
        self.tls_config: list[object] = ["127.0.0.1", self.tls_port, 1]
        try:
            wait_until(self._answers, 20, "Redis answers")
        except BaseException:
            self.close()
            raise

    def connect(self) -> redis.Redis:
        return redis.Redis(port=self.port, username="stage", password=PASSWORD)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()

    def _answers(self) -> bool:
        try:
            with self.connect() as client:
                return bool(client.ping())
        except redis.exceptions.ConnectionError:
            return False


def redis_server() -> AbstractContextManager[RedisServer]:
    return temporary("redis-server", "redis-server", RedisServer)
