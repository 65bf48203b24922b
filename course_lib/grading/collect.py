"""From a download of Canvas or Moodle, or a folder, into the inbox.

A file once taken is never changed: inbox/STUDENT/TIME-HASH.ipynb and a line in index.jsonl. What
cannot be taken is named with its reason, and kept in quarantine/ where it may be looked at.

The times in a zip of Canvas or Moodle are those of the download, not of the submission. They are
kept as such (``time`` is "download"), and nobody loses points by them: who is late stands in the
names that Canvas gives, in Moodle's worksheet, or in late.csv.
"""

import fcntl
import hashlib
import os
import re
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from course_lib.grading import archive, owners, worksheet
from course_lib.grading.archive import Refused, shown
from course_lib.grading.files import append_line, create_file, read_lines
from course_lib.grading.limits import MB
from course_lib.grading.workspace import submissions

SOURCES = ("canvas", "moodle", "folder")
LATE = "late"
# A file over the limit for notebooks is still taken, so that its student learns of it; but not any.
OVERSIZE = 2
QUARANTINE_MB = 500  # of one collection


@dataclass(frozen=True)
class Report:
    """What a collection did; names of members are fit for a terminal.

    ``taken`` holds (student, file), ``unchanged`` students, ``rejected`` and ``unknown``
    (member, reason), ``notes`` (student, sentence).
    """

    taken: list = field(default_factory=list)
    unchanged: list = field(default_factory=list)
    rejected: list = field(default_factory=list)
    unknown: list = field(default_factory=list)
    notes: list = field(default_factory=list)


def collect(workspace, name, source, from_="canvas", now=None, progress=None):
    """Take the notebooks of a download into the inbox.

    Parameters
    ----------
    workspace : Workspace
    name : str
        Of the assignment.
    source : Path
        A zip file, or the folder that it unpacks to.
    from_ : {"canvas", "moodle", "folder"}
        How its files are named; "folder" means STUDENT/any.ipynb or STUDENT.ipynb.
    now : datetime, optional
        Time of the collection.
    progress : callable, optional
        Called with the number of students done and of all.

    Returns
    -------
    report : Report

    Raises
    ------
    ValueError
        If the source cannot be read, or the assignment is not released here.
    """
    if from_ not in SOURCES:
        raise ValueError(f"--from {from_}: unknown source; known are {', '.join(SOURCES)}")
    manifest, roster = workspace.manifest(name), workspace.roster()
    now = (now or datetime.now(UTC)).astimezone(UTC)
    report = Report()
    with _locked(workspace.path(name, "inbox")), archive.members(source) as (members, refused):
        if not members and not refused:
            raise ValueError(f"{source}: no file in it; is this the download of submissions?")
        inbox = submissions(workspace, name)
        lines = ()
        if from_ == "moodle":
            path = workspace.path(name, worksheet.FILE)
            lines = worksheet.read(path, _zone(manifest.due))
        away = _Quarantine(workspace.path(name, "quarantine"), manifest.limits.notebook_mb * MB)
        for member, reason in refused:
            report.rejected.append((member, reason))
            away.keep(member, reason)
        claimed = _claimed(members, roster, from_, inbox, lines, report, away)
        for done, (student, candidates) in enumerate(claimed.items(), 1):
            member, claim = _chosen(student, candidates, name, report, away)
            try:
                data = member.read(OVERSIZE * manifest.limits.notebook_mb * MB)
            except Refused as error:
                report.rejected.append((shown(member.name), str(error)))
                away.keep(member.name, str(error))
            else:
                entry = _entry(member, claim, data, from_, lines, now)
                _warn(student, entry, manifest, report)
                _store(workspace.path(name, "inbox", student), data, entry, inbox[student], report)
            if progress:
                progress(done, len(claimed))
    return report


def _zone(due):
    """The offset in which the course writes its times."""
    return datetime.fromisoformat(due).tzinfo if due else UTC


