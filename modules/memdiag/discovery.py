# What Home Assistant needs to show a device with no configuration: one retained message a sensor
# on PREFIX/sensor/NODE/OBJECT/config, with the abbreviations that it documents.

_LEVELS = "['normal','low','critical']"
# object, name, value, what else
_SENSORS = (
    (
        "utilization",
        "Memory utilization",
        "value_json.utilization",
        '"unit_of_meas":"%","stat_cla":"measurement"',
    ),
    (
        "level",
        "Memory level",
        _LEVELS + "[value_json.level]",
        '"dev_cla":"enum","ops":' + _LEVELS.replace("'", '"'),
    ),
    (
        "leaks",
        "Suspected leaks",
        "value_json.suspects|count",
        '"stat_cla":"measurement","json_attr_t":"~/state",'
        '"json_attr_tpl":"{{{\'owners\':value_json.suspects}|tojson}}"',
    ),
    (
        "free",
        "Memory free",
        "value_json.capacity-value_json.used",
        '"dev_cla":"data_size","unit_of_meas":"B","stat_cla":"measurement"',
    ),
    (
        "failures",
        "Failed allocations",
        "value_json.failures",
        '"stat_cla":"total_increasing"',
    ),
)
COUNT = len(_SENSORS)


def node(topic):
    """modesp/v1/TENANT/DEVICE/memory -> TENANT_DEVICE, in the characters of a node's name."""
    levels = topic.split("/")
    if len(levels) > 2 and levels[-1] == "memory":
        levels = levels[-3:-1]
    text = "_".join(levels)
    return "".join(
        c if c.isalpha() and ord(c) < 128 or c.isdigit() or c in "_-" else "_" for c in text
    )


def message(number, prefix, topic, name, will, period_s):
    """(topic, payload) of a sensor, 0 to COUNT - 1. will: the device has an availability topic."""
    import json

    import boardcfg

    key, title, value, more = _SENSORS[number]
    unique = node(topic)
    payload = (
        '{"~":%s,"name":"%s","uniq_id":"%s_%s","stat_t":"~/state","val_tpl":"{{%s}}",%s,'
        '"ent_cat":"diagnostic",%s"exp_aft":%d,"o":{"name":"mempool"},'
        '"dev":{"ids":["%s"],"name":%s,"mf":"mempool","mdl":"%s"}}'
    ) % (
        json.dumps(topic),
        title,
        unique,
        key,
        value,
        more,
        '"avty_t":"~/availability",' if will else "",
        3 * period_s + 30,
        unique,
        json.dumps(name),
        boardcfg.BOARD,
    )
    return ("%s/sensor/%s/%s/config" % (prefix, unique, key)).encode(), payload.encode()
