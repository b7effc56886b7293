# The way to the broker: one attempt at a time, with growing pauses, driven step by step. A client
# in umqtt's shape is connected, listened to and kept alive here; of any other only publish() is
# used, and the program connects it.
import errno
import time

FIRST_PAUSE_MS = 1000
LONGEST_PAUSE_MS = 60000
PROBE_MS = 10000
MESSAGES_A_STEP = 4
LONGEST_SKIPPED = 65536


def _away():
    raise OSError(errno.ENOTCONN)


class Socket:
    """A client's socket with an end to every wait, whatever the client sets: umqtt turns the
    timeout off at each message. A payload beyond `limit` is read past, not stored."""

    def __init__(self, sock, timeout_s, limit):
        self._sock = sock
        self._timeout_s = timeout_s
        self._limit = limit
        self.skipped = 0
        self.write = sock.write
        self.close = sock.close
        if hasattr(sock, "setsockopt"):
            # umqtt writes a message in five pieces, which Nagle's algorithm holds back for 40 ms.
            sock.setsockopt(6, 1, 1)  # IPPROTO_TCP, TCP_NODELAY
        self.setblocking(True)

    def setblocking(self, flag):
        sock = self._sock
        if flag and hasattr(sock, "settimeout"):
            sock.settimeout(self._timeout_s)
        else:
            sock.setblocking(flag)

    def read(self, size):
        if size <= self._limit:
            return self._sock.read(size)
        if size > LONGEST_SKIPPED:
            raise OSError("message of %d bytes" % size)
        self.skipped = size
        while size:
            data = self._sock.read(min(size, 256))
            if not data:
                return data
            size -= len(data)
        return b""


class Link:
    def __init__(self, client, topic, timeout_s, longest, managed):
        if managed is None:
            managed = hasattr(client, "connect")
        self.client = client
        self.managed = managed
        self.on = False
        self.fresh = False  # has just come up
        self.connects = 0
        self.errors = 0
        self.last_error = None
        self.ready = None
        self.on_connect = None
        self._command = topic + b"/command"
        self._receive = None
        self._other = getattr(client, "cb", None)
        self._timeout_s = timeout_s
        self._longest = longest
        self._salt = sum(topic) * 31
        self._pause_ms = FIRST_PAUSE_MS
        self._failed = 0  # attempts since the last message that went through
        self._next = self._spoke = time.ticks_ms()
        self._address = None
        self._probe = None
        self._poller = None
        self.will = None
        if managed:
            # umqtt.robust would connect and sleep in a loop of its own.
            if hasattr(client, "reconnect"):
                client.reconnect = _away
            if hasattr(client, "set_last_will") and not getattr(client, "lw_topic", None):
                self.will = topic + b"/availability"
                client.set_last_will(self.will, b"offline", True, 1)

    def receive(self, callback):
        """callback(payload, size) for each message on the command topic."""
        self._receive = callback
        if self.managed and hasattr(self.client, "set_callback"):
            self.client.set_callback(self._message)

    def _message(self, topic, payload):
        sock = getattr(self.client, "sock", None)
        size = len(payload)
        if isinstance(sock, Socket) and sock.skipped:
            size = sock.skipped
            sock.skipped = 0
        if bytes(topic) == self._command:
            self._receive(payload, size)
        elif self._other:
            self._other(topic, payload)

    def up(self):
        """Goes one step towards the broker where it is away -> whether it is there."""
        now = time.ticks_ms()
        try:
            if self.ready and not self.ready():
                if self.on:
                    _away()
                return False
            if self.on:
                return True
            if self._probe:
                if not self._reached(now):
                    return False
            elif time.ticks_diff(now, self._next) < 0:
                return False
            elif self.managed and hasattr(self.client, "server"):
                self._reach(now)
                return False
            if self.managed:
                self._connect()
            self.on = self.fresh = True
            self.connects += 1
            self._spoke = now
        except Exception as error:
            self.lost(error)
        return self.on

    # A connection that nobody waits for shows whether the broker is there at all.
    def _reach(self, now):
        import select
        import socket

        if self._address is None or not self._failed & 7:  # it may have moved
            self._address = socket.getaddrinfo(self.client.server, self.client.port)[0]
        probe = socket.socket(self._address[0])
        self._probe = probe
        probe.setblocking(False)
        try:
            probe.connect(self._address[-1])
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        self._poller = select.poll()
        self._poller.register(probe, select.POLLOUT)
        self._next = time.ticks_add(now, PROBE_MS)

    def _reached(self, now):
        import select

        for _, events in self._poller.ipoll(0):
            self._end_probe()
            if events & (select.POLLERR | select.POLLHUP):
                raise OSError(errno.ECONNREFUSED)
            return True
        if time.ticks_diff(now, self._next) >= 0:
            raise OSError(errno.ETIMEDOUT)
        return False

    def _end_probe(self):
        if self._probe:
            self._probe.close()
        self._probe = self._poller = None

    def _connect(self):
        client = self.client
        if hasattr(client, "sock"):
            client.connect(True, self._timeout_s)
            client.sock = Socket(client.sock, self._timeout_s, self._longest)
        else:
            client.connect()
        if hasattr(client, "subscribe"):
            client.subscribe(self._command, 1)
        if self.on_connect:
            self.on_connect()

    def step(self):
        """Takes what has come, and keeps the connection alive. Raises what the client raises."""
        client = self.client
        if not self.managed:
            return
        if hasattr(client, "check_msg"):
            for _ in range(MESSAGES_A_STEP):
                if client.check_msg() is None:
                    break
        keepalive_s = getattr(client, "keepalive", 0)
        if keepalive_s and hasattr(client, "ping"):
            now = time.ticks_ms()
            if time.ticks_diff(now, self._spoke) >= keepalive_s * 500:
                client.ping()
                self._spoke = now

    def delivered(self):
        self._spoke = time.ticks_ms()
        self._failed = 0
        self._pause_ms = FIRST_PAUSE_MS

    def lost(self, error):
        self.errors += 1
        self.last_error = error
        self._failed += 1
        self.close()
        pause = self._pause_ms
        self._pause_ms = min(pause * 2, LONGEST_PAUSE_MS)
        pause += self._salt % (pause // 2)  # a fleet does not come back in step
        self._next = time.ticks_add(time.ticks_ms(), pause)

    def close(self):
        self.on = self.fresh = False
        client = self.client
        try:
            self._end_probe()
            if self.managed and getattr(client, "sock", None):
                client.sock.close()
                client.sock = None
        except Exception:
            pass  # it is gone anyway
