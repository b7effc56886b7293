"""What a test of the telemetry or of a fleet stands on, ended with it: see broker.py."""

import resource

import pytest
from broker import Broker, Device, Watcher, Wire


@pytest.fixture
def broker(tmp_path):
    broker = Broker(tmp_path)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def watcher(broker):
    watcher = Watcher(broker.port)
    yield watcher
    watcher.close()


@pytest.fixture
def wire(broker):
    wire = Wire(broker.port)
    yield wire
    wire.close()


@pytest.fixture
def device():
    """device(port, ...) starts one."""
    started = []

    def start(*arguments, **more):
        started.append(Device(*arguments, **more))
        return started[-1]

    yield start
    for one in started:
        one.kill()


@pytest.fixture
def many_files():
    """More open files for mosquitto, which is started after it: one a device."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
