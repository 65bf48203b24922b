"""Draw the visits that students train on: python another_visits.py SEED [FOLDER].

Writes data/visits.npz in the folder of the assignment, which is this one unless said otherwise. The
library is that of private/library.json there, from which the checks draw their own visits too:
whoever changes it changes the ceiling with it.
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
VISITS = 2500
HUNTERS = (0.2, 0.8)  # chance that a visit begins as a hunt, by card; the mean is that of "begin"


def draw_visits(seed, folder=HERE):
    """Return the arrays of the data file."""
    library = json.loads((folder / "private" / "library.json").read_text(encoding="utf-8"))
    rng = np.random.default_rng(seed)
    moves = np.column_stack([library[part] for part in ("moves", "book", "none")]).cumsum(axis=1)
    shows, book = np.cumsum(library["shows"], axis=1), len(moves)
    habits = rng.choice(HUNTERS, size=VISITS)  # as many cards as there may be
    clicks, lengths, ended, cards = [], [], [], []
    for _ in range(VISITS):
        # Every third visit is made with a new card, the others with one that is known.
        known = max(cards, default=-1) + 1
        card = known if known == 0 or rng.random() < 1 / 3 else int(rng.integers(known))
        intent, visit = int(rng.random() < habits[card]), []
        while intent < book:
            visit.append((shows[intent, :-1] < rng.random()).sum())
            intent = (moves[intent, :-1] < rng.random()).sum()
        clicks += visit
        lengths.append(len(visit))
        ended.append(intent == book)
        cards.append(card)
    return {
        "clicks": np.array(clicks, dtype=np.int8),
        "lengths": np.array(lengths, dtype=np.int16),
        "ended": np.array(ended),
        "cards": np.array(cards, dtype=np.int16),
    }


if __name__ == "__main__":
    here = Path(sys.argv[2]) if len(sys.argv) > 2 else HERE
    target = here / "data" / "visits.npz"
    target.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(target, **draw_visits(int(sys.argv[1]), here))
    print(f"wrote {target}")
