#!/bin/sh
# Make .venv from requirements.txt and constraints.txt. Exit 2 with one line where that cannot be.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
fits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# A folder that was moved has a .venv that points to its old place.
if [ ! -x .venv/bin/python ] || ! fits .venv/bin/python \
    || [ "$(cat .venv/made-in 2>/dev/null)" != "$PWD" ]; then
    python=
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11; do
        if fits "$candidate"; then python=$candidate; break; fi
    done
    if [ -z "$python" ]; then
        say "Python 3.11 or newer is needed and none was found: install one, or name it as in" \
            "\`make book PYTHON=/path/to/python3\`."
        exit 2
    fi
    echo "Virtual environment: .venv with $("$python" --version)"
    rm -rf .venv
    if ! "$python" -m venv .venv >.stamps/venv.log 2>&1; then
        tail -n 3 .stamps/venv.log >&2
        say "\`$python -m venv\` fails: install Python's venv module (Debian, Ubuntu: python3-venv)."
        exit 2
    fi
    pwd >.venv/made-in
fi

run=".venv/bin/python tools/quietly.py .stamps/pip.log"
$run "Python packages (the first time: minutes)" \
    .venv/bin/python -m pip install --disable-pip-version-check --no-input \
    -r requirements.txt -c constraints.txt || {
    say "pip could not install the packages: see .stamps/pip.log (is there a network?)"
    exit 2
}
$run "Package course_lib" \
    .venv/bin/python -m pip install --disable-pip-version-check --no-input --no-deps -e . || exit 2
# Else the first figure of a chapter prints a note about building this cache.
.venv/bin/python -c "import matplotlib.font_manager" >/dev/null 2>&1
