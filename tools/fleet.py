"""Metrics of a fleet of devices: subscribes to a broker, serves Prometheus.

    fleet.py --broker host:1883 --http 9464

A user and a password are read from MQTT_USER and MQTT_PASSWORD. tools/grafana/mempool-fleet.json
is a dashboard for it, docs/telemetry.md the manual.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

import hostport
import paho.mqtt.client as mqtt
from fleet_devices import PATTERN, Fleet
from fleet_metrics import Metrics
from paho.mqtt.enums import CallbackAPIVersion
from prometheus_client import CollectorRegistry, start_http_server

HTTP = "127.0.0.1:9464"


class UsageError(Exception):
    """What cannot be begun with: one line."""


def address(name, text, usual):
    try:
        return hostport.split(text, usual)
    except ValueError as error:
        raise UsageError(f"{name}: {error}, as {HTTP} is; {hostport.PORTS}") from None


def say(text, file=None):
    print(f"fleet: {text}", file=file, flush=True)


class Link:
    """Feeds a fleet from a broker, which may come and go."""

    def __init__(self, fleet, host, port, tenant, tls):
        self.fleet = fleet
        self.where = f"{host}:{port}"
        self.pattern = PATTERN.format(tenant=tenant)
        self.told = None
        self.client = client = mqtt.Client(CallbackAPIVersion.VERSION2)
        if os.environ.get("MQTT_USER"):
            client.username_pw_set(os.environ["MQTT_USER"], os.environ.get("MQTT_PASSWORD"))
        if tls:
            client.tls_set()
        client.on_connect = self._connected
        client.on_disconnect = self._gone
        client.on_connect_fail = lambda *args: self._say(f"no broker at {self.where}: trying on")
        client.on_message = lambda c, d, m: fleet.take(m.topic, m.payload, m.retain)
        client.reconnect_delay_set(1, 30)
        client.connect_async(host, port, keepalive=30)

    def _say(self, text):
        if text != self.told:
            say(text)
            self.told = text

    def _connected(self, client, data, flags, reason, properties):
        if reason.is_failure:
            self._say(f"the broker at {self.where} refuses: {reason}")
            return
        self.fleet.connected = True
        client.subscribe(self.pattern, 1)
        self._say(f"listening at {self.where} for {self.pattern}")

    def _gone(self, client, data, flags, reason, properties):
        if self.fleet.connected:
            self._say(f"the broker at {self.where} is gone: {reason}; trying on")
        self.fleet.connected = False


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", required=True, help="host:port; 1883 without a port")
    parser.add_argument("--http", default=HTTP, help="address of the metrics")
    parser.add_argument("--tenant", default="+", help="one tenant only")
    parser.add_argument("--devices", type=int, default=2000, help="most devices in the table")
    parser.add_argument("--tls", action="store_true", help="the broker's certificate is checked")
    args = parser.parse_args(argv)
    try:
        host, port = address("BROKER", args.broker, 8883 if args.tls else 1883)
        bind, http = address("HTTP", args.http, hostport.split(HTTP)[1])
        if not args.tenant or (args.tenant != "+" and set(args.tenant) & set("/#+\0")):
            raise UsageError(f"TENANT={args.tenant} is not one level of a topic, or + for all")
        if args.devices < 1:
            raise UsageError(f"--devices {args.devices}: at least 1")
    except UsageError as error:
        say(str(error), sys.stderr)
        return 2
    fleet = Fleet(args.devices)
    registry = CollectorRegistry()
    registry.register(Metrics(fleet))
    try:
        server, _ = start_http_server(http, bind, registry)
    except OSError as error:
        where = f"cannot serve at {bind}:{http}: {error.strerror}"
        say(f"{where}; choose another by HTTP=host:port", sys.stderr)
        return 1
    say(f"metrics at http://{bind}:{http}/metrics")
    link = Link(fleet, host, port, args.tenant, args.tls)
    link.client.loop_start()
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        pass
    finally:
        link.client.loop_stop()
        server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
