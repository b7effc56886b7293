# What every module of the controller is made of: subscriptions, and one update a second. And the
# 53 scalars that they share and that telemetry tells.
import appmodule
import mempool
from eventbus import HIGH, bus

ACTUATORS = ("compressor", "evaporator_fan", "defrost_heater", "light", "buzzer")
ALARMS = ("high_temperature", "low_temperature", "door_open", "sensor_failed")

# Names of the scalars, by the change that is worth a message; 0: only at the heartbeat. Those of
# probes, actuators and alarms are the names that events carry: as attributes they are interned, so
# that reading one out of an event costs no heap. Temperatures are in thousandths of a degree.
_CHANGES = (
    (150, "chamber_temp"),
    (500, "evaporator_temp"),
    (100, "product_temp"),
    (1000, "ambient_temp"),
    (1, " ".join(ACTUATORS + ALARMS)),
    (1, "setpoint door defrost emergency probe_dead wifi starts defrosts openings refused"),
    (1, "mem_level mem_failures mem_refused mem_denied check"),
    (10, "errors"),
    (0, "run_s records commands batches backfill uptime_s queue_high"),
    (0, "mem_used mem_peak mem_free mem_allocs mem_waste largest_free"),
    (0, "m_health m_network m_telemetry m_logger m_actuators m_alarms m_haccp m_control"),
    (0, "m_defrost m_door m_sensors"),
)
SCALARS = tuple([(name, change) for change, names in _CHANGES for name in names.split()])


class Site:
    """What the modules share: the world, and the scalars as attributes."""

    def __init__(self, world):
        self.world = world
        for name, _ in SCALARS:
            setattr(self, name, 0)
        self.setpoint = 4000
        self.chamber_temp = world.air // 1000
        self.evaporator_temp = world.coil // 1000


class Part(appmodule.Module):
    """Subscribes in init(), by self.on(), and does its own work in second(now_s)."""

    # Events belong to the bus. Who keeps nothing else has a quota of one small block, so that it
    # would be noticed.
    def __init__(self, site, name, quota=64):
        super().__init__(name, quota)
        self.site = site
        self.world = site.world
        self.subscriptions = []
        self._denied_before = self.owner.denied  # an owner may live on from an earlier run

    def on(self, pattern, callback):
        self.subscriptions.append(bus.subscribe(pattern, callback))

    def second(self, now):
        pass

    def update(self):
        self.second(self.world.now_s)

    def denied(self):
        """Requests beyond the quota, in this run."""
        return self.owner.denied - self._denied_before

    def request(self, role, value):
        """Asks the actuators for something -> True where it was queued."""
        return bus.publish("actuator.request", role=role, value=value, priority=HIGH)

    def hold(self, data):
        """A copy in a block of its own quota -> handle, negative where there is no room."""
        handle = self.owner.take(len(data))
        if handle > 0:
            mempool.write(handle, 0, data)
        return handle

    def taken_back(self):
        """What it held by handles is no longer its own."""


def unsubscribe(parts):
    for part in parts:
        for subscription in part.subscriptions:
            subscription.cancel()
