"""Figures draw the data, can be read on every background, and keep text, names and ids in order."""

import itertools
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex

from course_lib import plotting
from course_lib.datasets import processes
from course_lib.ladder.tables import FAMILIES
from course_lib.plotting import _frame
from course_lib.plotting._cell import crossings
from course_lib.plotting._simplex import CORNERS, simplex_colours

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
A = np.array([[0.7, 0.25, 0.05], [0.1, 0.6, 0.3], [0.0, 0.5, 0.5]])
LABELS = ["sun", "rain", "snow"]
Z = np.array([0, 0, 1, 1, 1, 0, 2])
BELIEFS = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [0.2, 0.5, 0.3]])
DECODED = np.array([[1.4, -0.2, -0.2], [0.1, 0.9, 0], [0, 0, 1.0], [0.2, 0.4, 0.4]])
PICTURES = {
    "table": lambda: plotting.plot_table(A, LABELS),
    "counts": lambda: plotting.plot_table(np.array([[3, 14, 15], [92, 6, 5]]), ["a", "b"], LABELS,
                                          decimals=0),
    "states": lambda: plotting.plot_states(Z, LABELS, Z * 2, xlabel="day"),
    "states only": lambda: plotting.plot_states(Z, LABELS),
    "states with symbols": lambda: plotting.plot_states(Z, LABELS, Z % 2, symbols=["dry", "wet"]),
    "beliefs": lambda: plotting.plot_beliefs(
        {"filter": np.linspace(0, 1, 7), "smoother": np.linspace(1, 0, 7)},
        truth=Z == 1,
        path=Z == 2,
    ),
    "accuracy": lambda: plotting.plot_accuracy(
        {"bag": 0.5, "chain": 0.9, "poor": 0.1},
        interval={"bag": (0.47, 0.53)},
        ceilings={"best possible": 0.95},
    ),
    "em": lambda: plotting.plot_em([np.array([-9.0, -5.0, -4.5]), np.array([-9.5, -4.0])]),
    "mixture": lambda: plotting.plot_mixture(
        np.array([3, 3, 5, 8]), [lambda x: 0.1 + 0 * x, lambda x: 0.2 + 0 * x], discrete=True
    ),
    "densities": lambda: plotting.plot_mixture(np.linspace(0, 1, 9), [lambda x: 1.0 + 0 * x]),
    "series": lambda: plotting.plot_series(
        np.arange(1900, 1907), Z * 10, path=Z, means=np.array([1.5, 11.5, 21.5]), states=LABELS
    ),
    "curves": lambda: plotting.plot_curves(
        np.arange(1, 5), {"train": [4, 3, 2, 1], "test": [4, 3, np.inf, np.nan]},
        floors={"entropy rate": 0.5}, xlabel="n", ylabel="nats", integer=True,
    ),
    "log axes": lambda: plotting.plot_curves([1, 10, 100], {"error": [1, 0.1, 0.01]}, logx=True,
                                             logy=True),
    "growth": lambda: plotting.plot_table_growth([1, 2, 3], {"weather": 5}, lines={"days": 1461}),
    "dependence": lambda: plotting.plot_dependence(
        {
            "causal": (np.tri(5), np.tri(5)),
            "across": (np.eye(5, 4), np.eye(5, 4) + np.eye(5, 4, k=1)),
            "both ways": (np.ones((5, 5)), np.tri(5)),
        }
    ),
    "gradient flow": lambda: plotting.plot_flow(
        np.arange(5), {"tanh": 10.0 ** -np.arange(10.0).reshape(2, 5), "identity": np.ones(5)},
        levels={"a thousandth": 1e-3},
    ),
    "gates": lambda: plotting.plot_gates(
        {
            "f": {"bit 0": np.full(30, 0.9), "bit 1": np.linspace(0.2, 1, 30)},
            "c": {"bit 0": -np.arange(30.0), "bit 1": np.arange(30.0)},
        }
    ),
    "losses": lambda: plotting.plot_losses(
        [0, 10, 20],
        {"RNN": [[1.0, 0.8, 0.6], [1.2, 0.9, 0.55], [1.1, 0.6, 0.7]], "GRU": [1, 0.7, 0.6]},
        floor=0.5, levels={"0.01 nats": 0.01},
    ),
    "probe": lambda: plotting.plot_probe(
        {"trained": [0.002, 0.003], "untrained": [0.03, 0.04], "last symbol": 0.2},
        levels={"R² = 0.99": 0.01},
    ),
    "seeds": lambda: plotting.plot_seeds(
        [5, 10], {"RNN": [[1, 0.5], [0.9, 0.6]]}, chance=0.5, ceiling=1.0
    ),
    "simplex": lambda: plotting.plot_simplex(
        {"exact": BELIEFS, "decoded": DECODED}, ["calm", "mild", "wild"]
    ),
    "walk": lambda: plotting.plot_walk(
        {"HMM": np.linspace(0, 1, 7), "RNN": np.linspace(1, 0, 7)}, np.linspace(0, 0.9, 7),
        truth=Z == 1,
    ),
    "spectrum": lambda: plotting.plot_spectrum(
        {"by hand": 0.5, "trained": np.array([0.48, 0.49, 0.52])},
        levels={"chance": 0.64, "ceiling": 0.47},
    ),
    "ladder": lambda: plotting.plot_ladder(
        {
            "copy": {"Markov": np.array([0.0, 0.1]), "GRU": np.array([1.0, 0.9, -3.0])},
            "adding": {"GRU": np.array([0.5]), "SSM": np.array([0.7])},
            "parity": {"Markov": np.array([0.2])},
        },
        {"Markov": "counts", "GRU": "recurrent"},
    ),
    "ladder, every model": lambda: plotting.plot_ladder(
        {task: dict.fromkeys(FAMILIES, np.array([0.1, 0.9])) for task in ("copy", "adding")},
        FAMILIES,
    ),
    "ladder, long names": lambda: plotting.plot_ladder(
        {"copy": {"a model with a name": np.array([0.5]), "another": np.array([0.7])}},
        {"a model with a name": "a family of models", "another": "another family of models"},
    ),
    "reach": lambda: plotting.plot_reach(
        [5, 20, 50, 100, 200],
        {name: np.array([[1, 1, 1], [1, 0.9, 0.8], [0.5, 0.2, 0.1], [0, 0, 0], [np.nan] * 3])
         for name in ("Markov", "LSTM", "GRU")},
        {"Markov": "counts", "LSTM": "recurrent", "GRU": "recurrent"},
    ),
    "tasks": lambda: plotting.plot_tasks(
        {"memory, lag 10": {"RNN": np.array([1.0, 0.9]), "GRU": np.array([0.0, 0.1])}},
        {"memory, lag 10": {"RNN": np.array([70.0, 80]), "GRU": np.array([np.nan, np.nan])}},
    ),
    "underflow": lambda: plotting.plot_underflow(np.exp(-np.arange(900.0)), -np.arange(900.0)),
    "unit maps": lambda: plotting.plot_unit_maps(
        np.linspace(-1, 1, 201),
        {f"w = {w}": np.tanh(w * np.linspace(-1, 1, 201)) for w in (0.5, 2)},
    ),
    "hysteresis": lambda: plotting.plot_hysteresis(
        np.linspace(-1, 1, 50), np.linspace(-1, 0.9, 50), np.linspace(-0.9, 1, 50),
        thresholds=(-0.5, 0.5),
    ),
    "plane": lambda: plotting.plot_plane(
        np.array([[0.5, 0.5], [-0.5, 0.5]]), np.array([[0.2, 0.1], [-0.1, 0.3]]),
        {"left": [np.array([[0.0, 0.0], [-0.5, 0.1]])], "right": [np.array([[0, 0], [0.5, 0.2]])]},
        resting=np.array([[0.1, 0.2]]),
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=sorted(PICTURES))
def svg(request):
    return plotting.to_svg(PICTURES[request.param](), alt="What is to be seen")


def ids_and_references(svg):
    ids = re.findall(r'\bid="([^"]+)"', svg)
    references = re.findall(r'href="#([^"]+)"', svg) + re.findall(r"url\(#([^)]+)\)", svg)
    return ids, references


def without_images(svg):
    """The figure without the bytes of images in it, in which any letters may follow each other."""
    return re.sub(r'"data:image/png;base64,[^"]*"', '"#image"', svg)


class TestEveryPicture:
    def test_is_an_image_with_a_name(self, svg):
        root = ET.fromstring(svg)
        assert root.tag == f"{SVG}svg"
        assert root.get("role") == "img"
        assert root.get("aria-label") == "What is to be seen"

    def test_text_axes_and_grid_take_the_colour_of_the_page(self, svg):
        assert "currentColor" in svg
        assert ET.fromstring(svg).get("fill") == "currentColor"
        assert "#000000" not in svg and "black" not in svg

    def test_every_other_colour_is_in_the_palette_or_of_a_table_cell(self, svg):
        cells = {to_hex(_frame.TABLE_COLOURS(v)) for v in np.linspace(0, 1, 10_001)}
        known = {*plotting.PALETTE, *_frame.CELL_INKS, *cells}
        assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) <= known

    def test_text_stays_text_in_the_font_of_the_page(self, svg):
        texts = ["".join(t.itertext()) for t in ET.fromstring(svg).iter(f"{SVG}text")]
        assert len(texts) >= 3
        assert re.findall(r"font-family:([^;\"]+)", svg) == ["system-ui,sans-serif"]
        assert "DejaVu" not in svg

    def test_shrinks_with_the_page(self, svg):
        root = ET.fromstring(svg)
        assert "width:100%" in root.get("style") and "max-width" in root.get("style")
        assert root.get("viewBox") is not None and root.get("height") is None

    def test_text_is_11_pixels_high_on_a_phone(self, svg):
        """On a page 375 pixels wide the text column is 343 pixels wide."""
        scale = 343 / float(ET.fromstring(svg).get("viewBox").split()[2])
        sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg)]
        assert sizes and min(sizes) * scale >= 10.9

    def test_nothing_from_outside(self, svg):
        svg = without_images(svg)
        rest = svg.replace("http://www.w3.org/2000/svg", "").replace(
            "http://www.w3.org/1999/xlink", ""
        )
        assert "http" not in rest and "<script" not in rest and "@import" not in rest
        assert all(element.get(HREF, "#").startswith("#") for element in ET.fromstring(svg).iter())

    def test_style_reaches_nothing_outside_the_figure(self, svg):
        for style in ET.fromstring(svg).iter(f"{SVG}style"):
            selectors = re.findall(r"([^{}]+)\{", style.text)
            assert selectors and all(s.strip().startswith(".sbs-figure ") for s in selectors)

    def test_ids_are_unique_and_every_reference_has_one(self, svg):
        ids, references = ids_and_references(svg)
        assert len(ids) == len(set(ids)) > 0
        assert set(references) <= set(ids)

    def test_no_number_is_missing(self, svg):
        assert not re.search(r"\b(nan|inf)\b", without_images(svg))

    def test_is_small(self, svg):
        assert len(svg) < 60_000


