"""The figure of chapter 13. Letters: T characters."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.colors import to_hex

from course_lib import plotting
from course_lib.plotting import _frame

TEXT = 'He said "yes".\nThen "$5" & <b>'
SVG = "{http://www.w3.org/2000/svg}"


def drawn(text, values, **options):
    return plotting.to_svg(plotting.plot_letters(text, values, **options), alt="A text")


class TestPlotLetters:
    def test_every_character_is_written_once(self):
        svg = drawn(TEXT, np.arange(len(TEXT)), columns=11)
        texts = ["".join(t.itertext()).strip() for t in ET.fromstring(svg).iter(f"{SVG}text")]
        want = [c for c in TEXT.replace("\n", "↵") if c != " "]
        assert sorted(texts) == sorted([*want, "light: lowest, dark: highest"])

    def test_darkest_is_the_highest_and_neighbours_share_a_box(self):
        fig = plotting.plot_letters("abcdef", np.array([0.0, 0.0, 0.01, 1.0, 0.0, 0.0]), columns=3)
        boxes = [(p.get_x(), p.get_y(), p.get_width()) for p in fig.axes[0].patches]
        assert boxes == [(0, 0, 3), (0, 1, 1), (1, 1, 2)]
        colours = [to_hex(p.get_facecolor()) for p in fig.axes[0].patches]
        light, dark = to_hex(_frame.TABLE_COLOURS(0.0)), to_hex(_frame.TABLE_COLOURS(1.0))
        assert colours == [light, dark, light]

    def test_ink_can_be_read_on_every_shade(self):
        fig = plotting.plot_letters("abcdefgh", np.arange(8.0))
        for box, letter in zip(fig.axes[0].patches, fig.axes[0].texts, strict=True):
            assert plotting.contrast(letter.get_color(), box.get_facecolor()[:3]) > 4.5

    def test_equal_numbers_are_no_division_by_zero(self):
        assert "nan" not in drawn("aaa", np.ones(3))

    def test_is_small_and_legible_on_a_phone(self):
        svg = drawn(TEXT * 8, np.linspace(0, 1, 240))
        scale = 343 / float(ET.fromstring(svg).get("viewBox").split()[2])
        assert len(svg) < 70_000
        assert min(float(s) for s in re.findall(r"font-size: ([\d.]+)px", svg)) * scale >= 10.9

    @pytest.mark.parametrize("text, values", [("", []), ("abc", [1.0, 2.0]), ("a", [np.nan])])
    def test_refuses(self, text, values):
        with pytest.raises(ValueError):
            plotting.plot_letters(text, np.array(values))
