// Module `virt`: the machine's two heaps, its counters and its disk, for Python. And the class network.LAN.
#include <string.h>

#include "py/gc.h"
#include "py/mphal.h"
#include "py/mperrno.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "extmod/modnetwork.h"
#include "extmod/vfs.h"
#include "shared/netutils/netutils.h"

#include "lwip/dhcp.h"
#include "lwip/netif.h"

#include "c_heap.h"
#include "virt_machine.h"
#include "virt_network.h"

// ---- virt.heap_info() -> (total, free, largest free block, lowest free ever) of the C heap, in bytes, as
// esp32.idf_heap_info() gives them for a region. Allocates the tuple.
static mp_obj_t virt_heap_info(void) {
    struct c_heap_info info;
    c_heap_info(&info);
    mp_obj_t items[4] = {
        MP_OBJ_NEW_SMALL_INT(info.total), MP_OBJ_NEW_SMALL_INT(info.free),
        MP_OBJ_NEW_SMALL_INT(info.largest), MP_OBJ_NEW_SMALL_INT(info.min_free),
    };
    return mp_obj_new_tuple(4, items);
}
static MP_DEFINE_CONST_FUN_OBJ_0(virt_heap_info_obj, virt_heap_info);

// ---- virt.new_split() -> bytes of the largest area that Python's heap could still take of the C heap; gc.mem_free()
// counts them in, as on ESP32.
static mp_obj_t virt_new_split(void) {
    return MP_OBJ_NEW_SMALL_INT(gc_get_max_new_split());
}
static MP_DEFINE_CONST_FUN_OBJ_0(virt_new_split_obj, virt_new_split);

// ---- virt.hold(bytes): takes a block of the C heap until virt.release() gives all of them back, or a soft reset does.
// MemoryError if there is none so large. They stand for what sleeping threads' stacks take on ESP32.
static void **held; // the last block, whose first word is the one before

static mp_obj_t virt_hold(mp_obj_t bytes_in) {
    mp_int_t bytes = mp_obj_get_int(bytes_in);
    if (bytes < (mp_int_t)sizeof(void *)) {
        mp_raise_ValueError(NULL);
    }
    void **block = c_malloc(bytes);
    if (block == NULL) {
        m_malloc_fail(bytes);
    }
    *block = held;
    held = block;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(virt_hold_obj, virt_hold);

void virt_release_all(void) {
    while (held != NULL) {
        void **block = held;
        held = *block;
        c_free(block);
    }
}

static mp_obj_t virt_release(void) {
    virt_release_all();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(virt_release_obj, virt_release);

// ---- virt.net_info() -> (received, dropped, sent, refused for a full ring), in frames.
static mp_obj_t virt_net_info(void) {
    const struct virtio_net_counters *c = &virtio_net_counters;
    mp_obj_t items[4] = {
        MP_OBJ_NEW_SMALL_INT(c->rx_frames), MP_OBJ_NEW_SMALL_INT(c->rx_dropped),
        MP_OBJ_NEW_SMALL_INT(c->tx_frames), MP_OBJ_NEW_SMALL_INT(c->tx_full),
    };
    return mp_obj_new_tuple(4, items);
}
static MP_DEFINE_CONST_FUN_OBJ_0(virt_net_info_obj, virt_net_info);

// ---- virt.stack_free() -> bytes of the stack that were never used: the start-up code fills it with a pattern.
static mp_obj_t virt_stack_free(void) {
    extern const uint32_t _sstack[], _estack[];
    const uint32_t *p = _sstack;
    while (p < _estack && *p == 0xbbbbbbbb) {
        p++;
    }
    return MP_OBJ_NEW_SMALL_INT((const uint8_t *)p - (const uint8_t *)_sstack);
}
static MP_DEFINE_CONST_FUN_OBJ_0(virt_stack_free_obj, virt_stack_free);

// ---- virt.poweroff(status=0): ends QEMU, with that exit status.
static mp_obj_t virt_poweroff(size_t n_args, const mp_obj_t *args) {
    mp_int_t status = n_args > 0 && args[0] != mp_const_none ? mp_obj_get_int(args[0]) : 0;
    virtio_blk_flush();
    virt_power_off(status);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virt_poweroff_obj, 0, 1, virt_poweroff);

// ---- virt.Block(): the disk for vfs.mount(), with the extended protocol (offsets inside a block).
#define BLOCK_BYTES (4096)
#define SECTOR_BYTES (512)
#define SECTORS_A_BLOCK (BLOCK_BYTES / SECTOR_BYTES)

// The disk's last block is not the file system's: its first sector stands for a chip's RTC memory (virt.record()).
static uint32_t block_count(void) {
    uint32_t blocks = virtio_blk_sectors() / SECTORS_A_BLOCK;
    return blocks > 0 ? blocks - 1 : 0;
}

enum { IOCTL_SYNC = 3, IOCTL_COUNT = 4, IOCTL_SIZE = 5, IOCTL_ERASE = 6 };

static uint8_t sector_copy[SECTOR_BYTES]; // of a sector that is read or written in part

static mp_obj_t block_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)args;
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    if (block_count() == 0) {
        mp_raise_OSError(MP_ENODEV);
    }
    return MP_OBJ_FROM_PTR(mp_obj_malloc(mp_obj_base_t, type));
}