@contextmanager
def _locked(folder):
    """One collection at a time, so that none misses what the other writes."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _claimed(members, roster, from_, inbox, lines, report, away):
    """For each student the members that are theirs, in the order of the roster."""
    earlier = {e["number"]: s for s, entries in inbox.items() for e in entries if e.get("number")}
    numbers = earlier | worksheet.participants(lines, roster)
    claimed = defaultdict(list)
    for member in members:
        try:
            claim = owners.claim(member.name, roster, from_, numbers)
        except owners.Unknown as error:
            report.unknown.append((shown(member.name), str(error)))
            away.keep(member.name, str(error), member)
        except Refused as error:
            report.rejected.append((shown(member.name), str(error)))
            away.keep(member.name, str(error), member)
        else:
            claimed[claim.student].append((member, claim))
    for student in roster:
        mine = claimed.get(student.student, [])
        several = {number for number, one in numbers.items() if one == student.student}
        several |= {claim.number for _, claim in mine if claim.number}
        if len(several) < 2:
            continue
        # Two people with one name, or one who took another's: nobody's file is guessed.
        right = student.moodle_id if student.moodle_id in several else None
        claimed[student.student] = [one for one in mine if one[1].number == right]
        reason = (
            f"participants {' and '.join(sorted(several))} of Moodle look like {student.student}; "
            "put the right number into the column moodle_id of roster.csv"
        )
        for member, claim in mine:
            if claim.number != right:
                report.rejected.append((shown(member.name), reason))
                away.keep(member.name, reason, member)
    return {s.student: claimed[s.student] for s in roster if claimed.get(s.student)}


def _chosen(student, candidates, name, report, away):
    """The one notebook of a student that counts; the others go to quarantine."""
    released = re.compile(rf"{re.escape(name)}[-_ ]?\(?\d*\)?\.ipynb", re.IGNORECASE)
    oldest = datetime.min.replace(tzinfo=UTC)

    def rank(candidate):
        member, claim = candidate
        right = released.fullmatch(claim.file.rsplit("/", 1)[-1]) is not None
        return right, member.when or oldest, claim.order, member.name

    *others, best = sorted(candidates, key=rank)
    for member, _ in others:
        reason = f"another notebook of {student} in this download; {shown(best[1].file)} was taken"
        report.rejected.append((shown(member.name), reason))
        away.keep(member.name, reason, member)
    return best


def _entry(member, claim, data, from_, lines, now):
    """What the index says of a submission, but its file."""
    times = {line.number: line.submitted for line in lines if line.submitted}
    # A clock that runs ahead must not make a file the newest for years.
    when = min(member.when or now, now)
    time = "file" if from_ == "folder" and when == member.when else "download"
    if claim.number in times:
        when, time = times[claim.number], "worksheet"
    return {
        "hash": hashlib.sha256(data).hexdigest(),
        "submitted": when.replace(microsecond=0).isoformat(),
        "collected": now.replace(microsecond=0).isoformat(),
        "source": from_,
        "time": time,
        "member": shown(member.name),
        "number": claim.number,
        "flags": [LATE] * claim.late + [claim.note] * bool(claim.note),
    }


def _warn(student, entry, manifest, report):
    """Say it where the time of a file costs points: copying a file may have changed it."""
    if not manifest.due or not manifest.late_percent_per_day or entry["time"] != "file":
        return
    if datetime.fromisoformat(entry["submitted"]) > datetime.fromisoformat(manifest.due):
        report.notes.append(
            (
                student,
                f"late by the time of the file, {entry['submitted']}; if it was handed in at "
                "another time, put that into late.csv (student,submitted)",
            )
        )


def _store(folder, data, entry, entries, report):
    """Put a submission into the inbox, unless it is there."""
    student, newest = folder.name, entries[-1] if entries else None
    same = [e for e in entries if e["hash"] == entry["hash"] and _late(e) == _late(entry)]
    better = newest and newest.get("time") == "download" != entry["time"]
    if any(e["submitted"] == entry["submitted"] for e in same) or (newest in same and not better):
        report.unchanged.append(student)
        return
    stamp = datetime.fromisoformat(entry["submitted"]).strftime("%Y%m%dT%H%M%SZ")
    file = f"{stamp}-{entry['hash'][:16]}.ipynb"
    create_file(folder / file, data, mode=0o444)
    append_line(folder / "index.jsonl", {"file": file} | entry)
    report.taken.append((student, file))
    report.notes.extend((student, flag) for flag in entry["flags"] if flag != LATE)
    if newest and entry["hash"] != newest["hash"] and entry["submitted"] < newest["submitted"]:
        report.notes.append(
            (student, f"older than the submission of {newest['submitted']}, which still counts")
        )


def _late(entry):
    """Whether the download called a submission late."""
    return LATE in entry.get("flags", ())


class _Quarantine:
    """What was not taken: index.jsonl with the reasons, and the notebooks that can be read."""

    def __init__(self, folder, limit):
        self.folder, self.limit, self.left = folder, limit, QUARANTINE_MB * MB
        self.known = {(e.get("member"), e.get("reason"), e.get("hash")) for e in self._lines()}

    def _lines(self):
        return read_lines(self.folder / "index.jsonl")

    def keep(self, name, reason, member=None):
        """Note one member, with its bytes if they are not too many."""
        line = {"member": shown(name), "reason": reason, "hash": "", "file": ""}
        data = b""
        if member and self.left > 0:
            try:
                data = member.read(min(self.limit, self.left))
            except Refused as error:
                line["reason"] = f"{reason} ({error})"
        if data:
            self.left -= len(data)
            line["hash"] = hashlib.sha256(data).hexdigest()
            line["file"] = f"{line['hash'][:16]}.ipynb"
        key = line["member"], line["reason"], line["hash"]
        if key not in self.known:
            self.known.add(key)
            if data:
                create_file(self.folder / line["file"], data, mode=0o444)
            append_line(self.folder / "index.jsonl", line)
