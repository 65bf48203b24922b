"""Build the site from the notebooks, and do nothing for what has not changed.

    python tools/build_book.py [--output FOLDER] [--jobs N]

1. Demo bundles. 2. Notebooks must agree with their sources. 3. Chapters that changed, or whose
part of course_lib did, are executed in parallel into the cache that Sphinx reads, unless nbval has
run them as they are and found them right; Sphinx itself executes nothing. 4. Sphinx, with every
warning an error. The last line printed is the path of the built book. Exit status: 0 built,
1 something is wrong (named), 2 wrong arguments.
"""

import argparse
import ast
import functools
import hashlib
import json
import os
import re
import shutil
import sys
import threading
import time
from pathlib import Path

import build_notebooks
import nbformat
import quietly
from build_notebooks import (
    KERNEL_ENVIRONMENT,
    ROOT,
    each_chapter,
    merge_streams,
    read_chapter,
    run_chapter,
)
from chapter_syntax import ChapterError, shown
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn

CHAPTERS, NOTEBOOKS = ROOT / "book" / "chapters", ROOT / "book" / "notebooks"
LIBRARY = ROOT / "course_lib"
PYTHON_PINS = [ROOT / "requirements.txt", ROOT / "constraints.txt"]
PINS = [*PYTHON_PINS, ROOT / "package.json"]
COMPARED = ROOT / "_build" / "compared"  # outputs of the chapters that nbval ran
MADE_NAMES = {"__pycache__", "_build", ".ipynb_checkpoints", "node_modules"}
MADE_FOLDERS = (LIBRARY / "demos" / "static", LIBRARY / "book_ext" / "static")


def files_in(*folders):
    """All source files below the folders, sorted; nothing that a build makes."""
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if MADE_NAMES.intersection(path.parts) or any(m in path.parents for m in MADE_FOLDERS):
                continue
            if path.is_file():
                found.append(path)
    return found


def fingerprint(paths):
    """One hash over names and contents."""
    total = hashlib.sha256()
    for path in paths:
        if path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{os.path.relpath(path, ROOT)} {content}\n".encode())
    return total.hexdigest()


def each_fingerprint(paths):
    return {os.path.relpath(path, ROOT): fingerprint([path]) for path in paths}


def imported_files(codes, root=ROOT):
    """Files of course_lib that pieces of code import, directly or through other files of it.

    A chapter has to run again if one of these changed, and only then. Data files count with the
    package in which they lie; the demos' JavaScript does not, as no cell runs it.
    """
    found, waiting = set(), [(code, "") for code in codes]
    while waiting:
        for name in imported_names(*waiting.pop()):
            for path in files_of_module(name, root) - found:
                found.add(path)
                if path.suffix == ".py":
                    package = ".".join(path.relative_to(root).parent.parts)
                    waiting.append((path.read_text(encoding="utf-8"), package))
    return sorted(found)


@functools.cache
def files_of_module(name, root):
    """Files that Python reads to import a dotted name, which may end in a name inside a module."""
    files, folder = set(), root
    for part in name.split("."):
        if (folder / f"{part}.py").is_file():
            files.add(folder / f"{part}.py")
            break
        folder = folder / part
        if not folder.is_dir():
            break
        files.update(p for p in folder.iterdir() if p.is_file() and p.name == "__init__.py")
        if folder != root / "course_lib":
            data = (p for p in files_in(folder) if p.suffix != ".py")
            files.update(p for p in data if "js" not in p.relative_to(folder).parts)
    return files