class TestToSvg:
    def test_same_picture_same_text(self):
        first, second = (plotting.to_svg(PICTURES["em"](), alt="x") for _ in range(2))
        assert first == second

    def test_text_does_not_depend_on_the_process(self):
        code = (
            "import hashlib; from course_lib import plotting as p;"
            "svg = p.to_svg(p.plot_accuracy({'a': 0.5}, ceilings={'b': 0.7}), alt='x');"
            "print(hashlib.sha256(svg.encode()).hexdigest())"
        )
        root = Path(plotting.__file__).parents[2]
        hashes = {
            subprocess.run(
                [sys.executable, "-c", code],
                cwd=root,
                env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root), "MPLCONFIGDIR": "/tmp"},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for seed in ("1", "2")
        }
        assert len(hashes) == 1

    def test_two_figures_share_no_id(self):
        drawn = [plotting.to_svg(PICTURES[name](), alt=name) for name in sorted(PICTURES)]
        drawn.append(plotting.to_svg(PICTURES["em"](), alt="em", copy=2))
        ids = [set(ids_and_references(svg)[0]) for svg in drawn]
        for first, second in itertools.combinations(ids, 2):
            assert not first & second

    def test_alt_may_hold_any_sign(self):
        svg = plotting.to_svg(PICTURES["em"](), alt='p < 0.5 & "six"\n  of six')
        assert ET.fromstring(svg).get("aria-label") == 'p < 0.5 & "six" of six'

    @pytest.mark.parametrize("alt", ["", "  \n"])
    def test_alt_must_say_something(self, alt):
        with pytest.raises(ValueError, match="alt must say in words"):
            plotting.to_svg(PICTURES["em"](), alt=alt)

    def test_legend_of_a_figure_made_by_hand_has_no_box(self):
        fig, ax = plotting.figure()
        ax.plot([1, 2], label="line")
        legend = ax.legend()
        plotting.to_svg(fig, alt="x")
        assert not legend.get_frame_on()


