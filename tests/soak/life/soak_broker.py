# A client in umqtt's shape with its broker behind it, without a network: what goes through the
# link of memdiag.Telemetry (its backlog, pauses, socket and commands) is as it is. The broker is
# there, away, silent, refuses, cuts the connection, or floods it with commands.
import _soak

THERE, AWAY, SILENT, REFUSES, CUTS, FLOODS = range(6)
MODES = ("there", "away", "silent", "refuses", "cuts", "floods")
_COMMANDS = (b"report", b"leaks", b"", b"nonsense", b"x" * 40)


class _Socket:
    def __init__(self, broker):
        self._broker = broker
        self._timeout_s = None

    def settimeout(self, seconds):
        self._timeout_s = seconds

    def setblocking(self, flag):
        self._timeout_s = None if flag else 0

    def setsockopt(self, *_):
        pass

    def write(self, data):
        mode = self._broker.mode
        if mode == CUTS or mode == AWAY:
            raise OSError(104)
        return len(data)

    def read(self, size):
        mode = self._broker.mode
        if mode == SILENT:
            if self._timeout_s is None:
                raise RuntimeError("a wait without an end")
            _soak.wait_ms(int(self._timeout_s * 1000))
            raise OSError(110)
        if mode == CUTS or mode == AWAY:
            return b""
        return b"\0" * size

    def close(self):
        pass


class Client:
    def __init__(self):
        self.mode = THERE
        self.sock = None
        self.keepalive = 60
        self.cb = None
        self.got = 0  # messages that the broker has
        self._turn = 0

    def set_callback(self, callback):
        self.cb = callback

    def set_last_will(self, topic, message, retain=False, qos=0):
        self.lw_topic = topic

    def connect(self, clean_session=True, timeout=None):
        if self.mode == AWAY or self.mode == CUTS:
            raise OSError(111)
        if self.mode == REFUSES:
            raise Exception("refused with 5")
        self.sock = _Socket(self)
        self.sock.settimeout(timeout)
        self._answer(4)

    def _answer(self, size):
        if len(self.sock.read(size)) != size:
            raise OSError(-1)

    def subscribe(self, topic, qos=0):
        self.sock.write(topic)
        self._answer(4)

    def publish(self, topic, message, retain=False, qos=0):
        self.sock.write(topic)
        self.sock.write(message)
        if qos:
            self.sock.setblocking(True)
            self._answer(4)
        self.got += 1

    def ping(self):
        self.sock.write(b"\xc0\0")

    def check_msg(self):
        self.sock.setblocking(False)
        if self.mode == CUTS or self.mode == AWAY:
            self._answer(1)
        if self.mode != FLOODS:
            return None
        self.sock.setblocking(True)
        turn = self._turn = self._turn + 1
        if turn % 7 == 0:
            self.sock.read(5000)  # a message beyond `longest`, which the link does not store
            self.cb(b"modesp/v1/acme/cell/memory/command", b"")
        else:
            self.cb(b"modesp/v1/acme/cell/memory/command", _COMMANDS[turn % len(_COMMANDS)])
        return 1
