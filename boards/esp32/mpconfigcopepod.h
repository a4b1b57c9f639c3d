// What every ESP32 build with the gateway inside has and has not.

// The gateway speaks Wi-Fi only, and Bluetooth's memory is what TLS needs (C3 and C6 have no other).
#define MICROPY_PY_BLUETOOTH                (0)
#define MICROPY_PY_ESPNOW                   (0)

// A read-only file system in flash (partition "romfs"), for apps that are replaced without a new
// firmware and still run in place.
#define MICROPY_VFS_ROM                     (1)
