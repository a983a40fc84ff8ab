"""The files of a Secret's volume, for tests."""

from __future__ import annotations

from pathlib import Path


class Secret:
    def __init__(self, directory: Path, username: str, password: str) -> None:
        directory.mkdir()
        self.username = directory / "username"
        self.password = directory / "password"
        self.write(username, password)
        self.config = {"username": str(self.username), "password": str(self.password)}

    def write(self, username: str, password: str) -> None:
        """Replace both files, each at once, as the kubelet does."""
        for file, value in ((self.username, username), (self.password, password)):
            new = file.with_suffix(".new")
            new.write_text(value)
            new.rename(file)
