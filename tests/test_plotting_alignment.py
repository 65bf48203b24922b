"""The figure of chapter 15. Letters: T rows, S columns."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.colors import to_hex

from course_lib import plotting
from course_lib.plotting import _frame

WORDS = ["sun", "moon", "star"]
TABLE = np.array([[0.5, 0.3, 0.2], [0.0, 1.0, 0.0]])


class TestPlotAlignments:
    def test_shade_is_the_weight_of_its_row_and_column(self):
        fig = plotting.plot_alignments({"one": TABLE}, WORDS)
        boxes = {(p.get_x(), p.get_y()): to_hex(p.get_facecolor()) for p in fig.axes[0].patches}
        for (t, s), weight in np.ndenumerate(TABLE):
            assert boxes[s, t] == to_hex(_frame.TABLE_COLOURS(weight))

    def test_maps_share_one_scale(self):
        fig = plotting.plot_alignments({"one": TABLE / 2, "two": TABLE}, WORDS)
        darkest = [max(sum(p.get_facecolor()[:3]) * -1 for p in ax.patches) for ax in fig.axes[:2]]
        assert darkest[0] < darkest[1]

    def test_truth_frames_one_cell_a_row(self):
        fig = plotting.plot_alignments({"a": TABLE, "b": TABLE}, WORDS, truth=np.array([2, 0]))
        for ax in fig.axes[:2]:
            framed = [(p.get_x(), p.get_y()) for p in ax.patches if not p.get_fill()]
            assert framed == [(2, 0), (0, 1)]

    def test_names_stand_on_the_axes(self):
        fig = plotting.plot_alignments({"a": TABLE}, WORDS, ["luna", "sol"], xlabel="x", ylabel="y")
        texts = "".join(ET.fromstring(plotting.to_svg(fig, alt="A map")).itertext())
        assert all(word in texts for word in [*WORDS, "luna", "sol", "x", "y"])

    def test_three_maps_leave_the_fourth_panel_empty(self):
        fig = plotting.plot_alignments(dict.fromkeys("abc", TABLE), WORDS)
        assert [ax.get_visible() for ax in fig.axes] == [True, True, True, False]

    def test_is_small_and_legible_on_a_phone(self):
        table = np.full((8, 8), 0.125)
        fig = plotting.plot_alignments(dict.fromkeys("abcd", table), ["ventus"] * 8, ["stone"] * 8)
        svg = plotting.to_svg(fig, alt="Four maps")
        scale = 343 / float(ET.fromstring(svg).get("viewBox").split()[2])
        assert len(svg) < 90_000
        assert min(float(s) for s in re.findall(r"font-size: ([\d.]+)px", svg)) * scale >= 10.9

    @pytest.mark.parametrize(
        "maps",
        [{}, {"a": TABLE[:, :2]}, {"a": TABLE, "b": TABLE[:1]}, dict.fromkeys("abcde", TABLE)],
    )
    def test_refuses(self, maps):
        with pytest.raises(ValueError):
            plotting.plot_alignments(maps, WORDS)
