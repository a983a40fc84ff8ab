"""Reading: what a file means, and what is said of one that means nothing."""

from __future__ import annotations

import json
import math
import resource
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.manifests.reading import read
from podweave.model.errors import InputError, InputErrors

HEAD = "apiVersion: v1\nkind: X\n"


def objects(text: str | bytes, file: str = "f.yaml") -> list[dict[str, Any]]:
    data = text.encode() if isinstance(text, str) else text
    return [document.object for document in read(file, data).documents]


def errors(text: str | bytes, file: str = "f.yaml") -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(InputErrors) as caught:
        read(file, data)
    return [str(error) for error in caught.value.errors]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # As sigs.k8s.io/yaml resolves them.
        *[(word, True) for word in ("y", "Yes", "on", "ON", "true", "True")],
        *[(word, False) for word in ("n", "No", "off", "false", "FALSE")],
        *[(word, None) for word in ("", "~", "null", "Null")],
        *[(word, word) for word in ("tRue", "nUll", "yEs", "<<", "=", "a:b", "+", ".", "_1")],
        ("0", 0),
        ("-0", 0),
        ("+12", 12),
        ("0644", 420),
        ("0o644", 420),
        ("0x1F", 31),
        ("-0x1f", -31),
        ("0b101", 5),
        ("1_000", 1000),
        ("089", 89.0),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", 1.8446744073709552e19),
        ("-9223372036854775808", -(2**63)),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("1e+3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("1e999", "1e999"),
        # What YAML 1.1 makes more of, and Kubernetes doesn't.
        ("12:30", "12:30"),
        ("2001-01-01", "2001-01-01"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00"),
        ("1.2.3", "1.2.3"),
        ("0x", "0x"),
        ("0o8", "0o8"),
        ("1e", "1e"),
        # Quoted and tagged.
        ('"yes"', "yes"),
        ("'0644'", "0644"),
        ("!!str 5", "5"),
        ('!!int "5"', 5),
        ("!!float 5", 5.0),
        ("!!bool yes", True),
        ("!!binary aGVsbG8=", "hello"),
        ("!!timestamp 2001-01-01", "2001-01-01"),
        ("!mine x", "x"),
        ("! 5", 5),
    ],
)
def test_scalars_are_what_kubernetes_makes_of_them(text: str, value: Any) -> None:
    found = objects(f"{HEAD}v: {text}\n")[0]["v"]
    assert (type(found), found) == (type(value), value)


def test_keys_become_strings() -> None:
    found = objects(f"{HEAD}v: {{1: a, yes: b, 1.5: c, 0x10: d}}\n")[0]["v"]
    assert found == {"1": "a", "true": "b", "1.5": "c", "16": "d"}


def test_anchors_aliases_and_merge_keys() -> None:
    found = objects(
        HEAD
        + """
base: &base {a: 1, b: 2}
more: &more {b: 3, c: 4}
copy: *base
one: {<<: *base, b: 5}
two: {b: 6, <<: [*more, *base]}
text: "<<"
list: [<<]
"""
    )[0]
    assert found["copy"] == {"a": 1, "b": 2}
    assert found["one"] == {"a": 1, "b": 5}
    assert found["two"] == {"a": 1, "b": 6, "c": 4}
    assert (found["text"], found["list"]) == ("<<", ["<<"])
    found["copy"]["a"] = 9
    assert found["base"]["a"] == 1


def test_several_documents_and_empty_ones() -> None:
    text = f"# only a comment\n---\n---\n{HEAD}v: 1\n...\n---\n# nothing\n---\n{HEAD}v: 2\n---\n"
    assert [found["v"] for found in objects(text)] == [1, 2]
    assert objects("") == objects("# c\n") == objects("---\n") == []


def test_json_values_one_after_the_other() -> None:
    value = {"apiVersion": "v1", "kind": "X", "s": "\U0001f600 \u2028"}
    text = json.dumps(value) + "\n" + json.dumps(value, indent="\t", ensure_ascii=False)
    assert objects(text) == [value, value]


def test_flow_style_that_is_no_json() -> None:
    assert objects("{apiVersion: v1, kind: X, v: yes}")[0]["v"] is True


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(encoding: str) -> None:
    source = read("f", (HEAD + "v: é\n").encode(encoding))
    assert source.documents[0].object["v"] == "é"
    assert source.documents[0].line(("v",)) == 3
    assert source.text.encode(source.encoding) == (HEAD + "v: é\n").encode(encoding)