class TestShow:
    @pytest.fixture
    def shown(self, monkeypatch):
        bundles = []
        monkeypatch.setattr("IPython.display.display", lambda data, raw: bundles.append(data))
        monkeypatch.setattr(_frame, "_shown", type(_frame._shown)())
        return bundles

    def test_text_for_the_notebook_is_the_alt_text(self, shown):
        assert plotting.show(PICTURES["em"](), alt="Two\n curves.") is None
        assert shown[0]["text/plain"] == "Figure: Two curves."
        assert shown[0]["text/html"].startswith("<svg")

    def test_figure_shown_twice_has_two_sets_of_ids(self, shown):
        for _ in range(2):
            plotting.show(PICTURES["em"](), alt="Two curves.")
        first, second = (set(ids_and_references(b["text/html"])[0]) for b in shown)
        assert not first & second


# One kind of cone missing, in linear RGB: Machado, Oliveira and Fernandes (2009),
# doi:10.1109/TVCG.2009.113, severity 1.
SIGHT = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
RGB_TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)


def cielab(colour, sight):
    rgb = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = RGB_TO_XYZ @ np.clip(np.array(sight) @ linear, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


class TestColours:
    def test_contrast_of_known_pairs(self):
        assert plotting.contrast("#ffffff", "#000000") == pytest.approx(21, abs=1e-9)
        assert plotting.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)

    @pytest.mark.parametrize("background", sorted(plotting.BACKGROUNDS))
    @pytest.mark.parametrize("colour", plotting.PALETTE)
    def test_data_stand_out_on_every_background(self, colour, background):
        assert plotting.contrast(colour, plotting.BACKGROUNDS[background]) >= 3

    @pytest.mark.parametrize("sight", sorted(SIGHT))
    def test_colours_stay_apart(self, sight):
        for a, b in itertools.combinations(plotting.PALETTE, 2):
            distance = np.linalg.norm(cielab(a, SIGHT[sight]) - cielab(b, SIGHT[sight]))
            assert distance > 23, (a, b)

    def test_marker_and_dash_tell_the_curves_apart_without_colour(self):
        n = len(plotting.PALETTE)
        assert len(set(plotting.MARKERS)) == len(set(plotting.DASHES)) == n

    def test_numbers_in_cells_can_be_read(self):
        for value in np.linspace(0, 1, 101):
            cell = _frame.TABLE_COLOURS(value)[:3]
            assert max(plotting.contrast(ink, cell) for ink in _frame.CELL_INKS) >= 4.5

    def test_number_in_a_bar_can_be_read(self):
        assert plotting.contrast("#ffffff", plotting.PALETTE[0]) >= 4.5