// Moves `len` bytes from byte `at` of the disk to `data`, or back: whole sectors directly, parts through a copy.
static bool block_move(uint64_t at, uint8_t *data, size_t len, bool write) {
    while (len > 0) {
        uint32_t sector = (uint32_t)(at / SECTOR_BYTES);
        size_t offset = at % SECTOR_BYTES, n = SECTOR_BYTES - offset;
        if (offset == 0 && len >= SECTOR_BYTES) {
            n = len - len % SECTOR_BYTES;
            uint32_t count = n / SECTOR_BYTES;
            if (!(write ? virtio_blk_write(sector, data, count) : virtio_blk_read(sector, data, count))) {
                return false;
            }
        } else {
            n = n < len ? n : len;
            if (!virtio_blk_read(sector, sector_copy, 1)) {
                return false;
            }
            if (write) {
                memcpy(sector_copy + offset, data, n);
                if (!virtio_blk_write(sector, sector_copy, 1)) {
                    return false;
                }
            } else {
                memcpy(data, sector_copy + offset, n);
            }
        }
        at += n;
        data += n;
        len -= n;
    }
    return true;
}

static mp_obj_t block_transfer(size_t n_args, const mp_obj_t *args, bool write) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[2], &buf, write ? MP_BUFFER_READ : MP_BUFFER_WRITE);
    mp_int_t block = mp_obj_get_int(args[1]), offset = n_args > 3 ? mp_obj_get_int(args[3]) : 0;
    if (block < 0 || offset < 0) {
        return MP_OBJ_NEW_SMALL_INT(-MP_EINVAL);
    }
    bool ok = block_move((uint64_t)block * BLOCK_BYTES + (uint64_t)offset, buf.buf, buf.len, write);
    return MP_OBJ_NEW_SMALL_INT(ok ? 0 : -MP_EIO);
}

static mp_obj_t block_readblocks(size_t n_args, const mp_obj_t *args) {
    return block_transfer(n_args, args, false);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(block_readblocks_obj, 3, 4, block_readblocks);

static mp_obj_t block_writeblocks(size_t n_args, const mp_obj_t *args) {
    return block_transfer(n_args, args, true);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(block_writeblocks_obj, 3, 4, block_writeblocks);

static mp_obj_t block_ioctl(mp_obj_t self, mp_obj_t op, mp_obj_t arg) {
    (void)self;
    (void)arg;
    switch (mp_obj_get_int(op)) {
        case IOCTL_SYNC:
            return MP_OBJ_NEW_SMALL_INT(virtio_blk_flush() ? 0 : -MP_EIO);
        case IOCTL_COUNT:
            return MP_OBJ_NEW_SMALL_INT(block_count());
        case IOCTL_SIZE:
            return MP_OBJ_NEW_SMALL_INT(BLOCK_BYTES);
        case IOCTL_ERASE:
            return MP_OBJ_NEW_SMALL_INT(0); // a disk needs none
        default:
            return mp_const_none;
    }
}
static MP_DEFINE_CONST_FUN_OBJ_3(block_ioctl_obj, block_ioctl);

static const mp_rom_map_elem_t block_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&block_readblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&block_writeblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&block_ioctl_obj) },
};
static MP_DEFINE_CONST_DICT(block_locals, block_locals_table);
static MP_DEFINE_CONST_OBJ_TYPE(virt_block_type, MP_QSTR_Block, MP_TYPE_FLAG_NONE,
    make_new, block_make_new, locals_dict, &block_locals);

