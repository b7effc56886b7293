# The simulated cell: air, product, evaporator and frost, the people who open its door, and the
# faults of the day. One step is one second. Everything is an int (temperatures in millionths of a
# degree, all below 2 ** 30), so that a day is the same on every target and a step costs no GC
# heap.
DEGREE = 1000000

# Time constants in seconds: how fast one thing follows another.
AIR_WALL = 6000
AIR_PRODUCT = 900
AIR_COIL = 900
AIR_DOOR = 420
PRODUCT_AIR = 16000
COIL_GAS = 30
COIL_AIR = 40
COIL_STEEL = 1800
SENSOR = 20
COLD = -20 * DEGREE  # where the compressor takes the coil, were there no air
LIGHT = 900  # what the light and the people at work add, millionths of a degree a second
FROST_FULL = 40000  # a coil with so much frost passes half of the heat

# Faults: (first second, seconds, index of the flag). All of them fit into the four hours that the
# emulated boards live through; the rest of a day brings another outage, longer than the backfill
# is deep.
SENSOR_DEAD, DOOR_LEFT, WIFI_DOWN, STOP_PRESSED, NOISE = range(5)
FAULTS = (
    (1200, 6, NOISE),
    (1798, 5, NOISE),  # a pallet hits the cable: the bus is disturbed while someone presses
    (1800, 600, STOP_PRESSED),
    (4200, 3600, SENSOR_DEAD),
    (5400, 4500, WIFI_DOWN),
    (9000, 2700, DOOR_LEFT),
    (54000, 10800, WIFI_DOWN),
    (61200, 4, NOISE),
)


class Random:
    """Wichmann and Hill's generator: three small ones side by side, no product above 2 ** 23."""

    def __init__(self, seed):
        self._a = seed % 30268 + 1
        self._b = seed % 30306 + 1
        self._c = seed % 30322 + 1

    def below(self, limit):
        self._a = a = 171 * self._a % 30269
        self._b = b = 172 * self._b % 30307
        self._c = c = 170 * self._c % 30323
        return (a + b + c) % limit


class World:
    def __init__(self, seed=1):
        self.now_s = 0
        self.random = Random(seed)
        self.ambient = 30 * DEGREE
        self.air = 6 * DEGREE
        self.product = 5 * DEGREE
        self.coil = 6 * DEGREE
        self.frost = 0
        self.probe_air = self.air  # what the probes feel, behind their steel
        self.probe_coil = self.coil
        # Actuators, written by the module that drives them.
        self.compressor = False
        self.fan_percent = 0
        self.heater = False
        self.light = False
        self.buzzer = False
        self.door_open = False
        self.faults = bytearray(5)
        self._people_until = 0
        self._people_next = 300
        # The edges of the faults, in order of time: second, flag, new value.
        edges = []
        for first, seconds, flag in FAULTS:
            edges.append((first, flag, 1))
            edges.append((first + seconds, flag, 0))
        edges.sort()
        self._edges = [number for edge in edges for number in edge]
        self._edge = 0

    def step(self):
        """One second."""
        now = self.now_s = self.now_s + 1
        edges = self._edges
        while self._edge < len(edges) and edges[self._edge] <= now:
            self.faults[edges[self._edge + 1]] = edges[self._edge + 2]
            self._edge += 3
        if now % 60 == 0:
            self._weather(now)
        self._people(now)
        self._heat()

    # 26 degrees at six in the morning, 34 at six in the evening; the day of the demo begins at
    # eight.
    def _weather(self, now):
        minute = (now // 60 + 120) % 1440
        slope = minute if minute < 720 else 1440 - minute
        self.ambient = 26 * DEGREE + slope * 11111 + self.random.below(200) * 1000

    # From eight to eight someone comes every 10 minutes or so and has the door open for 10 to 40
    # seconds.
    def _people(self, now):
        if now >= self._people_next:
            self._people_until = now + 10 + self.random.below(31)
            pause = 300 + self.random.below(600)
            if now % 86400 > 43200:
                pause *= 6
            self._people_next = now + pause
        self.door_open = now < self._people_until or self.faults[DOOR_LEFT] == 1

    def _heat(self):
        air = self.air
        coil = self.coil
        fan = self.fan_percent * FROST_FULL // (FROST_FULL + self.frost)
        flow = (self.ambient - air) // AIR_WALL + (self.product - air) // AIR_PRODUCT
        flow += (coil - air) // AIR_COIL * fan // 100
        if self.door_open:
            flow += (self.ambient - air) // AIR_DOOR
        if self.light:
            flow += LIGHT
        self.air = air + flow
        self.product += (air - self.product) // PRODUCT_AIR

        flow = (air - coil) // COIL_AIR * fan // 100 + (air - coil) // COIL_STEEL
        if self.compressor:
            flow += (COLD - coil) // COIL_GAS
            if coil < -DEGREE:
                self.frost += 8 if self.door_open else 1
        if self.heater:
            flow += 30000
        if coil + flow > 0 and self.frost > 0:  # melting keeps it at zero
            self.frost = max(0, self.frost - flow // 2500 - 1)
            self.coil = 0
        else:
            self.coil = coil + flow
        self.probe_air += (self.air - self.probe_air) // SENSOR
        self.probe_coil += (self.coil - self.probe_coil) // SENSOR
