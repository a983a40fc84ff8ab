"""Slots of a URL's path and query, where the column has the URL.

Nearly all lines of a file have URLs without a query, or with one question mark: then replacing
the question marks puts both members into all rows at once.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.fields import ABSENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from podweave.helpers.logs.columns import Chunk, Column
    from podweave.helpers.logs.slots import MakeSlot

# URLs, each with a newline, with a second question mark or a query that is as good as none.
_ODD = re.compile(rb"\?(?:-?\n|[^\n?]*\?)")


class UrlPath:
    """What stands before the question mark. `urls` are insides of JSON strings."""

    __slots__ = ("_urls",)

    def __init__(self, urls: Callable[[Chunk], Column]) -> None:
        self._urls = urls

    def __call__(self, chunk: Chunk) -> Iterable[bytes]:
        return [url.partition(b"?")[0] for url in self._urls(chunk)]

    def with_query(self, before: bytes) -> Callable[[Chunk], Column]:
        """The slot of the path, and of the query behind it if there is one, with `before` between
        them."""

        def slot(chunk: Chunk) -> Column:
            urls = self._urls(chunk)
            text = b"\n".join(urls) + b"\n"
            if b"?" not in text:
                return urls
            if _ODD.search(text) is None:
                return text.replace(b"?", before)[:-1].split(b"\n")
            cut = [url.partition(b"?") for url in urls]
            return [path if query in ABSENT else path + before + query for path, _, query in cut]

        return slot


class UrlQuery:
    """What stands behind it, between two texts; nothing where that is absent."""

    __slots__ = ("_urls", "after", "before")

    def __init__(self, urls: Callable[[Chunk], Column], before: bytes, after: bytes) -> None:
        self._urls = urls
        self.before = before
        self.after = after

    def __call__(self, chunk: Chunk) -> Iterable[bytes]:
        before, after = self.before, self.after
        queries = [url.partition(b"?")[2] for url in self._urls(chunk)]
        return [b"" if query in ABSENT else before + query + after for query in queries]


def query_of(urls: Callable[[Chunk], Column]) -> MakeSlot:
    """The member of a URL's query, as a text."""
    return lambda before, after: UrlQuery(urls, before + b'"', b'"' + after)
