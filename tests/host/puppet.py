"""A target that is a Python thread: a bot that answers as told, well or badly."""

from __future__ import annotations

import contextlib
import html
import http.client
import json
import re
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from host_tools.console.frames import FIELDS, Frame, format_frame
from host_tools.targets.target import Device, Target

MARKS = ((r"\*\*(.+?)\*\*", r"<b>\1</b>"), (r"`(.+?)`", r"<code>\1</code>"))
MARKS += ((r"~~(.+?)~~", r"<s>\1</s>"), (r"_(.+?)_", r"<i>\1</i>"))


def formatted(markdown):
    """The corpus's Markdown as HTML."""
    out = html.escape(markdown, quote=False)
    for pattern, tag in MARKS:
        out = re.sub(pattern, tag, out)
    return out


class PuppetDevice(Device):
    """Polls and answers until it is stopped. `sins` name what it does wrong."""

    def __init__(self, config, sins):
        super().__init__()
        telegram = config["channels"]["telegram"]
        self.url = urlsplit(telegram["base_url"])
        self.token = telegram["token"]
        self.sins = dict(sins)
        self.running = True
        self.status = None
        self.seq = self.received = self.sent = 0
        self.used = 10_000
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def call(self, connection, method, **params):
        body = json.dumps(params)
        headers = {"Content-Type": "application/json"}
        connection.request("POST", f"/bot{self.token}/{method}", body, headers)
        return json.loads(connection.getresponse().read())

    def frame(self, phase, live):
        values = dict.fromkeys(FIELDS, 0) | {"gc_live": live, "gc_used": self.used}
        values |= {"gc_free": 90_000, "in": self.received, "out": self.sent}
        self._feed((format_frame(Frame(self.seq, self.seq, phase, values)) + "\n").encode())
        self.seq += 1

    def run(self):
        connection = self.connection = http.client.HTTPConnection(
            "127.0.0.1", self.url.port, timeout=5
        )
        offset = 0
        self.frame("steady", 5000)
        watch = threading.Thread(target=self.watch, daemon=True)
        watch.start()
        while self.running and self.status is None:
            try:
                answer = self.call(connection, "getUpdates", offset=offset, limit=1, timeout=30)
                for update in answer.get("result", []):
                    offset = update["update_id"] + 1
                    self.received += 1
                    self.used += 1000
                    self.one(connection, update["message"])
            except (OSError, http.client.HTTPException):
                break  # stopped
        connection.close()
        self.running = False
        watch.join()
        self._ended()

    def watch(self):
        """A burst frame when it is quiet after ten messages or more, and another a moment later."""
        reported = before = 0
        while self.running:
            time.sleep(0.1)
            quiet, before = self.received == before, self.received
            if quiet and self.received - reported >= 10:
                reported = self.received
                for _ in range(2):
                    self.frame("burst", 5000 + self.sins.get("leak", 0) * self.received)

    def one(self, connection, message):
        text = message.get("text")
        if text is None:
            return
        number = self.received
        if number == self.sins.get("say_at"):
            self._feed(self.sins["say"].encode() + b"\n")
        if number == self.sins.get("die_at"):
            self.status = 1
            return
        if number == self.sins.get("lose_at"):
            return
        if number == self.sins.get("hold_at"):
            self.held = text
            return
        if number == self.sins.get("alter_at"):
            text = text.replace("e", "")
        if number == self.sins.get("break_at"):
            self.send(connection, message, "<b>" + text)
        for _ in range(2 if number == self.sins.get("double_at") else 1):
            self.send(connection, message, formatted(text))
        if getattr(self, "held", None):
            self.send(connection, message, formatted(self.held))
            self.held = None

    def send(self, connection, message, text):
        params = {"chat_id": message["chat"]["id"], "text": text, "parse_mode": "HTML"}
        if self.call(connection, "sendMessage", **params)["ok"]:
            self.sent += 1

    @property
    def exit_status(self):
        return self.status

    def stop(self, timeout=5.0):
        self.running = False
        sock = self.connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self.thread.join(timeout)
        return self.status

    def kill(self):
        self.stop()


class PuppetTarget(Target):
    """Starts PuppetDevices."""

    name = "puppet"
    word_bits = 64

    def __init__(self, **sins):
        self.sins = sins
        self.starts = []

    def interpreter(self):
        return "CPython, in a thread"

    def start(self, how):
        self.starts.append(how)
        Path(how.workdir).mkdir(exist_ok=True)
        smallest = self.sins.get("needs_kb", 0)
        heap = int((how.heap or "128k")[:-1])
        time.sleep(0)
        return PuppetDevice(how.config, {"lose_at": 3} if heap < smallest else self.sins)
