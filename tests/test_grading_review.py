"""The marker's page: walked with the keyboard, hostile answers, strangers, a full disk."""

import errno
import http.client
import json
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

from course_lib.grading import _desk, files, gradebook, review
from course_lib.grading.manifest import Cell, Question
from tests import grading_pages as pages
from tests.browser import watch

RUBRIC = [line.text for line in pages.manifest().questions[-1].rubric]


@pytest.fixture
def work(tmp_path):
    return pages.make_workspace(tmp_path)


@pytest.fixture
def serve():
    """Return ``serve(workspace, anonymous=False, marker="mary") -> Server``, running."""
    running = []

    def serve_(work, *, anonymous=False, marker="mary"):
        server = review.Server(_desk.open_desk(work, "hmm", anonymous, marker))
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        running.append(server)
        return server

    yield serve_
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def visit(windows):
    """Return ``visit(server, width=1200, theme="light", at="") -> Visit``."""
    visits = []

    def visit_(server, *, width=1200, theme="light", at=""):
        options = {"width": width, "height": 800, "theme": theme}
        seen = watch(windows.take(**options), server.url + at)
        visits.append((seen, options))
        seen.page.set_default_timeout(15_000)
        seen.page.goto(seen.url)
        seen.page.locator("#marking").wait_for()
        return seen

    yield visit_
    for seen, options in visits:
        windows.give_back(seen, **options)


def marks(work):
    return gradebook.marks(work, "hmm")


def lines(work):
    path = work.path("hmm", "manual.csv")
    return path.read_text().splitlines()[1:] if path.exists() else []


def heading(page):
    return page.locator("#heading").inner_text()


def saved(page):
    page.get_by_text("Saved at").wait_for()


def other_marks(work, points, student="ada", submission="0" * 64, **changes):
    """A line by somebody else, as another program or a person with an editor would write it."""
    line = dict.fromkeys(gradebook.MANUAL_COLUMNS, "") | {"student": student, "marker": "nora"}
    line |= {"submission": submission, "question": "report", "points": points, "time": "12:00"}
    files.append_csv(work.path("hmm", "manual.csv"), line | changes)


