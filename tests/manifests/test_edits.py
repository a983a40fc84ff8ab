"""Edits in the styles people write, as tables: before, edit, after. Every insert is taken back."""

from __future__ import annotations

import pytest

from podweave.manifests.edits import Edit, Insert, Remove, Replace, edit
from podweave.manifests.reading import read
from podweave.model.errors import InputError

HEAD = "apiVersion: v1\nkind: X\n"


def edited(text: str, *edits: Edit) -> str:
    """The text after edits of its first document; where all insert, taking back gives `text`."""
    after = edit(read("f.yaml", text.encode()), {0: edits})
    if all(isinstance(step, Insert) for step in edits):
        back = [Remove(step.path) for step in reversed(edits)]
        assert edit(read("f.yaml", after.encode()), {0: back}) == text
    return after


VOLUME = {"name": "v", "emptyDir": {}}

INSERTS: dict[str, tuple[str, list[Insert], str]] = {
    "a key after the others, comments stay where they are": (
        "m:  # about m\n  a: 1  # about a\n\n  # about nothing\nz: 1\n",
        [Insert(("m", "b"), {"c": [1]})],
        "m:  # about m\n  a: 1  # about a\n  b:\n    c:\n    - 1\n\n  # about nothing\nz: 1\n",
    ),
    "lists at their key's column": (
        "m:\n- a\n- b # last\n",
        [Insert(("m", 2), VOLUME), Insert(("m", 0), "first")],
        "m:\n- first\n- a\n- b # last\n- name: v\n  emptyDir: {}\n",
    ),
    "lists indented under their key, inside of what is inserted too": (
        "m:\n    - a: 1\n",
        [Insert(("m", 1), {"l": ["x"]})],
        "m:\n    - a: 1\n    - l:\n          - x\n",
    ),
    "before a list's first item goes above its comment": (
        "m:\n  # about a\n  - a\n\n  # about b\n  - b\n",
        [Insert(("m", 0), "x"), Insert(("m", 2), "y")],
        "m:\n  - x\n  # about a\n  - a\n  - 'y'\n\n  # about b\n  - b\n",
    ),
    "a list that begins on the line of another": (
        "m:\n- - a\n  - b\n",
        [Insert(("m", 0, 0), {"k": "v", "l": 1})],
        "m:\n- - k: v\n    l: 1\n  - a\n  - b\n",
    ),
    "a key into a list's item": (
        "m:\n-   a: 1\n    b:\n      c: 1\n- d\n",
        [Insert(("m", 0, "e"), 2), Insert(("m", 0, "b", "f"), 3)],
        "m:\n-   a: 1\n    b:\n      c: 1\n      f: 3\n    e: 2\n- d\n",
    ),
    "into a key without a value": (
        "m:  # none yet\np:\n",
        [Insert(("m", 0), VOLUME), Insert(("p", "k"), "v")],
        "m:  # none yet\n- name: v\n  emptyDir: {}\np:\n  k: v\n",
    ),
    "into an item without a value": (
        "m:\n-\n- a\n",
        [Insert(("m", 0, "k"), "v")],
        "m:\n-\n  k: v\n- a\n",
    ),
    "into empty flow collections, which stay flow": (
        "m: {}\np: []  # none\no: { }\n",
        [Insert(("m", "k"), "v"), Insert(("p", 0), VOLUME), Insert(("o", "x"), "a, b")],
        "m: {k: v}\np: [{name: v, emptyDir: {}}]  # none\no: {x: 'a, b' }\n",
    ),
    "into flow collections": (
        "m: {a: 1, b: [x, y]}\n",
        [Insert(("m", "c"), True), Insert(("m", "b", 0), "z"), Insert(("m", "b", 3), "q")],
        "m: {a: 1, b: [z, x, y, q], c: true}\n",
    ),
    "into flow collections over several lines": (
        "m: [\n    a,\n    b,  # last\n  ]\n",
        [Insert(("m", 2), "c"), Insert(("m", 0), "z")],
        "m: [\n    z,\n    a,\n    b,\n    c,  # last\n  ]\n",
    ),
    "after a literal block, before the empty lines that follow it": (
        "m:\n  a: |\n    text\n\nz: 1\n",
        [Insert(("m", "b"), "two\nlines\n")],
        "m:\n  a: |\n    text\n  b: |\n    two\n    lines\n\nz: 1\n",
    ),
    "after a literal block that keeps its empty lines": (
        "m:\n  a: |+\n    text\n\nz: 1\n",
        [Insert(("m", "b"), 1)],
        "m:\n  a: |+\n    text\n\n  b: 1\nz: 1\n",
    ),
    "a literal block isn't inserted where a comment would fall into it": (
        "m:\n  a: 1\n        # far right\n",
        [Insert(("m", "b"), "two\nlines\n")],
        'm:\n  a: 1\n  b: "two\\nlines\\n"\n        # far right\n',
    ),
    "at the end of a file without a line break": (
        "m:\n  a: 1",
        [Insert(("m", "b"), 2), Insert(("p",), 3)],
        "m:\n  a: 1\n  b: 2\np: 3",
    ),
    "quoted keys and tabs before comments": (
        "\"m\":\t# tab\n  'a': 1\t# tab\n",
        [Insert(("m", "b c"), ":")],
        "\"m\":\t# tab\n  'a': 1\t# tab\n  b c: ':'\n",
    ),
    "explicit keys": (
        "? m\n: ? a\n  : 1\n",
        [Insert(("m", "b"), 2)],
        "? m\n: ? a\n  : 1\n  b: 2\n",
    ),
    "before document markers": (
        "m: 1\n# tail\n...\n---\n# empty\n",
        [Insert(("p",), 2)],
        "m: 1\np: 2\n# tail\n...\n---\n# empty\n",
    ),
    "beside an anchor and its alias": (
        "m: &m {a: 1}\np: *m\n",
        [Insert(("o",), [1])],
        "m: &m {a: 1}\np: *m\no:\n- 1\n",
    ),
    "beside a merge key": (
        "m: &m {a: 1}\np:\n  <<: *m\n",
        [Insert(("p", "b"), 2)],
        "m: &m {a: 1}\np:\n  <<: *m\n  b: 2\n",
    ),
    "strings that need quotes get them": (
        "",
        [
            Insert((key,), key)
            for key in (
                "yes",
                "0644",
                "1e3",
                "12:30",
                "2001-01-01",
                "null",
                "",
                "#",
                "a: b",
                "- x",
                "it's",
                "a\tb",
                "*",
                "é",
                "--flag",
                "/path",
                "<<",
            )
        ],
        "'yes': 'yes'\n'0644': '0644'\n'1e3': '1e3'\n'12:30': '12:30'\n'2001-01-01': '2001-01-01'\n"
        "'null': 'null'\n'': ''\n'#': '#'\n'a: b': 'a: b'\n'- x': '- x'\nit's: it's\n"
        "\"a\\tb\": \"a\\tb\"\n'*': '*'\né: é\n--flag: --flag\n/path: /path\n'<<': '<<'\n",
    ),
}


