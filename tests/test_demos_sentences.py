"""Sentences demo: constructor, words of any text, answers equal to PyTorch's, the page's words.

The drawing in a browser: tests/demos/test_sentences_page.py.
"""

import copy
import json

import numpy as np
import pytest
import torch

from course_lib import demos
from course_lib.datasets import sentences as grammar
from course_lib.demos import _cells, _packed_weights, _sentence_networks, _sentence_words
from course_lib.demos import _sentences as view
from course_lib.demos._state import check_state
from course_lib.torch_bridge import to_torch
from tests.demos.sentence_demos import (
    CLASSES,
    DECIDING,
    TEXT,
    VOCABULARY,
    every_demo,
    network,
    plain,
    playground,
)
from tests.test_demos_flow_parity import javascript

CLOSE = {"rtol": 0, "atol": 1e-9}  # the same arithmetic in float64; issue: 1e-5
ODD = (
    "WE LOVED it", "«naïve» café-goers' dog’s 2nd ½ x², hated; LIKED it!", "mocked",
    "ǅ İstanbul ΟΔΟΣ",
    "日本 hated 😀 loved", "the <unknown> & \"film\" \\ {liked}", "a'b' 'c d''e ’f",
)  # fmt: skip


def real(kind, H, seed=0):
    """A network of the sizes that the chapter has, with the words of its grammar."""
    return network(kind.upper(), kind, D=8, H=H, seed=seed, V=len(grammar.VOCABULARY))


def chapter(H=12, **options):
    merged = {
        "name": "chapter", "text": "we loved the film that critics hated", "length": 40,
        "vocabulary": grammar.VOCABULARY, "deciding": (grammar.DISLIKED, grammar.LIKED),
        "clauses": grammar.CLAUSES, "word_classes": grammar.CLASSES, "labels": grammar.LABELS,
        "networks": [real(kind, H) for kind in ("rnn", "lstm", "gru")], **options,
    }  # fmt: skip
    return demos.sentences(**merged)


def random_texts(rng, count):
    """Typed texts, known words and others, with commas and capitals."""
    words = [*VOCABULARY[1:], "zebra", "don't", "42", "Ärger", "—"]
    for _ in range(count):
        chosen = rng.choice(words, size=int(rng.integers(1, 25)))
        chosen = [word.title() if rng.random() < 0.2 else word for word in chosen]
        yield "we " + ", ".join(chosen)


def edited(demo, rng, text):
    state = demo.state
    state["text"], state["seed"] = text, int(rng.integers(2**31))
    state["opts"]["length"] = int(rng.integers(81)) if state["fixed"]["clauses"] else 0
    T = len(_sentence_words.sentence(state))
    return {**state, "t": int(rng.integers(T))}


