"""Checks of Assignment 4. The visible ones are the examples that the text does by hand."""

import json
from pathlib import Path

import numpy as np

from course_lib.grading.checks import CheckFailed, array, check, close, is_true

V = 7
KINDS = ("tensor", "array")  # are as good as each other
NUMBERS = ("int", "float")


def parts(got, count):
    """Take apart what a function returned: a tuple or list of so many things."""
    right = type(got) in (tuple, list) and len(got) == count
    is_true(right, "should return as many things as the text asks for, as a tuple")
    return got


def plain(got):
    """The array of a tensor; anything else as it came."""
    return got.array if hasattr(got, "array") and not isinstance(got, np.ndarray) else got


def like(got, wrong):
    """Tell whether a value is that of a known mistake."""
    got = plain(got)
    want = np.array(wrong) if isinstance(got, np.ndarray) else wrong
    try:
        close(got, want, rtol=1e-4, kinds=(*KINDS, *NUMBERS))
    except CheckFailed:
        return False
    return True


def padded(visits, more=0):
    """Block and lengths of some visits, with more columns of padding than they need."""
    lengths = np.array([len(visit) for visit in visits])
    block = np.full((len(visits), lengths.max() + more), -1)
    for row, visit in zip(block, visits, strict=True):
        row[: len(visit)] = visit
    return block, lengths


# ---- part 1: collate ----------------------------------------------------------------------------


@check("collate", points=1)
def three_visits(student):
    """Three visits of 2, 4 and 1 clicks."""
    visits = [np.array([1, 5]), np.array([0, 1, 3, 0]), np.array([6])]
    clicks, lengths = parts(student.collate(visits), 2)
    want, counts = padded(visits)
    is_true(not like(clicks, want.T), "The visits are the rows: shape (N, T), batch first")
    zeros = np.where(want < 0, 0, want)
    is_true(not like(clicks, zeros), "Padding is written as 0, and 0 is the click start")
    longest_first = [1, 0, 2]
    is_true(
        not like(clicks, want[longest_first]),
        "The visits were sorted by length. Who will tell the labels? Keep their order",
    )
    close(clicks, want, kinds=KINDS)
    is_true(not like(lengths, [2, 2, 1]), "The click start is a click too: count it in the lengths")
    close(lengths, counts, kinds=KINDS)


@check("collate", points=0.5, hidden=True)
def random_visits(student, rng):
    """Eleven visits; the longest is not the first, and some end with start."""
    visits = [rng.integers(0, V, size=T) for T in rng.permutation(np.arange(2, 13))]
    visits[3][-1] = visits[7][-1] = 0
    clicks, lengths = parts(student.collate(visits), 2)
    block, counts = padded(visits)
    close(clicks, block, kinds=KINDS)
    close(lengths, counts, kinds=KINDS)


@check("collate", points=0.5, hidden=True)
def one_visit(student, rng):
    """A list of a single visit, of one click or of many."""
    for T in (1, 60):
        visits = [rng.integers(0, V, size=T)]
        visits[0][-1] = 0
        clicks, lengths = parts(student.collate(visits), 2)
        close(clicks, visits[0][None], kinds=KINDS)
        close(lengths, np.array([T]), kinds=KINDS)


# ---- part 2: split ------------------------------------------------------------------------------


def held_cards(got, cards):
    """The cards that are held back, all of their visits."""
    array(got, (len(cards),), of="bool")
    held = set(cards[got].tolist())
    is_true(
        not held & set(cards[~got].tolist()),
        "A card has visits on both sides. Hold back cards, not visits",
    )
    return held


@check("split", points=1)
def nine_visits(student):
    """Nine visits with five cards, of which two are held back."""
    cards = np.array([7, 3, 7, 12, 7, 3, 40, 12, 5])
    chosen = set()
    for seed in range(12):
        held = held_cards(student.split(cards, 0.4, seed), cards)
        is_true(len(held) == 2, "0.4 of five cards are two cards, whatever their visits")
        chosen |= held
    is_true(len(chosen) > 2, "Twelve seeds chose the same two cards: is the seed used?")


