"""What is made of samples: rates, restarts, edges; and samples that no device would send."""

import devices
import monitor_render as render
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monitor_model import BadSample, Model, duration, parse


def model_of(memory, steps, at=1000.0, **options):
    model = Model(**options)
    for step in range(steps):
        model.take(parse(memory.live(), at + step))
    return model


def test_rates_are_differences_of_the_counters_over_the_hosts_time(memory):
    model = Model()
    model.take(parse(memory.live(), 1000.0))
    assert set(model.rates.values()) == {None}
    model.take(parse(memory.live(), 1002.0))
    assert model.rates["published"] == 5.0
    assert model.rates["allocs"] == 0.5
    assert model.rates["dropped"] == 0.0


def test_after_a_reset_of_the_statistics_there_is_no_rate_below_zero(memory):
    model = model_of(memory, 5)
    memory.reset_stats()
    notes = model.take(parse(memory.live(), 1006.0))
    assert model.rates["allocs"] is None
    assert model.rates["published"] == 5.0
    assert model.resets == 0 and notes == []


def test_a_restart_is_seen_by_the_uptime_and_marked_in_the_trend(memory):
    model = model_of(memory, 5)
    memory.restart()
    notes = model.take(parse(memory.live(), 1005.0))
    assert [note.text for note in notes] == ["the device restarted: up 1 s after 105 s"]
    assert model.resets == 1
    assert set(model.rates.values()) == {None}
    drawn = render.trend(model, 80).plain.splitlines()
    assert [line.count("R") for line in drawn[:3]] == [1, 1, 1]
    assert render.head(model, "port", "").plain.count("restarts 1") == 1


def test_edges_are_said_once_and_by_name(memory):
    model = model_of(memory, 70)
    texts = [note.text for note in model.notes]
    assert texts == [
        "suspected leak: telemetry",
        "level LOW: SMALL 52/64 blocks",
        "level CRITICAL: SMALL 61/64 blocks",
    ]


def test_a_suspicion_that_ends_is_said_and_a_new_one_too(memory):
    model = Model()
    memory.leak = False
    for at, suspects in enumerate((["a", "b"], ["b"], [], ["a"])):
        memory.suspects = suspects
        model.take(parse(memory.live(), float(at)))
    assert [note.text for note in model.notes] == [
        "suspected leak: a",
        "suspected leak: b",
        "a is suspected no longer",
        "b is suspected no longer",
        "suspected leak: a",
    ]


def test_pools_and_owners_have_an_order_whatever_the_device_sends(memory):
    record = memory.live()
    record["snapshot"]["pools"] = dict(reversed(record["snapshot"]["pools"].items()))
    record["map"] = dict(reversed(record["map"].items()))
    record["legend"] = {"A": "last", "b": "second", "#": "nobody", "a": "first"}
    sample = parse(record, 1.0)
    assert list(sample.pools) == list(sample.map) == list(devices.POOLS)
    assert list(sample.legend) == ["#", "a", "b", "A"]


def test_what_was_wrong_before_the_view_began_is_said_at_its_first_sample(memory):
    memory.steps = 60
    model = model_of(memory, 1)
    texts = [note.text for note in model.notes]
    assert texts == ["level CRITICAL: SMALL 62/64 blocks", "suspected leak: telemetry"]


def test_broken_invariants_are_an_alert(memory):
    model = Model()
    record = memory.live()
    record["snapshot"]["check"] = 2
    assert "2 broken invariants" in model.take(parse(record, 1000.0))[-1].text
    assert "2 broken invariants" in render.alerts(model, 60).plain


def test_the_trend_forgets_what_is_old(memory):
    model = model_of(memory, 100, seconds=30)
    assert [len(model.trend), model.samples] == [31, 100]


def test_the_hosts_clock_that_goes_back_gives_no_rate(memory):
    model = Model()
    model.take(parse(memory.live(), 1000.0))
    model.take(parse(memory.live(), 900.0))
    assert model.rates["published"] is None
    assert render.trend(model, 80).plain


def test_both_shapes_of_an_answer_are_taken(memory):
    record = memory.live()
    assert parse({"live": record}, 1.0).pools == parse(record, 1.0).pools


@pytest.mark.parametrize(
    "record", [None, [], 1, "x", {}, {"snapshot": 1}, {"snapshot": {"used": 1}}, {"live": 1}]
)
def test_what_is_no_snapshot_is_refused(record):
    with pytest.raises(BadSample):
        parse(record, 1.0)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_a_device_sends_is_refused_or_drawn(data):
    """Any field of a right sample may be of any type and size."""
    record = devices.Memory().live()
    shot = record["snapshot"]
    for name in data.draw(st.lists(st.sampled_from(sorted(shot)), max_size=6)):
        inner = shot[name]
        if isinstance(inner, dict) and inner and data.draw(st.booleans()):
            inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(ANY)
        else:
            shot[name] = data.draw(ANY)
    for name in data.draw(st.lists(st.sampled_from(["map", "legend"]), max_size=2)):
        record[name] = data.draw(ANY)
    model = Model()
    try:
        for at in (1.0, 2.0):
            model.take(parse(record, at))
    except BadSample:
        return
    text = render.page(model, "port", "", data.draw(st.integers(1, 200)))
    assert all(x.isprintable() or x == "\n" for x in text)


def test_a_time_is_told_in_units_a_reader_knows():
    told = [duration(x) for x in (0, 119, 512, 11100, 1_050_000)]
    assert told == ["0 s", "119 s", "8 min 32 s", "3 h 5 min", "12 d 3 h"]