class TestConstructor:
    def test_repr_names_the_sizes(self):
        assert [repr(demo) for demo in every_demo()] == [
            "sentences demo 'playground': T=13, V=21, 3 networks",
            "sentences demo 'plain': T=3, V=21, 1 network",
        ]

    def test_a_playground_of_the_chapters_size_fits_the_budget(self):
        demo = chapter()
        assert len(json.dumps(demo.state, separators=(",", ":"))) < 12_500
        assert "FIRST" not in demo.state["fixed"]["classes"]

    def test_trace_is_the_library_on_the_rounded_weights(self):
        demo = playground(length=30, seed=5)
        trace = demo.trace()
        words = _sentence_words.sentence(demo.state)
        twin = ["hated" if w == "loved" else "liked" if w == "mocked" else w for w in words[:7]]
        twin += words[7:]
        assert trace["word"].tolist() == [VOCABULARY.index(word) for word in words]
        for k, data in enumerate(demo.state["fixed"]["networks"]):
            w = _packed_weights.unpack_all(data)
            for some, key in ((words, "margin"), (twin, "twin")):
                x = w["embedding"][[VOCABULARY.index(word) for word in some]]
                h = _packed_weights.run_cell(data, x[None])[0]
                scores = h @ w["readout_W"] + w["readout_b"]
                np.testing.assert_allclose(trace[key][:, k], scores @ [-1, 1], **CLOSE)
                if key == "margin":
                    e = np.exp(scores)
                    p = e[:, 1] / e.sum(axis=1)
                    np.testing.assert_allclose(trace["p"][:, k], p, **CLOSE)
        np.testing.assert_allclose(trace["signal"], abs(trace["margin"] - trace["twin"]), **CLOSE)
        assert (trace["signal"][0] == 0).all() and (trace["signal"][1] > 0).all()

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"text": ""}, "text"),
            ({"text": " 1, 2 — !"}, "text must hold a word, got ' 1, 2"),
            ({"text": "we " * 101}, "text"),
            ({"text": "we " + "😀" * 149}, "text must be at most 300 characters"),
            ({"networks": []}, "networks: the demo shows 1 to 3 networks, got 0"),
            ({"networks": [network(str(k)) for k in range(4)]}, "1 to 3 networks, got 4"),
            ({"networks": [network("a"), network("a")]}, "networks must differ"),
            ({"networks": [network("a", H=25)]}, "'a' must read 1 to 16 numbers .* got 3 and 25"),
            ({"networks": [network("a", D=17)]}, "'a' must read 1 to 16 numbers"),
            (
                {"networks": [network("a", V=20)]},
                r"embedding of network 'a' must have shape \(21, 3",
            ),
            ({"vocabulary": (*VOCABULARY[:-1], "it")}, "vocabulary must differ"),
            ({"vocabulary": [str(k) for k in range(121)]}, "1 to 120 words, got 121"),
            ({"deciding": (("hated",), ("loved", "liked"))}, "deciding must pair"),
            ({"deciding": (("hated", "loved"), ("loved", "liked"))}, "deciding must pair"),
            ({"deciding": (("hated",), ("adored",))}, "'adored' must be in the vocabulary"),
            (
                {"clauses": ["and NOBODY came"]},
                "'NOBODY' must be in the vocabulary or name a class",
            ),
            ({"clauses": [" "]}, "clauses must have 1 to 12 words, got ' '"),
            ({"clauses": ["and " * 13]}, "clauses must have 1 to 12 words"),
            ({"word_classes": {**CLASSES, "PART": ()}}, "classes.PART must hold a word"),
            ({"word_classes": {**CLASSES, "PART": ("ending",)}}, "'ending' must be in the"),
            ({"labels": ("no", "no")}, "labels must differ"),
            ({"length": 81}, "length"),
            ({"t": 13}, "t must be below 13, got 13"),
            ({"network": 3}, "network must be below 3, got 3"),
            ({"network": -4}, "network must be below 3, got -4"),
        ],
    )
    def test_what_does_not_fit_is_named(self, change, message):
        with pytest.raises(ValueError, match=message):
            playground(**change)

    @pytest.mark.parametrize("key", ["embedding", "W_xh", "readout_W", "readout_b"])
    def test_a_stored_network_of_another_shape_is_refused(self, key):
        state = copy.deepcopy(playground().state)
        weights = state["fixed"]["networks"][0]["weights"]
        weights[key] = [int(weights[key][0] > 0), 1, "AAA="]  # one number
        with pytest.raises(ValueError, match="network 'RNN'"):
            demos.Demo(state, view)
        del weights[key]
        with pytest.raises(ValueError, match="network 'RNN'"):
            demos.Demo(state, view)

    def test_the_picture_says_the_sentence_and_the_answers(self):
        demo = playground(text="We loved zebras", length=9)
        page, p = demo._repr_mimebundle_()["text/html"], demo.trace()["p"]
        assert "we loved zebras " in page and f"LSTM {p[-1, 1]:.2f}," in page
        margin = demo.trace()["margin"]
        words = _sentence_words.sentence(demo.state)
        for k, name in enumerate(("RNN", "LSTM", "GRU")):
            changes = _sentence_networks.turns(margin[:, k], 1)
            want = f"changing its mind at “{words[changes[0]]}”" if changes else "without changing"
            assert f"{name} {p[-1, k]:.2f}, {want}" in page


class TestWords:
    def test_letters_and_apostrophes_are_words_and_eighty_the_most(self):
        typed = _sentence_words.typed
        assert typed("Don’t we... LOVE 3 'films'?") == ["don’t", "we", "love", "films"]
        assert typed(" 1, 2 — !") == []
        assert len(typed("a b " * 50)) == 80

    def test_they_are_those_of_the_grammar(self, rng):
        for text in (*random_texts(rng, 20), *ODD):
            text = text.replace("İ", "I")  # becomes two characters, one of them no letter
            assert _sentence_words.typed(text) == grammar.tokenise(text)

    def test_the_twin_is_that_of_the_grammar(self, rng):
        deciding = [list(grammar.DISLIKED), list(grammar.LIKED)]
        for _ in range(20):
            words = rng.choice(grammar.VOCABULARY[1:], size=12).tolist()
            assert _sentence_words.turned(words, deciding) == grammar.twin(words)

    def test_clauses_are_drawn_evenly_and_longer_ones_begin_the_same(self):
        fixed = playground().state["fixed"]
        words = _sentence_words.added(fixed, 3, 80)
        assert [_sentence_words.added(fixed, 3, n) for n in range(80)] == [
            words[:n] for n in range(80)
        ]
        assert _sentence_words.added(fixed, 4, 80) != words
        many = [word for seed in range(300) for word in _sentence_words.added(fixed, seed, 40)]
        for options in (CLASSES["JOIN"], CLASSES["HOW"], CLASSES["VERB"], CLASSES["PART"]):
            counts = np.array([many.count(word) for word in options])
            assert np.ptp(counts) < 0.15 * counts.mean()  # four standard errors
        starts = [many.count(word) for word in ("was", "they", "rained")]  # one each in a clause
        assert np.ptp(starts) < 0.15 * np.mean(starts)

    def test_the_first_verb_is_the_labels(self):
        label = _sentence_words.label
        assert label(["we", "loved", "hated"], DECIDING) == 1
        assert label(["mocked", "loved"], DECIDING) == 0
        assert label(["we", "came"], DECIDING) is None

    def test_turns_are_changes_of_side_after_the_verb(self):
        margin = np.array([-1.0, 2, 3, -1, -2, 0, 4])
        assert _sentence_networks.turns(margin, 1) == [3, 5]
        assert _sentence_networks.turns(margin, 0) == [1, 3, 5]