// ---- virt.record(buf): fills buf (at most 512 B) from the sector that outlives every reset; virt.record(buf, True)
// writes it there. One sector is one write: after a power cut it holds the old or the new. Allocates nothing.
static mp_obj_t virt_record(size_t n_args, const mp_obj_t *args) {
    bool write = n_args > 1 && mp_obj_is_true(args[1]);
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[0], &buf, write ? MP_BUFFER_READ : MP_BUFFER_WRITE);
    if (block_count() == 0 || buf.len > SECTOR_BYTES) {
        mp_raise_OSError(block_count() == 0 ? MP_ENODEV : MP_EINVAL);
    }
    uint32_t sector = block_count() * SECTORS_A_BLOCK;
    bool ok;
    if (write) {
        memset(sector_copy, 0, sizeof(sector_copy));
        memcpy(sector_copy, buf.buf, buf.len);
        ok = virtio_blk_write(sector, sector_copy, 1);
    } else {
        ok = virtio_blk_read(sector, sector_copy, 1);
        memcpy(buf.buf, sector_copy, buf.len);
    }
    if (!ok) {
        mp_raise_OSError(MP_EIO);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virt_record_obj, 1, 2, virt_record);

// ---- network.LAN(): the one network card. active(True) brings it up and asks for an address by DHCP. As an ESP32's
// Wi-Fi does, it takes a part of the C heap the first time that it is active, and another when it is connected, and
// gives neither back.
struct wifi_room {
    size_t apart, large; // bytes of what lies apart from the largest block, and of that
    bool taken;
};
static struct wifi_room wifi_on = { COPEPOD_WIFI_ON_APART, COPEPOD_WIFI_ON_LARGE, false };
static struct wifi_room wifi_up = { COPEPOD_WIFI_UP_APART, COPEPOD_WIFI_UP_LARGE, false };

static bool wifi_take(struct wifi_room *room) {
    if (!room->taken) {
        void *apart = c_malloc(room->apart), *large = c_malloc(room->large); // in this order, each finds its place
        room->taken = apart != NULL && large != NULL;
        if (!room->taken) {
            c_free(apart);
            c_free(large);
        }
    }
    return room->taken;
}

static mp_obj_t lan_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)args;
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    if (virtio_netif() == NULL) {
        mp_raise_OSError(MP_ENODEV);
    }
    return MP_OBJ_FROM_PTR(mp_obj_malloc(mp_obj_base_t, type));
}

