"""The page in a terminal, headless: what it shows, its keys, and every trouble as a line on it."""

import asyncio
import json
import socket
import time

import pytest
from monitor_open import open_source
from monitor_record import Recorder
from monitor_render import SECTIONS
from monitor_view import View
from ports import free_port
from textual.widgets import Static
from waiting import PATIENCE_S


def screen(app):
    """What a reader sees, as text."""
    return "\n".join(
        "".join(segment.text for segment in strip)
        for strip in app.screen._compositor.render_strips()
    )


def panel(app, name):
    """What a panel was last given: that of the sample in the model, unless the page is paused. The
    screen shows it a moment later."""
    return str(app.query_one(f"#{name}", Static).render())


async def until(pilot, condition):
    """As waiting.wait_for, while the page lives on."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, screen(pilot.app)
        await pilot.pause(0.05)


async def shown(pilot, *texts):
    """Waits until a reader sees every text at once."""
    await until(pilot, lambda: all(text in screen(pilot.app) for text in texts))


@pytest.fixture
def see(tmp_path):
    """see(port, steps) runs `await steps(app, pilot)` on the page of a port."""

    def run(port, steps, size=(120, 48), period_ms=100, **options):
        async def session():
            app = View(open_source(port, period_ms), folder=tmp_path, **options)
            async with app.run_test(size=size) as pilot:
                await steps(app, pilot)
                if app.is_running:
                    await pilot.press("q")
            return app

        return asyncio.run(session())

    return run


@pytest.mark.parametrize("size", [(120, 48), (80, 70)])
def test_everything_of_a_sample_is_on_the_page(see, responder, memory, size):
    memory.steps = 30

    async def steps(app, pilot):
        await until(pilot, lambda: app.model.samples >= 3)
        await shown(pilot, *(f" {title} " for title, _ in SECTIONS))
        await shown(
            pilot, "FAKE at udp://", "/64", "telemetry", "suspected leak: telemetry", "GC heap"
        )
        held = app.model.sample.pools["SMALL"]["used"]
        assert f"{held}/64" in panel(app, "pools")
        assert panel(app, "blocks").count("a") >= held
        assert "published" in panel(app, "events") and "/s" in panel(app, "events")
        assert "█" in panel(app, "pools") and "▁" in panel(app, "trend")

    assert see(responder.url, steps, size).return_code == 0


def test_the_map_is_coloured_by_owner(see, responder):
    async def steps(app, pilot):
        def seen():
            colours.clear()
            for strip in app.screen._compositor.render_strips():
                for segment in strip:
                    if segment.style and segment.text.strip() and set(segment.text) <= set("ab#"):
                        colours.setdefault(segment.text[0], set()).add(segment.style.bgcolor)
            return set(colours) == {"a", "b", "#"}

        colours = {}
        await until(pilot, lambda: app.model.samples >= 2)
        await until(pilot, seen)
        assert len({frozenset(found) for found in colours.values()}) == 3

    see(responder.url, steps)


def test_p_holds_the_page_still_while_it_is_recorded(see, responder, tmp_path):
    recorder = Recorder(str(tmp_path / "r.jsonl"), "x", 100, 1.0)

    async def steps(app, pilot):
        await until(pilot, lambda: app.model.samples >= 2)
        await pilot.press("p")
        await shown(pilot, "paused: p goes on")
        still = panel(app, "pools")
        seen = app.model.samples
        await until(pilot, lambda: app.model.samples >= seen + 4)
        assert panel(app, "pools") == still
        await pilot.press("p")
        await until(pilot, lambda: panel(app, "pools") != still)
        assert "paused" not in panel(app, "head")

    app = see(responder.url, steps, recorder=recorder)
    recorder.close()
    lines = (tmp_path / "r.jsonl").read_text().splitlines()
    assert sum('"live"' in line for line in lines) == app.model.samples


def test_r_resets_the_statistics_on_the_device(see, responder, memory):
    async def steps(app, pilot):
        await until(pilot, lambda: app.model.samples >= 2)
        await pilot.press("r")
        await until(pilot, lambda: "has reset its statistics" in panel(app, "log"))

    see(responder.url, steps)
    assert memory.resets == 1


def test_s_saves_the_snapshot_and_the_page_and_names_the_files(see, responder, tmp_path):
    async def steps(app, pilot):
        await until(pilot, lambda: app.model.samples >= 2)
        await pilot.press("s")
        await until(pilot, lambda: "saved" in panel(app, "log"))
        (saved,) = tmp_path.glob("mempool-*.json")
        assert str(saved) in panel(app, "log").replace("\n", "")
        shot = json.loads(saved.read_text())
        assert shot["snapshot"]["board"] == "FAKE" and shot["map"]["SMALL"].count("a") > 1
        text = saved.with_suffix(".txt").read_text()
        used = shot["snapshot"]["pools"]["SMALL"]["used"]
        assert f"{used}/64" in text and "--- Trend ---" in text and "\x1b" not in text

    see(responder.url, steps)


def test_s_where_nothing_can_be_written_says_so(see, responder, tmp_path):
    async def steps(app, pilot):
        await until(pilot, lambda: app.model.samples >= 2)
        app.folder = tmp_path / "none"
        await pilot.press("s")
        await until(pilot, lambda: "cannot save" in panel(app, "log"))
        await until(pilot, lambda: app.model.samples >= 5)

    see(responder.url, steps)


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_a_key_ends_it(see, responder, key):
    async def steps(app, pilot):
        await pilot.press(key)

    app = see(responder.url, steps)
    app.source._thread.join(PATIENCE_S)
    assert app.return_code == 0 and not app.source._thread.is_alive()


def test_nobody_there_is_on_the_page_before_any_sample(see):
    async def steps(app, pilot):
        await until(pilot, lambda: "nobody answers" in panel(app, "head"))
        assert "make run LEAK=1" in panel(app, "log")
        assert "waiting for the first sample" in panel(app, "pools")
        await pilot.press("s")
        await until(pilot, lambda: "no sample has come yet" in panel(app, "log"))

    see(f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}", steps)


def test_a_reset_of_the_device_is_marked_and_the_view_goes_on(see, board):
    one = board("repl")

    async def steps(app, pilot):
        await until(pilot, lambda: app.model.samples >= 3)
        one.reset()
        await until(pilot, lambda: app.model.resets == 1)
        await until(pilot, lambda: "R" in panel(app, "trend"))
        assert "the device restarted: up" in panel(app, "log")
        seen = app.model.samples
        await until(pilot, lambda: app.model.samples >= seen + 3)
        assert "restarts 1" in panel(app, "head")

    see(one.name, steps)


def test_a_port_that_vanishes_is_on_the_page_until_it_is_back(see, board):
    one = board("streams")

    async def steps(app, pilot):
        await until(pilot, lambda: app.model.samples >= 3)
        one.unplug()
        await until(pilot, lambda: "is not there" in panel(app, "head"))
        assert "vanished: is the cable still in?" in panel(app, "log")
        seen = app.model.samples
        one.plug()
        await until(pilot, lambda: app.model.samples >= seen + 3)
        assert "is not there" not in panel(app, "head")

    see(one.name, steps)


def test_garbage_is_counted_on_the_page(see, board):
    one = board("streams")

    async def steps(app, pilot):
        await until(pilot, lambda: app.model.samples >= 3)
        one.say = b"\xff\x00\xfe\x80\x81\r\n\x1b[2J\x1e[]\r\n"
        await until(pilot, lambda: "garbage 2" in panel(app, "head"))
        assert "that are no text" in panel(app, "log")
        seen = app.model.samples
        await until(pilot, lambda: app.model.samples >= seen + 3)

    see(one.name, steps)


def test_a_disk_that_is_full_ends_the_recording_and_not_the_view(see, responder):
    recorder = Recorder("/dev/null", "x", 100, 1.0)
    recorder._lines = open("/dev/full", "a")  # noqa: SIM115

    async def steps(app, pilot):
        await until(
            pilot, lambda: "No space left on device: it records no more" in panel(app, "log")
        )
        seen = app.model.samples
        await until(pilot, lambda: app.model.samples >= seen + 3)

    see(responder.url, steps, recorder=recorder)


def test_hostile_names_are_shown_as_they_are(see, responder, memory):
    def answer(request):
        record = memory.live()
        record["snapshot"]["owners"] = {"[red]x[/]\x1b[2J": {"used": 5}}
        record["snapshot"]["suspects"] = ["[bold"]
        record["snapshot"]["board"] = "[/]"
        return json.dumps(record).encode()

    responder.answer = answer

    async def steps(app, pilot):
        await until(pilot, lambda: app.model.samples >= 2)
        await shown(pilot, "[red]x[/]", "suspected leak: [bold")
        assert "[red]x[/]" in panel(app, "owners") and "\x1b" not in screen(app)
        assert "suspected leak: [bold" in panel(app, "alerts")

    see(responder.url, steps)
