"""What each reason of a check's outcome is called, and what a student can do about it."""

UNANSWERED = "not answered yet"  # what checks.py says of a cell as it was handed out
LABELS = {
    "passed": "Passed",
    UNANSWERED: "Not answered yet",
    "partial": "Partly right",
    "failed": "Not right yet",
    "error": "Your code raised an error",
    "missing": "Not found",
    "timeout": "Took too long",
    "killed: memory": "Stopped: too much memory",
    "killed: exit": "Stopped: it ended Python",
    "killed: processes": "Stopped: too many processes",
    "killed: files": "Stopped: too much written to files",
    "killed: protocol": "Stopped: it disturbed the grader's pipes",
    "unreadable": "File could not be read",
    "too large": "File too large",
}
# In the order in which to mend them. Names in braces are limits.
_ADVICE = {
    "unreadable": "The file you handed in is not a notebook that can be opened. Open your own "
    "copy in Jupyter, choose Run, then Restart Kernel and Run All Cells, save it, and hand in the "
    "file whose name ends in .ipynb.",
    "too large": "The file you handed in is larger than {notebook_mb} MB. Clear all outputs (Edit, "
    "then Clear Outputs of All Cells), take out pasted pictures, save, and hand it in again.",
    "killed: exit": "Your code ended Python itself. Look for exit(), quit() or os._exit() and "
    "take it out.",
    "killed: memory": "Your code needed more than {memory_mb} MB of memory. Look for an array or a "
    "list that grows with every step.",
    "killed: processes": "Your code started more than {processes} processes or threads. It should "
    "need only one.",
    "killed: files": "Your code wrote more to files than is allowed ({file_mb} MB a file, "
    "{tmp_mb} MB in all). The tasks need no files.",
    "killed: protocol": "Your code disturbed the pipes through which it is asked for answers. Take "
    "out whatever opens, closes or writes to file descriptors.",
    "timeout": "A cell may run for {cell_s:g} seconds and a call for {call_s:g}. Look for a loop "
    "that never ends, or for nested loops that arrays can do at once.",
    "missing": "A function or variable is not there under the name that was asked for. Keep the "
    "names and arguments that the notebook gives, and run it from top to bottom in a fresh kernel.",
    "error": "Your code raised an error when it was called. Choose Restart Kernel and Run All "
    "Cells in your notebook, then call the function yourself and read the last line of the error.",
    UNANSWERED: "The cell still is as it was handed out: write your answer in the place of "
    "raise NotImplementedError.",
    "failed": "Your code ran and gave something else than was asked for. Compare kind, shape and "
    "values with the task; a case small enough to work out by hand shows most mistakes.",
    "partial": "Part of the answer is right; the line under the check says what was seen.",
}
ORDER = tuple(_ADVICE)


def reason_of(check):
    """Return why a check of a result gave less than all points, or "passed"."""
    unanswered = check["reason"] == "error" and check["message"] == UNANSWERED
    return UNANSWERED if unanswered else check["reason"]


def label(reason):
    """Return the reason in words."""
    return LABELS.get(reason, reason)


def advice(reason, limits):
    """Return what a student can do about the reason, or an empty text."""
    return _ADVICE.get(reason, "").format(**vars(limits))


def of_cell(status):
    """Return how a cell ended, in words."""
    return {"ok": "ran", "error": "raised an error", "skipped": "was skipped"}.get(
        status, label(status)
    )