static mp_obj_t lan_active(size_t n_args, const mp_obj_t *args) {
    struct netif *n = virtio_netif();
    if (n_args == 1) {
        return mp_obj_new_bool(netif_is_up(n));
    }
    if (mp_obj_is_true(args[1]) && !netif_is_up(n)) {
        if (!wifi_take(&wifi_on)) {
            mp_raise_msg(&mp_type_OSError, MP_ERROR_TEXT("Wifi Out of Memory")); // in ESP32's own words
        }
        netif_set_hostname(n, mod_network_hostname_data);
        netif_set_up(n);
        if (dhcp_start(n) != ERR_OK) {
            mp_raise_OSError(MP_ENOMEM);
        }
    } else if (!mp_obj_is_true(args[1]) && netif_is_up(n)) {
        dhcp_release_and_stop(n);
        netif_set_down(n);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(lan_active_obj, 1, 2, lan_active);

static bool lan_ready(void) {
    struct netif *n = virtio_netif();
    return netif_is_up(n) && netif_is_link_up(n) && !ip4_addr_isany(netif_ip4_addr(n)) && wifi_take(&wifi_up);
}

static mp_obj_t lan_isconnected(mp_obj_t self) {
    (void)self;
    return mp_obj_new_bool(lan_ready());
}
static MP_DEFINE_CONST_FUN_OBJ_1(lan_isconnected_obj, lan_isconnected);

// 0 down, 1 no link, 2 waiting for an address, 3 connected: the numbers of the other lwIP ports.
static mp_obj_t lan_status(mp_obj_t self) {
    (void)self;
    struct netif *n = virtio_netif();
    return MP_OBJ_NEW_SMALL_INT(!netif_is_up(n) ? 0 : !netif_is_link_up(n) ? 1 : lan_ready() ? 3 : 2);
}
static MP_DEFINE_CONST_FUN_OBJ_1(lan_status_obj, lan_status);

static mp_obj_t lan_ifconfig(size_t n_args, const mp_obj_t *args) {
    return mod_network_nic_ifconfig(virtio_netif(), n_args - 1, args + 1);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(lan_ifconfig_obj, 1, 2, lan_ifconfig);

static mp_obj_t lan_ipconfig(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    return mod_network_nic_ipconfig(virtio_netif(), n_args - 1, args + 1, kwargs);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(lan_ipconfig_obj, 1, lan_ipconfig);

static const mp_rom_map_elem_t lan_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_active), MP_ROM_PTR(&lan_active_obj) },
    { MP_ROM_QSTR(MP_QSTR_isconnected), MP_ROM_PTR(&lan_isconnected_obj) },
    { MP_ROM_QSTR(MP_QSTR_status), MP_ROM_PTR(&lan_status_obj) },
    { MP_ROM_QSTR(MP_QSTR_ifconfig), MP_ROM_PTR(&lan_ifconfig_obj) },
    { MP_ROM_QSTR(MP_QSTR_ipconfig), MP_ROM_PTR(&lan_ipconfig_obj) },
};
static MP_DEFINE_CONST_DICT(lan_locals, lan_locals_table);
MP_DEFINE_CONST_OBJ_TYPE(virt_network_lan_type, MP_QSTR_LAN, MP_TYPE_FLAG_NONE,
    make_new, lan_make_new, locals_dict, &lan_locals);

static const mp_rom_map_elem_t virt_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_virt) },
    { MP_ROM_QSTR(MP_QSTR_Block), MP_ROM_PTR(&virt_block_type) },
    { MP_ROM_QSTR(MP_QSTR_heap_info), MP_ROM_PTR(&virt_heap_info_obj) },
    { MP_ROM_QSTR(MP_QSTR_hold), MP_ROM_PTR(&virt_hold_obj) },
    { MP_ROM_QSTR(MP_QSTR_release), MP_ROM_PTR(&virt_release_obj) },
    { MP_ROM_QSTR(MP_QSTR_new_split), MP_ROM_PTR(&virt_new_split_obj) },
    { MP_ROM_QSTR(MP_QSTR_net_info), MP_ROM_PTR(&virt_net_info_obj) },
    { MP_ROM_QSTR(MP_QSTR_poweroff), MP_ROM_PTR(&virt_poweroff_obj) },
    { MP_ROM_QSTR(MP_QSTR_record), MP_ROM_PTR(&virt_record_obj) },
    { MP_ROM_QSTR(MP_QSTR_stack_free), MP_ROM_PTR(&virt_stack_free_obj) },
};
static MP_DEFINE_CONST_DICT(virt_globals, virt_globals_table);

const mp_obj_module_t virt_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&virt_globals,
};
MP_REGISTER_MODULE(MP_QSTR_virt, virt_module);
