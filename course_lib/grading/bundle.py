"""The private half of a released assignment: manifest, checks and solution, held by a digest."""

import contextlib
import io
import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from course_lib.grading import assignment as assignments
from course_lib.grading import digest, handout, solution
from course_lib.grading.files import write_file
from course_lib.grading.manifest import CheckInfo, Manifest, from_json, to_json

MANIFEST, CHECKS = "manifest.json", "checks.py"


@dataclass(frozen=True)
class Bundle:
    """A bundle as the grader uses it; ``solution`` has the student's interface."""

    folder: Path
    manifest: Manifest
    digest: str
    checks: tuple
    solution: object

    @property
    def data_dir(self):
        """Folder with the data that students have too, or None."""
        folder = self.folder / "data"
        return folder if folder.is_dir() else None


class ReleaseRefused(ValueError):
    """An assignment that did not pass its self-test; ``problems`` says why, one line each."""

    def __init__(self, name, problems):
        super().__init__(f"{name} is not released:\n" + "\n".join(problems))
        self.problems = problems


def build(assignment, folder):
    """Write the released notebook and the bundle of an assignment, without trying them.

    Parameters
    ----------
    assignment : Assignment
    folder : path
        Gets ``release`` and ``bundle``, which must not exist yet.

    Returns
    -------
    bundle : Bundle

    Raises
    ------
    ValueError
        If a visible check cannot be released.
    """
    import nbformat  # slow to import, and needed by authors only

    folder = Path(folder)
    cells = handout.cells(assignment)
    text = handout.notebook(assignment, cells)
    nbformat.validate(nbformat.reads(text, as_version=4))
    files = {f"release/{assignment.name}.ipynb": text.encode()}
    for name in assignment.data + assignment.private:
        content = (assignment.folder / name).read_bytes()
        files[f"bundle/{name}"] = content
        if name in assignment.data:
            files[f"release/{name}"] = content
    files[f"bundle/{MANIFEST}"] = to_json(_manifest(assignment, cells)).encode()
    files[f"bundle/{CHECKS}"] = assignment.checks_source.encode()
    files[f"bundle/{solution.FILE}"] = _solution(assignment).encode()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "xb") as file:
            file.write(content)
    (folder / "bundle" / digest.FILE).write_text(digest.of(folder / "bundle") + "\n")
    return load(folder / "bundle")


def release(folder, workspace, kind, progress=None):
    """Build an assignment, try it, and only then put it into a workspace.

    ``WORK/NAME/bundle`` is a link to ``bundles/DIGEST``; old bundles stay, results name theirs.

    Parameters
    ----------
    folder : path
        The assignment.
    workspace : Workspace
    kind : str
        One of ``sandbox.KINDS``.
    progress : callable, optional
        Called with the number of steps done and of all.

    Returns
    -------
    bundle : Bundle

    Raises
    ------
    ReleaseRefused
        If the self-test finds something; the workspace is as before.
    ValueError
        If the folder is no assignment.
    """
    from course_lib.grading import selftest  # it needs the grader, and so do few who load bundles

    assignment = assignments.read(folder)
    place, name = workspace.path(assignment.name), assignment.name
    Path(workspace.root).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=workspace.root, prefix=".release-") as space:
        space = Path(space)
        made = build(assignment, space)
        notebook = space / "release" / f"{name}.ipynb"
        secret = workspace.secret()
        problems = selftest.run(assignment, made, notebook, kind, secret, progress)
        if problems:
            raise ReleaseRefused(name, problems)
        home = place / "bundles" / made.digest
        home.parent.mkdir(parents=True, exist_ok=True)
        if home.exists() and digest.of(home) != made.digest:  # somebody has edited it
            os.rename(home, space / "broken")
        if not home.exists():
            os.rename(space / "bundle", home)
        for path in sorted(path for path in (space / "release").rglob("*") if path.is_file()):
            target = place / path.relative_to(space)
            target.parent.mkdir(parents=True, exist_ok=True)
            write_file(target, path.read_bytes())
        link = place / "bundle"
        if link.is_dir() and not link.is_symlink():  # restored from a copy that follows links
            os.rename(link, space / "old")
        os.symlink(Path("bundles", made.digest), space / "link")
        os.replace(space / "link", link)
    return load(place / "bundle")


def load(folder):
    """Read a bundle, and refuse it unless every byte is as it was released.

    Parameters
    ----------
    folder : path

    Returns
    -------
    bundle : Bundle

    Raises
    ------
    ValueError
        If it is missing, changed, or made with other versions of Python or NumPy.
    """
    folder = Path(folder).resolve()
    found = digest.verified(folder)
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
        source = (folder / CHECKS).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{folder}: no bundle ({error}); release the assignment") from error
    manifest = from_json(text, folder / MANIFEST)
    digest.check_versions(manifest, folder)
    checks = assignments.load_checks(source, folder / CHECKS)
    return Bundle(folder, manifest, found, checks, solution.Solution(folder))


def pack(folder):
    """Return a bundle as bytes, for a worker on another machine.

    Parameters
    ----------
    folder : path

    Returns
    -------
    data : bytes
        The same for the same bundle.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in [*digest.names(folder), digest.FILE]:
            content = (Path(folder) / name).read_bytes()
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return out.getvalue()


def unpack(data, folder):
    """Write a packed bundle into a folder, unless it is there already.

    Parameters
    ----------
    data : bytes
        From :func:`pack`.
    folder : path

    Returns
    -------
    bundle : Bundle

    Raises
    ------
    ValueError
        If the bytes are no bundle.
    """
    folder = Path(folder)
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpack-") as space:
            try:
                with zipfile.ZipFile(io.BytesIO(data)) as archive:
                    for name in archive.namelist():
                        path = PurePosixPath(name)
                        if path.is_absolute() or ".." in path.parts:
                            raise ValueError(f"{folder}: packed bundle with the file {name!r}")
                    archive.extractall(f"{space}/bundle")
            except zipfile.BadZipFile as error:
                raise ValueError(f"{folder}: not a packed bundle ({error})") from error
            load(f"{space}/bundle")
            with contextlib.suppress(OSError):  # another worker was first
                os.rename(f"{space}/bundle", folder)
    return load(folder)


def _solution(assignment):
    """The reference as one Python file."""
    parts = []
    for cell in assignment.cells:
        if cell.role in ("locked", "answer"):
            parts.append(f"# grade_id: {cell.id}\n{assignments.solved(cell.source, cell.id)}\n")
    return "\n".join(parts)


def _manifest(assignment, cells):
    config = assignment.config
    return Manifest(
        name=assignment.name,
        title=config.title,
        cells=cells,
        questions=assignment.questions,
        checks=tuple(
            CheckInfo(c.name, c.question, c.points, c.hidden, c.title) for c in assignment.checks
        ),
        limits=config.limits,
        due=config.due,
        late_percent_per_day=config.late_percent_per_day,
        late_max_percent=config.late_max_percent,
        floor=config.floor,
        environment=digest.environment(config.torch),
    )
