"""What is wrong in formats of the user's own and in steps: told in words, all of it, at once."""

from __future__ import annotations

from typing import Any

import pytest

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.formats.own import catalogue
from podweave.helpers.logs.judging import check, judged
from podweave.model.own_formats import OWN_FORMATS
from tests.adapter.own_expressions import EXPRESSIONS
from tests.adapter.own_layout_strings import LAYOUT_STRINGS

FORMATS: list[tuple[str, Any, str]] = [
    ("log4j", "%d %z %m", "has %z, which is no conversion word"),
    ("log4j", "%d{yyyy-QQ} %m", "the date 'yyyy-QQ' has QQ"),
    ("log4j", "%d{HH:mm:ss}{Asia/Nowhere} %m", "'Asia/Nowhere' is no time zone: +09:00"),
    ("log4j", "%d{HH:mm:ss %m", "a { without its }"),
    ("log4j", "%c%m", "nothing stands between %c and %m"),
    ("log4j", "%p %m%n%c", "before its end"),
    ("log4j", "${LOG_PATTERN} %m", "put the property's value in its place"),
    ("log4j", "no words", "no field in it, as %d %p %c - %m%n has"),
    ("log4j", "", "no field in it"),
    ("log4j", "%highlight %m", "nothing in parentheses"),
    ("log4j", "%highlight(%p %m", "no ')' where one was to come"),
    ("log4j", 17, "must be a text: the pattern of a PatternLayout"),
    ("logback", "%d{HH:mm:ss.SSS, Asia/Nowhere} %m", "no time zone"),
    ("logback", "%d{'T} %m", "a quote that doesn't end"),
    ("python", "%(asctime) %(message)s", "names no attribute"),
    ("python", "asctime", "no field in it, as %(asctime)s %(levelname)s"),
    ("python", {"format": "%(asctime)s", "datefmt": "%Q"}, "%Q, which isn't read"),
    ("python", {"format": "%(asctime)s", "datefmt": "%M"}, "neither a day nor an hour"),
    ("python", {"format": "%(asctime)s", "datefmt": 7}, "datefmt must be a text"),
    ("python", {"fmt": "x"}, "an object with format and datefmt"),
    ("nginx", "$remote_addr $", "a $ that names no variable"),
    ("nginx", "$remote_addr$status", "nothing stands between"),
    ("nginx", "remote_addr", "no field in it, as $remote_addr"),
    ("nginx", "{'a': '$status'}", "is JSON: format nginx-json"),
    ("nginx", ["$status"], "must be a text: a log_format"),
    ("apache", "%h %y", "%y, which is no directive"),
    ("apache", "%h %{x}T", "one of ms, us, s"),
    ("apache", "%h %i", "%{NAME}i"),
    ("apache", "common", "no field in it, as %h %t"),
    ("csv", {"columns": []}, "a list of 1 to 90 names"),
    ("csv", {"columns": ["a", "a"]}, "'a' is there twice"),
    ("csv", {"columns": ["a:date"]}, "NAME, NAME:int or NAME:float"),
    ("csv", {"columns": ["", "-"]}, "none has a name"),
    ("csv", {"columns": ["a"], "delimiter": ",,"}, "delimiter must be one ASCII character"),
    ("csv", {"columns": ["a"], "delimiter": '"'}, "can't be the quote"),
    ("csv", {"columns": ["a"], "header": "yes"}, "header must be true or false"),
    ("csv", {"colums": ["a"]}, "must be an object of columns, delimiter, quote, header"),
    ("csv", {"header": False}, "needs columns, or a header"),
    ("grok", "%{NOSUCH:x}", "no pattern is called NOSUCH"),
    ("grok", "%{LOGLEVELS:x}", "did you mean 'LOGLEVEL'?"),
    ("grok", "%{INT:x:date}", "a string, an int or a float"),
    ("grok", "no fields", "names no field: %{GREEDYDATA:message}"),
    ("grok", {"match": "%{A:x}", "patterns": {"A": "%{A}"}}, "back to themselves"),
    ("grok", {"match": "%{A:x}", "patterns": {"A": 1}}, "an object of texts"),
    ("grok", {"pattern": "%{INT:x}"}, "an object of match and patterns"),
    ("grok", "(%{INT:x}", "no regular expression"),
    ("grok", [], "a list of texts"),
    ("regex", "(", "no regular expression"),
    ("regex", "x", "no named groups"),
    ("regex", 1, "must be a text"),
]