def torch_answers(data, numbers):
    """P(label 1) and margins by PyTorch, from the weights that travel, in float64."""
    weights = _packed_weights.unpack_all(data)
    module = to_torch(_cells.params(data["kind"], {**data, **weights}))
    readout = torch.nn.Linear(*weights["readout_W"].shape, dtype=torch.float64)
    table = torch.nn.Embedding.from_pretrained(torch.tensor(weights["embedding"]))
    with torch.no_grad():
        readout.weight.copy_(torch.tensor(weights["readout_W"].T))
        readout.bias.copy_(torch.tensor(weights["readout_b"]))
        scores = readout(module(table(torch.tensor(numbers)[None]))[0])[0]
    return torch.softmax(scores, dim=-1)[:, 1].numpy(), (scores[:, 1] - scores[:, 0]).numpy()


class TestAgainstPyTorch:
    @pytest.mark.parametrize("H", [12, 5])
    def test_answers_to_random_sentences(self, H, rng):
        demo = chapter(H, networks=[real(kind, H, seed=H) for kind in ("rnn", "lstm", "gru")])
        states = []
        for T in (4, 23, 80):
            words = grammar.decode(grammar.sample_sentences(1, T, rng)[0][0])[:30]
            words[-1] = "zebra"
            state = edited(demo, rng, " ".join(words))
            state["opts"]["length"] = T
            states.append({**state, "t": T - 1})
        for now, got in zip(states, javascript([("view", now) for now in states]), strict=True):
            ids = grammar.encode(_sentence_words.sentence(now))
            assert got["result"]["ids"] == ids.tolist() and len(ids) == now["opts"]["length"]
            for data, mine in zip(now["fixed"]["networks"], got["result"]["nets"], strict=True):
                p, margin = torch_answers(data, ids)
                np.testing.assert_allclose(mine["p"], p, **CLOSE)
                np.testing.assert_allclose(mine["margin"], margin, **CLOSE)