@check("split", points=0.5, hidden=True)
def every_card_may_be_chosen(student, rng):
    """Over forty seeds every card is held back some time, and none nearly always."""
    visits = rng.permutation(np.r_[40, rng.integers(1, 5, size=19)])
    cards = rng.permutation(np.repeat(10 + 3 * np.arange(20), visits))
    times = dict.fromkeys(cards.tolist(), 0)
    for seed in rng.permutation(1000)[:40].tolist():
        for card in held_cards(student.split(cards, 0.4, seed), cards):
            times[card] += 1
    is_true(min(times.values()) > 0, "There are cards that are never held back")
    # 16 times of 40 on average; 34 times by chance once in ten million.
    is_true(max(times.values()) < 34, "There are cards that are held back nearly always")


@check("split", points=0.5, hidden=True)
def so_many_cards(student, rng):
    """The number of cards is the rounded share, and a seed is a seed."""
    for number, share, want in ((23, 0.3, 7), (11, 0.15, 2), (38, 0.5, 19), (17, 0.2, 3)):
        cards = rng.permutation(np.repeat(rng.permutation(500)[:number], 3))
        seed = int(rng.integers(1000))
        first = student.split(cards, share, seed)
        is_true(len(held_cards(first, cards)) == want, "Not as many cards as the share asks for")
        close(student.split(cards, share, seed), first)


# ---- part 3: Reader -----------------------------------------------------------------------------


def logits_of(got, N, T):
    """The logits as an array of floats."""
    got = plain(got)
    return np.asarray(array(got, (N, T), finite=False), dtype=float)


def apart(one, other):
    """Largest difference, infinite if there is something that is no number."""
    with np.errstate(all="ignore"):
        gap = np.abs(one - other)
    return float(gap.max()) if np.isfinite(gap).all() else np.inf


@check("reader", points=1)
def place_page(student):
    """Place, page: alone, and in a block with a visit of four clicks."""
    visits = [np.array([0, 1, 1, 2]), np.array([5, 3]), np.array([2, 4, 6])]
    block, lengths = padded(visits)
    together = logits_of(student.probe(block, lengths, 1), 3, 4)
    other = block.copy()
    other[0, 3] = 4
    later = logits_of(student.probe(other, lengths, 1), 3, 4)
    is_true(
        apart(later[0, :3], together[0, :3]) < 1e-5,
        "The last click of a visit changes the numbers before it: one direction only, no mean "
        "over the steps, no state of an earlier block",
    )
    alone = logits_of(student.probe(block[1:2, :2], lengths[1:2], 1), 1, 2)
    is_true(
        apart(alone[0], together[1, :2]) < 1e-5,
        "Place, page has other numbers in company than alone: is the first axis of the block "
        "the batch (batch_first=True), and does nothing average over visits or padding?",
    )
    first = logits_of(student.probe(block[1:2, :1], np.array([1]), 1), 1, 1)
    is_true(
        apart(first[0], together[1, :1]) < 1e-5,
        "After its first click, place, page has another number than place alone: the number after "
        "a click may not depend on how many are still to come (lengths)",
    )
    several = [logits_of(student.probe(block, lengths, seed), 3, 4) for seed in range(20)]
    real = np.array([numbers[block >= 0] for numbers in several])
    is_true(bool(np.isfinite(real).all()), "contains NaN or infinity")
    is_true(
        bool(np.ptp(real) > 1e-6),
        "The same number after every click, whatever the seed: does a layer start with zeros?",
    )
    is_true(
        bool((real < 0).any() or (real > 1).any()),
        "These look like probabilities: return logits, the losses of part 4 want them",
    )


def some_visits(rng, count=5):
    """Visits of different lengths, the longest in the middle."""
    lengths = [4, 7, 11, 2, 5, 8][:count]
    return [rng.integers(0, V, size=T) for T in lengths]