@pytest.mark.parametrize(("key", "value", "said"), FORMATS)
def test_a_wrong_format_is_told(key: str, value: Any, said: str) -> None:
    ((path, message),) = judged({"format": {key: value}})
    assert path == f"format.{key}"
    assert said in message


STEPS: list[tuple[Any, str, str]] = [
    ({"drop": {"message": {"regex": "("}}}, "drop.message.regex", "no regular expression"),
    ({"drop": {"a.b": {"regex": "("}}}, "drop.a.b.regex", "no regular expression"),
    ({"drop": {"status": "ok"}}, "drop.status", "'ok' is no status: a number"),
    ({"keep": {"level": ["info", "warning"]}}, "keep.level", "'warning' is no level: one of trace"),
    ({"drop": {"time": "2026-11-23"}}, "drop.time", "timestamp"),
    ({"drop": {"time": {"atLeast": 5}}}, "drop.time", ""),
    ({"add": {"level": "banana"}}, "add.level", "'banana' is no level"),
    ({"add": {"status": "many"}}, "add.status", "a number"),
    ({"add": {"pid": 1.5}}, "add.pid", "a number"),
    ({"add": {"duration": True}}, "add.duration", "a number"),
    ({"mask": {"regex": "("}}, "mask.regex", "no regular expression"),
    ({"mask": {"kinds": ["card"]}}, "mask.kinds", "must be among cards"),
    ({"sample": {"share": 2}}, "sample.share", "between 0 and 1"),
    ({"sample": {"share": 0.5, "when": {"status": "x"}}}, "sample.when.status", "a number"),
    ({"rate_limit": {"events": 1, "by": ""}}, "rate_limit.by", "must be a string"),
    ({"rate_limit": {"events": 1, "when": {"pid": []}}}, "", ""),
    ({"forget": {}}, "", "must have one of drop"),
]


@pytest.mark.parametrize(("step", "path", "said"), STEPS)
def test_a_wrong_step_is_told(step: Any, path: str, said: str) -> None:
    found = judged({"format": "json", "steps": [{"keep": {"level": "info"}}, step]})
    if step == {"rate_limit": {"events": 1, "when": {"pid": []}}}:
        assert found == []  # never true, but nothing of it is wrong by itself
        return
    ((where, message),) = found
    assert where == f"steps[1].{path}".rstrip(".")
    assert said in message


def test_a_wrong_zone_is_told() -> None:
    ((path, message),) = judged({"format": "json", "time_zone": "Mars/Olympus"})
    assert (path, "no time zone" in message) == ("time_zone", True)


def test_all_of_it_is_told_at_once() -> None:
    found = judged(
        {
            "format": {"log4j": "%z"},
            "time_zone": "x",
            "steps": [{"add": {"level": "x"}}, {"drop": {"status": "x"}}],
        }
    )
    assert [path for path, _ in found] == [
        "format.log4j",
        "time_zone",
        "steps[0].add.level",
        "steps[1].drop.status",
    ]


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, value, _, _ in (*LAYOUT_STRINGS, *EXPRESSIONS)]
)
def test_what_is_right_is_nothing_to_tell(key: str, value: Any) -> None:
    steps = [
        {"drop": {"level": {"atMost": "debug"}, "status": [200, "204"], "shop": {"exists": True}}},
        {"add": {"level": "warn", "status": 200, "shop": "seoul", "duration": 0.25}},
        {"rate_limit": {"events": 5, "by": "shop", "when": {"time": {"exists": True}}}},
    ]
    entry = {"format": {key: value}, "schema": "ecs", "time_zone": "+09:00", "steps": steps}
    assert judged(entry) == []


def test_the_program_that_checks_a_configuration_tells_the_same() -> None:
    entry = {"from": ["/a/x"], "format": "json", "schema": "ecs", "to": [{"stdout": True}]}
    config = {"version": 1, "program": "adapter", "name": "a", "admin": ["127.0.0.1", 0]}
    config |= {"state": "/state"}
    check({**config, "logs": [entry]})
    with pytest.raises(ConfigurationError) as caught:
        check({**config, "logs": [entry, {**entry, "steps": [{"add": {"level": "x"}}]}]})
    assert caught.value.path == "logs[1].steps[0].add.level"


def test_both_sides_know_the_same_keys() -> None:
    assert set(OWN_FORMATS) == set(catalogue.KEYS)
