"""The alignment data against its law, and the aligners that are kept with their weights."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from course_lib import aligner, hmm
from course_lib.datasets import alignment
from course_lib.datasets.alignment import alignment_hmm, dictionary, jump_table, sample_alignments
from course_lib.datasets.translation import V


@pytest.fixture(autouse=True)
def one_thread():
    """Threads that wait for each other make small networks slow on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class TestTables:
    def test_rows_are_probabilities(self):
        for table in (dictionary(), jump_table(5)):
            assert np.allclose(table.sum(axis=1), 1.0, atol=1e-12) and (table >= 0).all()

    def test_jumps_by_hand_at_both_ends(self):
        A = jump_table(4)
        want = [
            [0.10 / 0.85, 0.50 / 0.85, 0.25 / 0.85, 0.0],
            [0.15, 0.10, 0.50, 0.25],
            [0.0, 0.15 / 0.75, 0.10 / 0.75, 0.50 / 0.75],
            [0.0, 0.0, 0.15 / 0.25, 0.10 / 0.25],
        ]
        assert np.allclose(A, want, atol=1e-12)

    def test_dictionary_is_right_as_often_as_it_says(self):
        table = dictionary()
        assert np.allclose(np.diag(table), alignment.RIGHT)
        assert np.allclose(table[~np.eye(V, dtype=bool)], (1 - alignment.RIGHT) / (V - 1))

    def test_filter_of_the_hmm_is_the_sum_over_all_alignments(self):
        source, target = np.array([2, 5, 2]), np.array([5, 2, 7, 2])
        pi, A, B = alignment_hmm(source)
        joint = np.zeros(3)
        for path in itertools.product(range(3), repeat=4):
            p = 1 / 3
            for t, i in enumerate(path):
                p *= dictionary()[source[i], target[t]] * (A[path[t - 1], i] if t else 1.0)
            joint[path[-1]] += p
        filtered = hmm.forward_filter(target, pi, A, B).alpha[-1]
        assert np.allclose(filtered, joint / joint.sum(), atol=1e-12)

    @pytest.mark.parametrize("source", [[1, V], [-1, 2], [[1, 2]], [1]])
    def test_refuses_a_source(self, source):
        with pytest.raises(ValueError):
            alignment_hmm(np.array(source))


class TestSampleAlignments:
    def test_shapes_and_ranges(self, rng):
        drawn = sample_alignments(7, rng, S=5, T=3)
        assert drawn.source.shape == (7, 5)
        assert drawn.target.shape == drawn.position.shape == (7, 3)
        assert set(drawn.position.ravel()) <= set(range(5))

    def test_frequencies_follow_the_law(self, rng):
        S = 4
        drawn = sample_alignments(20_000, rng, S=S, T=3)
        # Four standard deviations of a share of 20 000 are at most 0.0142.
        assert np.allclose(np.bincount(drawn.position[:, 0]) / 20_000, 1 / S, atol=0.0142)
        pairs = np.zeros((S, S))
        np.add.at(pairs, (drawn.position[:, 1], drawn.position[:, 2]), 1)
        assert np.allclose(pairs / pairs.sum(axis=1, keepdims=True), jump_table(S), atol=0.04)
        spoken = np.take_along_axis(drawn.source, drawn.position, axis=1)
        assert abs(np.mean(spoken == drawn.target) - alignment.RIGHT) < 0.01
        words = np.bincount(drawn.source.ravel()) / drawn.source.size
        assert np.allclose(words, 1 / V, atol=0.0142)

    def test_a_seed_fixes_all(self):
        one, two = (sample_alignments(3, np.random.default_rng(4)) for _ in range(2))
        assert np.array_equal(one.target, two.target) and np.array_equal(one.source, two.source)

    @pytest.mark.parametrize("sizes", [(0, 3, 3), (2, 1, 3), (2, 3, 0)])
    def test_refuses_sizes(self, rng, sizes):
        n, S, T = sizes
        with pytest.raises(ValueError):
            sample_alignments(n, rng, S, T)

    def test_in_words(self):
        assert alignment.in_words([0, 3], [1]) == ("sun sea", "luna")


