# Sockets read into a Block or a view of it, and send from either, without a copy between.
# targets: unix unix32
import socket

import mempool


def raises(error, call, *args):
    try:
        call(*args)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s%s" % (error.__name__, call, args))


# A stream: MicroPython's sockets have readinto, write and send.
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
port = 0
for port in range(49152, 49252):
    address = socket.getaddrinfo("127.0.0.1", port)[0][-1]
    try:
        listener.bind(address)
        break
    except OSError:
        pass  # somebody else's
listener.listen(1)
near = socket.socket()
near.connect(address)
far = listener.accept()[0]

with mempool.alloc(64) as out, mempool.alloc(64) as into:
    out[:] = bytes(range(64))
    into[:] = bytes(64)
    assert near.write(out) == 64
    assert far.readinto(into) == 64 and into == out
    assert near.send(out[10:20]) == 10
    assert far.readinto(into[40:50]) == 10
    assert into[40:50] == bytes(range(10, 20)) and into[50] == 50 and into[39] == 39
    view = into[0:8]
assert raises(ValueError, near.send, out) == "block is freed"
assert raises(ValueError, far.readinto, view) == "block is freed"
near.close()
assert far.read() == b""
for one in (far, listener):
    one.close()
assert mempool.stats().used == 0 and mempool.check() == 0
