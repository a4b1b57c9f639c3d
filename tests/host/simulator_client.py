"""A plain stdlib client of the Bot API simulator, and a simulator for each test."""

import http.client
import json
import ssl

import pytest

from host_tools.simulator import Simulator


class Bot:
    """A client of the simulator on one kept connection."""

    def __init__(self, sim, timeout=5):
        self.sim = sim
        self.timeout = timeout
        self.connection = None

    def open(self):
        if self.sim.tls:
            context = ssl.create_default_context(cadata=self.sim.authority.pem)
            return http.client.HTTPSConnection(
                "localhost", self.sim.port, timeout=self.timeout, context=context
            )
        return http.client.HTTPConnection("localhost", self.sim.port, timeout=self.timeout)

    def request(self, method, params, path=None, **how):
        if self.connection is None:
            self.connection = self.open()
        body = json.dumps(params).encode()
        headers = {"Content-Type": "application/json"}
        path = path or f"/bot{self.sim.token}/{method}"
        try:
            self.connection.request("POST", path, how.get("body", body), headers)
            return self.connection.getresponse()
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def call(self, method, **params):
        response = self.request(method, params)
        text = response.read()
        if response.will_close:
            self.close()
        return json.loads(text)

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


@pytest.fixture
def sim():
    with Simulator(tls=False) as made:
        yield made


@pytest.fixture
def bot(sim):
    made = Bot(sim)
    yield made
    made.close()


def under(*rows):
    """Parameters: a message with these rows of buttons under it."""
    return {"reply_markup": {"inline_keyboard": list(rows)}}


def ids(answer):
    return [update["update_id"] for update in answer["result"]]
