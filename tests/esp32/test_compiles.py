"""Our ESP32 sources are right in syntax and types, on every kind of chip and configuration."""

from __future__ import annotations

import pytest
from esplib import CHIPS, CONFIGS, binding_sources, compile_for, core_sources, micropython_flags


@pytest.mark.parametrize("chip", CHIPS.values(), ids=CHIPS.keys())
def test_core_and_ports(chip, tmp_path):
    compile_for(chip, tmp_path, core_sources(), "-Os")


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_every_configuration(config, tmp_path):
    compile_for(CHIPS["esp32c3"], tmp_path, core_sources(), "-Os", config=config)


@pytest.mark.parametrize("chip", ["esp32c3", "esp32c6"])
def test_bindings_and_platform(chip, tmp_path):
    compile_for(CHIPS[chip], tmp_path, binding_sources(), "-Os", *micropython_flags())
