"""An app on PostgreSQL: POST writes a pair of notes in one transaction, GET counts them, `migrate` makes the table."""

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg

TABLE = "CREATE TABLE IF NOT EXISTS notes (id bigserial PRIMARY KEY, at timestamptz DEFAULT now())"


def connect() -> psycopg.Connection:
    return psycopg.connect(os.environ["NOTES_URL"])


class Notes(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        with connect() as database:
            row = database.execute("SELECT count(*) FROM notes").fetchone()
        self.answer(str(row[0] if row else 0))

    def do_POST(self) -> None:
        with connect() as database:
            database.execute("INSERT INTO notes DEFAULT VALUES")
            database.execute("INSERT INTO notes DEFAULT VALUES")
        self.answer("written")

    def answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""


if sys.argv[1:] == ["migrate"]:
    with connect() as first:
        first.execute(TABLE)
else:
    ThreadingHTTPServer(("", 8000), Notes).serve_forever()
