"""A download as Moodle offers it: the zip of all submissions, and the grading worksheet."""

import csv
import io
import zipfile

from course_lib.grading import worksheet

COLUMNS = (
    *(worksheet.IDENTIFIER, "Full name", "Email address", "Status", "Grade", "Maximum Grade"),
    *("Grade can be changed", "Last modified (submission)", worksheet.GRADED),
    "Feedback comments",
)
_DOWNLOADED = (2026, 1, 31, 12, 0, 0)  # what Moodle's zip has for all members


def numbers(size, rng):
    """Return a participant's number for each student; Moodle has others for each assignment."""
    return [str(number) for number in rng.choice(90_000, size, replace=False) + 10_000]


def submissions(entries):
    """Return the bytes of the zip; entries are (name, number, file, data)."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, number, file, data in entries:
            member = f"{name}_{number}_assignsubmission_file_/{file}"
            info = zipfile.ZipInfo(member, _DOWNLOADED)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return whole.getvalue()


def grading_worksheet(lines):
    """Return the text of the worksheet, with the bare dashes that Moodle writes."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def line(student, number, most, when):
    """Return one row of the worksheet; ``when`` is None without a submission."""
    status = "Submitted for grading" if when else "No submission"
    return dict.fromkeys(COLUMNS, "") | {
        worksheet.IDENTIFIER: worksheet.PARTICIPANT + number,
        "Full name": student.name,
        "Email address": student.email,
        "Status": status,
        "Maximum Grade": f"{most:.2f}",
        "Grade can be changed": "Yes",
        "Last modified (submission)": moodle_time(when) if when else "-",
        worksheet.GRADED: "-",
    }


def moodle_time(when):
    """Return a time as an English Moodle writes it, whatever the language of this machine."""
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    months = (
        *("January", "February", "March", "April", "May", "June", "July", "August"),
        *("September", "October", "November", "December"),
    )
    hour, half = when.hour % 12 or 12, "AM" if when.hour < 12 else "PM"
    date = f"{days[when.weekday()]}, {when.day} {months[when.month - 1]} {when.year}"
    return f"{date}, {hour}:{when.minute:02} {half}"
