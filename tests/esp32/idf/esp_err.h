// Results of IDF's functions.
// What our sources use of the IDF header of this name, and no more. tests/esp32/test_headers.py holds it against the real one.

#pragma once

typedef int esp_err_t;

#define ESP_OK 0
