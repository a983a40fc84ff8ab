"""What a file's bytes mean: lines of any encoding in, lines of UTF-8 out. No I/O.

A file's encoding is declared, or found (`auto`):

- A byte order mark says UTF-8 or UTF-16. Without one, four bytes of which every second is NUL are
  UTF-16 as well: an ASCII text in it looks like that, and nothing else does.
- Anything else is looked at line by line, so that neither the place where reading begins nor how
  much is read at once makes a difference. A line that is UTF-8 stays. One that is EUC-KR or CP949
  with Hangul in it is that. One that a Windows-1252 text could be is that. Any other stays as it
  is: whoever makes JSON of it shows its bytes as `\\xff`.

Hangul is what tells Korean from accented letters: in KS X 1001 it has the lead bytes B0 to C8,
and two accented letters in a row are mostly above (`größe` would be a Hanja). The extension of
CP949 has ASCII letters as second bytes, as in `Ä` before a letter, so syllables of it alone are
not enough.

Every encoding here writes a newline as one byte 0A which is no part of another character, except
UTF-16, where it is the unit 000A.
"""

from __future__ import annotations

import codecs
import re
from itertools import accumulate

from podweave.helpers.logs.utf8 import is_utf8

AUTO = "auto"
UTF_16_LE = "utf-16-le"
UTF_16_BE = "utf-16-be"

NAMES = {
    AUTO: AUTO,
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "ascii": "utf-8",
    "utf-16": "utf-16",
    "utf16": "utf-16",
    UTF_16_LE: UTF_16_LE,
    UTF_16_BE: UTF_16_BE,
    "latin-1": "latin-1",
    "iso-8859-1": "latin-1",
    "iso-8859-2": "iso8859-2",
    "iso-8859-15": "iso8859-15",
    "windows-1250": "cp1250",
    "windows-1251": "cp1251",
    "windows-1252": "cp1252",
    "cp1250": "cp1250",
    "cp1251": "cp1251",
    "cp1252": "cp1252",
    "koi8-r": "koi8-r",
    # A superset, byte for byte.
    "euc-kr": "cp949",
    "cp949": "cp949",
    "uhc": "cp949",
    "shift-jis": "cp932",
    "cp932": "cp932",
    "euc-jp": "euc_jp",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "cp950",
    "cp950": "cp950",
}
"""What may be declared -> Python's codec (auto: found)."""

_MARKS = (
    (codecs.BOM_UTF8, AUTO),
    (codecs.BOM_UTF16_LE, UTF_16_LE),
    (codecs.BOM_UTF16_BE, UTF_16_BE),
)

_HANGUL = re.compile(rb"[\xb0-\xc8][\xa1-\xfe]")
_EXTENDED = re.compile(rb"[\x81-\xc6][A-Za-z\x81-\xa0]|[\x81-\xa0][\xa1-\xfe]")
# Pairs of the one or the other kind, and ASCII; the euro sign alone (80) is in neither.
_KOREAN = re.compile(rb"(?:[\0-\x7f]|[\xa1-\xfe][\xa1-\xfe]|[\x81-\xc6][A-Za-z\x81-\xfe])*")
# Not defined in Windows-1252; control characters that no text has.
_NOT_WESTERN = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f\x81\x8d\x8f\x90\x9d]")
_HIGH = re.compile(rb"[\x80-\xff]")


def found(head: bytes) -> tuple[str, int] | None:
    """The encoding of a file that begins like this, and the length of its mark.

    None: more bytes are needed, up to four.
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name, len(mark)
    if len(head) < 4:
        part = any(mark.startswith(head) for mark, _ in _MARKS)
        return None if part or b"\0" in head else (AUTO, 0)
    nul = [byte == 0 for byte in head[:4]]
    if nul == [False, True, False, True]:
        return UTF_16_LE, 0
    if nul == [True, False, True, False]:
        return UTF_16_BE, 0
    return AUTO, 0


def declared(codec: str, head: bytes) -> tuple[str, int] | None:
    """As `found`, for a declared encoding: a mark is taken off, and says UTF-16's byte order."""
    if codec == AUTO:
        return found(head)
    if codec == "utf-8":
        if codecs.BOM_UTF8.startswith(head[:3]) and len(head) < 3:
            return None
        return codec, 3 * head.startswith(codecs.BOM_UTF8)
    if codec.startswith("utf-16"):
        if len(head) < 2:
            return None
        if head.startswith(codecs.BOM_UTF16_BE) and codec != UTF_16_LE:
            return UTF_16_BE, 2
        marked = head.startswith(codecs.BOM_UTF16_LE) and codec != UTF_16_BE
        return (UTF_16_BE if codec == UTF_16_BE else UTF_16_LE), 2 * marked
    return codec, 0