@check("reader", points=1, hidden=True)
def in_any_company(student, rng):
    """A visit's numbers alone, in a block, and in a block that is longer than needed."""
    visits, seed = some_visits(rng), int(rng.integers(1000))
    lengths = padded(visits)[1]
    for more in (0, 6):
        block, _ = padded(visits, more)
        together = logits_of(student.probe(block, lengths, seed), *block.shape)
        for n, T in enumerate(lengths):
            alone = logits_of(student.probe(block[n : n + 1, :T], lengths[n : n + 1], seed), 1, T)
            close_enough = apart(alone[0], together[n, :T]) < 1e-5
            is_true(close_enough, "A visit has other numbers in company than alone")


@check("reader", points=1, hidden=True)
def nothing_from_later(student, rng):
    """Other clicks from some step on, or none, leave the numbers before that step as they were."""
    visits, seed = some_visits(rng), int(rng.integers(1000))
    block, lengths = padded(visits)
    before = logits_of(student.probe(block, lengths, seed), *block.shape)
    for step in (1, 3, 6):
        other = block.copy()
        later = (other >= 0) & (np.arange(block.shape[1]) >= step)
        other[later] = (other[later] + 1) % V
        after = logits_of(student.probe(other, lengths, seed), *block.shape)
        real = (block >= 0) & ~later
        is_true(apart(before[real], after[real]) < 1e-5, "Numbers depend on later clicks")
        is_true(apart(before[later], after[later]) > 1e-6, "Numbers do not depend on the clicks")
        so_far = np.minimum(lengths, step)
        cut = logits_of(student.probe(block[:, :step], so_far, seed), len(visits), step)
        real = block[:, :step] >= 0
        is_true(
            apart(cut[real], before[:, :step][real]) < 1e-5,
            "Numbers depend on how many clicks are still to come",
        )


@check("reader", points=0.5, hidden=True)
def past_and_order(student, rng):
    """The first click of six counts at the end, and so does the order of two in the middle."""
    visit = rng.permutation(V)[:6]
    first, order = visit.copy(), visit.copy()
    first[0] = (visit[0] + 1) % V
    order[[2, 3]] = visit[[3, 2]]
    lengths = np.array([6])
    moved = np.zeros(2)
    for seed in range(3):
        last = logits_of(student.probe(visit[None], lengths, seed), 1, 6)[0, -1]
        for k, other in enumerate((first, order)):
            now = logits_of(student.probe(other[None], lengths, seed), 1, 6)[0, -1]
            moved[k] = max(moved[k], apart(now, last))
    is_true(bool((moved > 1e-6).all()), "Something that came before makes no difference")


@check("reader", points=0.5, hidden=True)
def weights_learn(student, rng):
    """Every tensor of weights gets a gradient."""
    block, lengths = padded(some_visits(rng, 6))
    pulls = student.pull(block, lengths, int(rng.integers(1000)))
    is_true(type(pulls) is list and len(pulls) > 0, "The network should have weights")
    alive = [type(size) is float and 0 < size < np.inf for size in pulls]
    is_true(all(alive), "A part of the network gets no gradient, so it cannot learn")


# ---- part 4: losses -----------------------------------------------------------------------------


def both_losses(logits, lengths, ended):
    """What is right, by the book."""
    y = ended[:, None] * np.ones(logits.shape)
    each = np.maximum(logits, 0) - logits * y + np.log1p(np.exp(-np.abs(logits)))
    real = np.arange(logits.shape[1]) < lengths[:, None]
    return each[np.arange(len(lengths)), lengths - 1].mean(), each[real].mean()


def same_loss(got, want):
    """Require one number, as a tensor without axes or plain."""
    got = plain(got)
    if isinstance(got, np.ndarray):
        got = array(got, (), finite=False)[()]
    close(got, np.float64(want) if isinstance(got, np.generic) else float(want), rtol=1e-5)