def test_lines_of_keys_items_and_nearest_ancestors() -> None:
    text = f"""\
# head
{HEAD}a:
  b:

  # c
  - x: 1

    w: [1,
      2]
  - &n
    z: 1
c: *n
d:
  <<: *n
---
{HEAD}q: |
  t
r: 1
"""
    first, second = read("f", text.encode()).documents
    lines = {
        (): 2,
        ("a",): 4,
        ("a", "b"): 5,
        ("a", "b", 0): 8,
        ("a", "b", 0, "x"): 8,
        ("a", "b", 0, "w"): 10,
        ("a", "b", 0, "w", 1): 11,
        ("a", "b", 1, "z"): 13,
        ("a", "b", 7, "z"): 5,
        ("a", "nothing", "here"): 4,
        ("c", "z"): 13,
        ("d", "z"): 13,
    }
    assert {path: first.line(path) for path in lines} == lines
    assert (second.line(), second.line(("r",))) == (18, 22)


def test_lines_in_json() -> None:
    text = '{"apiVersion": "v1",\n "kind": "X",\n "a": [1,\n  {"b": "x\\"]"}\n]}\n'
    document = read("f", (text * 2).encode()).documents[1]
    assert document.line() == 6
    assert document.line(("a", 1, "b")) == 9


ERRORS: list[tuple[str | bytes, str]] = [
    ("a: 1\nb: 2\na: 3\n", "f.yaml:3: a: the key is there twice, first in line 1"),
    (
        HEAD + "v:\n- {x: 1,\n   x: 2}\n",
        "f.yaml:5: v[0].x: the key is there twice, first in line 4",
    ),
    (HEAD + "1: a\n'1': b\n", "f.yaml:4: 1: the key is there twice, first in line 3"),
    (
        '{"apiVersion": "v1",\n"kind": "X",\n"kind": "Y"}',
        "f.yaml:3: kind: the key is there twice, first in line 2",
    ),
    ("a: 1\na: 2\nb: [", "f.yaml:3: not YAML: a `[` or `{` is never closed"),
    ("- a\n", "f.yaml:1: this document is a list"),
    ("just words\n", "f.yaml:1: this document is text"),
    ("5\n", "f.yaml:1: this document is a number"),
    ("kind: X\n", "f.yaml:1: apiVersion is missing"),
    ("apiVersion: v1\n", "f.yaml:1: kind is missing"),
    ("apiVersion: v1\nKind: Pod\n", "f.yaml:2: Kind: unknown key 'Kind': did you mean 'kind'?"),
    ("apiVersion: 1\nkind: X\n", "f.yaml:1: apiVersion: apiVersion must be a string"),
    ("\tkind: X\n", "f.yaml:1: not YAML: a tab"),
    (HEAD + "v:\n\t- x\n", "f.yaml:4: not YAML: a tab"),
    (HEAD + ' v: "x\n\n', "f.yaml:3: not YAML"),
    (HEAD + 'v: "x\n\n', "f.yaml:3: not YAML: a quote that is opened here is never closed"),
    (HEAD + "v: a: b\n", "f.yaml:3: not YAML: a `:` where no key is possible"),
    (HEAD + "v: {a: 1\nw: 2\n", "not YAML: a `{` is never closed"),
    (HEAD + "v: @x\n", "f.yaml:3: not YAML: `@` can't begin a value"),
    (HEAD + "v:\n  a: 1\n b: 2\n", "f.yaml:5: not YAML: the line doesn't belong to the mapping"),
    (HEAD + "v:\n- a\nb\n", "f.yaml:5: not YAML: a key without `: ` after it"),
    (HEAD + "v: [1,\n", "not YAML: "),
    (HEAD + 'v: "\\d"\n', "f.yaml:3: not YAML: an unknown escape"),
    (HEAD + "v: *nowhere\n", "f.yaml:3: the alias *nowhere has no anchor"),
    (HEAD + "v: &a [*a]\n", "f.yaml:3: the alias *a has no anchor"),
    (HEAD + "v: {<<: 5}\n", "f.yaml:3: `<<` merges a mapping"),
    (HEAD + "v: {? [1] : 2}\n", "f.yaml:3: a key of the mapping that ends here is a list"),
    (HEAD + "v: {? : 2}\n", "is null: keys are strings"),
    (HEAD + "v: !!int x\n", "f.yaml:3: 'x' isn't of the type !!int"),
    (HEAD + "v: !!binary é\n", "f.yaml:3: !!binary"),
    (b"a: \x00\n", "f.yaml:1: not text: it contains the control character U+0000"),
    (b"a: 1\nb: \xff\n", "f.yaml:2: not text: the byte 0xff"),
    (b"\x89PNG\r\n\x1a\n", "f.yaml:1: not text: the byte 0x89"),
    (b"\xff\xfea", "f.yaml:1: not text"),
    (
        '{"apiVersion": "v1",\n"kind": "X",\n"v": "1" "2"}',
        "f.yaml:3: not JSON: Expecting ',' delimiter",
    ),
    ('{"apiVersion": "v1", "kind": "X", "v": NaN}', "f.yaml:1: NaN isn't JSON"),
    ('{"apiVersion": "v1", "kind": "X", "v": 1e999}', "f.yaml:1: a number too large"),
    ('{"apiVersion": "v1", "kind": "X", "v": "\\ud800"}', "f.yaml:1: half a surrogate pair"),
]


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_errors_say_where_and_what(text: str | bytes, message: str) -> None:
    assert message in errors(text)[0]