def axes_of(name):
    return PICTURES[name]().axes


class TestWhatIsDrawn:
    def test_table_shows_row_i_column_j(self):
        (ax,) = axes_of("table")
        shown = {}
        for text in ax.texts:
            x, y = text.get_position()
            shown[round(y - 0.475), round(x - 0.485)] = text.get_text()
        assert shown == {(i, j): f"{A[i, j]:.2f}" for i, j in np.ndindex(3, 3)}
        assert ax.get_ylim()[0] > ax.get_ylim()[1]  # row 0 on top
        assert [t.get_text() for t in ax.get_yticklabels()] == LABELS

    def test_dependence_tells_what_must_not_be_from_what_is_missing(self):
        depends, wanted = np.array([[1, 1, 0], [0, 0, 1]]), np.array([[1, 0, 0], [0, 1, 1]])
        fig = plotting.plot_dependence({"map": (depends, wanted)})
        boxes = {
            (round(box.get_x() + 0.42), round(box.get_y() + 0.42)): (
                box.get_fill(),
                box.get_hatch(),
            )
            for box in fig.axes[0].patches
        }
        full, hatched, empty = (True, ""), (True, plotting.HATCHES[1]), (False, None)
        assert boxes == {(0, 0): full, (1, 0): hatched, (1, 1): empty, (2, 1): full}
        labels = [text.get_text() for text in fig.legends[0].get_texts()]
        assert labels == [
            "depends, as it should", "depends, and must not", "should depend, does not"
        ]  # fmt: skip

    def test_darker_cells_are_larger(self):
        (ax,) = axes_of("table")
        lightness = [_frame.luminance(patch.get_facecolor()[:3]) for patch in ax.patches]
        order = np.argsort(A.ravel(), kind="stable")
        assert np.all(np.diff(np.array(lightness)[order]) <= 0)

    def test_names_of_columns_never_meet(self):
        for names in (LABELS, ["product", "reviews", "remove", "home", "cart", "add", "help"]):
            fig = plotting.plot_table(np.ones((2, len(names))), ["a", "b"], names)
            fig.canvas.draw()
            labels = fig.axes[0].get_xticklabels()
            assert {label.get_rotation() for label in labels} == {40.0 if names != LABELS else 0.0}
            if names == LABELS:
                ends = [label.get_window_extent() for label in labels]
                assert all(a.x1 < b.x0 for a, b in pairwise(ends))

    def test_table_of_zeros(self):
        plotting.to_svg(plotting.plot_table(np.zeros((2, 2)), ["a", "b"]), alt="x")

    def test_bars_have_the_length_of_the_accuracy(self):
        (ax,) = axes_of("accuracy")
        assert [patch.get_width() for patch in ax.patches] == pytest.approx([50, 90, 10])
        assert [t.get_text() for t in ax.texts] == ["50.0", "90.0", "10.0"]
        assert ax.lines[-1].get_xdata()[0] == pytest.approx(95)

    def test_states_are_bars_over_their_steps(self):
        bars = axes_of("states only")[0]
        spans = [
            [(round(p.vertices[:, 0].min() + 0.5), round(p.vertices[:, 0].max() + 0.5))
             for p in c.get_paths()]
            for c in bars.collections
        ]  # fmt: skip
        assert spans == [[(0, 2), (5, 6)], [(2, 5)], [(6, 7)]]

    def test_series_draws_each_year_at_the_mean_of_its_state(self):
        (ax,) = axes_of("series")
        level = np.full(7, np.nan)
        for lines in ax.collections:
            for (start, y), (end, _) in lines.get_segments():
                level[int(start + 0.5) - 1900 : int(end - 0.5) - 1900 + 1] = y
        np.testing.assert_array_equal(level, np.array([1.5, 11.5, 21.5])[Z])

    def test_gap_where_a_value_is_infinite(self):
        (ax,) = axes_of("curves")
        assert np.isnan(ax.lines[1].get_ydata()).tolist() == [False, False, True, True]

    def test_best_start_is_the_one_that_ends_highest(self):
        (ax,) = axes_of("em")
        best = next(line for line in ax.lines if line.get_label() == "best start")
        assert best.get_ydata().tolist() == [-9.5, -4.0]

    def test_underflow_names_the_first_step_that_is_zero(self):
        product = np.exp(-np.arange(900.0))
        top = plotting.plot_underflow(product, -np.arange(900.0)).axes[0]
        first = int(np.argmax(product == 0))
        assert top.texts[0].get_text() == f"exactly 0.0\nfrom step {first} on"
        assert product[first - 1] > 0

    def test_product_that_never_underflows(self):
        plotting.to_svg(plotting.plot_underflow([0.5, 0.25], np.log([0.5, 0.25])), alt="x")

    def test_histogram_of_counts_is_the_share_of_each_count(self):
        (ax,) = axes_of("mixture")
        heights = {round(p.get_x() + 0.45): p.get_height() for p in ax.patches}
        assert (heights[3], heights[5], heights[8], heights[4]) == (0.5, 0.25, 0.25, 0.0)
        total = next(line for line in ax.lines if line.get_label() == "all together")
        np.testing.assert_allclose(total.get_ydata(), 0.3)

    def test_table_size_is_v_to_the_n(self):
        (ax,) = axes_of("growth")
        assert ax.lines[0].get_ydata().tolist() == [5, 25, 125]

    @pytest.mark.parametrize(
        "value, text",
        [
            (1, "1"),
            (0.01, "0.01"),
            (1e-300, "10⁻³⁰⁰"),
            (1e12, "10¹²"),
            (2e5, "2·10⁵"),
            (1e4, "10000"),
        ],
    )
    def test_ticks_of_a_logarithmic_axis(self, value, text):
        assert _frame.tick_text(value) == text

    def test_truth_and_path_are_bars_below_the_beliefs(self):
        top, below = axes_of("beliefs")
        assert [t.get_text() for t in below.get_yticklabels()] == ["truth", "Viterbi"]
        assert [len(c.get_paths()) for c in below.collections] == [1, 1]
        assert len(top.lines) == 2


