# What the four chips share; a board's file includes the generic board first, as ports/esp32 has it.
get_filename_component(COPEPOD_ESP32 ${CMAKE_CURRENT_LIST_DIR} ABSOLUTE)
configure_file(${COPEPOD_ESP32}/sdkconfig.copepod.in ${CMAKE_BINARY_DIR}/sdkconfig.copepod @ONLY)

list(APPEND SDKCONFIG_DEFAULTS
    boards/sdkconfig.free_ram
    ${CMAKE_BINARY_DIR}/sdkconfig.copepod
)

if(NOT MICROPY_FROZEN_MANIFEST)
    set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
endif()
