"""The login for an upstream, from the files of a Secret's volume.

The files are read at each dial, so that a changed Secret counts from the next connection on. The
kubelet swaps all files of a volume at once but a reader may come between the two: then the login
is refused, read again, and right. A newline at the end of a file is no part of the value: it is
what editors and `echo` leave there.
"""

from __future__ import annotations

import os

from podweave.helpers.dialing.connector import DialError

_LIMIT = 65536


class CredentialsError(DialError):
    """The Secret can't be read. `reason` is CREDENTIALS."""

    def __init__(self, message: str) -> None:
        super().__init__("CREDENTIALS", message)


class Login:
    """`username` is "" where the client's own is kept; `password` None where there is none."""

    __slots__ = ("password", "username")

    def __init__(self, username: str, password: bytes | None) -> None:
        self.username = username
        self.password = password

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Login)
            and self.username == other.username
            and self.password == other.password
        )

    __hash__ = None  # type: ignore[assignment]


class Credentials:
    """Where a login is to be found. A path is "" where that part is not configured."""

    __slots__ = ("password", "username")

    def __init__(self, username: str = "", password: str = "") -> None:
        self.username = username
        self.password = password

    def read(self) -> Login:
        """The login as it is now. CredentialsError says which file is missing or wrong.

        One of the two files may be missing: a user name without a password is enough for a
        server that asks for none, and Redis knows passwords without a name.
        """
        username = _read("username", self.username)
        password = _read("password", self.password)
        if username is None and password is None:
            paths = " and ".join(path for path in (self.username, self.password) if path)
            raise CredentialsError(f"the Secret is not there: no {paths}")
        try:
            name = (username or b"").decode()
        except UnicodeDecodeError:
            raise CredentialsError(f"username {self.username}: is not UTF-8") from None
        if "\0" in name or b"\0" in (password or b""):
            raise CredentialsError("the Secret has a NUL character in the username or password")
        return Login(name, password)


def _read(what: str, path: str) -> bytes | None:
    if not path:
        return None
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            data = os.read(fd, _LIMIT)
        finally:
            os.close(fd)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CredentialsError(f"{what} {path}: {error.strerror}") from error
    return data.removesuffix(b"\n").removesuffix(b"\r")