class TestLadder:
    def marks(self, ax):
        """{(row, rounded skill): marker} of a panel; the two levels have no marker."""
        return {
            (round(y), round(float(x), 2)): line.get_marker()
            for line in ax.lines
            if line.get_marker() != "None"
            for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
        }

    def test_every_seed_is_a_mark_in_the_row_of_its_model(self):
        copy, adding, parity = axes_of("ladder")
        rows = [text.get_text() for text in copy.get_yticklabels()]
        assert rows == ["Markov", "GRU", "SSM"]
        assert copy.get_ylim()[0] > copy.get_ylim()[1]  # row 0 on top
        assert self.marks(copy) == {
            (0, 0.0): "o", (0, 0.1): "o", (1, 1.0): "s", (1, 0.9): "s", (1, -0.15): "<",
        }  # fmt: skip
        assert self.marks(adding) == {(1, 0.5): "s", (2, 0.7): "^"}
        assert [ax.get_title() for ax in (copy, adding, parity)] == ["copy", "adding", "parity"]

    def test_what_was_not_run_says_so(self):
        found = [
            [(text.get_text(), text.get_position()[1]) for text in ax.texts]
            for ax in axes_of("ladder")
        ]
        assert found == [[("not run", 2)], [("not run", 0)], [("not run", 1), ("not run", 2)]]

    def test_legend_has_the_levels_and_every_family_once(self):
        (legend,) = PICTURES["ladder"]().legends
        assert [text.get_text() for text in legend.texts] == [
            "chance", "ceiling", "counts", "recurrent",
        ]  # fmt: skip

    def test_no_two_of_eight_families_look_alike(self):
        families = {f"model {k}": f"family {k}" for k in range(8)}
        fig = plotting.plot_ladder({"copy": dict.fromkeys(families, np.array([0.5]))}, families)
        marks = [line for line in fig.axes[0].lines if line.get_marker() in plotting.MARKERS]
        looks = {(m.get_marker(), m.get_color(), m.get_fillstyle()) for m in marks}
        assert len(looks) == 8

    def test_eleven_models_keep_their_rows_apart(self):
        names = [f"model {k}" for k in range(11)]
        fig = plotting.plot_ladder({"copy": dict.fromkeys(names, np.array([0.5, 0.6, 0.7]))})
        fig.draw_without_rendering()
        boxes = [text.get_window_extent() for text in fig.axes[0].get_yticklabels()]
        assert all(above.y0 >= below.y1 - 1 for above, below in itertools.pairwise(boxes))

    @pytest.mark.parametrize("skill", [{}, {"copy": {}}])
    def test_nothing_to_draw(self, skill):
        with pytest.raises(ValueError, match="at least one task"):
            plotting.plot_ladder(skill)

    def test_skill_that_is_no_number_is_named(self):
        with pytest.raises(ValueError, match="GRU on copy"):
            plotting.plot_ladder({"copy": {"GRU": np.array([1.0, np.nan])}})