@check("losses", points=1)
def three_endings(student):
    """Logits 0, ln 4 with a book; ln 4 without; ln 4, 0, -ln 4 without."""
    four = np.log(4.0)
    logits = np.array([[0.0, four, 9.0], [four, 9.0, -9.0], [four, 0.0, -four]])
    lengths, ended = np.array([2, 1, 3]), np.array([1, 0, 0])
    at_end, every = parts(student.ask_losses(logits, lengths, ended), 2)
    half, likely, unlikely = np.log(2), np.log(1.25), np.log(5)
    nine, minus_nine = np.log1p(np.exp(-9.0)), np.log1p(np.exp(9.0))
    block_end = (nine + nine + likely) / 3
    is_true(
        not like(at_end, block_end),
        "At the end: this is the last column. A visit's last click is at lengths - 1",
    )
    p = np.array([0.8, 0.8, 0.2])
    twice = (np.log1p(np.exp(-p[0])) + np.log1p(np.exp(p[1])) + np.log1p(np.exp(p[2]))) / 3
    is_true(not like(at_end, twice), "A sigmoid twice: this loss takes logits, not probabilities")
    mirrored = (unlikely + likely + unlikely) / 3
    is_true(not like(at_end, mirrored), "The endings are the wrong way round: 1 is a book")
    summed = likely + unlikely + likely
    is_true(not like(at_end, summed), "This is the sum over the visits; the mean is asked for")
    same_loss(at_end, summed / 3)
    clicks = 2 * half + 2 * likely + 2 * unlikely
    is_true(
        not like(every, (clicks + nine + minus_nine + nine) / 9),
        "After every click: padding is counted. Only real clicks count, in the sum and the number",
    )
    is_true(
        not like(every, clicks / 9), "After every click: divide by the real clicks, not by N × T"
    )
    by_visit = ((half + likely) / 2 + unlikely + (unlikely + half + likely) / 3) / 3
    is_true(
        not like(every, by_visit),
        "After every click: a mean of the visits' means. Each click counts once",
    )
    same_loss(every, clicks / 6)


@check("losses", points=0.5, hidden=True)
def anything_behind_the_end(student, rng):
    """Random logits, not a number behind the ends; half the points for each loss."""
    lengths = rng.permutation([3, 9, 1, 6, 12])
    logits = 2 * rng.normal(size=(5, 12))
    ended = np.array([1, 0, 0, 1, 0])
    want = both_losses(logits, lengths, ended)
    logits[np.arange(12) >= lengths[:, None]] = np.nan
    right = 0
    for got, value in zip(parts(student.ask_losses(logits, lengths, ended), 2), want, strict=True):
        try:
            same_loss(got, value)
            right += 1
        except CheckFailed:
            pass
    return right / 2


@check("losses", points=0.5, hidden=True)
def large_logits_and_gradients(student, rng):
    """Logits of 300 and -300, on the right and on the wrong side; both gradients."""
    lengths, ended = np.array([4, 2, 1, 3]), np.array([1, 0, 1, 0])
    logits = rng.normal(size=(4, 4))
    logits[0, 3], logits[1, 1], logits[2, 0], logits[3, 1] = 300.0, 300.0, -300.0, -300.0
    want = both_losses(logits, lengths, ended)
    for got, value in zip(parts(student.ask_losses(logits, lengths, ended), 2), want, strict=True):
        same_loss(got, value)
    real = np.arange(4) < lengths[:, None]
    slope = np.where(real, 1 / (1 + np.exp(-logits)) - ended[:, None], 0.0)
    last = np.arange(4) == lengths[:, None] - 1
    at_end, every = parts(student.slopes(logits, lengths, ended), 2)
    close(at_end, slope * last / 4, rtol=1e-4, atol=1e-6, kinds=KINDS)
    close(every, slope / real.sum(), rtol=1e-4, atol=1e-6, kinds=KINDS)