@functools.cache
def imported_names(code, package):
    """Dotted names in course_lib that a piece of Python imports, wherever it does."""
    try:
        tree = ast.parse(code)
    except SyntaxError:  # a cell with a magic: it imports what the other cells import
        return ()
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            inside = package.split(".")[: len(package.split(".")) - node.level + 1]
            module = ".".join([*(inside if node.level else []), *filter(None, [node.module])])
            names = [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        found += [name for name in names if name.split(".")[0] == "course_lib"]
    return tuple(found)


def chapter_key(notebook):
    """Hash of all that the outputs of a chapter depend on."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    files = imported_files([cell.source for cell in cells])
    own = json.dumps([[cell.source, cell.metadata] for cell in cells], sort_keys=True)
    return hashlib.sha256((own + fingerprint([*files, *PYTHON_PINS])).encode()).hexdigest()


def keep_outputs(stem, key, outputs, seconds):
    """Write down what the code cells of a chapter gave, and for which `chapter_key`."""
    write_json(COMPARED / f"{stem}.json", {"key": key, "outputs": outputs, "seconds": seconds})


def take_outputs(notebook, stem, key):
    """Fill in what was kept for the same key; return the seconds that it ran, else None."""
    kept = read_json(COMPARED / f"{stem}.json")
    if kept.get("key") != key:
        return None
    notebook.metadata.language_info.pygments_lexer = "ipython3"  # as a kernel says of itself
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, (cell, outputs) in enumerate(zip(cells, kept["outputs"], strict=True), 1):
        cell.execution_count = count
        cell.outputs = merge_streams([nbformat.from_dict(output) for output in outputs])
    return kept["seconds"]


def read_json(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def check_notebooks():
    options = build_notebooks.parse_arguments(["--check"])
    errors = build_notebooks.check_all(options)
    for error in errors:
        print(error, file=sys.stderr)
    return not errors


def bundle_demos(state_path):
    """Bundle the demos' JavaScript if a source of it changed; return whether all is well."""
    sources = files_in(LIBRARY / "demos" / "js")
    key, made = fingerprint([*sources, *PINS]), MADE_FOLDERS[0]
    if not sources or (read_json(state_path).get("demos") == key and made.is_dir()):
        return True
    command = ["npm", "run", "--silent", "build:demos", "--prefix", str(ROOT)]
    if quietly.run(str(ROOT / ".stamps" / "demos.log"), "Demo bundles", command):
        return False
    write_json(state_path, {"demos": key})
    return True


def runnable(folder):
    """Sources that hold code: chapters, and pages such as the landing page with its demo."""
    chapters = sorted((folder / "chapters").glob("[0-9][0-9]_*.md"))
    pages = [p for p in files_in(folder) if p.suffix == ".md" and p.parent.name != "chapters"]
    return chapters + [p for p in pages if "\n```{code-cell}" in p.read_text(encoding="utf-8")]


def read_runnable(source):
    """The notebook as Sphinx will see it, and the file from which Sphinx reads it."""
    if source.parent == CHAPTERS:
        return read_chapter(source), NOTEBOOKS / f"{source.stem}.ipynb"
    return read_chapter(source, metadata=None), source


def execute_chapters(output, jobs):
    """Run what changed into the cache. Return (all is well, how many ran)."""
    cache = get_cache(str(output / ".jupyter_cache"))
    keys_path = output / "executed.json"
    keys, lock, waiting = read_json(keys_path), threading.Lock(), []

    def is_cached(source):
        notebook = read_runnable(source)[0].notebook
        try:
            cache.match_cache_notebook(notebook)
        except KeyError:
            return False
        return keys.get(str(source.relative_to(ROOT))) == chapter_key(notebook)

    def job(source):
        chapter, read_by_sphinx = read_runnable(source)
        key, start = chapter_key(chapter.notebook), time.perf_counter()
        seconds = take_outputs(chapter.notebook, source.stem, key)
        if seconds is None:
            run_chapter(chapter, read_by_sphinx.parent)
            seconds = time.perf_counter() - start
        hide_frames(chapter.notebook)
        bundle = CacheBundleIn(
            chapter.notebook, str(read_by_sphinx), data={"execution_seconds": seconds}
        )
        with lock:  # one writer in the data base of the cache
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            keys[str(source.relative_to(ROOT))] = key
            write_json(keys_path, keys)
        read_by_sphinx.touch()  # Sphinx must read it again even if only the library changed

    def was_compared(source):
        notebook = read_runnable(source)[0].notebook
        return take_outputs(notebook, source.stem, chapter_key(notebook)) is not None

    try:
        waiting = [source for source in runnable(ROOT / "book") if not is_cached(source)]
    except ChapterError as error:
        print(error, file=sys.stderr)
        return False, 0
    compared = [source for source in waiting if was_compared(source)]
    if compared:
        print(f"Executed and compared by nbval: {len(compared)}", flush=True)
        for source in compared:
            job(source)
    to_execute = [source for source in waiting if source not in compared]
    if not to_execute:
        return True, len(waiting)
    print(f"To execute: {len(to_execute)}, {jobs} at a time", flush=True)
    errors = each_chapter(job, to_execute, jobs, "ran")
    for error in errors:
        print(error, file=sys.stderr)
    return not errors, len(waiting)


def hide_frames(notebook):
    """Show of an expected error its last line: the frames name folders of this machine."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                output.traceback = [f"{output.ename}: {output.evalue}"]


def run_sphinx(output):
    log = output / "sphinx.log"
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    command += ["build", str(ROOT / "book"), "--path-output", str(output.parent)]
    command += ["--config", str(ROOT / "_config.yml"), "--toc", str(ROOT / "_toc.yml")]
    command += ["-n", "-W", "--keep-going"]
    env = {**os.environ, "NO_COLOR": "1"}
    status = quietly.run(str(log), "Pages", command, env=env, last_lines=0)
    if status:
        lines = quietly.read_lines(log)
        wrong = [line for line in lines if re.search(r"WARNING|ERROR|\w(Error|Exception):", line)]
        for line in wrong or lines[-quietly.LAST_LINES :]:
            print(f"    {in_source(line)}", file=sys.stderr)
    return status == 0


def in_source(line):
    """Say the chapter source and its line where Sphinx says notebook and cell.

    MyST-NB counts 10000 for every cell, and 2 for the first line in it.
    """
    line = line.replace(f"{ROOT}{os.sep}", "")
    found = re.search(r"book/notebooks/(\w+)\.ipynb:(\d+)", line)
    source = CHAPTERS / f"{found[1]}.md" if found else None
    if source is None or not source.is_file():
        return line
    first_lines = read_chapter(source).first_lines
    cell, offset = divmod(int(found[2]), 10000)
    if not 1 <= cell <= len(first_lines):
        return line
    return line.replace(found[0], f"{shown(source)}:{first_lines[cell - 1] + max(offset - 2, 0)}")


def build(output, jobs):
    """Build into `output`; return the exit status."""
    if not check_notebooks():
        return 1
    stamp = output / "built.json"
    state = read_json(stamp)
    fine, executed = execute_chapters(output, jobs)
    if not fine:
        return 1

    pages = each_fingerprint(p for p in files_in(ROOT / "book") if p.suffix in (".md", ".ipynb"))
    others = [p for p in files_in(ROOT / "book", LIBRARY) if p.suffix not in (".md", ".ipynb")]
    rest = fingerprint([*others, ROOT / "_config.yml", ROOT / "_toc.yml", *PINS, Path(__file__)])
    same_frame = state.get("rest") == rest and set(state.get("pages", {})) == set(pages)
    index = output / "html" / "index.html"
    if same_frame and state.get("pages") == pages and not executed and index.is_file():
        print("Nothing changed since the last build.")
    else:
        # Without a stamp the next build starts anew: Sphinx repeats no warning of a page it kept.
        stamp.unlink(missing_ok=True)
        if not same_frame:
            for part in ("html", ".doctrees"):
                shutil.rmtree(output / part, ignore_errors=True)
        if not run_sphinx(output):
            return 1
    write_json(stamp, {"pages": pages, "rest": rest})
    print("The book is built. Open this file in a browser, or run `make serve`:")
    print(index)
    return 0


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=ROOT / "_build", help="ends in _build")
    parser.add_argument("--jobs", type=int, default=2, help="chapters at a time (default 2)")
    parser.add_argument("--demos-only", action="store_true", help="bundle the demos and stop")
    options = parser.parse_args(arguments)
    if options.output.name != "_build":
        parser.error("--output must end in _build: jupyter-book names its folder so")
    if options.jobs < 1:
        parser.error(f"--jobs must be at least 1, got {options.jobs}")
    os.environ.update(KERNEL_ENVIRONMENT)
    state_path = ROOT / "_build" / "demos.json"
    if not bundle_demos(state_path):
        return 1
    return 0 if options.demos_only else build(options.output.resolve(), options.jobs)


if __name__ == "__main__":
    sys.exit(main())