class TestReach:
    def test_line_is_the_median_and_stops_where_nothing_was_measured(self):
        for ax in axes_of("reach"):
            (line,) = (line for line in ax.lines if line.get_linewidth() == 1.2 and line.get_c()
                       in plotting.PALETTE)  # fmt: skip
            assert line.get_xdata().tolist() == [5, 20, 50, 100]
            assert line.get_ydata().tolist() == [1, 0.9, 0.2, 0]

    def test_every_seed_is_drawn_near_its_lag(self):
        for ax in axes_of("reach"):
            seeds = [line for line in ax.lines if line.get_marker() in plotting.MARKERS]
            assert len(seeds) == 3
            at = np.array([line.get_xdata() for line in seeds])
            assert len(np.unique(at[:, 0])) == 3
            np.testing.assert_allclose(at, [[5, 20, 50, 100, 200]] * 3, rtol=0.1)

    def test_rows_must_be_lags(self):
        with pytest.raises(ValueError, match=r"'GRU' must have shape \(2, S\)"):
            plotting.plot_reach([5, 20], {"GRU": np.zeros((3, 2))})
        with pytest.raises(ValueError, match="at least one model"):
            plotting.plot_reach([5, 20], {})


class TestSimplex:
    def drawn(self, ax):
        (points,) = ax.collections
        return points.get_offsets(), points.get_facecolor()[:, :3]

    def test_certainty_is_a_corner_and_no_idea_the_centre(self):
        fig = plotting.plot_simplex({"x": np.vstack([BELIEFS, np.full(3, 1 / 3)])}, LABELS)
        xy, _ = self.drawn(fig.axes[0])
        np.testing.assert_allclose(xy[0], [0, 0], atol=1e-12)
        np.testing.assert_allclose(xy[1], [1, 0], atol=1e-12)
        np.testing.assert_allclose(xy[2], [0.5, np.sqrt(3) / 2], atol=1e-12)
        corners = np.linalg.norm(xy[:3] - xy[4], axis=1)
        np.testing.assert_allclose(corners, corners[0], atol=1e-12)

    def test_names_stand_by_their_corners_with_mark_and_colour(self):
        ax = axes_of("simplex")[0]
        assert [text.get_text() for text in ax.texts] == ["calm", "mild", "wild"]
        for k, (mark, text) in enumerate(zip(ax.lines[1:], ax.texts, strict=True)):
            assert (mark.get_marker(), mark.get_color()) == (
                plotting.MARKERS[k], plotting.PALETTE[k]
            )  # fmt: skip
            for place in (mark.get_xydata()[0], text.xy):
                assert np.argmin(np.linalg.norm(place - CORNERS, axis=1)) == k

    def test_a_point_has_the_colour_of_its_exact_belief_in_every_panel(self):
        exact, decoded = (self.drawn(ax)[1] for ax in axes_of("simplex"))
        np.testing.assert_array_equal(exact, decoded)
        assert [to_hex(colour) for colour in exact[:3]] == list(plotting.PALETTE[:3])
        fig = plotting.plot_simplex({"decoded": DECODED}, LABELS, colour_by=BELIEFS)
        np.testing.assert_array_equal(self.drawn(fig.axes[0])[1], exact)

    def test_points_outside_the_triangle_are_inside_every_frame(self):
        first, second = axes_of("simplex")
        assert first.get_xlim() == second.get_xlim() and first.get_ylim() == second.get_ylim()
        (low, high), (bottom, top) = second.get_xlim(), second.get_ylim()
        for x, y in self.drawn(second)[0]:
            assert low < x < high and bottom < y < top
        assert low < -0.3  # where the first decoded belief lies

    @pytest.mark.parametrize("background", sorted(plotting.BACKGROUNDS))
    def test_every_mixture_stands_out(self, background):
        parts = np.arange(13) / 12
        beliefs = np.array([(a, b, 1 - a - b) for a in parts for b in parts if a + b <= 1])
        for colour in simplex_colours(np.clip(beliefs, 0, 1)):
            assert plotting.contrast(colour, plotting.BACKGROUNDS[background]) >= 3

    def test_a_belief_decoded_far_outside_has_a_colour(self):
        colours = simplex_colours(np.array([[3.0, -1, -1], [-0.01, 0.02, 0.99]]))
        assert to_hex(colours[0]) == plotting.PALETTE[0]
        assert to_hex(colours[1]) == plotting.PALETTE[2]

    def test_ten_thousand_points_in_four_panels_stay_small(self, rng):
        _, y = processes.sample_process(processes.MESS3, 200, 50, rng)
        exact = processes.exact_beliefs(processes.MESS3, y).reshape(-1, 3)
        panels = {f"off by {off}": exact + rng.normal(0, off, exact.shape)
                  for off in (0.0, 0.003, 0.01, 0.05)}  # fmt: skip
        first, second = (
            plotting.to_svg(plotting.plot_simplex(panels, LABELS), alt="x") for _ in range(2)
        )
        assert first == second
        assert first.count("<image") == 4
        assert len(first) < 60_000

    def test_panels_fill_rows(self):
        panels = dict.fromkeys("abc", BELIEFS)
        fig = plotting.plot_simplex(panels, LABELS)
        fig.draw_without_rendering()
        places = [ax.get_position() for ax in fig.axes]
        assert [ax.get_title() for ax in fig.axes] == ["a", "b", "c"]
        assert places[0].y0 == pytest.approx(places[1].y0) and places[2].y1 < places[0].y0

    @pytest.mark.parametrize(
        "panels, corners, options, message",
        [
            ({}, LABELS, {}, "at least one set"),
            ({"a": BELIEFS}, LABELS[:2], {}, "three states, got 2"),
            ({"a": BELIEFS[:, :2]}, LABELS, {}, r"must have shape \(any, 3\)"),
            ({"a": BELIEFS, "b": BELIEFS[:2]}, LABELS, {}, r"b must have shape \(4, 3\)"),
            ({"a": BELIEFS}, LABELS, {"colour_by": BELIEFS[:2]}, r"a must have shape \(2, 3\)"),
            ({"a": BELIEFS * np.nan}, LABELS, {"colour_by": BELIEFS}, "a must be finite"),
            ({"a": BELIEFS * np.nan}, LABELS, {}, "colour_by must be finite"),
        ],
    )
    def test_wrong_arguments_are_told(self, panels, corners, options, message):
        with pytest.raises(ValueError, match=message):
            plotting.plot_simplex(panels, corners, **options)


