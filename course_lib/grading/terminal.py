"""How `course-grade` talks: tables, JSON, progress bars, and one line for each mistake."""

import errno
import json
import signal
import sys
import threading
from contextlib import contextmanager

import click

FINE, ATTENTION, WRONG = 0, 1, 2
INTERRUPTED = 130  # as shells have it
# What a wrong path or a missing permission gives; all else (a full disk) is the machine's.
_WRONG_PATH = (
    *(FileNotFoundError, NotADirectoryError, IsADirectoryError),
    *(FileExistsError, PermissionError),
)


def printable(text):
    """Return a text, that a stranger may have chosen, without what steers a terminal.

    Parameters
    ----------
    text : object

    Returns
    -------
    text : str
    """
    return "".join(c if c.isprintable() else "?" for c in str(text))


def say(text="", err=False):
    """Print one line.

    Parameters
    ----------
    text : object
    err : bool
        To stderr.
    """
    click.echo(printable(text), err=err)


def show(table, as_json, lines=()):
    """Print what a verb found out, as JSON or as text.

    Parameters
    ----------
    table : dict
    as_json : bool
    lines : list of str
    """
    if as_json:
        click.echo(json.dumps(table, indent=1, ensure_ascii=True, default=str))
    else:
        for line in lines:
            say(line)


def columns(rows):
    """Return lines of text in which the cells of each column stand below each other.

    Parameters
    ----------
    rows : list of tuple
        All of one length.

    Returns
    -------
    lines : list of str
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


@contextmanager
def progress(label):
    """Give a function of (done, total) that draws a bar on a terminal; None elsewhere.

    Parameters
    ----------
    label : str

    Yields
    ------
    draw : callable or None
    """
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def draw(done, total):
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        yield draw


def run(app, arguments):
    """Run a verb; whatever goes wrong becomes one line and an exit code.

    Parameters
    ----------
    app : click.Group
    arguments : list of str or None
        None takes those of the process.

    Returns
    -------
    code : int
        0 fine, 1 something needs attention, 2 used wrongly, 130 interrupted.
    """
    if threading.current_thread() is threading.main_thread():
        # The end of a session then clears up as Ctrl-C does.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return app.main(args=arguments, prog_name="course-grade", standalone_mode=False) or FINE
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        more = f" See `{context.command_path} --help`." if context else ""
        return _fail(WRONG, error.format_message() + more)
    except (click.Abort, KeyboardInterrupt):
        return _fail(INTERRUPTED, "stopped; what is written stays, the same command goes on")
    except ValueError as error:
        from course_lib.grading.sandbox import SandboxMissing  # few commands need it

        return _fail(ATTENTION if isinstance(error, SandboxMissing) else WRONG, error)
    except _WRONG_PATH as error:
        return _fail(WRONG, _path_line(error))
    except OSError as error:
        return _fail(ATTENTION, _path_line(error))
    except MemoryError:
        return _fail(ATTENTION, "not enough memory on this machine; use fewer --jobs")


def _path_line(error):
    if error.filename is None:
        return error.strerror or error
    more = "; make room and run again" if error.errno == errno.ENOSPC else ""
    return f"{error.filename}: {error.strerror}{more}"


def _fail(code, line):
    say("course-grade: " + " ".join(str(line).split()), err=True)
    return code