class TestKeyboard:
    def test_rubric_comment_next_and_reload(self, work, serve, visit):
        page = visit(serve(work)).page
        keys = page.keyboard
        assert heading(page) == "Ada Lovelace (1 of 3)"
        assert page.locator("#earlier").is_hidden() and page.locator("#note").is_hidden()
        keys.press("1")
        keys.press("3")
        keys.press("c")
        keys.type("n marks fit: say why.")  # letters that are keys elsewhere
        keys.press("Control+Enter")
        page.get_by_text("Grace Hopper (2 of 3)").wait_for()
        mark = marks(work)["ada", "report"]
        assert (mark.points, mark.marker) == (3, "mary")
        assert mark.rubric == f"{RUBRIC[0]} | {RUBRIC[2]}"
        assert mark.comment == "n marks fit: say why."
        keys.press("p")
        page.get_by_text("Ada Lovelace (1 of 3)").wait_for()
        page.reload()
        page.get_by_text("Ada Lovelace (1 of 3)").wait_for()
        pressed = page.locator("#rubric button[aria-pressed=true]").all_inner_texts()
        assert [RUBRIC[i] in text for i, text in zip((0, 2), pressed, strict=True)] == [True, True]
        assert page.locator("#points").input_value() == "3"
        assert page.locator("#comment").input_value() == "n marks fit: say why."
        assert page.locator("#count").inner_text() == "1 of 3 marked, by mary"

    def test_next_unmarked_skips_what_is_marked(self, work, serve, visit):
        other_marks(work, 4, "grace", f"{1:064x}")
        page = visit(serve(work)).page
        page.keyboard.press("f")
        page.keyboard.press("Enter")
        page.get_by_text("Emmy Noether (3 of 3)").wait_for()
        page.keyboard.press("0")
        page.keyboard.press("u")
        page.get_by_text("Everything is marked.").wait_for()
        assert {who: m.points for (who, _), m in marks(work).items()} == {
            **{"ada": 5, "grace": 4, "emmy": 0}
        }

    def test_points_of_ones_own(self, work, serve, visit):
        page = visit(serve(work)).page
        page.keyboard.press("o")
        page.keyboard.type("2,5")
        page.keyboard.press("Enter")
        saved(page)
        assert marks(work)["ada", "report"].points == 2.5
        page.keyboard.press("o")
        page.keyboard.type("7")
        page.keyboard.press("Escape")
        page.get_by_text("Points must be a number from 0 to 5.").wait_for()
        page.keyboard.press("n")
        page.wait_for_timeout(200)
        assert heading(page).startswith("Ada") and marks(work)["ada", "report"].points == 2.5

    def test_last_rubric_line_off_is_unmarked_and_no_zero(self, work, serve, visit):
        page = visit(serve(work)).page
        page.keyboard.press("2")
        saved(page)
        page.keyboard.press("2")
        page.get_by_text("0 of 3 marked").wait_for()
        assert marks(work)["ada", "report"].points is None
        row = gradebook.rows(work, "hmm")[0]
        assert row.state == gradebook.AWAITING

    def test_comments_used_before(self, work, serve, visit):
        other_marks(work, 4, "grace", f"{1:064x}", comment="Name a case.")
        page = visit(serve(work)).page
        page.keyboard.press("Shift+Digit1")
        saved(page)
        assert marks(work)["ada", "report"].comment == "Name a case."

    def test_keys_can_be_turned_off_and_leave_fields_alone(self, work, serve, visit):
        page = visit(serve(work)).page
        page.keyboard.press("?")
        page.locator("#shortcuts").uncheck()
        page.locator("#heading").focus()
        page.keyboard.press("1")
        page.keyboard.press("n")
        page.wait_for_timeout(200)
        assert heading(page).startswith("Ada") and lines(work) == []

    def test_buttons_do_the_same_and_keep_the_focus(self, work, serve, visit):
        page = visit(serve(work)).page
        page.get_by_role("button", name=RUBRIC[1]).press("Enter")
        saved(page)
        page.locator("#next").press("Enter")
        page.get_by_text("Grace Hopper (2 of 3)").wait_for()
        assert page.evaluate("document.activeElement.id") == "next"
        assert marks(work)["ada", "report"].points == 2

    def test_several_questions(self, tmp_path, serve, visit):
        questions = (*pages.manifest().questions, Question("essay", 3, True))
        place = Cell("essay", "written", "markdown", "Your answer here.", "essay")
        table = pages.manifest(questions=questions, cells=(*pages.manifest().cells, place))
        told = pages.result(written={"report": "One.", "essay": "Two."})
        work = pages.make_workspace(tmp_path, {s: told for s in pages.STUDENTS}, table=table)
        page = visit(serve(work)).page
        page.locator("#question").select_option("essay")
        page.get_by_text("Two.").wait_for()
        assert page.locator("#rubric button").count() == 0
        page.locator("#heading").focus()
        for _ in range(3):  # essay first, then back to what was left of the other question
            page.keyboard.press("f")
            page.keyboard.press("Enter")
        page.get_by_text("One.").wait_for()
        assert {q: m.points for (_, q), m in marks(work).items()} == {"essay": 3}
        assert page.locator("#question").input_value() == "0"

    def test_keys_pressed_in_a_row_are_not_lost(self, tmp_path, serve, visit):
        names = {f"s{i}": f"Student {i}" for i in range(60)}
        work = pages.make_workspace(tmp_path, names=names)
        page = visit(serve(work)).page
        for _ in range(12):
            page.keyboard.press("1")
            page.keyboard.press("Enter")
        page.get_by_text("(13 of 60)").wait_for()
        found = marks(work)
        assert len(found) == 12 and {m.points for m in found.values()} == {2}


