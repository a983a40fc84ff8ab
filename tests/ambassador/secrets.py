"""The files of a Secret's volume, for tests."""

from __future__ import annotations

from pathlib import Path


class Secret:
    def __init__(self, directory: Path, username: str, password: str) -> None:
        directory.mkdir()
        self.username = directory / "username"
        self.password = directory / "password"
        self.username.write_text(username)
        self.password.write_text(password)
        self.config = {"username": str(self.username), "password": str(self.password)}
