"""URLs, the environment's proxies, Retry-After and dates."""

from __future__ import annotations

import email.utils
from urllib.parse import quote as library_quote
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.http_client.proxies import proxy_for
from podweave.helpers.wire.dates import http_date
from podweave.helpers.wire.retry_after import seconds
from podweave.helpers.wire.urls import parse, quote, unquote


@pytest.mark.parametrize(
    ("text", "host", "port", "path", "authority"),
    [
        ("http://a", "a", 80, "", "a"),
        ("HTTPS://a.example/", "a.example", 443, "", "a.example"),
        ("https://a:9200/x/y/", "a", 9200, "/x/y", "a:9200"),
        ("http://[::1]:8080", "::1", 8080, "", "[::1]:8080"),
        ("http://[fe80::1]", "fe80::1", 80, "", "[fe80::1]"),
        ("https://u:p%20w@a:443/x", "a", 443, "/x", "a"),
    ],
)
def test_urls(text: str, host: str, port: int, path: str, authority: str) -> None:
    url = parse(text)
    assert (url.host, url.port, url.path, url.authority) == (host, port, path, authority)
    assert "p%20w" not in str(url)


@pytest.mark.parametrize(
    "text",
    ["", "a", "ftp://a", "http://", "http://a:0", "http://a:x", "http://a:70000", "http://a b",
     "http://::1", "http://[::1", "http://[::1]x", "http://a/ b", "http://a/#x", "http://a?é"],
)  # fmt: skip
def test_what_is_no_url(text: str) -> None:
    with pytest.raises(ValueError, match=r"must|has|not|no |stands"):
        parse(text)


@given(st.text())
def test_whatever_parses_is_what_the_library_finds(text: str) -> None:
    try:
        url = parse(f"http://{text}")
    except ValueError:
        return
    parts = urlsplit(f"http://{text}")
    assert parts.hostname == url.host.lower()
    assert (parts.port or 80) == url.port
    assert parts.path.rstrip("/") == url.path


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_quoting_is_the_librarys(text: str) -> None:
    assert quote(text) == library_quote(text, safe="")
    assert unquote(quote(text)) == text


PROXY = {"HTTPS_PROXY": "http://proxy:3128", "http_proxy": "plain:8080"}


@pytest.mark.parametrize(
    ("url", "no_proxy", "expected"),
    [
        ("https://a.example", "", "http://proxy:3128"),
        ("http://a.example", "", "http://plain:8080"),
        ("https://a.example", "*", None),
        ("https://a.example", "other, example", None),
        ("https://a.example", ".example", None),
        ("https://example", ".example", None),
        ("https://notexample", "example", "http://proxy:3128"),
        ("https://a.example", "a.example:443", None),
        ("https://a.example", "a.example:9200", "http://proxy:3128"),
        ("https://10.1.2.3", "10.0.0.0/8", None),
        ("https://11.1.2.3", "10.0.0.0/8", "http://proxy:3128"),
        ("https://[fd00::1]", "fd00::/8", None),
        ("https://[fd00::1]", "[fd00::1]:443", None),
        ("https://localhost", "", None),
        ("https://127.0.0.2", "", None),
    ],
)
def test_the_environments_proxy(url: str, no_proxy: str, expected: str | None) -> None:
    proxy = proxy_for(parse(url), {**PROXY, "NO_PROXY": no_proxy})
    assert (None if proxy is None else str(proxy)) == expected


def test_lower_case_goes_first_and_all_proxy_is_for_the_rest() -> None:
    environ = {"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:2", "ALL_PROXY": "http://c:3"}
    first, second = proxy_for(parse("https://x"), environ), proxy_for(parse("http://x"), environ)
    assert first is not None
    assert second is not None
    assert (first.host, second.host) == ("a", "c")


def test_a_proxy_that_cannot_be_one_is_said() -> None:
    with pytest.raises(ValueError, match="HTTPS_PROXY"):
        proxy_for(parse("https://x"), {"HTTPS_PROXY": "socks5://a:1"})


@given(st.integers(0, 4102444800))
def test_a_date_is_read_as_the_library_writes_it(moment: int) -> None:
    text = email.utils.formatdate(moment, usegmt=True)
    assert http_date(text) == moment
    assert seconds(text, moment - 10) == 10
    assert seconds(text, moment + 10) == 0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("99999999999999999999", 3600.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("Sun, 99 Nov 1994 08:49:37 GMT", None),
        ("Sunday, 06-Nov-94 08:49:37 GMT", None),
    ],
)
def test_retry_after(value: str | None, expected: float | None) -> None:
    assert seconds(value, 1e9) == expected


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    result = seconds(text, 1e9)
    assert result is None or 0 <= result <= 3600
