"""What a mark depends on, in 64 digits: a bundle's files, and the versions that compute."""

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path

from course_lib.grading.results import VERSION

FILE = "digest"  # in a bundle; all other files are what it is of


def of(folder):
    """Return the SHA-256 over the names and contents of a bundle's files.

    Parameters
    ----------
    folder : path

    Returns
    -------
    digest : str
        64 hexadecimal digits.
    """
    total = hashlib.sha256()
    for name in names(folder):
        content = (Path(folder) / name).read_bytes()
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def verified(folder):
    """Return a bundle's digest, after a look at every byte.

    Parameters
    ----------
    folder : path

    Returns
    -------
    digest : str

    Raises
    ------
    ValueError
        If the bundle is missing or was changed.
    """
    try:
        said, found = (Path(folder) / FILE).read_text().strip(), of(folder)
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{folder}: no bundle ({error}); release the assignment") from error
    if found != said:
        raise ValueError(
            f"{folder}: its files are not those that were released (digest {found[:12]}, "
            f"released {said[:12]}); release the assignment again"
        )
    return found


def check_versions(manifest, folder):
    """Refuse to compute with other versions than those of the release.

    Parameters
    ----------
    manifest : Manifest
    folder : path
        The bundle, for messages.

    Raises
    ------
    ValueError
        If Python, NumPy or PyTorch differ.
    """
    here = environment("torch" in dict(manifest.environment))
    if manifest.environment != here:
        theirs = ", ".join(f"{name} {number}" for name, number in manifest.environment)
        ours = ", ".join(f"{name} {number}" for name, number in here)
        raise ValueError(
            f"{folder}: was released with {theirs}, here is {ours}; use the same versions, "
            "or release the assignment again"
        )


def environment(torch=False):
    """Return what the numbers of a result depend on, besides the bundle's files.

    Parameters
    ----------
    torch : bool, default=False
        Whether PyTorch is used.

    Returns
    -------
    pairs : tuple of (str, str)
        Name and version.
    """
    python = ".".join(platform.python_version_tuple()[:2])
    names = ["numpy", *(["torch"] if torch else [])]
    pairs = [("python", python), *((name, version(name)) for name in names)]
    return (*pairs, ("result", str(VERSION)))


def names(folder):
    """Return the names of all files of a bundle but the digest, in one order everywhere.

    Parameters
    ----------
    folder : path

    Returns
    -------
    names : list of str
    """
    folder = Path(folder)
    paths = (path for path in folder.rglob("*") if path.is_file())
    found = sorted(path.relative_to(folder).as_posix() for path in paths)
    return [n for n in found if n != FILE and "__pycache__" not in n]
