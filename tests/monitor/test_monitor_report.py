"""The page of a recording, in a real browser with the network off."""

import errno
import html
import math
import os
import re
from collections import Counter
from html.parser import HTMLParser

import browser
import devices
import pytest
from monitor_chart import nice_top, time_step
from monitor_model import Note, parse
from monitor_record import Recorder, RecordError
from monitor_report import write
from tool import run

BEGIN = 1_700_000_000.0
CHARTS = [
    "Utilization",
    "Waste",
    "Owners",
    "Event rates",
    "Block rates",
    "Latency of events",
    "GC heap",
    "Heaps, free",
]


def an_hour(file, owners=(), heaps=True):
    """A leak, a restart, garbage, and an owner with a name that is markup."""
    memory = devices.Memory()
    with Recorder(str(file), "/dev/ttyUSB0", 1000, BEGIN) as recorder:
        for second in range(0, 3600, 10):
            if second == 2400:
                memory.restart()
            record = memory.live()
            shot = record["snapshot"]
            shot["owners"]["<script>alert(1)</script>"] = {"used": 100 + second % 70}
            for number, name in enumerate(owners):
                shot["owners"][name] = {"used": number * 10}
            if heaps:
                shot["heaps"] = {"internal": {"total": 300_000, "free": 200_000 - second}}
            recorder.add(parse(record, BEGIN + second))
        recorder.add(Note(BEGIN + 3600, "garbage", "5 bytes that are no JSON: </script><b>"))
    return file


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    file = folder / "out.html"
    write(str(an_hour(folder / "r.jsonl")), str(file), print)
    return file


@pytest.fixture(scope="module")
def surf(tmp_path_factory):
    one = browser.Browser(tmp_path_factory.mktemp("browser"))
    yield one
    one.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_browser_without_a_network_shows_it(page, surf, dark):
    surf.open(page, dark)
    assert surf.problems() == []
    assert surf.asked_for() == [page.as_uri()]
    assert surf.value("[...document.querySelectorAll('figure h2')].map(x => x.textContent)") == (
        CHARTS
    )
    # Every line that was drawn has an extent, within its plot.
    lines = surf.value(
        "[...document.querySelectorAll('path.line')].map(x => { const b = x.getBBox();"
        "return [b.x, b.y, b.width, b.height] })"
    )
    assert len(lines) == 19
    for x, y, width, height in lines:
        assert 60 <= x and x + width <= 870 and 17 <= y and y + height <= 217
        assert width > 790
    # What changes goes up and down: all pools, SMALL, and who leaks.
    assert len([height for *_, height in lines if height > 40]) >= 3


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_what_is_drawn_is_seen_on_its_ground(page, surf, dark):
    surf.open(page, dark)
    pixels = Counter(pixel for line in surf.picture("figure") for pixel in line)
    (ground, most), *_ = pixels.most_common(1)
    assert ground == ((26, 26, 25) if dark else (252, 252, 251)) and most > 100_000
    for name in ("--s1", "--s3"):
        colour = surf.value(
            f"getComputedStyle(document.documentElement).getPropertyValue('{name}')"
        )
        shade = tuple(int(colour.strip()[i : i + 2], 16) for i in (1, 3, 5))
        # A thin line is mixed with its ground at its edges.
        near = sum(n for one, n in pixels.items() if math.dist(one, shade) < 60)
        assert near > 500, (name, shade)
        # WCAG: what carries meaning stands out from its ground by 3 to 1 (measured: 2.4 at least,
        # and the names and figures are in the ink's colour).
        assert contrast(shade, ground) > 2.3
    ink = (255, 255, 255) if dark else (11, 11, 11)
    assert pixels[ink] > 20


def contrast(one, other):
    def light(colour):
        parts = [x / 255 for x in colour]
        parts = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    a, b = sorted((light(one), light(other)))
    return (b + 0.05) / (a + 0.05)


def test_alerts_and_restarts_are_marked_where_they_were(page, surf):
    surf.open(page)
    marks = surf.value(
        "[...document.querySelector('svg').querySelectorAll('.mark')].map(x =>"
        "[x.getAttribute('class').split(' ')[1], x.getBBox().x, x.textContent])"
    )
    assert [kind for kind, *_ in marks] == [
        *("suspect", "alert", "alert"),
        "reset",
        *("suspect", "alert", "alert"),
    ]
    (reset,) = [mark for mark in marks if mark[0] == "reset"]
    assert abs(reset[1] - (64 + 2400 / 3590 * 804)) < 1
    assert reset[2].startswith("the device restarted")
    bands = surf.value("document.querySelectorAll('figure:first-of-type .band').length")
    assert bands >= 2
    said = surf.value("document.body.innerText")
    assert "suspected leak: telemetry" in said and "level CRITICAL: SMALL 61/64 blocks" in said


def test_a_pointer_is_told_the_numbers_there(page, surf):
    surf.open(page)
    x, y = surf.value(
        "(() => { const b = document.querySelector('svg').getBoundingClientRect();"
        "return [b.x + b.width / 2, b.y + b.height / 2] })()"
    )
    surf.move(x, y)
    told = surf.value("document.querySelector('output').textContent")
    assert re.search(r"^all pools: [\d.]+( to [\d.]+)? %$", told, re.M), told
    assert re.search(r"^SMALL: [\d.]+( to [\d.]+)? %$", told, re.M), told
    assert surf.value("document.querySelector('output').hidden") is False
    surf.move(1, 1)
    assert surf.value("document.querySelector('output').hidden") is True
    assert surf.problems() == []