@pytest.mark.parametrize("name", INSERTS)
def test_inserts(name: str) -> None:
    before, inserts, after = INSERTS[name]
    assert edited(HEAD + before, *inserts) == HEAD + after


def test_inserts_with_carriage_returns() -> None:
    text = (HEAD + "m:\n  a: 1\n").replace("\n", "\r\n")
    after = edited(text, Insert(("m", "b"), ["x", "two\nlines"]))
    assert after == text + "  b:\r\n  - x\r\n  - |-\r\n    two\r\n    lines\r\n"


def test_inserts_into_json_keep_its_layout() -> None:
    text = (
        '{\n    "apiVersion": "v1",\n    "kind": "X",\n'
        '    "a": [\n        1\n    ],\n    "b": {}\n}\n'
    )
    assert edited(
        text, Insert(("a", 1), {"x": [True]}), Insert(("a", 0), "é"), Insert(("b", "k"), None)
    ) == (
        '{\n    "apiVersion": "v1",\n    "kind": "X",\n    "a": [\n        "é",\n        1,\n'
        '        {\n            "x": [\n                true\n            ]\n        }\n    ],\n'
        '    "b": {"k": null}\n}\n'
    )
    compact = '{"apiVersion":"v1","kind":"X","a":[1,2]}'
    assert edited(compact, Insert(("a", 2), {"x": 1}), Insert(("b",), 3)) == (
        '{"apiVersion":"v1","kind":"X","a":[1,2,{"x":1}],"b":3}'
    )


def test_edits_inside_the_items_of_a_list() -> None:
    text = (
        "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Pod\n    spec:\n"
        "      containers:\n        - name: a\n  - apiVersion: v1\n    kind: X\n"
    )
    assert edited(text, Insert(("items", 0, "spec", "containers", 1), {"name": "b"})) == (
        text.replace("- name: a\n", "- name: a\n        - name: b\n")
    )


