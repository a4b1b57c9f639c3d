# MicroPython with the gateway inside, for ESP-IDF: make -C ports/esp32 BOARD_DIR=<this folder>
include(boards/ESP32_GENERIC_C3/mpconfigboard.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/../esp32/copepod.cmake)
