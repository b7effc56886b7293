"""The dashboard asks for nothing that is not served."""

from __future__ import annotations

import json
import re
from pathlib import Path

from broker import topic
from fleet_devices import Fleet
from test_fleet_devices import served, state

PAGE = Path(__file__).resolve().parents[2] / "tools" / "grafana" / "mempool-fleet.json"


def names_served():
    fleet = Fleet()
    fleet.take(topic(), state(suspects=["logger"]))
    return {name.split("{")[0] for name in served(fleet)}


def test_every_metric_of_the_page_is_served():
    page = json.loads(PAGE.read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in page["panels"] for target in panel["targets"]]
    asked += [v["definition"] for v in page["templating"]["list"] if v["type"] == "query"]
    names = {name for expression in asked for name in re.findall(r"\bmempool_\w+", expression)}
    assert len(names) >= 20 and names <= names_served(), names - names_served()


def test_the_page_is_sound():
    page = json.loads(PAGE.read_text(encoding="utf-8"))
    panels = page["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) >= 15
    cells = set()
    for panel in panels:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        own = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not own & cells, f"{panel['title']} lies on another"
        cells |= own
        assert all(t["expr"].count("(") == t["expr"].count(")") for t in panel["targets"])
    known = {v["name"] for v in page["templating"]["list"]} | {"__rate_interval"}
    used = set(re.findall(r"\$\{?(\w+)", PAGE.read_text(encoding="utf-8"))) - {"__all"}
    assert used <= known, used - known
