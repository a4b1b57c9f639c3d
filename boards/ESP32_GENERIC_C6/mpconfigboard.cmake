# MicroPython with the gateway inside, for ESP-IDF: make -C ports/esp32 BOARD_DIR=<this folder>
# The generic board first, as ports/esp32 has it (cmake runs there), then what is ours.
include(boards/ESP32_GENERIC_C6/mpconfigboard.cmake)

get_filename_component(COPEPOD_ESP32 ${MICROPY_BOARD_DIR}/../esp32 ABSOLUTE)
configure_file(${COPEPOD_ESP32}/sdkconfig.copepod.in ${CMAKE_BINARY_DIR}/sdkconfig.copepod @ONLY)

list(APPEND SDKCONFIG_DEFAULTS
    boards/sdkconfig.free_ram
    ${CMAKE_BINARY_DIR}/sdkconfig.copepod
)

if(NOT MICROPY_FROZEN_MANIFEST)
    set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
endif()