REPLACES: list[tuple[str, Replace, str]] = [
    ("m: 1  # c\n", Replace(("m",), "x"), "m: x  # c\n"),
    ("m:   'a'\n", Replace(("m",), "b"), "m:   b\n"),
    ("m:\n", Replace(("m",), 1), "m: 1\n"),
    ("m: # c\n", Replace(("m",), 1), "m: 1 # c\n"),
    ("m: 1 # c\np: 2\n", Replace(("m",), {"a": [1]}), "m:\n  a:\n  - 1 # c\np: 2\n"),
    ("m: # c\n  a: 1\n  b: 2\np: 2\n", Replace(("m",), {"x": 1}), "m: # c\n  x: 1\np: 2\n"),
    ("m: # c\n  a: 1\n", Replace(("m",), []), "m: [] # c\n"),
    ("m: |\n  text\n\np: 1\n", Replace(("m",), "t\nu\n"), "m: |\n  t\n  u\n\np: 1\n"),
    ("m:\n- a\n- b: 1\n  c: 2\n", Replace(("m", 1), "x"), "m:\n- a\n- x\n"),
    ("m:\n- a\n- b\n", Replace(("m", 0), {"k": 1}), "m:\n-\n  k: 1\n- b\n"),
    ("m: {a: 1, b: }\n", Replace(("m", "b"), [1]), "m: {a: 1, b: [1] }\n"),
    ("m: {a: 1, b}\n", Replace(("m", "b"), [1]), "m: {a: 1, b: [1]}\n"),
    ("m: &a 1\np: 2\n", Replace(("m",), 3), "m: 3\np: 2\n"),
    ("m: &a 1\np: *a\n", Replace(("p",), 3), "m: &a 1\np: 3\n"),
    ("? m\n# c\n: 1\n", Replace(("m",), 2), "? m\n# c\n: 2\n"),
]


@pytest.mark.parametrize(("before", "step", "after"), REPLACES)
def test_replaces(before: str, step: Replace, after: str) -> None:
    assert edited(HEAD + before, step) == HEAD + after


REMOVES: list[tuple[str, Remove, str]] = [
    ("m: 1\np: 2 # c\n# d\no: 3\n", Remove(("p",)), "m: 1\n# d\no: 3\n"),
    ("m:\n  a: 1\np: 2\n", Remove(("m", "a")), "m:\np: 2\n"),
    ("m:\n- a: 1\n  b: 2\n", Remove(("m", 0, "a")), "m:\n- b: 2\n"),
    ("m:\n- a\n-\n  # c\n  b: 1\n- d\n", Remove(("m", 1)), "m:\n- a\n- d\n"),
    ("m: [a, b, c]\n", Remove(("m", 0)), "m: [b, c]\n"),
    ("m: [a, b, c]\n", Remove(("m", 2)), "m: [a, b]\n"),
    ("m: {a: 1}\n", Remove(("m", "a")), "m: {}\n"),
    ("m: 1\np: |\n  x\n\n", Remove(("p",)), "m: 1\n\n"),
]


@pytest.mark.parametrize(("before", "step", "after"), REMOVES)
def test_removes(before: str, step: Remove, after: str) -> None:
    assert edited(HEAD + before, step) == HEAD + after


def test_the_first_key_of_a_file_goes_with_its_line() -> None:
    assert edit(read("f", b"a: 1\napiVersion: v1\nkind: X\n"), {0: [Remove(("a",))]}) == HEAD


REFUSED: list[tuple[str, Edit, str]] = [
    ("m: &a {x: 1}\np: *a\n", Insert(("p", "y"), 1), "f.yaml:4: p: the value is the alias *a"),
    (
        "m: &a {x: {}}\np: *a\n",
        Insert(("p", "x", "y"), 1),
        "f.yaml:4: p: the value is the alias *a",
    ),
    ("m: &a {x: 1}\np: *a\n", Insert(("m", "y"), 1), "f.yaml:3: m: the value is anchored as &a"),
    (
        "m: &a {x: {}}\np: *a\n",
        Insert(("m", "x", "y"), 1),
        "f.yaml:3: m: the value is anchored as &a",
    ),
    ("m: &a {x: 1}\np: *a\n", Remove(("m",)), "f.yaml:3: m: the anchor &a in it is used elsewhere"),
    (
        "m: {x: &a 1}\np: *a\n",
        Replace(("m",), 1),
        "f.yaml:3: m: the anchor &a in it is used elsewhere",
    ),
    ("m: &a {x: {}}\np:\n  <<: *a\n", Insert(("p", "x", "y"), 1), "x comes here by a merge key"),
    (
        "m: &a {x: {}}\np:\n  <<: *a\n",
        Insert(("p", "x"), 1),
        "f.yaml:3: p.x: the key comes here by a merge",
    ),
    ("m: null\n", Insert(("m", 0), 1), "f.yaml:3: m: there is no value here: write [] or {}"),
    (
        "m: {a: }\n",
        Insert(("m", "a", 0), 1),
        "f.yaml:3: m.a: there is no value here: write [] or {}",
    ),
    ("m: 5\n", Insert(("m", "a"), 1), "f.yaml:3: m: this is not a mapping"),
    ("m: {}\n", Insert(("m", 0), 1), "f.yaml:3: m: this is not a list"),
    ("m: []\n", Insert(("m", 1), 1), "f.yaml:3: m[1]: no place 1 in the list"),
    ("m: 1\n", Insert(("m",), 1), "f.yaml:3: m: the key is there already"),
    ("m: 1\n", Insert(("p", "o"), 1), "f.yaml:1: p: there is nothing here"),
    ("m: 1\n", Remove(("p",)), "f.yaml:1: p: there is nothing here"),
    ("m: 1\n", Replace((), {}), "f.yaml:1: only Remove is for a whole document"),
    ("m: [a: 1]\n", Insert(("m", 0, "b"), 1), "write the braces"),
    ("m: |\n  text", Insert(("p",), 1), "end the file with a line break"),
]


