# A small MQTT 3.1.1 client in the shape of umqtt.simple, which this repository does not carry:
# the same methods and attributes, blocking where that one blocks. MicroPython.
import socket
import struct


class Refused(Exception):
    pass


class MQTTClient:
    def __init__(self, client_id, server, port=1883, keepalive=0):
        self.client_id = client_id
        self.server = server
        self.port = port
        self.keepalive = keepalive
        self.sock = None
        self.cb = None
        self.lw_topic = self.lw_msg = None
        self.will = 0
        self.pid = 0
        self.bytes_out = 0

    def set_callback(self, callback):
        self.cb = callback

    def set_last_will(self, topic, msg, retain=False, qos=0):
        self.lw_topic, self.lw_msg = topic, msg
        self.will = 4 | qos << 3 | retain << 5

    def connect(self, clean_session=True, timeout=None):
        self.sock = socket.socket()
        self.sock.settimeout(timeout)
        self.sock.connect(socket.getaddrinfo(self.server, self.port)[0][-1])
        flags = self.will | clean_session << 1
        packet = b"\0\4MQTT\4" + bytes([flags]) + struct.pack("!H", self.keepalive)
        packet += self._field(self.client_id.encode())
        if self.will:
            packet += self._field(self.lw_topic) + self._field(self.lw_msg)
        self._send(0x10, len(packet), packet)
        answer = self._read(4)
        if answer[0] != 0x20:
            raise Refused("not an acknowledgement: %r" % answer)
        if answer[3]:
            raise Refused(answer[3])

    def disconnect(self):
        self.sock.write(b"\xe0\0")
        self.sock.close()

    def ping(self):
        self._send(0xC0, 0)

    def publish(self, topic, msg, retain=False, qos=0):
        head = self._field(topic)
        if qos:
            self.pid = self.pid % 65535 + 1
            head += struct.pack("!H", self.pid)
        self._send(0x30 | qos << 1 | retain, len(head) + len(msg), head, msg)
        while qos and self.wait_msg() != 0x40:
            pass

    def subscribe(self, topic, qos=0):
        self.pid = self.pid % 65535 + 1
        packet = struct.pack("!H", self.pid) + self._field(topic) + bytes([qos])
        self._send(0x82, len(packet), packet)
        while self.wait_msg() != 0x90:
            pass

    def wait_msg(self):
        kind = self.sock.read(1)
        self.sock.setblocking(True)
        if kind is None:
            return None
        if not kind:
            raise OSError("connection closed")
        kind = kind[0]
        size = shift = 0
        while True:
            byte = self._read(1)[0]
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        if kind & 0xF0 != 0x30:
            body = self._read(size) if size else b""
            if kind == 0x40 and struct.unpack("!H", body)[0] != self.pid:
                return None
            return None if kind == 0xD0 else kind
        length = struct.unpack("!H", self._read(2))[0]
        topic = self._read(length)
        size -= 2 + length
        if kind & 6:
            pid = self._read(2)
            size -= 2
        # In one piece, as umqtt does: an empty answer is a message that was read past.
        self.cb(topic, self.sock.read(size))
        if kind & 6:
            self._send(0x40, 2, pid)
        return kind

    def check_msg(self):
        self.sock.setblocking(False)
        return self.wait_msg()

    def _field(self, data):
        return struct.pack("!H", len(data)) + data

    def _read(self, size):
        data = self.sock.read(size)
        if not data or len(data) < size:
            raise OSError("connection closed")
        return data

    def _send(self, kind, size, *parts):
        head = bytearray([kind])
        rest = size
        while rest > 127:
            head.append(rest & 127 | 128)
            rest >>= 7
        head.append(rest)
        for part in parts[:1]:
            head += part
        self.sock.write(head)
        for part in parts[1:]:
            self.sock.write(part)
        self.bytes_out += len(head) + sum(len(part) for part in parts[1:])
