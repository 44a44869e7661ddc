"""The article's two kinds of user, for Locust.

05-compare drives one server from one machine. Where that is not enough, Locust
can: its master shares the users out among workers on as many machines as there
are. With a server on port 8888,

    just locust              # a web page, http://localhost:8089
    just locust-headless 04-epoll 100 10 --processes 2

Locust counts each user's latency from when the request is sent: a user that
waits for a slow reply asks less often, and the pause appears nowhere.
"""

import socket
import time

from locust import User, between, constant_pacing, task

DEFAULT_PORT = 8888
TIMEOUT_S = 5
PING = b"ping\n"
PONG = b"pong\n"


class WrongReply(Exception):
    """The server's answer to `ping` was not `pong`."""


class Pinger:
    """Sends pings, each on a connection of its own, and tells Locust."""

    def __init__(self, host, environment):
        name, _, port = host.removeprefix("tcp://").rpartition(":")
        if name:
            self.address = (name, int(port))
        else:
            self.address = (port, DEFAULT_PORT)
        self.request = environment.events.request

    def ping(self):
        # A clock that is never set back, as the time of day may be.
        start = time.perf_counter()
        reply, failure = b"", None
        try:
            reply = self.exchange()
            if reply != PONG:
                failure = WrongReply(repr(reply))
        except OSError as error:
            failure = error
        self.request.fire(
            request_type="TCP",
            name="ping",
            response_time=(time.perf_counter() - start) * 1000,
            response_length=len(reply),
            exception=failure,
            context={},
        )

    def exchange(self):
        """One line there and one line back, however TCP cuts them."""
        with socket.create_connection(self.address, TIMEOUT_S) as connection:
            connection.sendall(PING)
            reply = b""
            while not reply.endswith(b"\n"):
                part = connection.recv(1024)
                if not part:
                    break
                reply += part
            return reply


class PongUser(User):
    """What both kinds have in common; itself it does nothing."""

    abstract = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.pinger = Pinger(self.host or "127.0.0.1", self.environment)

    @task
    def ping(self):
        self.pinger.ping()


class PingUser(PongUser):
    """Thinks for 0.1 to 1 s after each reply."""

    wait_time = between(0.1, 1)


class ConstantUser(PongUser):
    """Asks every 50 ms, unless the reply takes longer."""

    wait_time = constant_pacing(0.05)