def test_every_document_is_judged() -> None:
    assert errors("kind: X\n---\n- a\n---\napiVersion: v1\n") == [
        "f.yaml:1: apiVersion is missing: every manifest says it (for example v1, apps/v1)",
        "f.yaml:3: this document is a list, and a manifest is a mapping with apiVersion, kind and "
        "metadata; several objects are documents with a line `---` between them, or the items of "
        "a `kind: List`",
        "f.yaml:5: kind is missing: every manifest says it (for example Pod, Deployment)",
    ]


def bomb() -> str:
    rows = "".join(
        f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    return HEAD + "a: &a [x, x, x, x, x, x, x, x, x]\n" + rows


MANY = 10 * 1024 * 1024
NONSENSE = {
    "alias bomb": bomb(),
    "merge bomb": HEAD
    + "a0: &a0 {x: 1}\n"
    + "".join(f"a{n}: &a{n} {{p: *a{n - 1}, q: *a{n - 1}}}\n" for n in range(1, 40)),
    "open brackets": "[" * MANY,
    "open braces": "{a: " * (MANY // 4),
    "JSON depth": '{"a":' * (MANY // 5),
    "dashes": "- " * (MANY // 2),
    "questions": "? " * (MANY // 2),
    "items": "- a\n" * (MANY // 4),
    "commas": "[" + "a," * (MANY // 2),
    "documents": "---\na\n" * (MANY // 6),
    "keys": "".join(f"k{n}: 1\n" for n in range(900_000)),
    "one key": "a: 1\n" * (MANY // 5),
    "anchors": "".join(f"&a{n} x{n}: 1\n" for n in range(500_000)),
    "open quote": '"' + "a b\n" * (MANY // 4),
    "words": "a b\n" * (MANY // 4),
    "colons": ":" * MANY,
    "number": HEAD + "v: " + "1" * MANY,
    "JSON number": '{"apiVersion": "v1", "kind": "X", "v": ' + "1" * MANY + "}",
    "JSON items": "[" + "1," * (MANY // 2) + "1]",
    "one byte": "\x01" * MANY,
    "breaks": "\n" * MANY,
    "percents": "%" * MANY,
    "bangs": "!" * MANY,
    "stars": HEAD + "v: *" + "a" * MANY,
    "block": HEAD + "v: |\n" + " x\n" * (MANY // 3),
    "too large": " " * (MANY * 2),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_ends_in_bounded_time_and_memory(name: str) -> None:
    # Processor time with a wide margin: what is meant is that nothing grows by squares.
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    try:
        read("f.yaml", NONSENSE[name].encode())
    except InputErrors as caught:
        said = str(caught)
    else:
        said = ""
    assert len(said) < 20_000, "an error is for reading"
    assert time.process_time() - start < 30
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000


def test_a_large_file_of_real_manifests_is_read() -> None:
    fields = "".join(
        f"            field{n}:\n              description: |-\n                Text {n}.\n"
        "              type: string\n"
        for n in range(300)
    )
    one = f"""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things.example.com
spec:
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        properties:
{fields}"""
    text = "---\n".join([one] * (5_000_000 // len(one)))
    assert len(objects(text)) == 5_000_000 // len(one)


def test_a_file_that_is_too_large_says_the_limit() -> None:
    assert errors(b" " * (16 * 1024 * 1024 + 1)) == [
        "f.yaml: the file has 16 MiB, and manifests are read up to 16 MiB: split it, or leave out "
        "what isn't a manifest"
    ]


def refused(data: bytes) -> list[InputError]:
    """Read, and give the errors, if any; anything else that is raised fails the test."""
    try:
        source = read("f", data)
    except InputErrors as caught:
        return caught.errors
    assert all(isinstance(found.object, dict) for found in source.documents)
    return []


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    assert all(error.file == "f" for error in refused(data))


@given(st.text(alphabet="ab:-?{}[],&*!|>'\"%@`#~<= \n\t0.é", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert all(error.line for error in refused((HEAD + text).encode()))
