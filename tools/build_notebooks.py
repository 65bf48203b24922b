"""Turn the chapters' MyST sources into executed notebooks.

    python tools/build_notebooks.py            every chapter, two at a time
    python tools/build_notebooks.py 02         one chapter: its number, its name or its file
    python tools/build_notebooks.py --check    compare sources with notebooks, run nothing

People write in book/chapters; students run, nbval compares and the site shows book/notebooks.
A notebook holds text outputs only and no trace of when or where it ran, so that two builds
are equal byte for byte. Exit status: 0 fine, 1 a chapter is wrong (its file and line are
named), 2 wrong arguments.
"""

import argparse
import asyncio
import hashlib
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import nbformat
import yaml
from chapter_syntax import ALLOWED_TAGS, PAGE_TAGS, ChapterError, check_syntax, shown
from jupytext.myst import MystMetadataParsingError, myst_to_notebook
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parents[1]
CELL_TIMEOUT_S = 300

# What Jupyter would write, without the version numbers of this machine.
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}
# One thread a kernel: chapters run in parallel, and sums keep their order.
KERNEL_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "COURSE_LIB_STATIC": "1",  # demos as HTML only: no page is there to answer a widget
    "TQDM_DISABLE": "1",  # progress bars are for people, not for stored outputs
    "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel of this environment, not one of the user's
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # silences a note of the debugger at every start
    "PYTHONPATH": str(ROOT),  # course_lib of this folder, whatever is installed
}
MEMORY_ADDRESS = re.compile(r"\bat 0x[0-9a-f]{6,}")
ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Chapter:
    """A source that was read: the notebook before it runs, and where its cells came from."""

    source: Path
    notebook: nbformat.NotebookNode
    first_lines: tuple[int, ...]  # of each cell's text in the source, from 1


def read_chapter(source, metadata=NOTEBOOK_METADATA):
    """Read one MyST source into a notebook that has not run; None keeps its own metadata."""
    text = read_text(source)
    check_syntax(source, text, ALLOWED_TAGS if metadata else PAGE_TAGS)
    try:
        notebook = myst_to_notebook(text, add_source_map=True)
    except (MystMetadataParsingError, yaml.YAMLError) as error:
        raise ChapterError(source, 1, str(error)) from error
    starts = notebook.metadata.pop("source_map")
    if metadata is not None:
        notebook.metadata = nbformat.from_dict(metadata)
    notebook.nbformat, notebook.nbformat_minor = 4, 5

    lines, first_lines, seen = text.splitlines(), [], {}
    for cell, start in zip(notebook.cells, starts, strict=True):
        first_lines.append(first_line_of(cell, lines, start))
        if cell.cell_type == "code" and not cell.source.strip():
            raise ChapterError(source, start, "this code cell is empty")
        cell.id = cell_id(cell, seen)
    return Chapter(source, notebook, tuple(first_lines))


def read_text(source):
    try:
        return source.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = source.read_bytes()[: error.start].count(b"\n") + 1
        raise ChapterError(source, line, "this line is not UTF-8") from error


def first_line_of(cell, lines, start):
    """Line of the source, from 1, that holds the first line of the cell's text."""
    wanted = cell.source.splitlines()[0] if cell.source else ""
    for index in range(start, len(lines)):
        if lines[index] == wanted:
            return index + 1
    return start + 1


def cell_id(cell, seen):
    """Name a cell after its content: a cell added above it does not rename it."""
    digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
    seen[digest] = seen.get(digest, 0) + 1
    return digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def run_chapter(chapter, folder):
    """Execute the notebook in place, in a kernel of its own with `folder` as its place."""
    client = NotebookClient(
        chapter.notebook,
        timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )
    current = [0]
    client.on_cell_start = lambda cell, cell_index: current.__setitem__(0, cell_index)
    try:
        # A loop of its own, closed at the end; the kernel's log lines are not the chapter's.
        asyncio.run(client.async_execute(stderr=subprocess.DEVNULL))
    except CellExecutionError as error:
        line = failing_line(chapter, current[0], error.traceback)
        raise ChapterError(chapter.source, line, f"{error.ename}: {error.evalue}") from error
    except CellTimeoutError as error:
        line = chapter.first_lines[current[0]]
        message = f"this cell runs for more than {CELL_TIMEOUT_S} s"
        raise ChapterError(chapter.source, line, message) from error
    except DeadKernelError as error:
        line = chapter.first_lines[current[0]]
        raise ChapterError(chapter.source, line, "the kernel died in this cell") from error
    for cell in chapter.notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = merge_streams(cell.outputs)


