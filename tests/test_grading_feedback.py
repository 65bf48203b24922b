"""The page that a student gets: what it says, what it keeps back, and that it runs nothing."""

import re

import pytest

from course_lib.grading import _page, _reasons, checks, feedback
from course_lib.grading.limits import Limits
from tests import grading_pages as pages
from tests.browser import watch


@pytest.fixture
def show(browser, tmp_path):
    """Return ``show(html, width=375, theme="light") -> Visit``, opened from a file."""
    contexts = []

    def show_(html, *, width=375, theme="light"):
        file = tmp_path / "page.html"
        file.write_text(html, encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
        contexts.append(context)
        visit = watch(context.new_page(), file.as_uri())
        visit.page.goto(visit.url)
        visit.settle()
        return visit

    yield show_
    for context in contexts:
        context.close()


def render(result=None, row=None, **changes):
    return feedback.render(result or pages.result(), pages.manifest(**changes), row or pages.row())


def words(page):
    """The page as one line of text."""
    page = re.sub(r"<(style|title)>.*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


class TestRender:
    def test_says_points_of_each_question_and_check(self):
        said = words(render())
        assert "forward 3 of 6 points" in said and "viterbi 0 of 4 points" in said
        assert "Passed : Two rolls by hand (2 of 2)" in said
        assert "Partly right : Hidden check 1 of forward (1 of 2)" in said
        assert "Took too long : Hidden check 1 of viterbi (0 of 2)" in said

    def test_hidden_checks_stay_hidden(self):
        page = render()
        for secret in ("secret_", "0.25, 0.75", "A thousand steps", "Random chains", "Missing obs"):
            assert secret not in page

    def test_waiting_is_no_zero(self):
        said = words(render())
        assert "3 of 10 points so far" in said
        assert "Still to be marked by a person: report." in said
        assert "report ? of 5 points (not marked yet)" in said

    def test_mark_of_a_person_with_rubric_and_comment(self):
        mark = pages.mark(2, "Says that the posterior looks at each time alone", "Name a case.")
        said = words(render(row=pages.row(mark, total=5.0)))
        assert "5 of 15 points This is about" in said
        assert "○ Says that Viterbi finds the most probable path as a whole (2, not earned)" in said
        assert "✓ Says that the posterior looks at each time alone (2, earned)" in said
        assert "Comment Name a case." in said and "grace" not in said

    def test_stale_mark_does_not_count(self):
        said = words(render(row=pages.row(pages.mark(2, "", "An old remark.", stale=True))))
        assert "An old remark" not in said and "report ? of 5 points" in said

    def test_late(self):
        said = words(render(row=pages.row(pages.mark(2), total=4.5, late_percent=10)))
        assert "4.5 of 15 points It came late: 10 % has been taken off." in said
        said = words(render(row=pages.row(late_percent=10.0)))
        assert "3 of 10 points so far" in said and "10 % will be taken off" in said
        said = words(render(row=pages.row(pages.mark(2), total=None, late_percent=None)))
        assert "5 of 15 points so far It came late; what is taken off" in said

    def test_what_to_do_next_names_reason_place_and_remedy(self):
        said = words(render())
        start = said.index("What to do next")
        said = said[start : said.index("forward 3 of 6")]
        assert "An error in the cell viterbi ." in said
        assert "Took too long: viterbi (1 check)." in said and "a call for 5." in said
        assert said.index("Took too long") < said.index("Not right yet")  # most urgent first
        assert "due on 1 December 2026, 12:00 UTC+01:00" in said

    def test_all_right(self):
        made = pages.result(flags=[])
        for question in made["questions"]:
            for check in question["checks"]:
                check |= {"reason": "passed", "points": check["max"]}
        made["cells"] = made["cells"][:2]
        said = words(render(made))
        assert "Every check passed." in said and "Remarks" not in said

    def test_unreadable_file(self):
        made = pages.result(cells=[], flags=[], written={})
        for question in made["questions"]:
            for check in question["checks"]:
                check |= {"reason": "unreadable", "points": 0, "message": "no notebook"}
        said = words(render(made, pages.row(auto=0)))
        assert "is not a notebook that can be opened" in said and "Run All Cells" in said
        assert "You left this answer empty." in said

    def test_cell_as_it_was_handed_out(self):
        def run(student):
            raise checks.StudentError("NotImplementedError", "")

        check = checks.Check("ties", "viterbi", 2, False, run, "Ties")
        outcome = checks.run_check(check, None, None, None)
        made = pages.result()
        made["questions"][1]["checks"][0] |= {"reason": outcome.reason, "message": outcome.message}
        made["written"] = {"report": "Your answer here.\n"}
        said = words(render(made))
        assert "Not answered yet : Ties go to the smaller state (0 of 2)" in said
        assert "in the place of raise NotImplementedError" in said
        assert "You left this answer empty." in said

    def test_given_cells_only_where_they_failed(self):
        assert "import numpy" not in render()
        made = pages.result()
        made["cells"][0] |= {"status": "timeout"}
        assert "import numpy" in render(made)

    def test_same_page_twice(self):
        assert render() == render()


class TestWrite:
    def test_one_file_a_student(self, tmp_path):
        work, calls = pages.make_workspace(tmp_path), []
        paths = feedback.write(work, "hmm", progress=lambda *call: calls.append(call))
        assert [path.name for path in paths] == ["ada.html", "grace.html", "emmy.html"]
        assert "Feedback for <bdi>Grace Hopper</bdi>" in paths[1].read_text(encoding="utf-8")
        assert calls == [(1, 3), (2, 3), (3, 3)]
        assert not list(tmp_path.rglob(".*")), "a temporary file is left"

    def test_fault_of_the_machine_is_no_page_and_no_zero(self, tmp_path):
        work = pages.make_workspace(tmp_path)
        feedback.write(work, "hmm")
        failed = pages.result(infrastructure="no sandbox", points=None)
        pages.hand_in(work, "ada", "8" * 64, failed, day=21)
        pages.hand_in(work, "emmy", "9" * 64, day=21)
        assert [p.stem for p in feedback.write(work, "hmm")] == ["grace", "emmy"]
        assert not work.path("hmm", "feedback", "ada.html").exists(), "about an older submission"
        with pytest.raises(ValueError, match="ada: infrastructure error; use"):
            feedback.write(work, "hmm", only=("ada",))

    def test_only(self, tmp_path):
        work = pages.make_workspace(tmp_path)
        assert [p.name for p in feedback.write(work, "hmm", only=("emmy",))] == ["emmy.html"]
        assert not work.path("hmm", "feedback", "ada.html").exists()
        with pytest.raises(ValueError, match=r"'emma' is not in .*did you mean emmy"):
            feedback.write(work, "hmm", only=("emma",))


class TestClean:
    @pytest.mark.parametrize(
        "raw, shown",
        [
            ("a\tb\nc\r\nd", "a\tb\nc\nd"),
            ("\x1b[1;31mred\x1b[0m", "red"),
            ("\x1b]0;title\x07x\x1b]8;;http://a\x1b\\y", "xy"),
            (" 0%\r50%\r100%\r\ndone\r", "100%\ndone"),
            ("a\x00b\x7f\x9b", "a\u2400b\u2421\ufffd"),
            ("\u202eabc\u2069", "‹U+202E›abc‹U+2069›"),
            ("\udcff", "?"),
            (3.5, "3.5"),
        ],
    )
    def test_shows_what_is_there(self, raw, shown):
        assert _page.clean(raw) == shown

    @pytest.mark.parametrize("piece", ["\x1b[", "\x1b]", "a\r", "\x1b[0", "\x1b", "a", "\x1b[ "])
    def test_time_grows_with_length_only(self, piece):
        _page.clean(piece * 200_000)  # seconds if linear, hours if not

    def test_numbers(self):
        assert [_page.number(x) for x in (3, 2.5, 1 / 3, -0.0, 1000)] == [
            *("3", "2.5", "0.33", "0", "1000")
        ]


class TestPicture:
    def test_png(self):
        assert _page.picture(pages.png(3, 2)) == (3, 2, pages.png(3, 2))

    @pytest.mark.parametrize(
        "data",
        [
            *("", "no base64!", pages.SVG, "iVBORw0KGgo=", 7, None, "\udcff"),
            pages.png(3, 2, claimed=(60_000, 60_000)),
            pages.png(3, 2, claimed=(0, 2)),
        ],
    )
    def test_anything_else_is_left_out(self, data):
        assert _page.picture(data) is None


def test_every_reason_has_a_label_and_advice():
    for reason in _reasons.LABELS:
        assert _reasons.label(reason)[0].isupper()
        assert reason == "passed" or _reasons.advice(reason, Limits())
    assert set(_reasons.ORDER) == set(_reasons.LABELS) - {"passed"}


class TestInChromium:
    @pytest.mark.parametrize("width, theme", [(375, "dark"), (1200, "light")])
    def test_axe_and_width(self, show, theme, width):
        mark = pages.mark(2, "Names a case in which the two differ", "Good.")
        visit = show(render(row=pages.row(mark, total=5)), width=width, theme=theme)
        assert pages.violations(visit.page) == [] and visit.complaints == []
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width

    def test_hostile_submission_does_nothing(self, show):
        visit = show(render(pages.hostile_result()))
        page = visit.page
        assert pages.violations(page) == []
        page.wait_for_timeout(300)
        assert page.evaluate("window.hit") is None
        assert visit.complaints == [] and page.url == visit.url
        tags = "script:not([src]), svg, iframe, object, embed, base, link, form, [style], [onload]"
        injected = page.evaluate("document.documentElement.innerHTML.includes('evil.example')")
        assert injected, "the text itself is there to be read"
        # axe was put in by this test, as code and not as an element.
        assert page.locator(tags).count() == 0
        assert page.locator("img").count() == 0  # no PNG among them of a size to show
        assert page.locator("a:not([href^='#'])").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        assert page.evaluate("getComputedStyle(document.querySelector('h1')).display") == "block"

    def test_scripts_could_not_run_even_if_one_slipped_through(self, show):
        page = render().replace("</main>", "<script>window.hit = 1</script><img src=x></main>")
        visit = show(page.replace("<img src=x>", "<img src='https://evil.example/x.png'>"))
        assert visit.page.evaluate("window.hit") is None
        assert visit.failed == ["csp https://evil.example/x.png"] and len(visit.console) == 2

    def test_link_to_a_cell_unfolds_it(self, show):
        page = show(render()).page
        page.get_by_role("link", name="viterbi").last.press("Enter")
        page.get_by_text("path[3]").wait_for(state="visible", timeout=2000)
