"""A serial cable between a flasher and a mock bootloader: a pseudo terminal on one side, the
mock's socket on the other. It can be pulled out, go quiet, or change what it carries.
"""

import os
import pty
import select
import socket
import threading
import time
import tty


class Cable:
    """`port` is what a flasher opens. `cut` and `quiet`: what happens at the first packet of that
    command of the bootloader's protocol, which then does not arrive.
    """

    def __init__(self, mock_port, cut=None, quiet=None, change=None):
        # A frame of SLIP begins, a request, the command: no data looks like it.
        self.cut_at = None if cut is None else bytes([0xC0, 0, cut])
        self.quiet_at = None if quiet is None else bytes([0xC0, 0, quiet])
        self.change = change or (lambda data: data)  # of what the board says
        self.quiet = False
        self.cut = False
        self.board = socket.create_connection(("127.0.0.1", mock_port))
        self.host, end = pty.openpty()
        tty.setraw(end)
        self.port = os.ttyname(end)
        os.close(end)  # the flasher is the only one that has it open
        self.thread = threading.Thread(target=self._carry, daemon=True)
        self.thread.start()

    def _carry(self):
        try:
            while not self.cut:
                ready = select.select([self.host, self.board], [], [], 0.05)[0]
                if self.host in ready:
                    try:
                        data = os.read(self.host, 65536)
                    except OSError:  # nobody has the port open now
                        time.sleep(0.01)
                        continue
                    if self.cut_at and self.cut_at in data:
                        self.cut = True
                        return
                    self.quiet |= bool(self.quiet_at) and self.quiet_at in data
                    if not self.quiet:
                        self.board.sendall(data)
                if self.board in ready:
                    data = self.board.recv(65536)
                    if not data:
                        return
                    os.write(self.host, self.change(data))
        except OSError:
            pass
        finally:
            # Who has the port open reads an end of file now.
            os.close(self.host)
            self.board.close()

    def close(self):
        self.cut = True
        self.thread.join(10)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()
