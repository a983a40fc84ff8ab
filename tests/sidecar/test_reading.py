"""Encodings, carriage returns, container formats, events: however it is cut, the same records."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podweave.helpers.configuration import ConfigurationError, Section
from podweave.helpers.logs.chunks import Chunk
from podweave.helpers.logs.events import Events
from podweave.helpers.logs.reading import Reading, configure
from tests.sidecar.following import Following

TRACE = b"""\
2026-11-23 02:16:56 ERROR slow
java.lang.IllegalStateException: no
\tat shop.Orders.take(Orders.java:7)
Caused by: java.io.IOException: gone
\t... 3 more
2026-11-23 02:16:57 INFO next
"""


def reading(**config: object) -> Reading:
    section = Section(config)
    made = configure(section)
    section.end()
    return made


def records(chunks: list[Chunk]) -> list[bytes]:
    return [text for chunk in chunks for text in chunk.texts()]


def whole(folder: Path, data: bytes, settings: Reading) -> list[tuple[int, bytes]]:
    """Read at once, to the end of the Pod."""
    following = Following(folder, reading=settings)
    (folder / "a.log").write_bytes(data)
    following.tail.finish()
    found = [record for _ in range(9) for chunk in following.chunks() for record in chunk.records()]
    assert following.tail.finished
    following.tail.close()
    return found


def texts(folder: Path, data: bytes, settings: Reading) -> list[bytes]:
    return [text for _, text in whole(folder, data, settings)]


HANGUL = "주문 처리 완료: 42건"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp949", "euc-kr", "utf-16", "utf-16-be"]
)
def test_a_korean_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    said = f"{HANGUL}\r\nplain\n\n{HANGUL}\n"
    data = said.encode(encoding)
    if encoding == "utf-16-be":
        data = b"\xfe\xff" + data
    assert texts(tmp_path, data, reading()) == said.replace("\r", "").encode().split(b"\n")[:-1]


@pytest.mark.parametrize(
    "line", ["größe über alles", "déjà vu, ça va", "Ärger mit naïven Ölen", "5 €"]
)
def test_accented_letters_are_not_taken_for_hangul(tmp_path: Path, line: str) -> None:
    assert texts(tmp_path, f"{line}\n".encode("cp1252"), reading()) == [line.encode()]


def test_utf_16_without_a_mark_is_found(tmp_path: Path) -> None:
    for codec in ("utf-16-le", "utf-16-be"):
        (tmp_path / codec).mkdir()
        found = texts(tmp_path / codec, f"one\n{HANGUL}\n".encode(codec), reading())
        assert found == [b"one", HANGUL.encode()]


def test_a_declared_encoding_is_not_doubted(tmp_path: Path) -> None:
    assert texts(tmp_path, b"\xc0\xaf\n", reading(encoding="latin-1")) == ["À¯".encode()]
    assert texts(tmp_path, b"ok \xff\n", reading(encoding="euc-kr")) == [rb"ok \xff"]
    assert texts(tmp_path, b"\xb0\xa1\n", reading(encoding="utf-8")) == [b"\xb0\xa1"]


def test_bytes_of_no_text_stay(tmp_path: Path) -> None:
    assert texts(tmp_path, b"bi\0nary\n\xff\xfe\x01\x02\n", reading()) == [
        b"bi\0nary",
        b"\xff\xfe\x01\x02",
    ]


def test_a_character_that_the_limit_cuts_apart_is_left_out_whole(tmp_path: Path) -> None:
    long = "가" * 1000
    settings = reading(max_line=1024)
    assert texts(tmp_path, f"{long}\n".encode(), settings) == [("가" * 341).encode()]


def test_the_place_of_a_line_is_that_in_the_file(tmp_path: Path) -> None:
    for codec in ("utf-8", "cp949", "utf-16-le"):
        data = f"{HANGUL}\r\nlast ok\r\n".encode(codec)
        (tmp_path / codec).mkdir()
        found = whole(tmp_path / codec, data, reading(encoding=codec))
        assert found == [
            (0, HANGUL.encode()),
            (len(f"{HANGUL}\r\n".encode(codec)), b"last ok"),
        ]


def cri(stream: str, tag: str, text: str, second: int = 0) -> str:
    return f"2026-11-23T02:16:{second:02}.123456789Z {stream} {tag} {text}\n"


def test_cri_parts_are_put_together(tmp_path: Path) -> None:
    lines = [
        cri("stdout", "P", "one, ", 1),
        cri("stderr", "F", "between", 2),
        cri("stdout", "P", "two, ", 3),
        cri("stdout", "F", "three", 4),
        "what is this\n",
        cri("stdout", "F", "", 5),
    ]
    following = Following(tmp_path, reading=reading(format="cri"))
    for line in lines[:3]:
        following.append("a.log", line.encode())
        assert following.lines(turns=1) == []
    following.append("a.log", "".join(lines[3:]).encode())
    (chunk,) = following.chunks()
    assert chunk.texts() == [b"one, two, three", b"between", b"what is this", b""]
    assert chunk.details is not None
    assert chunk.details[:3] == [
        (b"2026-11-23T02:16:01.123456789Z", b"stdout"),
        (b"2026-11-23T02:16:02.123456789Z", b"stderr"),
        (b"", b""),
    ]
    assert following.tail.counters["foreign_lines"] == 1
    following.tail.close()


def test_a_line_that_has_a_cri_line_in_it_is_kept_whole(tmp_path: Path) -> None:
    line = "see: " + cri("stdout", "F", "inside")
    data = (cri("stdout", "F", "before") + line).encode()
    assert texts(tmp_path, data, reading(format="cri")) == [b"before", line[:-1].encode()]


def test_a_part_that_never_comes_keeps_nothing_back_for_ever(tmp_path: Path) -> None:
    following = Following(tmp_path, reading=reading(format="cri"))
    following.append("a.log", cri("stdout", "P", "killed in the midd").encode())
    assert following.lines(turns=4) == []
    following.clock.now += 5
    assert following.lines(turns=2) == [b"killed in the midd"]
    following.tail.close()


def test_docker_json_lines(tmp_path: Path) -> None:
    time = "2026-11-23T02:16:56.123456789Z"
    rows = [('a "quoted" 가\n', "stdout"), ("16 KiB and", "stderr"), (" more\r\n", "stderr")]
    data = "".join(json.dumps({"log": log, "stream": s, "time": time}) + "\n" for log, s in rows)
    assert texts(tmp_path, data.encode(), reading(format="docker")) == [
        'a "quoted" 가'.encode(),
        b"16 KiB and more",
    ]


def test_docker_lines_with_others_among_them(tmp_path: Path) -> None:
    good = json.dumps({"log": "good\n", "stream": "stdout", "time": "2026-11-23T02:16:56Z"})
    lines = [good, '{"log":"torn', good, "[1]", '"}', '{"log": 7}', good]
    found = texts(tmp_path, ("\n".join(lines) + "\n").encode(), reading(format="docker"))
    wanted = ["good" if line == good else line for line in lines]
    assert found == [line.encode() for line in wanted]


def test_a_trace_is_one_event(tmp_path: Path) -> None:
    found = whole(tmp_path, TRACE * 2, reading(multiline={"rule": "auto"}))
    first, second = TRACE[:-1].rsplit(b"\n", 1)
    assert found == [
        (0, first),
        (len(first) + 1, second),
        (len(TRACE), first),
        (len(TRACE) + len(first) + 1, second),
    ]


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le"])
def test_an_unfinished_last_line_joins_the_last_event(tmp_path: Path, codec: str) -> None:
    data = "2026-11-23 ERROR\n\tat shop.Orders\n\tat shop.Main".encode(codec)
    settings = reading(multiline={"rule": "auto"}, encoding=codec)
    assert texts(tmp_path, data, settings) == [
        b"2026-11-23 ERROR\n\tat shop.Orders\n\tat shop.Main"
    ]


def test_an_event_waits_for_its_next_line_and_no_longer(tmp_path: Path) -> None:
    following = Following(tmp_path, reading=reading(multiline={"rule": "auto", "flush": 2.0}))
    following.append("a.log", b"2026-11-23 ERROR\n")
    assert following.lines(turns=2) == []
    following.append("a.log", b"\tat shop.Orders\n")
    assert following.lines(turns=2) == []
    assert following.tail.next_poll() <= 2.0
    following.clock.now += 2
    (chunk,) = following.chunks()
    assert chunk.texts() == [b"2026-11-23 ERROR\n\tat shop.Orders"]
    assert following.lines() == []
    following.tail.close()


def test_a_restart_in_the_middle_of_an_event_loses_nothing(tmp_path: Path) -> None:
    following = Following(tmp_path, reading=reading(multiline={"rule": "start", "regex": "^#"}))
    following.append("a.log", b"#1\na\n#2\nb\n")
    chunks = following.chunks()
    assert records(chunks) == [b"#1\na"]
    following.tail.acknowledge(chunks[0])
    following.restart()
    following.append("a.log", b"c\n#3\n")
    assert records(following.chunks()) == [b"#2\nb\nc"]
    following.tail.close()


@pytest.mark.parametrize(
    ("multiline", "data", "wanted"),
    [
        ({"rule": "indented"}, b"a\n b\n\tc\nd\n", [b"a\n b\n\tc", b"d"]),
        ({"rule": "continue", "regex": r"^\.\."}, b"a\n..b\nc\n", [b"a\n..b", b"c"]),
        ({"rule": "start", "regex": r"^\d"}, b"x\n1\ny\n2\n", [b"x", b"1\ny", b"2"]),
    ],
)
def test_rules(tmp_path: Path, multiline: object, data: bytes, wanted: list[bytes]) -> None:
    assert texts(tmp_path, data, reading(multiline=multiline)) == wanted


LANGUAGES = {
    "python": b'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    g()\n'
    b"KeyError: 1\n\n"
    b"During handling of the above exception, another exception occurred:\n\n"
    b'Traceback (most recent call last):\n  File "a.py", line 3\nValueError: no\n',
    "go": b"panic: boom\n\n"
    b"goroutine 1 [running]:\nmain.main()\n\t/src/a.go:4 +0x1d\nexit status 2\n",
    "node": b"/app/a.js:3\n    throw new Error('no')\n    ^\n\n"
    b"Error: no\n    at f (/app/a.js:3:9)\n"
    b"\nNode.js v18.19.0\n",
    "ruby": b"a.rb:1:in `f': no (RuntimeError)\n\tfrom a.rb:4:in `<main>'\n",
    "dotnet": b"Unhandled exception. System.InvalidOperationException: no\n"
    b"   at A.B() in /src/A.cs:line 3\n   --- End of inner exception stack trace ---\n",
    "php": b"PHP Fatal error:  Uncaught Exception: no in /a.php:3\nStack trace:\n#0 {main}\n"
    b"  thrown in /a.php on line 3\n",
    "cpp": b"terminate called after throwing an instance of 'std::runtime_error'\n  what():  no\n",
    "asan": b"==12==ERROR: AddressSanitizer: heap-use-after-free on address 0x1\n"
    b"READ of size 4 at 0x1 thread T0\n    #0 0x4 in main a.cc:3\n\n"
    b"SUMMARY: AddressSanitizer: heap-use-after-free a.cc:3 in main\n",
    "glog": b'*** Aborted at 1 (unix time) try "date -d @1" ***\n'
    b"PC: @ 0x1 (unknown)\n    @ 0x2 f\n",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_traces_of(tmp_path: Path, language: str) -> None:
    trace = LANGUAGES[language]
    line = b"2026-11-23T02:16:56Z INFO all is well\n"
    for before in (b"", line):
        folder = tmp_path / f"x{len(before)}"
        folder.mkdir()
        found = texts(folder, before + trace + line, reading(multiline={"rule": "auto"}))
        assert found[-1] == line[:-1]
        joined = b"\n".join(found[:-1]) + b"\n"
        assert joined == before + trace
        assert any(trace.rstrip() in text for text in found[:-1]), found


def test_an_event_has_a_limit(tmp_path: Path) -> None:
    data = b"begin\n" + (b" " * 99 + b"\n") * 6000
    found = texts(tmp_path, data, reading(multiline={"rule": "indented"}))
    assert len(found) == 3
    assert b"\n".join(found) + b"\n" == data


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({"encoding": "utf-7"}, "encoding"),
        ({"format": "json"}, "format"),
        ({"multiline": {"rule": "start"}}, "multiline"),
        ({"multiline": {"rule": "start", "regex": "("}}, "multiline.regex"),
        ({"multiline": {"rule": "auto", "regex": "a"}}, "multiline.regex"),
        ({"multiline": {"rule": "magic"}}, "multiline.rule"),
        ({"max_line": 1}, "max_line"),
        ({"exclude": ["a/b"]}, "exclude[0]"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(config: dict[str, object], place: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        reading(**config)
    assert caught.value.path == place


# However it is cut

lines = st.sampled_from(
    [
        b"2026-11-23 INFO a",
        b"\tat b.c(D.java:1)",
        b"java.lang.Error: x",
        b"",
        b"Traceback (most recent call last):",
        b"ValueError: y",
        b"panic: z",
        b"goroutine 1 [running]:",
        b"main.f(0x1)",
        b"/app/a.js:3",
        b"Error, no",
        b"==1==ERROR: AddressSanitizer: x",
        b"READ of size 4",
        "가나다".encode(),
        "가나다".encode("cp949"),
        b"caf\xe9\r",
        b"\xff\x01",
        b"2026-11-23T02:16:56.1Z stdout P part",
        b"2026-11-23T02:16:56.1Z stdout F end",
        b"2026-11-23T02:16:56.1Z stderr P  more",
        b"2026-11-23T02:16:56.1Z stderr F  end",
        b"2026-11-23T02:16:56.1Z stdout F 2026 begins",
    ]
)
configs = st.sampled_from(
    [
        {},
        {"multiline": {"rule": "auto"}},
        {"multiline": {"rule": "indented"}},
        {"multiline": {"rule": "start", "regex": "^2026"}},
        {"format": "cri"},
        {"format": "cri", "multiline": {"rule": "indented"}},
        {"encoding": "utf-16-le"},
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    configs, st.lists(lines, min_size=1, max_size=30), st.lists(st.integers(0, 400)), st.booleans()
)
def test_cut_and_restarted_anywhere_it_is_the_same(
    config: dict[str, object], said: list[bytes], cuts: list[int], restarts: bool
) -> None:
    data = b"\n".join(said) + b"\n"
    if "encoding" in config:
        data = data.decode("latin-1").encode("utf-16-le")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "whole").mkdir()
        wanted = whole(Path(folder) / "whole", data, reading(**config))
        following = Following(Path(folder), reading=reading(**config))
        found: list[tuple[int, bytes]] = []

        def turn() -> None:
            # A clock that stands still: nothing is complete because it was quiet.
            for chunk in following.tail.read(1 << 20):
                found.extend(chunk.records())
                following.tail.acknowledge(chunk)

        last = 0
        for cut in [*sorted(cuts), len(data)]:
            following.append("a.log", data[last:cut])
            last = max(last, min(cut, len(data)))
            following.clock.now += 0.2
            following.tail._scan(following.clock.now)
            for file in following.tail._files:
                file.changed = following.clock.now
            turn()
            if restarts:
                following.restart()
        following.tail.finish()
        for _ in range(9):
            following.clock.now += 0.25
            turn()
        assert following.tail.finished
        following.tail.close()
        assert found == wanted


def test_auto_finds_quickly_that_there_is_nothing_to_join() -> None:
    rule = Events("auto")
    assert rule.every_line(b'2026 a\n2026 b\n{"x": 1}\n[info] c\n')
    for line in LANGUAGES.values():
        first, *rest = line.split(b"\n")
        assert len(rule.firsts([first, *rest[:-1]])) == 1 or not rule.every_line(line)


@given(st.lists(lines, min_size=1, max_size=12))
def test_quick_and_exact_agree(said: list[bytes]) -> None:
    rule = Events("auto")
    if rule.every_line(b"\n".join(said) + b"\n"):
        assert rule.firsts(said) == list(range(len(said)))