# ---- part 5: train and predict ------------------------------------------------------------------


def by_visit(got, visits):
    """Probabilities after every click, one array a visit, all clicks in one row."""
    got = plain(got)
    is_true(
        type(got) in (list, tuple) and len(got) == len(visits),
        "should return a list with one array for each visit",
    )
    for p, visit in zip(got, visits, strict=True):
        is_true(
            len(array(plain(p), (None,))) == len(visit),
            "Not one number for each click: are the answers in the order of the visits?",
        )
    return np.concatenate([np.asarray(plain(p), dtype=float) for p in got])


def ends_of(visits):
    """Where in the row of all clicks each visit ends."""
    return np.cumsum([len(visit) for visit in visits]) - 1


@check("train", points=0.5)
def six_clear_visits(student):
    """Three visits that look like a hunt and three that look like a stroll, by turns."""
    visits = [  # neither their lengths nor their first clicks tell them apart
        np.array([0, 1, 2, 1, 3, 5]),  # start search shelf search page place
        np.array([1, 0, 2, 0, 0, 2, 0, 3]),  # search start shelf start start shelf start page
        np.array([1, 1, 1, 3]),
        np.array([0, 0]),
        np.array([2, 1, 1, 2, 1, 3, 5, 3]),
        np.array([2, 0, 2, 0]),
    ]
    p = by_visit(student.ask(visits), visits)
    is_true(
        bool((p >= 0).all() and (p <= 1).all()),
        "These are logits: a probability is the sigmoid of a logit",
    )
    is_true(
        not bool((p >= 0.5).all()), "No number below 0.5: was the sigmoid taken twice somewhere?"
    )
    again = by_visit(student.ask(visits), visits)
    is_true(
        apart(p, again) < 1e-5, "Asked twice, two answers: is dropout still on (network.eval())?"
    )
    hunts, strolls = p[ends_of(visits)].reshape(3, 2).T
    is_true(
        bool(hunts.min() > strolls.max() + 0.2),
        "Hunts should get clearly larger numbers at their ends than strolls: does each visit keep "
        "its own ending in training, do the answers keep the order of the visits, do all layers "
        "learn (parameters())?",
    )


def library():
    """The tables of the library, for the trusted side only."""
    path = Path(__file__).resolve().parent / "private" / "library.json"
    tables = json.loads(path.read_text(encoding="utf-8"))
    return {name: np.array(table) for name, table in tables.items()}


def new_visits(rng, count):
    """Visits of people with new cards; nobody writes down how they end."""
    tables = library()
    shows, moves = tables["shows"].cumsum(axis=1), tables["moves"].cumsum(axis=1)
    intent = (rng.random((count, 1)) > tables["begin"].cumsum()).sum(axis=1)
    rows, here = [[] for _ in range(count)], np.arange(count)
    while len(here):
        clicks = (rng.random((len(here), 1)) > shows[intent]).sum(axis=1)
        for n, click in zip(here, clicks, strict=True):
            rows[n].append(click)
        intent = (rng.random((len(here), 1)) > moves[intent]).sum(axis=1)
        here, intent = here[intent < len(moves)], intent[intent < len(moves)]
    return [np.array(row) for row in rows]


def exact(visits):
    """Exact probabilities of a book after every click: if it was the last one, and some day."""
    tables = library()
    Q, book, none = tables["moves"], tables["book"], tables["none"]
    chance = np.linalg.solve(np.eye(len(Q)) - Q, book)
    block, lengths = padded(visits)
    over, some_day = np.empty(block.shape), np.empty(block.shape)
    belief = np.tile(tables["begin"], (len(visits), 1))
    for t in range(block.shape[1]):
        joint = belief * tables["shows"].T[block[:, t]]
        joint = joint / joint.sum(axis=1, keepdims=True)
        over[:, t] = joint @ book / (joint @ (book + none))
        some_day[:, t] = joint @ chance
        belief = joint @ Q
    real = np.arange(block.shape[1]) < lengths[:, None]
    return over[real], some_day[real]