class TestProbeAndLosses:
    def test_every_seed_of_a_probe_is_a_mark_in_its_row(self):
        (ax,) = axes_of("probe")
        assert [line.get_xdata().tolist() for line in ax.lines[:3]] == [
            [0.002, 0.003], [0.03, 0.04], [0.2]
        ]  # fmt: skip
        assert [set(np.round(line.get_ydata())) for line in ax.lines[:3]] == [{0}, {1}, {2}]
        assert len(set(ax.lines[0].get_ydata())) == 2  # equal seeds stay apart
        assert [t.get_text() for t in ax.get_yticklabels()] == [
            "trained",
            "untrained",
            "last symbol",
        ]
        assert ax.get_ylim()[0] > ax.get_ylim()[1]  # first row on top
        assert ax.lines[3].get_xdata()[0] == 0.01

    def test_a_share_of_zero_has_no_place(self):
        with pytest.raises(ValueError, match=r"shares must be positive, got 0\.0 in 'a'"):
            plotting.plot_probe({"a": [0.1, 0.0]})

    def test_losses_are_medians_above_the_floor_with_the_range_as_band(self):
        (ax,) = axes_of("losses")
        np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.6, 0.3, 0.1])
        np.testing.assert_allclose(ax.lines[1].get_ydata(), [0.5, 0.2, 0.1])
        (band,) = ax.collections
        at_start = band.get_paths()[0].vertices
        at_start = at_start[at_start[:, 0] == 0][:, 1]
        assert (at_start.min(), at_start.max()) == (0.5, pytest.approx(0.7))
        assert ax.get_yscale() == "log" and ax.get_xscale() == "linear"

    def test_loss_below_the_floor_leaves_a_gap(self):
        fig = plotting.plot_losses([1, 2, 3], {"a": [[1.0, 0.4, 0.8], [1.0, 0.7, 0.8]]}, 0.5)
        assert np.isnan(fig.axes[0].lines[0].get_ydata()).tolist() == [False, True, False]
        plotting.to_svg(fig, alt="x")

    @pytest.mark.parametrize(
        "updates, options, message",
        [
            ([1, 2], {}, r"a must have shape \(any, 2\), got \(1, 3\)"),
            ([0, 1, 2], {"logx": True}, "updates must be positive.*got 0"),
            ([1, 2, np.nan], {}, "updates must be finite"),
        ],
    )
    def test_wrong_arguments_are_told(self, updates, options, message):
        with pytest.raises(ValueError, match=message):
            plotting.plot_losses(updates, {"a": [1.0, 0.9, 0.8]}, 0.5, **options)


