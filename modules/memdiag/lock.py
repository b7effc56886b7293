# A lock between threads; where there are none, only what an interrupt's callback finds taken.
try:
    from _thread import allocate_lock
except ImportError:

    class allocate_lock:
        def __init__(self):
            self._taken = False

        def acquire(self, wait=True):  # never waits: for whom
            taken = self._taken
            self._taken = True
            return not taken

        def release(self):
            self._taken = False

        def __enter__(self):
            self.acquire()

        def __exit__(self, kind, error, trace):  # *error would be a tuple on the GC heap
            self.release()
