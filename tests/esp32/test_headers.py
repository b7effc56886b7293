"""The thin declarations of idf/ are IDF's: each is found, word for word, in the header of its name
where IDF_PATH names an IDF, v5.3 to v5.5.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

import pytest
from esplib import HERE

THIN = HERE / "idf"
# Ours, where IDF has one for each chip: what they stand for is in the same folder of IDF.
OF_OUR_OWN = re.compile(
    r"THIN_|_SECTION_ATTR_IMPL\(SECTION|configTICK_RATE_HZ CONFIG|SOC_GPIO_VALID_GPIO_MASK 0x"
    r"|configMAX_PRIORITIES|vPortEnterCriticalSafe\(portMUX|vPortExitCriticalSafe\(portMUX"
    r"|xPortSetInterruptMaskFromISR\(void|vPortClearInterruptMaskFromISR\(UBase"
    r"|portYIELD_FROM_ISR\(\)|vPortYieldFromISR\(void|SPINLOCK_INITIALIZER\s*\{|XCHAL_HAVE_S32C1I"
    r"|typedef (int|unsigned int|uint32_t) (BaseType_t|UBaseType_t|TickType_t)"
    r"|portMAX_DELAY|portTICK_PERIOD_MS|GPTIMER_CLK_SRC_DEFAULT|portNUM_PROCESSORS"
)


def idf() -> Path:
    path = os.environ.get("IDF_PATH", "")
    if not path:
        pytest.skip("IDF_PATH is not set: there is no real header to hold these against")
    components = Path(path) / "components"
    assert components.is_dir(), f"IDF_PATH={path} holds no components/"
    return components


def normal(text: str) -> str:
    """Without comments, spaces and FreeRTOS's marks."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.DOTALL)
    text = text.replace("\\\n", " ").replace("PRIVILEGED_FUNCTION", "")
    return re.sub(r"\s+", "", text)


@cache
def real(name: str) -> str:
    """The headers of a name in IDF, and what IDF moved out of them."""
    places = {
        "freertos/portmacro.h": ["portmacro.h", "spinlock.h"],
        "freertos/FreeRTOS.h": ["FreeRTOS.h", "projdefs.h"],
        "freertos/task.h": ["task.h", "idf_additions.h", "freertos_tasks_c_additions.h"],
        "driver/gptimer.h": ["gptimer.h", "gptimer_types.h", "timer_types.h"],
        "driver/gpio.h": ["gpio.h", "gpio_types.h", "gpio_num.h"],
        "esp_heap_caps.h": ["esp_heap_caps.h"],
        "riscv/csr.h": ["csr.h"],
    }.get(name, [Path(name).name])
    texts = [
        path.read_text(errors="replace")
        for place in places
        for path in sorted(idf().rglob(place))
        if "test" not in path.parts and "/linux/" not in str(path)
    ]
    assert texts, f"IDF has no {name}"
    return normal("\n".join(texts))


def declarations(path: Path) -> list[str]:
    """Prototypes, macros and the lines of types, one string each."""
    text = re.sub(r"//[^\n]*", "", path.read_text()).replace("\\\n", " ")
    found = re.findall(r"^#define [^\n]+", text, re.M)
    text = re.sub(r"^ *#[^\n]*", "", text, flags=re.M)
    text = re.sub(r"\) \{\n.*?^\}", ");", text, flags=re.DOTALL | re.MULTILINE)  # bodies are ours
    for struct in re.findall(r"\{(.*?)\}", text, re.DOTALL):
        found += [line.strip() for line in struct.splitlines() if line.strip(" {}")]
    text = re.sub(r"typedef (struct|enum) ?\{.*?\} (\w+);", "", text, flags=re.DOTALL)
    return found + [part.strip() for part in re.findall(r"[^;]+;", text)]


def headers() -> list[Path]:
    return sorted(THIN.rglob("*.h"))


@pytest.mark.parametrize("path", headers(), ids=lambda path: str(path.relative_to(THIN)))
def test_declarations_are_the_real_ones(path):
    text = real(str(path.relative_to(THIN)))
    ours = [part for part in declarations(path) if not OF_OUR_OWN.search(part)]
    for part in ours:
        wanted = normal(part)
        if wanted.startswith("FORCE_INLINE_ATTR"):
            wanted = wanted.removesuffix(";")
        if wanted.endswith(",") or re.fullmatch(r"\w+(=-?\d+)?", wanted):
            wanted = wanted.rstrip(",")
        if "CSR(" in wanted:  # how it makes a name of its argument differs between IDF's versions
            wanted = wanted[: wanted.index(";")]
        if wanted in ("struct{", "}flags;"):
            continue
        assert wanted in text, f"IDF's {path.name} does not say: {part}"


def test_something_is_declared():
    """The reader of the thin headers finds what is there."""
    found = {part for path in headers() for part in map(normal, declarations(path))}
    for wanted in (
        "int64_tesp_timer_get_time(void);",
        "esp_err_tgptimer_stop(gptimer_handle_ttimer);",
        "#defineMALLOC_CAP_INTERNAL(1<<11)",
        "ESP_RST_TASK_WDT,",
        "intgpio_get_level(gpio_num_tgpio_num);",
        "voidvTaskDelay(constTickType_txTicksToDelay);",
    ):
        assert wanted in found, wanted
    assert len(found) > 90