@pytest.mark.parametrize(("before", "step", "message"), REFUSED)
def test_what_can_not_be_edited_says_what_to_do(before: str, step: Edit, message: str) -> None:
    with pytest.raises(InputError) as caught:
        edit(read("f.yaml", (HEAD + before).encode()), {0: [step]})
    assert message in str(caught.value)


def test_infinity_has_no_place_in_json() -> None:
    with pytest.raises(InputError, match=r"f.yaml:1: a: the value can't be written as JSON"):
        edit(read("f.yaml", b'{"apiVersion":"v1","kind":"X"}'), {0: [Insert(("a",), float("inf"))]})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEAD, f"{HEAD}---\n{HEAD}v: |\n  a\n  b\n"),
        (HEAD.rstrip("\n"), f"{HEAD}---\n{HEAD}v: |\n  a\n  b\n"[:-1]),
        (HEAD.replace("\n", "\r\n"), f"{HEAD}---\n{HEAD}v: |\n  a\n  b\n".replace("\n", "\r\n")),
        (f"---\n{HEAD}...\n# end\n", f"---\n{HEAD}...\n# end\n---\n{HEAD}v: |\n  a\n  b\n"),
        (
            '{"apiVersion":"v1","kind":"X"}',
            '{"apiVersion":"v1","kind":"X"}\n{"apiVersion": "v1", "kind": "X", "v": "a\\nb\\n"}',
        ),
    ],
)
def test_documents_are_appended_and_taken_off_again(before: str, after: str) -> None:
    if before.endswith(
        "X"
    ):  # without a line break at the end, a literal block can't say it has one
        after = after.replace("v: |\n  a\n  b", 'v: "a\\nb\\n"')
    added = {"apiVersion": "v1", "kind": "X", "v": "a\nb\n"}
    assert edit(read("f", before.encode()), {}, [added]) == after
    assert edit(read("f", after.encode()), {1: [Remove(())]}) == before


def test_documents_are_edited_each_by_itself() -> None:
    text = f"# one\n{HEAD}---  # two\n{HEAD}m: [1]\n---\n\n---\n%TAG ! tag:x,2000:\n".split("%")[0]
    text += f"# three\n{HEAD}"
    source = read("f", text.encode())
    assert edit(source, {0: [Insert(("a",), 1)], 1: [Remove(())], 2: [Insert(("b",), 2)]}) == (
        f"# one\n{HEAD}a: 1\n---\n# three\n{HEAD}b: 2\n"
    )
    assert edit(source, {1: [Insert(("m", 0), 0)]}) == text.replace("[1]", "[0, 1]")


def test_a_byte_order_mark_stays() -> None:
    text = "\ufeff" + HEAD
    assert edited(text, Insert(("a",), 1)) == text + "a: 1\n"


def test_edits_come_one_after_the_other() -> None:
    assert (
        edited(
            HEAD,
            Insert(("m",), {"l": []}),
            Insert(("m", "l", 0), {}),
            Insert(("m", "l", 0, "x"), 1),
        )
        == HEAD + "m:\n  l: [{x: 1}]\n"
    )


def test_a_later_edit_may_replace_what_an_earlier_one_changed() -> None:
    text = HEAD + "m:\n  a:\n    b: {}  # c\n  d: 1\n"
    steps: list[Edit] = [
        Insert(("m", "a", "x"), 1),
        Replace(("m", "d"), 2),
        Replace(("m", "a"), "new"),
    ]
    assert edited(text, *steps) == HEAD + "m:\n  a: new\n  d: 2\n"
    assert edited(text, *steps[:2], Remove(("m",))) == HEAD