class TestAligner:
    @pytest.mark.parametrize("values", aligner.VALUES)
    def test_a_step_knows_nothing_of_its_own_word(self, values):
        model = aligner.Aligner(values, seed=3).double()
        source = torch.tensor([[1, 4, 2, 6, 3]])
        target = torch.tensor([[2, 5, 1, 0]])
        other = target.clone()
        other[0, 2] = 7
        with torch.no_grad():
            (scores, weights), (scores_2, weights_2) = model(source, target), model(source, other)
        assert torch.equal(scores[:, :3], scores_2[:, :3])
        assert torch.equal(weights[:, :3], weights_2[:, :3])
        assert not torch.allclose(scores[:, 3], scores_2[:, 3])
        assert not torch.allclose(weights[:, 3], weights_2[:, 3])

    def test_weights_are_weights(self):
        _, weights = aligner.Aligner("words", seed=1)(
            torch.tensor([[1, 4, 2], [0, 0, 7]]), torch.tensor([[2, 5], [1, 1]])
        )
        assert weights.shape == (2, 2, 3)
        assert torch.allclose(weights.sum(dim=2), torch.ones(2, 2)) and (weights > 0).all()

    def test_values_of_words_bring_one_word_alone(self):
        """With all weight on one place, the readout of ``words`` cannot tell its neighbours."""
        model = aligner.Aligner("words", seed=2).double()
        with torch.no_grad():
            model.readout.weight[:, : model.H] = 0.0  # leaves what was looked at
            model.query.weight.zero_()  # looks everywhere alike
        source = torch.tensor([[1, 4, 2]])
        scores, _ = model(source, torch.tensor([[3]]))
        mean = model.embed_source(source).mean(dim=1)
        want = mean @ model.readout.weight[:, model.H :].T + model.readout.bias
        assert torch.allclose(scores[:, 0], want, atol=1e-12)

    def test_training_lowers_the_loss(self):
        drawn = sample_alignments(200, np.random.default_rng(9))
        source, target = torch.as_tensor(drawn.source), torch.as_tensor(drawn.target)

        def loss(model):
            with torch.no_grad():
                return nn.functional.cross_entropy(model(source, target)[0].transpose(1, 2), target)

        trained = aligner.train_aligner("words", 0, updates=30, progress=False)
        assert loss(trained) < loss(aligner.Aligner("words", 0)) - 0.03

    def test_leaves_the_generator_of_torch_alone(self):
        torch.manual_seed(5)
        want = torch.rand(1)
        torch.manual_seed(5)
        aligner.Aligner("states", seed=1)
        assert torch.equal(torch.rand(1), want)

    def test_refuses_what_it_does_not_know(self):
        with pytest.raises(ValueError, match="values"):
            aligner.Aligner("letters", 0)
        with pytest.raises(ValueError, match="no weights"):
            aligner.load_aligner("words", 9)

    @pytest.mark.parametrize("values", aligner.VALUES)
    def test_kept_weights_are_nearer_to_the_ceiling_than_to_the_start(self, values):
        drawn = sample_alignments(100, np.random.default_rng(90))
        source, target = torch.as_tensor(drawn.source), torch.as_tensor(drawn.target)
        evidence = sum(
            hmm.forward_filter(y, *alignment_hmm(x)).log_c.sum()
            for x, y in zip(drawn.source, drawn.target, strict=True)
        )
        best = -evidence / drawn.target.size
        for seed in aligner.SEEDS:
            with torch.no_grad():
                scores, _ = aligner.load_aligner(values, seed)(source, target)
            loss = nn.functional.cross_entropy(scores.transpose(1, 2), target).item()
            assert best < loss < (best + np.log(V)) / 2
