// The gateway on ESP32.

#define MICROPY_HW_BOARD_NAME               "Copepod on ESP32"
#define MICROPY_HW_MCU_NAME                 "ESP32"

// Both consoles, where the chip has two: a USB bridge on the UART and the built-in USB.
#define MICROPY_HW_ENABLE_UART_REPL         (1)

#include "../esp32/mpconfigcopepod.h"