def expected_loss(p, q):
    """Expected mean loss of the probabilities p where q is the exact one."""
    p = np.minimum(np.maximum(p, 1e-6), 1 - 1e-6)
    return -(q * np.log(p) + (1 - q) * np.log(1 - p)).mean()


def skill(p, q):
    """Share of the way from the base rate, 0, to the exact probabilities, 1."""
    nothing, everything = expected_loss(np.full(len(q), q.mean()), q), expected_loss(q, q)
    return float((nothing - expected_loss(p, q)) / (nothing - everything))


def skill_at_the_end(student, rng):
    """Skill of the network for the end on visits that nobody has seen."""
    visits = new_visits(rng, 500)
    p, q = by_visit(student.ask(visits), visits), exact(visits)[0]
    between_0_and_1 = bool((p >= 0).all() and (p <= 1).all())
    is_true(between_0_and_1, "A probability lies between 0 and 1")
    ends = ends_of(visits)
    return skill(p[ends], q[ends])


@check("train", points=1.5, hidden=True)
def skill_of_a_beginner(student, rng):
    """At the end of new visits: a skill of at least 0.2."""
    is_true(skill_at_the_end(student, rng) >= 0.2, "The skill is below the first threshold")


@check("train", points=0.5, hidden=True)
def skill_beyond_counting(student, rng):
    """At the end of new visits: a skill of at least 0.65."""
    is_true(skill_at_the_end(student, rng) >= 0.65, "The skill is below the second threshold")


@check("train", points=0.5, hidden=True)
def skill_near_the_ceiling(student, rng):
    """At the end of new visits: a skill of at least 0.75."""
    is_true(skill_at_the_end(student, rng) >= 0.75, "The skill is below the third threshold")


@check("train", points=1, hidden=True)
def skill_while_they_click(student, rng):
    """After every click of new visits: a skill of at least 0.5."""
    visits = new_visits(rng, 500)
    p = by_visit(student.ask_early(visits), visits)
    between_0_and_1 = bool((p >= 0).all() and (p <= 1).all())
    is_true(between_0_and_1, "A probability lies between 0 and 1")
    is_true(skill(p, exact(visits)[1]) >= 0.5, "The skill is below the threshold")


@check("train", points=0.5, hidden=True)
def alone_as_in_a_list(student, rng):
    """New visits, all in one list, and three of them alone; not for the same number always."""
    visits = new_visits(rng, 500)
    row, ends = by_visit(student.ask(visits), visits), ends_of(visits)
    worth = skill(row[ends], exact(visits)[0][ends])
    is_true(worth >= 0.2, "Nothing to compare yet: the skill is below the first threshold")
    p = np.split(row, ends[:-1] + 1)
    for n in (0, 170, 399):
        alone = by_visit(student.ask([visits[n]]), [visits[n]])
        is_true(apart(alone, p[n]) < 2e-5, "A visit gets other numbers alone than in a list")


@check("train", points=0.5, hidden=True)
def one_seed_one_network(student, rng):
    """The same seed, the same network; another seed or other endings, another one."""
    # Fewer steps than visits: a block turned on its side never fits by chance.
    visits = [visit[:29] for visit in new_visits(rng, 30)]
    ended = [n % 3 == 0 for n in range(30)]  # made up: only to train on something
    one, same, other = (
        by_visit(student.small_run(visits, ended, seed), visits) for seed in (5, 5, 6)
    )
    is_true(apart(one, same) < 1e-5, "The same seed gave two networks")
    is_true(apart(one, other) > 1e-5, "Two seeds gave the same network")
    turned = [not end for end in ended]
    turned = by_visit(student.small_run(visits, turned, 5), visits)
    is_true(apart(one, turned) > 1e-3, "Other endings gave the same network")