class TestSaving:
    def test_full_disk_is_said_and_loses_nothing(self, work, serve, visit, monkeypatch):
        page = visit(serve(work)).page
        append = files.append_csv

        def full(path, row):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))

        monkeypatch.setattr(files, "append_csv", full)
        page.keyboard.press("1")
        page.get_by_text("Not saved: No space left on device").wait_for()
        page.keyboard.press("c")
        page.keyboard.type("Long and thoughtful.")
        page.keyboard.press("Control+Enter")
        page.wait_for_timeout(300)
        assert heading(page).startswith("Ada") and lines(work) == []
        assert page.locator("#comment").input_value() == "Long and thoughtful."
        page.reload()  # nothing typed is lost by that either
        page.get_by_text("Not saved: No space left on device").wait_for()
        assert page.locator("#comment").input_value() == "Long and thoughtful."
        monkeypatch.setattr(files, "append_csv", append)
        page.keyboard.press("s")
        saved(page)
        mark = marks(work)["ada", "report"]
        assert (mark.points, mark.comment) == (2, "Long and thoughtful.")
        assert page.locator("#alert").inner_text() == ""

    def test_server_gone_is_said(self, work, serve, visit):
        server = serve(work)
        page = visit(server).page
        server.shutdown()
        server.server_close()
        page.keyboard.press("1")
        page.get_by_text("course-grade review does not answer").wait_for()

    def test_typing_while_a_save_is_slow(self, work, serve, visit, monkeypatch):
        page = visit(serve(work)).page
        append = files.append_csv

        def slow(path, row):
            time.sleep(1.0)
            append(path, row)

        monkeypatch.setattr(files, "append_csv", slow)
        page.keyboard.press("1")
        page.keyboard.press("c")
        page.keyboard.type("Typed meanwhile")  # all of it before the first save is through
        page.keyboard.press("Control+Enter")
        page.get_by_text("Grace Hopper (2 of 3)").wait_for()
        mark = marks(work)["ada", "report"]
        assert (mark.points, mark.comment) == (2, "Typed meanwhile")
        assert ("grace", "report") not in marks(work)

    def test_second_markers_line_wins_and_is_told(self, work, serve, visit):
        page = visit(serve(work)).page
        page.keyboard.press("1")
        saved(page)
        other_marks(work, 5, comment="Nora's view")
        page.keyboard.press("n")
        page.get_by_text("Grace Hopper").wait_for()
        page.keyboard.press("p")
        page.get_by_text("Ada Lovelace").wait_for()
        assert page.locator("#comment").input_value() == "Nora's view"
        assert page.locator("#points").input_value() == "5"
        other_marks(work, 4, time="12:01")  # while the page shows 5
        page.keyboard.press("0")
        page.get_by_text("It replaces the mark by nora.").wait_for()
        assert marks(work)["ada", "report"].points == 0

    def test_columns_that_people_typed(self, work, serve, visit):
        path = work.path("hmm", "manual.csv")
        path.write_text("question,student,points\nreport,grace,4\n")
        page = visit(serve(work)).page
        page.keyboard.press("1")
        page.keyboard.press("c")
        page.keyboard.type('=SUM("x",1)')
        page.keyboard.press("Escape")
        saved(page)
        page.keyboard.press("n")  # it leaves only what is saved
        page.get_by_text("Grace Hopper").wait_for()
        found = marks(work)
        assert found["grace", "report"].points == 4
        assert found["ada", "report"].comment == '=SUM("x",1)'
        assert ",\"'=SUM(" in path.read_text()  # no formula in a spreadsheet

    def test_order_of_columns_that_people_chose(self, work):
        path = work.path("hmm", "manual.csv")
        order = sorted(gradebook.MANUAL_COLUMNS)
        path.write_text(",".join(order) + "\r\n")
        desk = _desk.open_desk(work, "hmm", False, "mary")
        entry = {"n": 1, "points": 3.5, "rubric": [2], "comment": "Yes.", "seen": ""}
        _desk.save(desk, entry)
        assert path.read_text().startswith(",".join(order))
        mark = marks(work)["grace", "report"]
        assert (mark.points, mark.rubric, mark.comment) == (3.5, RUBRIC[2], "Yes.")
        path.write_text("student,question,points\n")  # saved so while the page is open
        with pytest.raises(ValueError, match="has no column comment, marker"):
            _desk.save(desk, entry)

    def test_stale_mark_is_shown_and_kept_by_a_key(self, work, serve, visit):
        other_marks(work, 4, comment="As before.", rubric=RUBRIC[0])
        pages.hand_in(work, "ada", "7" * 64, day=21)
        page = visit(serve(work)).page
        assert "nora marked an earlier submission" in page.locator("#note").inner_text()
        assert "has not changed since" in page.locator("#note").inner_text()
        assert page.locator("#count").inner_text().startswith("0 of 3")
        page.keyboard.press("k")
        saved(page)
        mark = marks(work)["ada", "report"]
        assert (mark.points, mark.comment) == (4, "As before.")
        assert mark.submission == "7" * 64 and mark.marker == "mary"
        assert page.locator("#note").is_hidden()

    @pytest.mark.parametrize(
        "change",
        [
            *({"n": 3}, {"n": -1}, {"n": "0"}, {"n": True}, {"points": 5.01}, {"points": -1}),
            *({"points": float("nan")}, {"points": "3"}, {"points": True}, {"rubric": [3]}),
            *({"rubric": "1"}, {"rubric": [True]}, {"comment": None}, {"comment": "x" * 10_001}),
        ],
    )
    def test_wrong_marks_are_refused(self, work, change):
        desk = _desk.open_desk(work, "hmm", False, "mary")
        entry = {"n": 0, "points": 1, "rubric": [], "comment": "", "seen": ""}
        with pytest.raises(ValueError):
            _desk.save(desk, entry | change)
        assert lines(work) == []
        _desk.save(desk, entry)
        assert len(lines(work)) == 1