def failing_line(chapter, index, traceback):
    inside = re.search(r"Cell In\[\d+\], line (\d+)", ANSI_COLOUR.sub("", traceback))
    return chapter.first_lines[index] + (int(inside.group(1)) - 1 if inside else 0)


def keep_text(chapter):
    """Drop from the notebook all that another run or another machine would write differently."""
    count = 0
    for index, cell in enumerate(chapter.notebook.cells):
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        tags = cell.metadata.get("tags", [])
        if "nbval-ignore-output" in tags:
            cell.outputs = []  # what cannot be repeated is not stored
            continue
        cell.outputs = [kept for output in cell.outputs if (kept := text_of(output, count))]
        cell.outputs = merge_streams(cell.outputs)
        refuse_unstable(chapter, index)
    chapter.notebook.metadata = nbformat.from_dict(NOTEBOOK_METADATA)


def text_of(output, count):
    if output.output_type == "stream":
        return nbformat.v4.new_output("stream", name=output.name, text=output.text)
    if output.output_type == "error":  # the frames of a traceback name folders of this machine
        last_line = f"{output.ename}: {output.evalue}"
        return nbformat.v4.new_output(
            "error", ename=output.ename, evalue=output.evalue, traceback=[last_line]
        )
    if "text/plain" not in output.data:
        return None
    kept = nbformat.v4.new_output(
        output.output_type, data={"text/plain": output.data["text/plain"]}
    )
    if output.output_type == "execute_result":
        kept.execution_count = count
    return kept


def merge_streams(outputs):
    """Join what the kernel happened to send in several pieces."""
    merged = []
    for output in outputs:
        last = merged[-1] if merged else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


def refuse_unstable(chapter, index):
    for output in chapter.notebook.cells[index].outputs:
        if output.output_type == "stream":
            text = output.text
        else:
            text = output.get("evalue") or output.get("data", {}).get("text/plain", "")
        line = chapter.first_lines[index]
        if output.get("name") == "stderr":
            first = text.strip().splitlines()[0] if text.strip() else ""
            raise ChapterError(chapter.source, line, f"this cell writes to stderr: {first}")
        if MEMORY_ADDRESS.search(text):
            message = "this cell prints a memory address, which changes with every run"
            raise ChapterError(chapter.source, line, message)
        if str(ROOT) in text:
            raise ChapterError(chapter.source, line, "this cell prints a folder of this machine")