# ---- part 6: report -----------------------------------------------------------------------------


def share_right(got, want):
    """Share of the wanted entries that are right."""
    is_true(type(got) is dict, "should be a dictionary")
    right = 0
    for key, value in want.items():
        kinds = () if type(value) is int else NUMBERS
        try:
            close(got.get(key), value, rtol=1e-7, kinds=kinds)
            right += 1
        except CheckFailed:
            pass
    return right / len(want)


@check("report", points=1)
def six_visits(student):
    """The table of the text: 4 climbs, 10 minutes, a gap of 0.3."""
    p = np.array([0.9, 0.25, 0.1, 0.7, 0.3, 0.05])
    ended = np.array([True, False, True, True, False, False])
    got = student.report(p, ended, 2, 6)
    is_true(type(got) is dict, "should return a dictionary")
    threshold, climbs, minutes, gap = map(got.get, ("threshold", "climbs", "minutes", "gap"))
    is_true(not like(threshold, 0.75), "The threshold is the price of climbing in vain by the sum")
    is_true(not like(threshold, 0.5), "One half is the threshold for equal prices only")
    close(threshold, 0.25, kinds=NUMBERS)
    is_true(not like(climbs, 3), "At the threshold itself she climbs: 0.25 is a climb")
    close(climbs, 4)
    is_true(not like(minutes, 14), "Minutes: two climbs in vain cost 2 each, one wait costs 6")
    close(minutes, 10.0, kinds=NUMBERS)
    is_true(not like(gap, 0.275), "The gap weights each bin by its number of visits")
    is_true(
        not like(gap, 0.7 / 6) and not like(gap, -0.7 / 6),
        "The gap takes each bin's difference without its sign, then adds",
    )
    close(gap, 0.3, rtol=1e-7, kinds=NUMBERS)
    is_true(len(got) == 4, "should have these four entries and no other")


EDGES = (0.2, 0.4, 0.6, 0.8)


def told(p, ended, in_vain, waiting):
    """What is right, bin by bin."""
    climb = p >= in_vain / (in_vain + waiting)
    minutes = in_vain * np.sum(climb & ~ended) + waiting * np.sum(~climb & ended)
    gap = 0.0
    for b in range(5):
        inside = (p >= b / 5) & ((p < (b + 1) / 5) | (b == 4))
        if inside.any():
            gap += inside.sum() * abs(p[inside].mean() - ended[inside].mean())
    return {
        "threshold": in_vain / (in_vain + waiting),
        "climbs": int(climb.sum()),
        "minutes": float(minutes),
        "gap": float(gap / len(p)),
    }


@check("report", points=0.5, hidden=True)
def random_visits_at_the_desk(student, rng):
    """Sixty visits at other prices; a quarter of the points for each entry."""
    p = rng.beta(0.8, 1.0, size=60)
    p[[7, 30]] = 0.375
    edges = [3, 12, 48]
    p[edges] = 0.2, 0.4, 0.8
    # Too low in one bin and too high in the next one, so that other bins give another gap.
    ended = rng.random(60) < np.array([0, 0.9, 0.1, 0.95, 0.4])[np.searchsorted(EDGES, p, "right")]
    ended[edges] = False
    case = p, ended, 3, 5
    return share_right(student.report(*case), told(*case))


@check("report", points=0.5, hidden=True)
def corners(student, rng):
    """Empty bins, probabilities of 0 and 1, nobody who wants a book, and bins of both signs."""
    p = np.concatenate([np.zeros(3), np.ones(4), rng.uniform(0.82, 0.98, size=6)])
    p = rng.permutation(np.concatenate([p, rng.uniform(0.72, 0.78, size=3)]))
    part = 0
    for ended in (np.zeros(16, dtype=bool), (p > 0.7) & (p < 0.8) | (p > 0.95)):
        case = p, ended, 1, 7
        part += share_right(student.report(*case), told(*case)) == 1
    return part / 2
