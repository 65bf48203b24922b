"""How much a submission may use: seconds, memory, processes, files, output."""

from dataclasses import dataclass, fields, replace

MB = 2**20


@dataclass(frozen=True)
class Limits:
    """What one submission may use; the numbers suit a notebook with NumPy.

    ``memory_mb`` is what all processes of a sandbox together hold in memory, ``address_mb`` what
    one process may ask for (0: anything).
    """

    cell_s: float = 30
    call_s: float = 5
    total_s: float = 300
    memory_mb: int = 1024
    address_mb: int = 4096
    processes: int = 64  # processes and threads
    file_mb: int = 64
    tmp_mb: int = 128
    output_kb: int = 64  # of one cell
    notebook_mb: int = 20


def from_table(table, where):
    """Return the limits that a table of a configuration file asks for.

    Parameters
    ----------
    table : dict
        Names of :class:`Limits` with numbers above zero; what is left out keeps its default.
        ``torch = true`` doubles the default memory and lifts the bound on addresses, of which
        PyTorch reserves many gigabytes without using them.
    where : str
        Where the table stands, for messages: ``assignments/NAME/config.toml [limits]``.

    Returns
    -------
    limits : Limits

    Raises
    ------
    ValueError
        If a name is unknown or a number is none, with all known names.
    """
    table = dict(table)
    known = {field.name: field.type for field in fields(Limits)}
    unknown = sorted(set(table) - set(known) - {"torch"})
    if unknown:
        raise ValueError(
            f"{where}: unknown limit {', '.join(unknown)}; known are {', '.join(known)}, torch"
        )
    torch = table.pop("torch", False)
    if not isinstance(torch, bool):
        raise ValueError(f"{where}: torch must be true or false, got {torch!r}")
    for name, value in table.items():
        kinds = (int, float) if known[name] is float else (int,)
        # Not <=: a NaN is not above zero either.
        if type(value) not in kinds or not 0 < value < 1e9:
            kind = "number" if known[name] is float else "whole number"
            raise ValueError(f"{where}: {name} must be a {kind} above 0, got {value!r}")
    limits = Limits()
    if torch:
        limits = replace(limits, memory_mb=2 * limits.memory_mb, address_mb=0)
    return replace(limits, **table)
