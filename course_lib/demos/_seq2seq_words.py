"""Words of the demos in which an encoder reads and a decoder writes, and a source in numbers."""

from course_lib.demos._state import check_limit, labels_of

MAX_V = 24


def vocabulary(source_words, target_words, meaning):
    """Part of the state that names all words and tokens, and what each source word means.

    Parameters
    ----------
    source_words, target_words : sequence of str
        At most 24 each.
    meaning : sequence of int or None
        Number of the right token for each source word; the same number if not given.

    Returns
    -------
    fixed : dict
        Entries ``source_words``, ``target_words`` and ``meaning``.

    Raises
    ------
    ValueError
        If there are too many, or a name does not fit.
    """
    source_words, target_words = [*map(str, source_words)], [*map(str, target_words)]
    check_limit("source_words", len(source_words), MAX_V, "words")
    check_limit("target_words", len(target_words), MAX_V, "tokens")
    return {
        "source_words": labels_of("source_words", source_words, len(source_words), ""),
        "target_words": labels_of("target_words", target_words, len(target_words), ""),
        "meaning": [*range(len(source_words))] if meaning is None else [*map(int, meaning)],
    }


def numbers(source, source_words):
    """Number of each word of a source.

    Parameters
    ----------
    source, source_words : sequence of str
        What is read, and all words that there are.

    Returns
    -------
    tokens : list of int
        From 0 to the number of words - 1.

    Raises
    ------
    ValueError
        If there is no such word.
    """
    words = [*map(str, source_words)]
    unknown = [word for word in source if word not in words]
    if unknown:
        raise ValueError(f"source: {unknown[0]!r} must be one of the source words")
    return [words.index(word) for word in source]
