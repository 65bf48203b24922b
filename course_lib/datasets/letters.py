"""A real text to read letter by letter: pages of the language reference that comes with Python.

``help("assert")`` in an interactive Python shows a page of the language reference; the pages are in
the module ``pydoc_data.topics`` of the standard library. They change from one Python to the next,
and a chapter's numbers would change with them, so the text is kept beside this file, in
``letters.txt``, as `clean_topics` made it from Python 3.11.7. Its licence is in
``letters-licence.txt``.

Many pages repeat paragraphs of other pages. A model tested on a paragraph that it was trained on
would be tested on its memory, so a paragraph is kept only where it comes first; and whole pages,
not pieces of pages, are held out.

Letters: T characters, V different ones.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

PAGES_FILE = Path(__file__).with_name("letters.txt")
PAGE_MARK = "\f"  # the form feed: before each page, followed by its name and a line break
VALID_PAGES = ("attribute-access", "comparisons", "raise")
TEST_PAGES = ("customization", "execmodel", "typesmapping")

SHORTEST_PAGE = 500  # characters; what is left of a page after its repeats may be a heading only
TYPOGRAPHY = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "…": "...", "—": "-", "–": "-"})


@dataclass(frozen=True)
class Letters:
    """Three texts and the alphabet of all of them.

    Parameters
    ----------
    train, valid, test : str
        Texts of whole pages; no page is in two of them.
    """

    train: str
    valid: str
    test: str

    @cached_property
    def alphabet(self):
        """The V characters that occur, sorted, as one str; a symbol is a place in it."""
        return "".join(sorted(set(self.train + self.valid + self.test)))

    @property
    def V(self):
        """Number of different characters."""
        return len(self.alphabet)

    def encode(self, text):
        """Return the symbols of a text.

        Parameters
        ----------
        text : str
            Characters of the alphabet.

        Returns
        -------
        y : ndarray of shape (T,)
            Symbols from 0 to V - 1.

        Raises
        ------
        ValueError
            If a character is not in the alphabet.
        """
        number = {character: k for k, character in enumerate(self.alphabet)}
        strange = sorted(set(text) - set(number))
        if strange:
            raise ValueError(
                f"the text must hold characters of the alphabet only, got {strange[0]!r}; "
                "replace it or leave it out"
            )
        return np.array([number[character] for character in text], dtype=np.int64)

    def decode(self, y):
        """Return the text of symbols from 0 to V - 1."""
        return "".join(self.alphabet[int(symbol)] for symbol in y)


def load_pages():
    """Read the pages from the file that comes with the course; nothing is downloaded.

    Returns
    -------
    pages : dict of str to str
        Text of each page by name, in alphabetical order.
    """
    pages = PAGES_FILE.read_text(encoding="ascii").split(PAGE_MARK)[1:]
    return dict(page.split("\n", 1) for page in pages)


def load_letters(valid_pages=VALID_PAGES, test_pages=TEST_PAGES):
    """Return the text, divided into pages to train on and two groups of pages held out.

    Parameters
    ----------
    valid_pages : sequence of str, default=VALID_PAGES
        Pages for choices during training.
    test_pages : sequence of str, default=TEST_PAGES
        Pages for the last judgement.

    Returns
    -------
    letters : Letters
        Pages are joined by an empty line.

    Raises
    ------
    ValueError
        If a page does not exist or is held out twice.
    """
    pages = load_pages()
    held_out = [*valid_pages, *test_pages]
    unknown = sorted(set(held_out) - set(pages))
    if unknown or len(set(held_out)) < len(held_out):
        raise ValueError(f"pages must exist and be held out once, got {unknown or held_out}")
    train = [name for name in pages if name not in held_out]
    groups = (train, valid_pages, test_pages)
    return Letters(*("\n".join(pages[name] for name in names) for names in groups))


def clean_topics(topics):
    """Make pages from the topics of ``pydoc_data``: plain characters, and no paragraph twice.

    Left out are paragraphs that came before (in alphabetical order of the pages, whatever the line
    breaks), tables, paragraphs with characters beyond ASCII once quotation marks and dashes are
    plain, and pages of which fewer than 500 characters remain.

    Parameters
    ----------
    topics : dict of str to str
        ``pydoc_data.topics.topics``.

    Returns
    -------
    pages : dict of str to str
        Text of each page by name, in alphabetical order.
    """
    seen, pages = set(), {}
    for name in sorted(topics):
        kept = []
        for paragraph in topics[name].translate(TYPOGRAPHY).split("\n\n"):
            paragraph = paragraph.strip("\n")
            words = " ".join(paragraph.split())
            if not words or words in seen:
                continue
            seen.add(words)
            if paragraph.isascii() and not re.search(r"^\s*[+|]", paragraph, re.MULTILINE):
                kept.append(paragraph)
        page = "\n\n".join(kept) + "\n"
        if len(page) >= SHORTEST_PAGE:
            pages[name] = page
    return pages


def pages_text(pages):
    """Return pages as one text with their names, the form of ``letters.txt``."""
    return "".join(f"{PAGE_MARK}{name}\n{page}" for name, page in pages.items())
