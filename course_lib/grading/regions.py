"""The regions of a cell that only the solution has: between two marks, as nbgrader writes them."""

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


def split_solution(source, where):
    """Return a cell's lines, each with whether it belongs to the solution.

    Parameters
    ----------
    source : str
    where : str
        The cell, for messages.

    Returns
    -------
    lines : list of (str, bool)
        Without the marks; the first line of each region is preceded by a line (``BEGIN`` as
        indented there, True).

    Raises
    ------
    ValueError
        If the marks do not come in pairs.
    """
    lines, inside = [], False
    for line in source.split("\n"):
        mark = line.strip()
        if mark in (BEGIN, END):
            if inside == (mark == BEGIN):
                raise ValueError(f"{where}: {mark!r} without its partner")
            inside = mark == BEGIN
            lines += [(line, True)] if inside else []
        elif BEGIN in line or END in line:
            raise ValueError(f"{where}: {BEGIN!r} and {END!r} must stand on lines of their own")
        else:
            lines.append((line, inside))
    if inside:
        raise ValueError(f"{where}: {BEGIN!r} without its partner")
    return lines


def solved(source, where):
    """Return a cell as the reference has it: with the solution, without the marks.

    Parameters
    ----------
    source, where : str
        As for :func:`split_solution`.

    Returns
    -------
    source : str
    """
    lines = split_solution(source, where)
    return "\n".join(line for line, _ in lines if line.strip() != BEGIN)