def test_in_the_browser(browser):
    """Light, and dark on a phone: text has the colour of the page and stays inside the figure."""
    figures = "".join(plotting.to_svg(draw(), alt=name) for name, draw in PICTURES.items())
    page_text = "<!doctype html><body style='margin:16px;color:{};background:{}'>" + figures
    for ink, background, width in (
        ("rgb(31, 37, 45)", "#ffffff", 900),
        ("rgb(217, 223, 229)", "#14181e", 375),
    ):
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.set_content(page_text.replace("{}", ink, 1).replace("{}", background, 1))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        colours = page.evaluate(
            "[...document.querySelectorAll('svg text')].map(t => getComputedStyle(t).fill)"
        )
        assert len(colours) > 100
        allowed = {ink, "rgb(255, 255, 255)", "rgb(2, 4, 8)"}  # in table cells and bars
        assert set(colours) <= allowed
        outside = page.evaluate(
            """[...document.querySelectorAll('svg')].flatMap(svg => {
                const box = svg.getBoundingClientRect();
                return [...svg.querySelectorAll('text')].filter(t => {
                    const b = t.getBoundingClientRect();
                    return b.left < box.left - 2 || b.right > box.right + 2
                        || b.top < box.top - 2 || b.bottom > box.bottom + 2;
                }).map(t => svg.getAttribute('aria-label') + ': ' + t.textContent);
            })"""
        )
        assert outside == []
        page.close()


class TestCrossings:
    """Where the map of one unit meets the diagonal, against what is known of tanh."""

    def test_one_stable_point_below_weight_one(self):
        h = np.linspace(-1, 1, 2001) + 1e-4
        ((at, stable),) = crossings(h, np.tanh(0.5 * h))
        assert abs(at) < 1e-6 and stable

    def test_three_points_above_weight_one_and_the_middle_one_is_unstable(self):
        h = np.linspace(-1, 1, 2001) + 1e-4
        found = crossings(h, np.tanh(2 * h))
        assert [stable for _, stable in found] == [True, False, True]
        for at, _ in found:
            assert abs(np.tanh(2 * at) - at) < 1e-6  # linear interpolation over steps of 0.001

    def test_a_curve_that_falls_too_steeply_is_unstable(self):
        h = np.linspace(-1, 1, 2001) + 1e-4
        ((at, stable),) = crossings(h, np.tanh(-2 * h))
        assert abs(at) < 1e-6 and not stable
