# What Home Assistant is told: topics and payloads as its documentation has them.
import json

import boardcfg
import memdiag.discovery as discovery
import mempool
from memdiag import Telemetry

SAFE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
# Its abbreviations, of those that are used.
KEYS = {
    "name", "uniq_id", "stat_t", "val_tpl", "unit_of_meas", "stat_cla", "dev_cla", "ops",
    "ent_cat", "avty_t", "exp_aft", "json_attr_t", "json_attr_tpl", "o", "dev", "~",
}  # fmt: skip
DEVICE_KEYS = {"ids", "name", "mf", "mdl"}


class Client:
    def __init__(self):
        self.got = []

    def publish(self, topic, msg, retain, qos):
        self.got.append((bytes(topic).decode(), bytes(msg), retain, qos))


for topic, node in (
    ("modesp/v1/acme/room-1/memory", "acme_room-1"),
    ("modesp/v1/a b/r\u00e4um.1/memory", "a_b_r_um_1"),
    ("own/topic", "own_topic"),
    ("memory", "memory"),
):
    assert discovery.node(topic) == node, discovery.node(topic)

for name in (None, 'Cold "room" \\ 1'):
    client = Client()
    telemetry = Telemetry(client, "modesp/v1/acme/room-1/memory", 60, bus=None, name=name)
    for _ in range(8):
        telemetry.tick()
    assert len(client.got) == discovery.COUNT + 1 and telemetry.sent == 1
    unique = set()
    for topic, payload, retain, qos in client.got[:-1]:
        assert retain and qos == 1
        levels = topic.split("/")
        assert levels[:3] == ["homeassistant", "sensor", "acme_room-1"] and levels[4] == "config"
        assert all(c in SAFE for c in levels[3])
        config = json.loads(payload)
        assert set(config) <= KEYS, config
        assert set(config["dev"]) == DEVICE_KEYS and config["dev"]["ids"] == ["acme_room-1"]
        assert config["dev"]["name"] == (name or "acme room-1")
        assert config["dev"]["mdl"] == boardcfg.BOARD
        assert config["~"] == "modesp/v1/acme/room-1/memory" and config["stat_t"] == "~/state"
        assert config["val_tpl"].startswith("{{") and config["val_tpl"].endswith("}}")
        assert config["exp_aft"] == 210 and "avty_t" not in config
        assert (config.get("dev_cla") == "enum") == ("ops" in config)
        unique.add(config["uniq_id"])
        # Each field that a template names is in a state.
        state = json.loads(client.got[-1][1])
        for field in config["val_tpl"].split("value_json.")[1:]:
            word = ""
            for c in field:
                if not (c.isalpha() or c == "_"):
                    break
                word += c
            assert word in state, word
    assert len(unique) == discovery.COUNT
    telemetry.close()
    # At every connection of a broker that may have forgotten it.
with_will = discovery.message(0, "ha", "a/b/memory", "n", b"will", 10)
assert with_will[0] == b"ha/sensor/a_b/utilization/config"
assert json.loads(with_will[1])["avty_t"] == "~/availability"
assert mempool.stats().used == 0