class TestAnonymous:
    def test_no_name_anywhere(self, tmp_path, serve, visit):
        told = pages.result(written={"report": "I, Ada Lovelace (ada@uni.example), think so."})
        told["cells"][1]["outputs"] = [["text", "by GRACE HOPPER"]]
        work = pages.make_workspace(tmp_path, {s: told for s in pages.STUDENTS})
        server = serve(work, anonymous=True)
        seen = visit(server)
        page, bodies = seen.page, []
        page.on("response", lambda response: bodies.append(response.text()))
        page.reload()
        for n in (1, 2, 3):
            page.get_by_role("heading", name=f"Answer {n} of 3").wait_for()
            page.keyboard.press("1")
            saved(page)
            bodies.append(page.content())
            page.keyboard.press("n")
        assert "I, [name] ([name]), think so." in bodies[-1]
        everything = "\n".join(bodies).lower()
        for secret in ("lovelace", "hopper", "noether", "@uni", "grace", "emmy", f"{1:064x}"):
            assert secret not in everything

    def test_order_is_not_that_of_the_roster(self, tmp_path):
        names = {f"s{i}": f"Student {i}" for i in range(20)}
        work = pages.make_workspace(tmp_path, names=names)
        order = [i.student.student for i in _desk.open_desk(work, "hmm", True, "m").items]
        assert order != list(names) and sorted(order) == sorted(names)
        again = [i.student.student for i in _desk.open_desk(work, "hmm", True, "m").items]
        assert order == again


