# Tells a broker how the pools are: a state each period, an alert at each edge, and answers. What
# the broker does not take now waits in a backlog of pool blocks (docs/telemetry.md).
import time

import mempool
from eventbus import bus as _bus

from .arguments import function, having, integer, seconds, string
from .backlog import Backlog
from .discovery import COUNT, message, node
from .lock import allocate_lock
from .mqttlink import Link
from .records import Edge, State, Writer

_COMMANDS = 4
_LONGEST_COMMAND = 32
_LONGEST_PERIOD_S = 518400  # 6 days: a board's ticks_add() takes 2^29 ms


def _published_under(name, topic):
    if not string(name, topic).strip("/") or topic[0] == "/" or topic[-1] == "/":
        raise ValueError("%s must neither begin nor end with /, nor be empty: %r" % (name, topic))
    for letter in "+#\0":  # MQTT 3.1.1, 1.5.3 and 4.7.1
        if letter in topic:
            raise ValueError("%s must not contain %r: %r" % (name, letter, topic))


class Telemetry:
    """client: publish(topic, msg, retain, qos), in umqtt's shape. Call tick() from the loop.

    owner: whose quota the backlog uses, by default one of its own of `quota` bytes. ready() false:
    no attempt is made (wlan.isconnected). managed=False: the program connects the client itself.
    longest: bytes; a longer message is read past, and its callback gets an empty one.
    """

    def __init__(
        self,
        client,
        topic,
        period_s=60,
        *,
        bus=_bus,
        quota=2048,
        owner=None,
        qos=1,
        discovery="homeassistant",
        name=None,
        ready=None,
        on_connect=None,
        timeout_s=1,
        longest=1024,
        managed=None,
        gc_heap=True,
    ):
        having("client", client, "publish", "umqtt's MQTTClient", False)
        having("bus", bus, "listen", "eventbus.bus")
        _published_under("topic", topic)
        if discovery:
            _published_under("discovery", discovery)
        if name is not None:
            string("name", name)
        seconds("period_s", period_s, _LONGEST_PERIOD_S)
        seconds("timeout_s", timeout_s, 3600)
        integer("quota", quota, 128, 1 << 20, " bytes")
        integer("qos", qos, 0, 1)
        integer("longest", longest, 1, 65536, " bytes")
        if owner is not None and not isinstance(owner, mempool.Owner):
            raise TypeError("owner must be a mempool.Owner, not %s" % type(owner).__name__)
        function("ready", ready)
        function("on_connect", on_connect)
        self.sent = 0  # records that the broker has
        self.answered = 0
        self.refused = 0  # commands beyond those that may wait
        self._period_s = period_s
        self._period_ms = int(period_s * 1000) or 1
        self._topic = topic
        root = topic.encode()
        self._state_topic = root + b"/state"
        self._alert_topic = root + b"/alert"
        self._response_topic = root + b"/response"
        self._qos = qos
        self._gc_heap = gc_heap
        self._discovery = discovery
        self._name = name or " ".join(node(topic).split("_"))
        self._backlog = Backlog(owner or mempool.Owner("telemetry-buf", quota), quota)
        self._link = Link(client, root, timeout_s, longest, managed)
        self._link.ready = ready
        self._link.on_connect = on_connect
        self._link.receive(self.command)
        self._events = bus.listen("memory.*", 16) if bus else None
        self._events_dropped = 0
        self._lost = 0  # alerts that could not be read for want of GC heap
        self._seq = 0
        self._due = time.ticks_ms()
        self._commands = []
        self._closed = False
        self._turn = allocate_lock()  # to send
        self._response = None
        self._hello = 0
        self._record = State()
        self._edge = Edge()
        self._writer = Writer()
        # The message in hand.
        self._what = None
        self._to = self._message = b""
        self._retain = False

    @property
    def queued(self):
        """Records that wait."""
        return len(self._backlog)

    @property
    def dropped(self):
        """Records that made way, and edges that made way on the bus."""
        return self._backlog.dropped + self._events_dropped + self._lost

    @property
    def connected(self):
        return self._link.on

    @property
    def reconnects(self):
        return max(0, self._link.connects - 1)

    @property
    def errors(self):
        """Attempts and connections that failed; last_error says the last one."""
        return self._link.errors

    @property
    def last_error(self):
        return self._link.last_error

    def tick(self):
        """One step of both halves. Never raises what a client raises."""
        self.sample()
        self.pump()

    # ---- The half that looks. It never touches the network.

    def sample(self):
        """Takes a record where one is due, and answers a command."""
        if self._closed:
            return
        now = time.ticks_ms()
        if self._events and self._edges():
            self._due = now  # the state that belongs to an edge comes with it
        if time.ticks_diff(now, self._due) >= 0:
            late = time.ticks_diff(now, self._due)
            self._due = time.ticks_add(now, self._period_ms - late % self._period_ms)
            self._state()
        if self._commands and self._response is None:
            self._answer()

    def _edges(self):
        events = self._events
        found = False
        while True:
            try:
                event = events.get()
                if event is None:
                    break
                if self._edge.look(self._seq + 1, event):
                    found = True
                    self._seq += 1
                    self._backlog.put(self._edge.words, self._edge.tail, True)
            except MemoryError:
                self._lost += 1
        self._events_dropped = events.dropped
        return found

    def _state(self):
        self._seq += 1
        self._record.look(self._seq, self._gc_heap)
        self._backlog.put(self._record.words, self._record.tail, False)

    def command(self, payload, size=None):
        """Takes a request, to be answered by a later step. What is beyond those is refused."""
        if isinstance(payload, str):
            payload = payload.encode()
        size = len(payload) if size is None else size
        if len(self._commands) >= _COMMANDS:
            self.refused += 1
        elif size > _LONGEST_COMMAND:
            self._commands.append(size)
        else:
            self._commands.append(bytes(payload))

    def _answer(self):
        request = self._commands[0]
        try:
            if isinstance(request, int):
                text = '{"error": "command of %d bytes; the longest is %d"}' % (
                    request,
                    _LONGEST_COMMAND,
                )
            else:
                from .live import answer

                text = answer(request)
            self._response = text.encode()
        except MemoryError:
            self._response = b'{"error": "no GC heap for an answer"}'
        except Exception as error:  # the controller goes on, whatever it is
            self._response = b'{"error": "%s"}' % type(error).__name__.encode()
        self._commands.pop(0)

    # ---- The half that sends. It may wait for the network, timeout_s at most; it may run in a
    # thread of its own.

    def pump(self):
        """One step towards the broker, or one message. Nothing from within publish()."""
        if self._turn.acquire(0):
            try:
                if not self._closed:
                    self._step()
            finally:
                self._turn.release()

    def _step(self):
        link = self._link
        if not link.up():
            return
        try:
            link.step()
            if not self._take():
                return
            result = link.client.publish(self._to, self._message, self._retain, self._how)
        except Exception as error:
            self._failed(error)
            return
        if hasattr(result, "send"):
            raise TypeError("telemetry: publish() is a coroutine: run `await telemetry.run()`")
        self._delivered()

    async def run(self, step_ms=100):
        """tick() for asyncio and its clients, whose publish() is awaited. The program connects."""
        import asyncio

        integer("step_ms", step_ms, 1, 3600000, " ms")
        self._link.managed = False
        sender = asyncio.create_task(self._send(step_ms))
        try:
            while not self._closed:
                self.sample()
                await asyncio.sleep(step_ms / 1000)
        finally:
            sender.cancel()

    async def _send(self, step_ms):
        import asyncio

        link = self._link
        while not self._closed:
            if not link.up() or not self._take():
                await asyncio.sleep(step_ms / 1000)
                continue
            try:
                result = link.client.publish(self._to, self._message, self._retain, self._how)
                if hasattr(result, "send"):
                    await result
            except Exception as error:
                self._failed(error)
            else:
                self._delivered()

    # The next message, by what matters to who listens: that it is there, what it is, answers,
    # records.
    def _take(self):
        link = self._link
        if link.fresh:
            link.fresh = False
            self._hello = 0 if link.will else 1
        self._retain = True
        self._how = 1
        if self._hello == 0:
            self._what = "hello"
            self._to = link.will
            self._message = b"online"
        elif self._discovery and self._hello <= COUNT:
            self._what = "hello"
            self._to, self._message = message(
                self._hello - 1,
                self._discovery,
                self._topic,
                self._name,
                link.will,
                int(self._period_s),
            )
        elif self._response is not None:
            self._what = "response"
            self._to = self._response_topic
            self._message = self._response
            self._retain = False
        else:
            handle = self._backlog.first()
            if not handle:
                return False
            self._what = "record"
            writer = self._writer
            self._message = writer.render(handle, self._period_s, self.dropped, self.reconnects)
            if writer.alert:
                self._to = self._alert_topic
            else:
                self._to = self._state_topic
                self._retain = False
                self._how = self._qos
        return True

    def _delivered(self):
        self._link.delivered()
        what = self._what
        self._message = b""
        if what == "record":
            if self._backlog.sent():
                self.sent += 1
        elif what == "response":
            self._response = None
            self.answered += 1
        else:
            self._hello += 1

    def _failed(self, error):
        self._backlog.sent(False)
        self._message = b""
        self._link.lost(error)

    def close(self):
        """Gives back every block (what waits is counted as dropped) and lets go of the client.
        A later tick() does nothing, run() ends."""
        self._closed = True
        if self._events:
            self._events.cancel()
            self._events = None
        self._backlog.close()
        self._link.close()