def last_newline(raw: bytes, encoding: str, begin: int) -> int:
    """The place behind the last newline at or after `begin`; 0 if there is none.

    UTF-16: `begin` is the beginning of a unit.
    """
    if not encoding.startswith("utf-16"):
        return raw.rfind(b"\n", begin) + 1
    unit = _newline(encoding)
    place = raw.rfind(unit, begin)
    while place >= 0 and (place - begin) % 2:
        place = raw.rfind(unit, begin, place + 1)
    return place + 2 if place >= 0 else 0


def first_newline(raw: bytes, encoding: str) -> tuple[int, int]:
    """Place and length of the first newline; (-1, 0) if there is none."""
    if not encoding.startswith("utf-16"):
        place = raw.find(b"\n")
        return place, int(place >= 0)
    unit = _newline(encoding)
    place = raw.find(unit)
    while place >= 0 and place % 2:
        place = raw.find(unit, place + 1)
    return place, 2 * (place >= 0)


def whole_lines(raw: bytes, encoding: str, offset: int) -> tuple[bytes, list[int] | None]:
    """Lines of a file, each with its newline, in UTF-8 and without carriage returns before it.

    And where each begins, `raw` being at `offset`; None when that is as in the lines that come
    out. Bytes that aren't of a declared encoding come out as `\\xff`.
    """
    if encoding.startswith("utf-16"):
        return _utf_16(raw, encoding, offset)
    if encoding == "utf-8" or raw.isascii() or (encoding == AUTO and is_utf8(raw)):
        data = raw
    elif encoding == AUTO:
        data = b"\n".join(map(_to_utf_8, raw.split(b"\n")))
    else:
        data = raw.decode(encoding, "backslashreplace").encode()
    # One byte is looked for much faster than two.
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    if data is raw or len(data) == len(raw):
        return data, None
    lines = raw.split(b"\n")
    lines.pop()
    starts = list(accumulate((len(line) + 1 for line in lines), initial=offset))
    starts.pop()
    return data, starts


def cut_line(raw: bytes, encoding: str) -> bytes:
    """One line that may be cut anywhere, or isn't ended: as UTF-8 with a newline."""
    if encoding.startswith("utf-16"):
        text = raw[: len(raw) & ~1].decode(encoding, "backslashreplace")
        return text.encode("utf-8", "backslashreplace") + b"\n"
    if not raw.isascii():
        # What is left of a character that was cut apart is no sign of another encoding.
        codec = "utf-8" if encoding == AUTO else encoding
        for short in range(1, 4):
            try:
                (raw if short == 1 else raw[: 1 - short]).decode(codec)
            except UnicodeDecodeError:
                continue
            raw = raw if short == 1 else raw[: 1 - short]
            break
    return whole_lines(raw + b"\n", encoding, 0)[0]


def ended(raw: bytes, encoding: str) -> bytes:
    """Bytes in UTF-16 with a newline behind them; half a character is left out."""
    return raw[: len(raw) & ~1] + _newline(encoding)


def _to_utf_8(line: bytes) -> bytes:
    """One line of an encoding that nobody declared."""
    if line.isascii():
        return line
    try:
        line.decode()
    except UnicodeDecodeError:
        pass
    else:
        return line
    if _is_korean(line):
        return line.decode("cp949", "backslashreplace").encode()
    if _NOT_WESTERN.search(line) is None and len(_HIGH.findall(line)) * 2 <= len(line):
        return line.decode("cp1252").encode()
    return line


def _is_korean(line: bytes) -> bool:
    if _KOREAN.fullmatch(line) is None:
        return False
    pairs = re.findall(rb"[\x80-\xff].", line, re.DOTALL)
    hangul = sum(_HANGUL.fullmatch(pair) is not None for pair in pairs)
    extended = sum(_EXTENDED.fullmatch(pair) is not None for pair in pairs)
    return hangul > extended


def _newline(encoding: str) -> bytes:
    return b"\n\0" if encoding == UTF_16_LE else b"\0\n"


def _utf_16(raw: bytes, encoding: str, offset: int) -> tuple[bytes, list[int]]:
    unit = _newline(encoding)
    starts: list[int] = []
    begin = 0
    while begin < len(raw):
        starts.append(offset + begin)
        place = raw.find(unit, begin)
        while place >= 0 and (place - begin) % 2:
            place = raw.find(unit, place + 1)
        begin = place + 2 if place >= 0 else len(raw)
    text = raw.decode(encoding, "backslashreplace")
    data = text.encode("utf-8", "backslashreplace")
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    return data, starts
