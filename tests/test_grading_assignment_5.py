"""Assignment 5: its formulas, its register, and what its visible checks say."""

import contextlib
import io
import re

import numpy as np
import pytest

from course_lib import attention, linear_attention, multi_head
from course_lib.grading.checks import run_check
from tests.grading_case import case

ONE = case("05_attention")
CHECKS = {check.name: check for check in ONE.source.checks}


@pytest.fixture(scope="module")
def right():
    return ONE.space


def page(rng, T=4, S=6, E=3, D=5):
    may = rng.random((T, S)) < 0.6
    may[:, 2] = True
    shapes = (T, E), (S, E), (S, D)
    return *(rng.normal(size=shape) for shape in shapes), may


def printed(one, *cells):
    """What given cells of a solved notebook print, and its names."""
    space, told = {"__name__": "__main__"}, io.StringIO()
    for cell in one.source.cells:
        if cell.role in ("locked", "answer"):
            with contextlib.redirect_stdout(told if cell.id in cells else io.StringIO()):
                exec(one.solutions.get(cell.id, cell.source), space)
    return told.getvalue(), space


class TestReference:
    """Against the book's library, or against something slow."""

    @pytest.mark.parametrize("causal", [True, False])
    def test_masks_are_those_of_the_library(self, right, causal):
        lengths = np.array([3, 1, 5, 4])
        want = np.broadcast_to(attention.padding_mask(lengths, 5), (4, 5, 5))
        want = want & attention.causal_mask(5) if causal else want
        assert np.array_equal(right["may_look"](lengths, 5, causal), want)

    def test_look_is_that_of_the_library(self, right, rng):
        q, k, v, may = page(rng)
        context, weights = right["look_up"](q, k, v, may, 0.7)
        trace = attention.attend(q[None] / 0.7, k[None], v[None], mask=may[None])
        assert np.allclose(context, trace.context[0], rtol=1e-12)
        assert np.allclose(weights, trace.weights[0], rtol=1e-12)

    def test_temperature_zero_is_the_limit(self, right, rng):
        q, k, v, may = page(rng)
        q[1], k[2], k[4], may[1, 4] = 1.0, 9.0, 9.0, True  # a tie of the best two
        cold, limit = (right["look_up"](q, k, v, may, t)[1] for t in (0, 1e-12))
        assert np.allclose(cold, limit, atol=1e-9) and cold[1, 2] == cold[1, 4] == 0.5

    def test_gradient_matches_central_differences(self, right, rng):
        q, k, v, may = page(rng)
        d_context, inputs = rng.normal(size=(4, 5)), [q, k, v, np.array(0.6)]

        def loss():
            q, k, v, t = inputs
            return (right["look_up"](q, k, v, may, float(t))[0] * d_context).sum()

        weights = right["look_up"](q, k, v, may, 0.6)[1]
        grads = right["look_up_backward"](d_context, weights, q, k, v, 0.6)
        for array, grad in zip(inputs, grads, strict=True):
            assert np.shape(grad) == array.shape
            for at in np.ndindex(array.shape):
                kept = array[at].copy()
                array[at] = kept + 1e-5
                up = loss()
                array[at] = kept - 1e-5
                down = loss()
                array[at] = kept
                assert np.isclose((up - down) / 2e-5, np.asarray(grad)[at], rtol=1e-6, atol=1e-8)

    @pytest.mark.parametrize("groups", [1, 2, 4])
    def test_heads_are_those_of_the_library(self, right, rng, groups):
        M, n_heads, E = 12, 4, 3
        x, may = rng.normal(size=(2, 5, M)), np.tri(5, dtype=bool)[None].repeat(2, axis=0)
        W_q, W_o = rng.normal(size=(2, M, M))
        narrow = rng.normal(size=(2, M, groups * E))
        share = n_heads // groups  # written out, every head has columns of its own
        columns = [h // share * E + e for h in range(n_heads) for e in range(E)]
        W_k, W_v = narrow[:, :, columns]
        params = multi_head.MultiHeadParams(W_q, W_k, W_v, W_o, *np.zeros((4, M)))
        y, weights = right["heads"](x, W_q, *narrow, W_o, may, n_heads)
        trace = multi_head.multi_head_forward(x, params, n_heads, mask=may)
        assert np.allclose(y, trace.y, rtol=1e-12, atol=1e-12)
        assert np.allclose(weights, trace.weights, rtol=1e-12)

    @pytest.mark.parametrize("window", [None, 1, 3])
    def test_cache_is_the_whole_look_under_a_mask(self, right, rng, window):
        T = 9
        q, k, v = (rng.normal(size=(T, n)) for n in (3, 3, 4))
        age = np.arange(T)[:, None] - np.arange(T)
        want, _ = right["look_up"](q, k, v, (age >= 0) & (age < (window or T)), 1.0)
        cache = None
        for t in range(T):
            context, cache = right["cache_step"](q[t], k[t], v[t], cache, window)
            assert np.allclose(context, want[t], rtol=1e-12)
        assert len(cache[0]) == len(cache[1]) == (window or T)

    @pytest.mark.parametrize("fade", [1.0, 0.8])
    def test_tally_is_the_librarys_linear_attention(self, right, rng, fade):
        x = rng.normal(size=(1, 20, 4))
        W_q, W_k, W_v = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.normal(size=(4, 5))
        params = linear_attention.LinearAttentionParams(W_q, W_k, W_v, decay=fade)
        want, _ = linear_attention.linear_attention_masked(x, params)
        tally = None
        for t, row in enumerate(x[0]):
            context, tally = right["tally_step"](row @ W_q, row @ W_k, row @ W_v, tally, fade)
            assert np.allclose(context, want[0, t], rtol=1e-9)
        assert [part.shape for part in tally] == [(3, 5), (3,)]

    def test_network_finds_what_came_after_the_latest_time_at_every_place(self, right, rng):
        for V, T in ((4, 60), (12, 150), (40, 400)):
            matrices, words = right["find_again"](V), rng.integers(1, V, size=T)
            words[0] = 0
            output, first, _ = right["two_looks"](words, matrices, V)
            assert (first[np.arange(1, T), np.arange(T - 1)] > 0.9).all()
            latest = {}
            for t, word in enumerate(words):
                if t:
                    latest[words[t - 1]] = word  # a word that follows itself was there just now
                if word in latest:
                    assert output[t].argmax() == latest[word]


class TestStory:
    def test_table_of_the_slips_is_that_of_the_check(self, right):
        numbers = [
            [[float(n) for n in group.split(",")] for group in re.findall(r"\(([\d, ]+)\)", row)]
            for row in re.findall(r"(?m)^\| four numbers \|.+$", ONE.text)
        ]
        ((slip, *keys),) = numbers
        said = re.search(r"(?m)^\| children, goats \| \|(.+)\|$", ONE.text)[1]
        values = [[float(n) for n in cell.split(",")] for cell in said.split("|")]
        one = np.ones((1, 3), dtype=bool)
        context, _ = right["look_up"](
            np.log(2) * np.array([slip]), np.array(keys[:3]), np.array(values[:3]), one, 1.0
        )
        assert np.allclose(context, [[4, 3.5]], rtol=1e-12)
        assert len(keys) == len(values) == 4

    @pytest.mark.parametrize("seed", [2026, 2027, 2031])
    def test_blots_are_filled_with_the_trade_last_given(self, seed):
        told, space = printed(ONE.of_another_year(seed), "register")
        latest = dict(space["LEGIBLE"])  # of several entries the last
        lines = re.findall(
            r"(?m)^ *(\w+) (\w+) +looked at place +\d+, weight ([\d.]+).+ (\w+)$", told
        )
        assert [(name, trade) for name, trade, _, _ in lines] == [
            (name, latest[name]) for name in space["BLOTTED"]
        ]
        assert len(lines) == 6 and all(float(weight) > 0.99 for _, _, weight, _ in lines)
        assert all(before == name for name, _, _, before in lines)
        again, same = map(int, re.search(r"again (\d+) times, (\d+) times", told).groups())
        assert again == 28 and same < again  # the weight of 1 is not the share that is right
        if seed == 2026:
            answer = next(cell.source for cell in ONE.source.cells if cell.role == "written")
            assert f"again {again} times, {same} times with its old trade" in answer

    def test_cache_finds_all_and_tally_does_not(self):
        told, _ = printed(ONE, "recall")
        row = (
            r"(\d+) households: cache +(\d+) right, +(\d+) numbers kept; tally +(\d+) right, +(\d+)"
        )
        rows = [[int(n) for n in found] for found in re.findall(row, told)]
        assert [(n, cache, kept) for n, cache, kept, _, _ in rows] == [
            (n, n, 24 * n) for n in (4, 16, 64, 256)
        ]
        assert {size for *_, size in rows} == {144} and rows[-1][3] < 128
        answer = next(cell.source for cell in ONE.source.cells if cell.role == "written")
        assert "kept 24 numbers an entry" in answer and "kept 144 however" in answer
        assert f"found {rows[-1][3]} of 256 (with SEED 2026)" in answer

    @pytest.mark.parametrize("seed", [2026, 2027, 2031])
    def test_a_cold_look_learns_nothing(self, seed):
        told, _ = printed(ONE.of_another_year(seed), "cold")
        rows = [line.split() for line in told.splitlines()]
        assert len(rows) == 6 and float(rows[0][-1]) > 0.01 and float(rows[-1][-1]) < 1e-5

    def test_registers_of_the_letter_cannot_be_told_apart(self, rng):
        """Without places and mask, whatever the matrices; the model answer names the two."""
        answer = next(cell.source for cell in ONE.source.cells if cell.role == "written")
        registers = [said.split() for said in re.findall(r'"(¶[^"]+)"', answer)]
        numbers = {"¶": 0, "Huber": 1, "smith": 2, "baker": 3}
        outputs = []
        matrices = [rng.normal(size=(n, 4)) for n in (4, 4, 4, 8, 8, 8)]
        for register in registers:
            x = np.eye(4)[[numbers[word] for word in register]]
            for q, k, v in (matrices[:3], matrices[3:]):
                weights = attention.softmax(x @ q @ (x @ k).T)
                mixed = weights @ (x @ v)
                x = np.column_stack([x, mixed])
            outputs.append(mixed[-1])
        assert len(registers) == 2 and registers[0] != registers[1]
        assert np.allclose(*outputs, rtol=1e-12)


class TestChecks:
    @pytest.mark.parametrize(
        "name, hint",
        [
            ("padding_is_looked_at", "Line 2 is empty, and somebody"),
            ("mask_transposed", "the row asks and the column is asked"),
            ("mask_after_the_softmax", "before the softmax, not after"),
            ("root_forgotten", "by the root of E = 4"),
            ("softmax_over_the_queries", "along the wrong axis"),
            ("mix_forgotten", "take the mix, 4 children, off"),
            ("logarithm_of_zero", "the logarithm of a weight of 0"),
            ("heads_cut_by_one_reshape", "one reshape mixes them"),
            ("newest_cannot_see_itself", "must see itself too"),
            ("vector_does_not_fade", "The vector fades as the table does"),
            ("plain_mean", "All entries weigh the same"),
            ("keys_without_features", "The keys go through phi"),
            ("kept_in_a_global_list", "not in a global or default list"),
            ("looks_at_itself", "ask for t - 1, not t"),
            ("most_frequent_counts", "not the most frequent trade"),
        ],
    )
    def test_a_visible_check_names_the_mistake(self, name, hint):
        answers = ONE.wrong[name].answers
        (question,) = {c.question for c in ONE.source.cells if c.id in answers}
        assert hint in ONE.hint(answers, question)

    @pytest.mark.parametrize(
        "cell, right, wrong, hint",
        [
            ("masks", "(lines <= lines[:", "(lines < lines[:", "a line may look at itself"),
            ("look", "np.where(may,", "np.where(~may,", "True means that one may look"),
            ("look", "-np.inf", "0.0", "exp(0) is 1"),
            ("look", "(scores - best) / t", "(scores - best) * t", "do not multiply"),
            ("back", "_scores @ k / root", "_scores @ k", "twice too large"),
            ("back", "d_temperature = -", "d_temperature = ", "temperature: the sign"),
            ("heads", "v).swapaxes(1, 2)", "v)", "one reshape mixes them"),
            ("heads", "np.sqrt(E)", "np.sqrt(M)", "not of M"),
            ("cache", "[-window:]", "[-window - 1 :]", "the newest entry is one of the two"),
            ("cache", "window is not None", "False", "entry 0 is still seen"),
            ("tally", " / (phi(q) @ total)", "", "it is a mean"),
            ("tally", "fade * ", "", "fade = 0.5 changes nothing"),
            ("again", "1, -0.5", "1, 0", "do not forget it"),
            ("again", "1, -0.5", "1, 0.5", "take half of the square off"),
            ("again", "40, (-40, 40)", "1, (-1, 1)", "too softly"),
            ("again", "40, (-40, 40)", "0, 0", "spreads its weight evenly"),
            ("again", "40, (-40, 40)", "-40, (40, -40)", "near is far"),
            ("again", "= 40, 1", "= 0, 0", "the latest time counts"),
            ("again", "k2[before:,", "k2[:V,", "not what came after"),
            ("again", "v2[:V] =", "v2[:V] = 0 *", "equally large"),
        ],
    )
    def test_a_slip_of_the_pen_is_named(self, cell, right, wrong, hint):
        question = {"cache": "carry", "tally": "carry"}.get(cell, cell)
        assert hint in ONE.hint(ONE.bent(cell, right, wrong), question)

    @pytest.mark.parametrize(
        "text, points",
        [
            ("query {}", 0.5),
            ("row {} of 23", 0.5),
            ("somewhere", 0.25),
            ("one of 10, {}", 0.25),
            ("zero-size array to reduction operation maximum which has no identity", 0),
        ],
    )
    def test_a_blind_query_is_worth_all_with_its_row(self, right, rng, text, points):
        def look_up(q, k, v, may, temperature):
            blind = np.flatnonzero(~may.any(axis=1))
            if len(blind):
                raise ValueError(text.format(*blind))
            return right["look_up"](q, k, v, may, temperature)

        student = ONE.stand(right | {"look_up": look_up})
        assert run_check(CHECKS["blind_query"], student, None, rng).points == points

    def test_queries_alone_are_worth_half(self, right, rng):
        def look_up_backward(*arguments):
            dq, _, dv, dt = right["look_up_backward"](*arguments)
            return dq, None, dv, dt

        student = ONE.stand(right | {"look_up_backward": look_up_backward})
        outcome = run_check(CHECKS["to_queries_and_keys"], student, ONE.reference, rng)
        assert outcome.points == 0.5 and outcome.reason == "partial"

    @pytest.mark.parametrize("spare, earned", [(10, True), (11, False)])
    def test_a_tally_may_hold_ten_numbers_more(self, right, rng, spare, earned):
        def tally_step(q, k, v, tally, fade):
            context, tally = right["tally_step"](q, k, v, tally and tally["sums"], fade)
            return context, {"sums": tally, "more": [0.5] * spare}

        student = ONE.stand(right | {"tally_step": tally_step})
        outcome = run_check(CHECKS["long_tally"], student, ONE.reference, rng)
        assert bool(outcome.points) == earned
        assert earned or outcome.message == "the memory holds more numbers than the text says"

    @pytest.mark.parametrize(
        "hide",
        [
            bytes,
            lambda numbers: int.from_bytes(bytes(numbers), "big"),
            lambda numbers: "".join(chr(300 + n) for n in numbers),
            lambda numbers: {tuple(map(float, numbers)): None},
            lambda numbers: {"".join(chr(300 + n) for n in numbers): None},
            lambda numbers: frozenset(map(float, numbers)),
            lambda numbers: np.array(numbers[:6]) * (1 + 1j),  # twelve, two too many
            lambda numbers: [((),) if n % 2 else () for n in numbers],
            lambda numbers: [np.zeros((0, n)) for n in numbers],
        ],
    )
    def test_nothing_can_be_kept_unseen(self, right, rng, hide):
        """Two hundred numbers below 256, packed as one likes."""
        packed = hide(list(range(56, 256)))

        def tally_step(q, k, v, tally, fade):
            context, tally = right["tally_step"](q, k, v, tally and tally[0], fade)
            return context, (tally, packed)

        student = ONE.stand(right | {"tally_step": tally_step})
        assert run_check(CHECKS["fading_tally"], student, ONE.reference, rng).points == 0

    def test_a_default_list_is_no_memory(self, right, rng):
        def cache_step(q, k, v, cache, window, kept=[]):  # noqa: B006
            if cache is None:
                kept.clear()
            kept.append((k, v))
            context, _ = right["cache_step"](
                q, k, v, [np.array(a) for a in zip(*kept[:-1], strict=True)] or None, window
            )
            return context, len(kept)

        student = ONE.stand(right | {"cache_step": cache_step})
        outcome = run_check(CHECKS["whole_register"], student, ONE.reference, rng)
        assert outcome.points == 0 and "default list" in outcome.message

    def test_registers_in_part_right_earn_a_part(self, right, rng):
        """Right for small vocabularies only: 28 of 32 registers."""

        def find_again(V):
            matrices = right["find_again"](V)
            return matrices if V < 20 else matrices | {"v2": 0 * matrices["v2"]}

        student = ONE.stand(right | {"find_again": find_again})
        for name in ("seen_once", "seen_often"):
            points = run_check(CHECKS[name], student, None, rng).points
            assert points == pytest.approx(1.25 * (28 / 32 - 0.5) / 0.5)

    def test_a_register_may_not_be_answered_from_its_end(self, right, rng):
        """After all times but the latest the same word came, which is another one."""
        draw = CHECKS["seen_often"].run.__globals__["register_of"]
        for _ in range(20):
            words, wanted = draw(rng, 9, 40, 4)
            times = np.flatnonzero(words[:-1] == words[-1])
            followers = words[times + 1]
            assert len(times) == 4 and len(set(followers[:-1])) == 1
            assert followers[-1] == wanted != followers[0]
            assert words[0] == 0 and (words[1:] > 0).all()
            assert 40 - times[-1] > 9  # a match worth nine places is not enough