class TestStrangers:
    def ask(self, server, path, method="GET", body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
        connection.putrequest(method, path, skip_host="Host" in headers)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            headers.setdefault("Content-Length", str(len(body)))
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        reply = connection.getresponse()
        answer = reply.status, reply.headers, reply.read()
        connection.close()
        return answer

    @pytest.fixture
    def server(self, work, serve):
        return serve(work)

    def test_token_and_host(self, server):
        inside = f"/{server.token}/desk"
        assert self.ask(server, inside)[0] == 200
        assert self.ask(server, inside, Host=f"localhost:{server.server_port}")[0] == 200
        for path in ("/", "/desk", "//desk", f"/{server.token}", f"/{server.token[:-1]}/desk", "*"):
            status, _, body = self.ask(server, path)
            assert status == 403 and b"Ada" not in body, path
        for host in ("evil.example", f"evil.example:{server.server_port}", "127.0.0.1", ""):
            assert self.ask(server, inside, Host=host)[0] == 403, host

    def test_foreign_pages_cannot_mark(self, server, work):
        entry = {"n": 0, "points": 1, "rubric": [], "comment": "", "seen": ""}
        path, body = f"/{server.token}/mark", json.dumps(entry).encode()
        good = {"Content_Type": "application/json"}
        for headers in (
            *({}, {"Content_Type": "text/plain"}),
            *(good | {"Origin": "https://evil.example"}, good | {"Origin": "null"}),
            {"Content_Type": "application/x-www-form-urlencoded"},
        ):
            assert self.ask(server, path, "POST", body, **headers)[0] == 403, headers
        assert self.ask(server, "/x/mark", "POST", body, **good)[0] == 403
        assert lines(work) == []
        assert self.ask(server, path, "POST", body, **good)[0] == 200
        assert len(lines(work)) == 1

    @pytest.mark.parametrize(
        "body, headers, status",
        [
            (b"{", {}, 400),
            (b"[" * 50_000, {}, 400),
            (b"[1]", {}, 400),
            (b"{}", {"Content_Length": "99999999"}, 413),
            (b"{}", {"Content_Length": "-1"}, 413),
            (b'{"n": 0}', {}, 400),
        ],
    )
    def test_bodies_that_are_no_marks(self, server, work, body, headers, status):
        headers = {"Content_Type": "application/json"} | headers
        reply = self.ask(server, f"/{server.token}/mark", "POST", body, **headers)
        assert reply[0] == status and "error" in json.loads(reply[2])
        assert lines(work) == []

    def test_other_addresses(self, server):
        for path in ("x", "review.py", "../manual.csv", "%2e%2e/roster.csv"):
            assert self.ask(server, f"/{server.token}/{path}")[0] == 404
        assert self.ask(server, f"/{server.token}/item?n=99")[0] == 400
        assert self.ask(server, f"/{server.token}/item")[0] == 400

    def test_headers(self, server):
        _, headers, _ = self.ask(server, f"/{server.token}/")
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"

    def test_only_this_computer(self, server):
        assert server.server_address[0] == "127.0.0.1"


class TestPage:
    def test_task_and_empty_answer(self, tmp_path, serve, visit):
        blank = pages.result(written={"report": "Your answer here."})
        work = pages.make_workspace(tmp_path, {"ada": blank})
        page = visit(serve(work)).page
        page.locator("#task summary").press("Enter")
        assert page.locator("#task pre").inner_text() == "Explain the two paths."
        assert page.locator("#written").inner_text() == "This answer was left empty."
        page.keyboard.press("e")
        shown = page.locator("#code").inner_text()
        assert "forward: ran" in shown and "viterbi: raised an error" in shown
        assert "import numpy" not in shown  # given, not the student's
        assert page.locator("#code img").bounding_box()["width"] > 100

    @pytest.mark.parametrize("width, theme", [(375, "dark"), (1200, "light")])
    def test_hostile_answers_do_nothing(self, tmp_path, serve, visit, theme, width):
        work = pages.make_workspace(tmp_path, {"ada": pages.hostile_result()})
        for hostile in pages.HOSTILE[:-1]:  # the last holds what no UTF-8 file can
            other_marks(work, 1, "grace", f"{1:064x}", comment=hostile, marker=hostile)
        seen = visit(serve(work, marker=pages.HOSTILE[0]), width=width, theme=theme)
        page = seen.page
        assert "window.hit = 1</script>" in page.locator("#written").inner_text()
        page.keyboard.press("1")
        saved(page)
        assert pages.violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.keyboard.press("n")
        page.get_by_text("Grace Hopper").wait_for()
        assert page.evaluate("window.hit") is None and seen.complaints == []
        assert page.locator("script:not([src]), svg, iframe, a, style, base").count() == 0

    def test_focus_can_be_seen(self, work, serve, visit):
        page = visit(serve(work)).page
        unseen = []
        for _ in range(14):
            page.keyboard.press("Tab")
            style = page.evaluate(
                "(() => { const e = document.activeElement, s = getComputedStyle(e);"
                "return [e.outerHTML.slice(0, 80), s.outlineStyle, parseFloat(s.outlineWidth)];"
                "})()"
            )
            if style[0].startswith("<body"):
                break
            if style[1] == "none" or style[2] < 2:
                unseen.append(style)
        assert unseen == []

    def test_nothing_graded_yet(self, tmp_path, serve, browser):
        work = pages.make_workspace(tmp_path)
        for path in work.path("hmm", "results").rglob("*.json"):
            path.unlink()
        page = browser.new_page()
        page.goto(serve(work).url)
        page.get_by_text("No submission has been graded yet: course-grade run hmm").wait_for()
        page.close()

    def test_nothing_to_review(self, tmp_path):
        table = pages.manifest(questions=pages.manifest().questions[:2])
        work = pages.make_workspace(tmp_path, table=table)
        with pytest.raises(ValueError, match="no question is marked by people"):
            review.serve(work, "hmm", open_browser=False)


class TestServe:
    def test_as_a_program(self, work):
        """Ctrl-C ends it with nothing left, and the address works as printed."""
        code = "import sys; from pathlib import Path; from course_lib.grading import review;"
        code += "from course_lib.grading.workspace import Workspace;"
        code += "review.serve(Workspace(Path(sys.argv[1])), 'hmm', open_browser=False)"
        program = subprocess.Popen(
            [sys.executable, "-u", "-c", code, str(work.root)], stdout=subprocess.PIPE, text=True
        )
        try:
            address = program.stdout.readline().split()[2]
            direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with direct.open(address, timeout=10) as page:
                assert b"review.js" in page.read()
            program.send_signal(signal.SIGINT)
            assert program.wait(10) == 0
        finally:
            program.kill()
            program.stdout.close()

    def test_prints_the_address_and_ends_with_ctrl_c(self, work, monkeypatch):
        said = []

        def interrupted(self, *args):
            raise KeyboardInterrupt

        monkeypatch.setattr(review.Server, "serve_forever", interrupted)
        review.serve(work, "hmm", open_browser=False, say=said.append)
        assert said[0].startswith("Mark at http://127.0.0.1:")

    def test_port_in_use(self, work, serve):
        port = serve(work).server_port
        with pytest.raises(ValueError, match=f"port {port}: Address already in use"):
            review.serve(work, "hmm", port=port, open_browser=False)
