"""A local web page on which people mark written answers.

Only this computer reaches it, and only who knows the address with its random token. What students
wrote goes to the page as JSON and is shown as text; no script but the page's own runs.
"""

import getpass
import hmac
import json
import secrets
import webbrowser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from urllib.parse import parse_qs, urlsplit

from course_lib.grading import _desk
from course_lib.grading._page import STYLE

_FOLDER = Path(__file__).parent / "review_page"
_MAX_BODY = 100_000
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Server(ThreadingHTTPServer):
    """Answers the page's requests; ``url`` is its address with the token."""

    daemon_threads = True

    def __init__(self, desk, port=0):
        super().__init__(("127.0.0.1", port), _Handler)
        self.desk, self.token, self.lock = desk, secrets.token_urlsafe(24), Lock()
        self.hosts = {f"127.0.0.1:{self.server_port}", f"localhost:{self.server_port}"}
        self.url = f"http://127.0.0.1:{self.server_port}/{self.token}/"
        style = (_FOLDER / "review.css").read_text(encoding="utf-8")
        self.pages = {
            "": ("text/html", (_FOLDER / "index.html").read_text(encoding="utf-8")),
            "review.js": ("text/javascript", (_FOLDER / "review.js").read_text(encoding="utf-8")),
            "review.css": ("text/css", STYLE + style),
        }

    def server_bind(self):
        """Bind without asking for the host's name, which may take seconds."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]


class _Handler(BaseHTTPRequestHandler):
    timeout = 30  # seconds for a request to arrive

    def log_message(self, *args):
        pass

    def do_GET(self):
        place = self._place()
        if place is None:
            self._refuse()
        elif place.path in self.server.pages:
            kind, page = self.server.pages[place.path]
            self._send(200, f"{kind}; charset=utf-8", page.encode())
        elif place.path == "desk":
            self._answer(_desk.overview, self.server.desk)
        elif place.path == "item":
            asked = parse_qs(place.query).get("n", [""])[0]
            self._answer(_desk.show, self.server.desk, int(asked) if asked.isdecimal() else asked)
        else:
            self._json(404, {"error": "there is no such page"})

    def do_POST(self):
        place, length = self._place(), self.headers.get("Content-Length", "")
        origin = self.headers.get("Origin")
        own = origin is None or origin in {f"http://{host}" for host in self.server.hosts}
        if place is None or not own or self.headers.get_content_type() != "application/json":
            self._refuse()
        elif place.path != "mark":
            self._json(404, {"error": "there is no such page"})
        elif not length.isdecimal() or int(length) > _MAX_BODY:
            self._json(413, {"error": "the comment is too long"})
        else:
            try:
                entry = json.loads(self.rfile.read(int(length)))
                if type(entry) is not dict:
                    raise ValueError("a mark is an object")
            except (ValueError, RecursionError) as error:
                self._json(400, {"error": f"this is no mark: {error}"})
                return
            with self.server.lock:
                self._answer(_desk.save, self.server.desk, entry)

    def _place(self):
        """The address below the token, or None for strangers.

        The name of the host is checked because a foreign page can let its own name point here.
        """
        place = urlsplit(self.path)
        token, slash, rest = place.path.lstrip("/").partition("/")
        known = hmac.compare_digest(token.encode(), self.server.token.encode())
        if self.headers.get("Host") not in self.server.hosts or not known or not slash:
            return None
        return place._replace(path=rest)

    def _answer(self, function, *arguments):
        try:
            self._json(200, function(*arguments))
        except ValueError as error:
            self._json(400, {"error": str(error)})
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            self._json(507, {"error": f"{error.strerror or error}{where}."})

    def _refuse(self):
        self._send(403, "text/plain; charset=utf-8", b"Use the address that the program printed.\n")

    def _json(self, status, value):
        self._send(status, "application/json", json.dumps(value).encode())

    def _send(self, status, kind, body):
        self.send_response(status)
        for name, value in (_HEADERS | {"Content-Type": kind}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(workspace, name, port=0, anonymous=False, open_browser=True, marker="", say=print):
    """Show the page until Ctrl-C; each mark is in manual.csv as soon as it is given.

    Parameters
    ----------
    workspace : Workspace
    name : str
        Of the assignment.
    port : int
        Of this computer; 0 takes a free one.
    anonymous : bool
        Show no names, and the answers in an order that tells nothing.
    open_browser : bool
        Open the page.
    marker : str
        Who marks; by default the login name.
    say : callable
        Takes the line with the address.

    Raises
    ------
    ValueError
        If there is nothing to mark, or the port is taken.
    """
    desk = _desk.open_desk(workspace, name, anonymous, marker or getpass.getuser())
    try:
        server = Server(desk, port)
    except OSError as error:
        raise ValueError(f"port {port}: {error.strerror}; take another one") from error
    with server:
        say(f"Mark at {server.url} (Ctrl-C ends it; every mark is saved at once)")
        if open_browser:
            webbrowser.open(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            server.lock.acquire()  # a mark on its way to the disk gets there, no other follows