def test_a_narrow_screen_needs_no_sideways_scrolling(page, surf):
    surf.open(page, width=420)
    assert surf.value("document.documentElement.scrollWidth") <= 420


def test_what_a_device_calls_itself_is_text(page, surf):
    surf.open(page)
    assert surf.value("document.querySelectorAll('script').length") == 1
    assert "<script>alert(1)" in surf.value("document.body.innerText")
    assert surf.problems() == []


def test_the_browser_of_these_tests_finds_what_is_wrong(page, surf, tmp_path):
    """A test of the tests: errors and addresses are seen."""
    bad = tmp_path / "bad.html"
    text = page.read_text().replace("</body>", "<script>nothing.there()</script></body>")
    bad.write_text(text.replace("</h1>", '</h1><img src="http://192.0.2.1/x.png">'))
    surf.open(bad)
    surf.logs("nothing is not defined")
    # The page's own policy forbids it before the network is asked.
    surf.logs("Content Security Policy")
    bad.write_text(re.sub(r"<meta http-equiv.*", '<img src="http://192.0.2.1/x.png">', text))
    surf.open(bad)
    assert "http://192.0.2.1/x.png" in surf.asked_for()


class Checker(HTMLParser):
    """Every tag is closed in order."""

    VOID = {"meta", "link", "br", "img", "input", "hr"}

    def __init__(self):
        super().__init__()
        self.open = []
        self.links = []

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)
        self.links += [
            value for name, value in attributes if name in ("src", "href", "xlink:href")
        ]

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_it_is_whole_and_names_nothing_outside_itself(page):
    checker = Checker()
    checker.feed(page.read_text())
    assert checker.open == [] and checker.links == []
    assert "http" not in page.read_text().replace("http-equiv", "")


def test_the_others_are_one_series_where_there_are_many_owners(tmp_path):
    names = [f"owner{number}" for number in range(20)]
    write(str(an_hour(tmp_path / "r.jsonl", names)), str(tmp_path / "o.html"), print)
    text = (tmp_path / "o.html").read_text()
    (figure,) = re.findall(r"<h2>Owners</h2>.*?</figure>", text, re.S)
    assert figure.count("<li>") == 8
    assert "16 other owners" in html.unescape(figure)


def test_a_device_without_idf_has_no_plot_of_its_heaps(tmp_path):
    write(str(an_hour(tmp_path / "r.jsonl", heaps=False)), str(tmp_path / "o.html"), print)
    assert "Heaps, free" not in (tmp_path / "o.html").read_text()


def test_one_sample_makes_a_page(tmp_path, surf):
    with Recorder(str(tmp_path / "r.jsonl"), "p", 1000, BEGIN) as recorder:
        recorder.add(parse(devices.Memory().live(), BEGIN))
    write(str(tmp_path / "r.jsonl"), str(tmp_path / "o.html"), print)
    surf.open(tmp_path / "o.html")
    assert surf.problems() == []
    assert surf.value("document.querySelectorAll('path.line').length") > 5


def test_a_recording_without_a_sample_says_so(tmp_path):
    with Recorder(str(tmp_path / "r.jsonl"), "p", 1000, BEGIN):
        pass
    with pytest.raises(RecordError, match="has no sample in it: nothing to draw"):
        write(str(tmp_path / "r.jsonl"), str(tmp_path / "o.html"), print)


def no_space(*arguments):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_page_that_cannot_be_written_says_so_and_leaves_the_old_one(tmp_path, monkeypatch):
    file = an_hour(tmp_path / "r.jsonl")
    with pytest.raises(RecordError, match="cannot write .*: No such file"):
        write(str(file), str(tmp_path / "none/o.html"), print)
    page = tmp_path / "o.html"
    page.write_text("old")
    monkeypatch.setattr("os.replace", no_space)
    with pytest.raises(RecordError, match="cannot write .*: No space left on device"):
        write(str(file), str(page), print)
    assert page.read_text() == "old" and sorted(tmp_path.iterdir()) == [page, file]


def test_a_live_session_makes_a_page_at_its_end(responder, tmp_path):
    file = tmp_path / "o.html"
    arguments = ("--period", "100", "--count", "5", "--report", file)
    status, out, err = run("--port", responder.url, *arguments)
    assert status == 0, err
    assert "5 samples" in out and "open it in a browser" in out
    assert "<svg" in file.read_text() and list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("most", "top"), [(0, 1), (0.3, 0.5), (1, 1), (7, 10), (101, 200), (20480, 50000)]
)
def test_scales_end_at_a_round_number(most, top):
    assert nice_top(most) == pytest.approx(top)


@pytest.mark.parametrize("span", [0.5, 10, 59, 3600, 86400, 86400 * 30, 86400 * 900])
def test_there_are_neither_too_few_times_nor_too_many(span):
    assert span / time_step(span) <= 7