def as_text(notebook):
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def write(notebook, target):
    """Write all or nothing: a reader never meets half a notebook."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        draft.write_text(as_text(notebook), encoding="utf-8")
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def build_chapter(source, target):
    chapter = read_chapter(source)
    run_chapter(chapter, target.parent)
    keep_text(chapter)
    write(chapter.notebook, target)


def check_chapter(source, target):
    """Compare a source with its notebook without running code."""
    chapter = read_chapter(source)
    rebuild = f"run `make notebooks CHAPTER={source.stem}`"
    if not target.is_file():
        raise ChapterError(source, 1, f"{shown(target)} is missing: {rebuild}")
    stored_text = target.read_text(encoding="utf-8")
    try:
        stored = nbformat.reads(stored_text, as_version=4)
    except (ValueError, nbformat.ValidationError, nbformat.reader.NotJSONError) as error:
        raise ChapterError(source, 1, f"{shown(target)} is no notebook: {rebuild}") from error

    for index, (cell, line) in enumerate(
        zip(chapter.notebook.cells, chapter.first_lines, strict=True)
    ):
        other = stored.cells[index] if index < len(stored.cells) else {}
        same = all(cell[key] == other.get(key) for key in ("cell_type", "id", "source", "metadata"))
        if not same:
            raise ChapterError(source, line, f"differs from {shown(target)}: {rebuild}")
        if cell.cell_type == "code":
            if not other.execution_count:
                raise ChapterError(source, line, f"has not run in {shown(target)}: {rebuild}")
            cell.outputs = other.outputs
    keep_text(chapter)
    if as_text(chapter.notebook) != stored_text:
        message = f"{shown(target)} holds more than text outputs, or was edited: {rebuild}"
        raise ChapterError(source, 1, message)


def find_sources(names, folder):
    """Return the sources that the arguments mean; all of them if there are none."""
    every = sorted(folder.glob("[0-9][0-9]_*.md"))
    if not names:
        return every
    found = []
    for name in names:
        stem = Path(name).stem
        fits = [s for s in every if s.stem == stem or s.stem.startswith(f"{stem}_")]
        if len(fits) != 1:
            known = ", ".join(s.stem for s in every) or "none"
            raise LookupError(f"no chapter {name!r} in {shown(folder)}; there are: {known}")
        found += [s for s in fits if s not in found]
    return found


def each_chapter(job, sources, jobs, verb):
    """Do the job for every source, some at a time; print one line each, return the errors."""
    errors, width = [], len(str(len(sources)))
    sources = sorted(sources, key=lambda source: source.stat().st_size, reverse=True)  # long first
    with ThreadPoolExecutor(jobs) as pool:
        started = {}
        for source in sources:
            started[pool.submit(timed, job, source)] = source
        for done, future in enumerate(as_completed(started), 1):
            source, head = started[future], f"[{done:{width}}/{len(sources)}]"
            try:
                print(f"{head} {source.stem} {verb} in {future.result():.1f} s", flush=True)
            except ChapterError as error:
                errors.append(error)
                print(f"{head} {source.stem} FAILED", flush=True)
                for waiting in started:
                    waiting.cancel()
                break
    return errors


def timed(job, source):
    start = time.perf_counter()
    job(source)
    return time.perf_counter() - start


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chapters", nargs="*", help="number, name or file; all if left out")
    parser.add_argument("--check", action="store_true", help="compare only, run nothing")
    parser.add_argument("--jobs", type=int, default=2, help="chapters at a time (default 2)")
    parser.add_argument("--source", type=Path, default=ROOT / "book" / "chapters")
    parser.add_argument("--target", type=Path, default=ROOT / "book" / "notebooks")
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error(f"--jobs must be at least 1, got {options.jobs}")
    if not options.source.is_dir():
        parser.error(f"there is no folder {options.source}")
    try:
        options.sources = find_sources(options.chapters, options.source)
    except LookupError as error:
        parser.error(str(error))
    return options


def check_all(options):
    errors = []
    for source in options.sources:
        try:
            check_chapter(source, options.target / f"{source.stem}.ipynb")
        except ChapterError as error:
            errors.append(error)
    stems = {source.stem for source in options.sources}
    for notebook in sorted(options.target.glob("*.ipynb")):
        if not options.chapters and notebook.stem not in stems:
            message = f"has no source in {shown(options.source)}: delete it or write the source"
            errors.append(ChapterError(notebook, 1, message))
    return errors


def main(arguments=None):
    options = parse_arguments(arguments)
    os.environ.update(KERNEL_ENVIRONMENT)
    if options.check:
        errors = check_all(options)
        done = f"{len(options.sources)} notebooks agree with their sources"
    else:
        options.target.mkdir(parents=True, exist_ok=True)
        errors = each_chapter(
            lambda source: build_chapter(source, options.target / f"{source.stem}.ipynb"),
            options.sources,
            options.jobs,
            "ran",
        )
        done = f"{len(options.sources)} notebooks written to {shown(options.target)}"
    for error in errors:
        print(error, file=sys.stderr)
    if not errors:
        print(done)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