class TestView:
    @pytest.mark.parametrize("demo", every_demo(), ids=lambda d: d.name)
    def test_after_an_edit_everything_equals_python(self, demo, rng):
        edits = [edited(demo, rng, text) for text in (*random_texts(rng, 12), *ODD)]
        calls = [("view", now, demo.state) for now in edits]
        for now, got in zip(edits, javascript(calls), strict=True):
            demo.state = now
            want, mine = demo.trace(), got["result"]
            words = _sentence_words.sentence(now)
            assert mine["words"] == words
            assert mine["ids"] == want["word"].tolist()
            assert mine["label"] == _sentence_words.label(words, DECIDING)
            places = _sentence_words.verbs(words, DECIDING)
            assert mine["places"] == places
            for k, net in enumerate(mine["nets"]):
                for key in ("p", "margin", "twin", "signal"):
                    np.testing.assert_allclose(net[key], want[key][:, k], **CLOSE, err_msg=key)
                turns = _sentence_networks.turns(want["margin"][:, k], places[0]) if places else []
                assert net["turns"] == turns
            facts, t = got["facts"], now["t"]
            np.testing.assert_allclose(facts["signal"], want["signal"][t], **CLOSE)
            np.testing.assert_allclose(facts["p"], want["p"][t], **CLOSE)
            assert facts["verb"] == (t - places[0] if places else -1)
            typed = _sentence_words.typed(now["text"])
            assert facts["unknown"] == sum(word not in VOCABULARY for word in typed)
            right = (want["margin"][t] >= 0) == bool(mine["label"])
            assert facts["right"] == [bool(ok and facts["verb"] >= 0) for ok in right]

    def test_words_and_tables_hold_no_nan_and_no_undefined(self, rng):
        states = [{**d.state, "t": t} for d in every_demo() for t in range(3)]
        for text in ("zebra", "they came", "loved", "we 'loved' hated then"):
            states += [edited(demo, rng, text) for demo in every_demo() for _ in range(3)]
        for k, now in enumerate(states):
            now["opts"]["network"] = k % len(now["fixed"]["networks"])
        for now, got in zip(states, javascript([("view", s) for s in states]), strict=True):
            words = [got[key] for key in ("say", "sums", "table", "question", "facts")]
            words = json.dumps(words, ensure_ascii=False)
            for bad in ("NaN", "undefined", "[object", "Infinity", "none"):
                assert bad not in words, (now["text"], now["t"], words)
            assert len(got["say"]) > 40
            word = got["result"]["words"][now["t"]]
            assert ("is not in the vocabulary" in got["say"]) == (word not in VOCABULARY)

    def test_copied_python_rebuilds_the_same_state(self):
        cases = [*every_demo(), playground(text='We "loved" it \\ that’s \n 😀 all', seed=7, t=2)]
        for demo, got in zip(cases, javascript([("view", d.state) for d in cases]), strict=True):
            space = {"print": lambda *args: None}
            exec(got["python"], space)  # our own code, made by the view under test
            assert space["demo"].state == demo.state

    def test_both_languages_take_and_refuse_the_same_states(self):
        states, verdicts = [], []
        for demo in every_demo():
            good = demo.state
            n = len(good["fixed"]["networks"])
            states += [good, {**good, "t": -1}, {**good, "seed": 2**31}, {**good, "extra": 0}]
            states += [{**good, "t": 0, "text": text} for text in ODD]
            for text in ("", "1 2", 3, None, "x" * 301, "😀 hated " * 30):
                states.append({**good, "t": 0, "text": text})
            for key, bad in (("network", n), ("network", -1), ("length", 81), ("predict", 1)):
                states.append({**good, "opts": {**good["opts"], key: bad}})
            states.append({**good, "t": 0, "opts": {**good["opts"], "length": 1}})
        for now in states:
            try:
                check_state(now)
                view.check(now)
                verdicts.append(True)
            except ValueError:
                verdicts.append(False)
        answers = javascript([("valid", now) for now in states])
        for now, mine, theirs in zip(states, answers, verdicts, strict=True):
            assert mine == theirs, (now["name"], now["text"], now["opts"])
        assert sum(verdicts) == 2 * (2 + len(ODD) + 1)  # the last: 300 characters exactly

    def test_huge_weights_leave_a_probability(self):
        big = network("big")
        huge = demos.SentenceNetwork(
            "huge", big.embedding, big.params, (np.full((5, 2), [-300.0, 300.0]), np.ones(2))
        )
        demo = playground(networks=[huge])
        (got,) = javascript([("view", demo.state)])
        p = np.array(got["result"]["nets"][0]["p"])
        np.testing.assert_allclose(p, demo.trace()["p"][:, 0], **CLOSE)
        assert ((p >= 0) & (p <= 1)).all() and abs(demo.trace()["margin"]).max() > 100


class TestGoals:
    def test_each_is_reached_by_some_clauses(self):
        demo = playground()
        goals = demo.state["fixed"]["goals"]
        assert [goal["text"].split()[0] for goal in goals] == ["Have", "Go", "Type"]
        reached = set()
        turned = " ".join(_sentence_words.turned(_sentence_words.typed(TEXT), DECIDING))
        for text in (TEXT, turned, "zebra"):
            states = [
                {**demo.state, "text": text, "seed": seed, "t": t,
                 "opts": {**demo.state["opts"], "length": 80}}
                for seed in range(_sentence_networks.TRIED)
                for t in (20, 40, 79)
            ]  # fmt: skip
            for got in javascript([("view", now) for now in states]):
                reached |= {k for k, goal in enumerate(goals) if holds(goal, got["facts"])}
        assert reached == {0, 1, 2}

    def test_networks_that_are_twins_have_no_such_goals(self):
        goals = playground(networks=[network("a", seed=9)]).state["fixed"]["goals"]
        assert all("“" not in g["text"] or "Have “a” change its mind." == g["text"] for g in goals)
        assert len(plain().state["fixed"]["goals"]) == 0  # no clauses; zebras are typed already

    def test_authors_goals_are_taken(self):
        goal = demos.Goal("Be sure.", (("p.0", ">", 0.9),))
        assert playground(goals=[goal]).state["fixed"]["goals"] == [goal.to_json()]


def holds(goal, facts):
    """The page's own rule, for numbers: a path, a comparison, a number."""
    for path, sign, value in goal["when"]:
        left = facts
        for key in path.split("."):
            left = left[int(key)] if isinstance(left, list) else left[key]
        if not {">": left > value, "<": left < value, ">=": left >= value, "==": left == value}[
            sign
        ]:
            return False
    return True
