"""Reading submitted notebooks: as tools save them again, damaged by hand, and hostile."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.grading import notebook
from course_lib.grading.manifest import Cell, Manifest, Question

MANIFEST = Manifest(
    name="demo",
    title="Demo",
    cells=(
        Cell("intro", "text", "markdown", "# Demo"),
        Cell("setup", "locked", "code", "import numpy as np"),
        Cell("forward", "answer", "code", "def forward(y):\n    ...", "forward", ("forward",)),
        Cell("check-forward", "check", "code", "show(check_forward)", "forward"),
        Cell("viterbi", "answer", "code", "def viterbi(y):\n    ...", "viterbi", ("viterbi",)),
        Cell("report", "written", "markdown", "Your answer.", "report"),
    ),
    questions=(Question("forward", 2), Question("viterbi", 1), Question("report", 3, manual=True)),
    checks=(),
)


def code(source, name=None, **more):
    metadata = {"nbgrader": {"grade_id": name, "schema_version": 3}} if name else {}
    cell = {"cell_type": "code", "source": source, "outputs": [], "execution_count": None}
    return cell | {"metadata": metadata} | ({"id": name} if name else {}) | more


def text(source, name=None, **more):
    cell = code(source, name, **more) | {"cell_type": "markdown"}
    return {key: cell[key] for key in cell if key not in ("outputs", "execution_count")}


def released():
    return [
        text("# Demo", "intro"),
        code("import numpy as np", "setup"),
        code("def forward(y):\n    return 1", "forward"),
        code("show(check_forward)", "check-forward"),
        code("def viterbi(y):\n    return 2", "viterbi"),
        text("Because.", "report"),
    ]


def read(cells, limit_mb=20, **more):
    table = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells} | more
    data = table if isinstance(table, bytes) else json.dumps(table).encode()
    return notebook.read(data, MANIFEST, limit_mb)


def ids(reading):
    return [cell.id for cell in reading.cells]


def refusal(data, limit_mb=20):
    with pytest.raises(notebook.Unreadable) as caught:
        notebook.read(data, MANIFEST, limit_mb)
    return caught.value


class TestAsItWasReleased:
    def test_locked_and_answers_run_in_order_and_nothing_is_flagged(self):
        reading = read(released())
        assert ids(reading) == ["setup", "forward", "viterbi"]
        assert [cell.role for cell in reading.cells] == ["locked", "answer", "answer"]
        assert reading.cells[1].source == "def forward(y):\n    return 1"
        assert reading.written == {"report": "Because."}
        assert reading.flags == ()

    def test_answer_nobody_wrote_is_said(self):
        cells = [*released()[:5], text("Your answer.", "report")]
        assert read(cells).flags == ("Written answer report is as it was released.",)

    def test_empty_notebook_has_the_locked_cells_and_says_what_is_missing(self):
        reading = read([])
        assert ids(reading) == ["setup"]
        assert reading.written == {"report": ""}
        assert [flag.split(" is ")[0] for flag in reading.flags] == [
            "Answer forward",
            "Answer viterbi",
            "Written answer report",
        ]


class TestSavedAgain:
    def test_by_colab(self):
        """Format 4.0: the id stands in the metadata, sources are lists, outputs carry widgets."""
        cells = released()
        for cell in cells:
            name = cell.pop("id")
            cell["metadata"] = {"id": name, "colab": {"base_uri": "https://localhost:8080/"}}
            cell["source"] = cell["source"].splitlines(keepends=True)
        more = {"nbformat_minor": 0, "metadata": {"colab": {"provenance": []}, "widgets": {"a": 1}}}
        reading = read(cells, **more)
        assert ids(reading) == ["setup", "forward", "viterbi"]
        assert reading.cells[1].source == "def forward(y):\n    return 1"
        assert reading.written == {"report": "Because."}
        assert reading.flags == ()

    def test_by_vs_code(self):
        """Ids of its own, metadata of its own, Windows line ends, a byte order mark."""
        cells = released()
        for number, cell in enumerate(cells):
            cell["id"] = f"W0sZ{number}"
            cell["metadata"]["vscode"] = {"languageId": "python"}
            cell["source"] = cell["source"].replace("\n", "\r\n")
        table = {"nbformat": 4, "nbformat_minor": 2, "cells": cells}
        data = b"\xef\xbb\xbf" + json.dumps(table, indent=4).replace("\n", "\r\n").encode()
        reading = notebook.read(data, MANIFEST, 20)
        assert ids(reading) == ["setup", "forward", "viterbi"]
        assert reading.cells[1].source == "def forward(y):\n    return 1"
        assert reading.flags == ()

    def test_outputs_are_left_out_whatever_they_hold(self):
        cells = released()
        cells[2]["outputs"] = [{"text": ['"]}', "\\", "[{"], "data": {"image/png": "A" * 300_000}}]
        cells[5]["attachments"] = {"a.png": {"image/png": "A" * 3_000_000}}
        reading = read(cells)
        assert ids(reading) == ["setup", "forward", "viterbi"]
        assert reading.flags == ()

    def test_picture_pasted_into_a_text_costs_only_itself(self):
        cells = released()
        cells[0]["source"] = ["![](data:image/png;base64," + "A" * 3_000_000 + ")"]
        assert read(cells).flags == ("Left out: 1 text of more than 64 kB.",)

    def test_raw_utf8_and_escapes_are_the_same(self):
        cells = released()
        cells[5]["source"] = "π ≤ 😀"
        table = {"nbformat": 4, "cells": cells}
        for ascii_only in (True, False):
            data = json.dumps(table, ensure_ascii=ascii_only).encode()
            assert notebook.read(data, MANIFEST, 20).written == {"report": "π ≤ 😀"}


class TestChangedByHand:
    def test_locked_code_is_always_ours(self):
        cells = released()
        cells[1]["source"] = "import numpy as np\nnp.allclose = lambda *a: True"
        reading = read(cells)
        assert reading.cells[0].source == "import numpy as np"
        assert reading.flags == ("Cell setup is given; the original was run, not your changes.",)

    def test_changed_copy_of_a_locked_cell_is_the_students_own(self):
        cells = released()
        cells.insert(2, code("helper = 1", "setup", id="new"))
        reading = read(cells)
        assert [(cell.role, cell.source) for cell in reading.cells[:2]] == [
            ("locked", "import numpy as np"),
            ("added", "helper = 1"),
        ]
        assert len(reading.flags) == 1 and "setup was copied" in reading.flags[0]

    def test_check_cells_never_run(self):
        cells = released()
        cells[3]["source"] = "print('all passed')"
        reading = read(cells)
        assert ids(reading) == ["setup", "forward", "viterbi"]
        assert reading.flags == (
            "Cell check-forward holds checks; your changes to it were not run.",
        )
        del cells[3]
        assert read(cells).flags == ()

    def test_added_code_follows_the_cell_before_it(self):
        cells = released()
        cells.insert(0, code("first = 1"))
        cells.insert(4, code("after_forward = 1"))
        cells.append(code("last = 1"))
        cells.append(code("  \n"))
        assert ids(read(cells)) == [
            *("added 1", "setup", "forward", "added 2", "viterbi", "added 3"),
        ]

    def test_moved_answers_run_in_the_manifests_order(self):
        assert ids(read(released()[::-1])) == ["setup", "forward", "viterbi"]

    def test_duplicates_run_in_order_and_are_flagged(self):
        cells = released()
        cells.append(code("def forward(y):\n    return 7", "forward"))
        reading = read(cells)
        assert ids(reading) == ["setup", "forward", "forward", "viterbi"]
        assert reading.cells[2].source.endswith("7")
        assert reading.flags == ("Answer forward is there 2 times; all were run, in order.",)

    def test_answer_turned_into_text_is_not_run(self):
        cells = released()
        cells[2]["cell_type"] = "markdown"
        reading = read(cells)
        assert ids(reading) == ["setup", "viterbi"]
        assert reading.flags == (
            "Answer forward was turned into text and not run; make it code again.",
        )

    def test_lost_id_is_found_by_what_the_cell_defines(self):
        cells = released()
        cells[2] = code("import os\n\ndef forward(y):\n    return 3")
        reading = read(cells)
        assert [(cell.id, cell.role) for cell in reading.cells[1:]] == [
            ("forward", "answer"),
            ("viterbi", "answer"),
        ]
        assert reading.flags == (
            "The cell of answer forward was replaced; found by what it defines.",
        )

    def test_all_ids_lost(self):
        cells = [cell | {"metadata": {}, "id": f"x{n}"} for n, cell in enumerate(released())]
        reading = read(cells)
        assert ids(reading) == ["setup", "forward", "viterbi"]
        assert "Written answer report is missing." in reading.flags

    def test_missing_answer_is_flagged(self):
        cells = released()
        del cells[4]
        assert read(cells).flags == ("Answer viterbi is missing.",)

    def test_written_answer_as_code_is_read(self):
        cells = released()
        cells[5]["cell_type"] = "code"
        reading = read(cells)
        assert reading.written == {"report": "Because."}
        assert "report" not in ids(reading)

    def test_another_notebook_is_named_as_such(self):
        reading = read([code("print(1)", "other")])
        assert "is it the right file?" in reading.flags[0]


class TestNames:
    @pytest.mark.parametrize(
        "source, expected",
        [
            ("def f(x):\n    y = 1", {"f"}),
            ("async  def f(): ...\nclass A(B): ...", {"f", "A"}),
            ("a, b = 1, 2\nc: int = 3", {"a", "b", "c"}),
            ("a == b\nd[0] = 1\nf(x=1)", set()),
            ("# def g():\nif x:\n    h = 1", set()),
            ("défini = 1", {"défini"}),
        ],
    )
    def test_are_those_at_the_left_margin(self, source, expected):
        assert notebook.names(source) == expected

    @pytest.mark.parametrize("source", ["a" * 10**6, "a," * 10**6, "a:" + "b" * 10**6])
    def test_long_lines_take_no_time(self, source):
        start = time.process_time()  # a pattern that goes back would take minutes
        notebook.names(source)
        assert time.process_time() - start < 20


class TestRefused:
    @pytest.mark.parametrize(
        "data, part",
        [
            (b"", "empty"),
            (b" \n", "empty"),
            (b"PK\x03\x04", "broken"),
            (b'{"nbformat": 4, "cells": [', "broken"),
            (b'{"nbformat": 4, "cells": [{"outputs": [', "broken"),
            (b'"\\"', "broken"),
            (b"[]", "no object"),
            (b"{}", "nbformat"),
            (b'{"nbformat": true, "cells": []}', "nbformat"),
            (b'{"nbformat": 4.0, "cells": []}', "nbformat"),
            (b'{"nbformat": 5, "cells": []}', "nbformat"),
            (b'{"nbformat": 4}', "list of cells"),
            (b'{"nbformat": 4, "cells": {}}', "list of cells"),
            (b'{"nbformat": 4, "cells": [\x00]}', "broken"),
            (b'{"nbformat": 4, "cells": [' + b"9" * 5000 + b"]}", "broken"),
            ('{"nbformat": 4, "cells": []}'.encode("utf-16"), "broken"),
            (b"[" * 200_000, "nested"),
            (b'{"nbformat": 4, "cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested"),
        ],
    )
    def test_says_what_is_wrong_and_what_to_do(self, data, part):
        error = refusal(data)
        assert error.reason == "unreadable" and part in error.message
        assert "hand in that .ipynb" in error.message and "\n" not in error.message

    def test_old_format_gets_advice(self):
        error = refusal(b'{"nbformat": 3, "worksheets": []}')
        assert error.reason == "unreadable" and "old format 3" in error.message

    def test_large_file(self):
        error = refusal(b" " * (2 * 2**20 + 1), limit_mb=2)
        assert error.reason == "too large" and "at most 2 MB" in error.message

    @pytest.mark.parametrize("piece", [b"{},", b"0.1,", b'"",', b"   "])
    def test_much_structure_is_too_large_before_it_is_parsed(self, piece):
        data = b'{"nbformat": 4, "cells": [' + piece * (3 * 2**20 // len(piece))
        assert refusal(data).reason == "too large"

    @pytest.mark.parametrize("data", [b'"' + b'\\"' * 2**20, b'"a' * 2**20 + b'"', b'"outputs":['])
    def test_broken_strings_take_no_time(self, data):
        start = time.process_time()  # a pattern that goes back would take minutes
        refusal(data)
        assert time.process_time() - start < 20


class TestStrange:
    def test_entries_that_are_no_cells_are_counted(self):
        cells = [*released(), 1, None, "x", {}, {"source": [1]}, {"source": 3}, []]
        reading = read(cells)
        assert ids(reading) == ["setup", "forward", "viterbi"]
        assert reading.flags == ("Left out: 7 entries that are no cell.",)

    @pytest.mark.parametrize("junk", [1, None, [], {}, "x", [[]], {"grade_id": []}])
    def test_metadata_of_any_kind(self, junk):
        cells = [{"cell_type": junk, "source": "a = 1", "metadata": junk, "id": junk}]
        cells.append(code("b = 1") | {"metadata": {"nbgrader": junk, "id": junk}})
        assert "added 1" in ids(read(cells))

    def test_surrogates_and_nul_are_replaced(self):
        cells = released()
        cells[2]["source"] = "a = '\ud800\0'"
        cells[5]["source"] = "\udfff ok \ud83d\ude00"
        reading = read(cells)
        assert reading.cells[1].source == "a = '\ufffd\ufffd'"
        assert reading.written == {"report": "\ufffd ok 😀"}

    def test_bytes_that_are_no_utf8_cost_one_character(self):
        data = b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "a = \'\xff\'"}]}'
        assert notebook.read(data, MANIFEST, 20).cells[0].source == "a = '\ufffd'"


def anything():
    leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    keys = st.sampled_from(["id", "source", "metadata", "nbgrader", "grade_id", "cell_type", "x"])
    names = st.sampled_from(["setup", "forward", "report", "code", "markdown", "def forward(): 1"])
    tree = st.recursive(
        leaf | names,
        lambda below: st.lists(below, max_size=4) | st.dictionaries(keys, below, max_size=6),
        max_leaves=25,
    )
    return st.fixed_dictionaries({"nbformat": st.just(4), "cells": tree | st.lists(tree)}) | tree


def check_reading(data):
    try:
        reading = notebook.read(data, MANIFEST, 20)
    except notebook.Unreadable as error:
        assert error.reason in ("unreadable", "too large") and error.message
        return
    assert {cell.role for cell in reading.cells} <= {"locked", "answer", "added"}
    assert reading.cells and set(reading.written) == {"report"}
    json.dumps([cell.source for cell in reading.cells], ensure_ascii=False).encode()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_property_arbitrary_bytes_are_read_or_refused(data):
    check_reading(data)


@settings(max_examples=150, deadline=None)
@given(anything())
def test_property_arbitrary_json_is_read_or_refused(table):
    check_reading(json.dumps(table).encode())


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2000), st.binary(min_size=1, max_size=3))
def test_property_damaged_notebooks_are_read_or_refused(place, bytes_):
    data = bytearray(json.dumps({"nbformat": 4, "cells": released()}).encode())
    place %= len(data)
    data[place : place + len(bytes_)] = bytes_
    check_reading(bytes(data))
