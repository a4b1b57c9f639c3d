// The disk: one request at a time, waited for. A request that does not come back in time means that the device keeps
// our buffer, so it is reset (which gives all buffers back) and the disk is gone.
#include "virt_machine.h"
#include "virtio_mmio.h"

#define BLK_QUEUE (8)
#define BLK_TIMEOUT_MS (5000)
#define BLK_F_FLUSH (1u << 9)
#define SECTOR_BYTES (512)

enum { BLK_READ = 0, BLK_WRITE = 1, BLK_FLUSH = 4 };

struct blk_header {
    uint32_t type;
    uint32_t reserved;
    uint64_t sector;
};

VIRTIO_RING(blk, BLK_QUEUE);
static struct virtio_dev dev;
static struct virtqueue queue;
static bool can_flush;
static uint32_t sectors_total;
static struct blk_header header;
static uint8_t status;

bool virtio_blk_init(void) {
    uint32_t agreed;
    sectors_total = 0;
    if (!virtio_find(&dev, VIRTIO_ID_BLK)) {
        return false;
    }
    if (!virtio_begin(&dev, BLK_F_FLUSH, &agreed) || !virtio_queue(&dev, 0, &queue, BLK_QUEUE, blk_ring, blk_note)) {
        dev.base = 0;
        return false;
    }
    can_flush = agreed & BLK_F_FLUSH;
    uint64_t capacity = virtio_config64(&dev, 0);
    sectors_total = capacity > UINT32_MAX ? UINT32_MAX : (uint32_t)capacity;
    vq_interrupts(&queue, false);
    virtio_ready(&dev);
    return true;
}

uint32_t virtio_blk_sectors(void) {
    return sectors_total;
}

static bool request(uint32_t type, uint32_t sector, uintptr_t data, uint32_t count) {
    if (dev.base == 0 || sector > sectors_total || count > sectors_total - sector) {
        return false;
    }
    header = (struct blk_header) { .type = type, .sector = sector };
    status = 0xff;
    struct vq_seg segs[3] = { { (uintptr_t)&header, sizeof(header) } };
    unsigned n = 1;
    if (count > 0) {
        segs[n++] = (struct vq_seg) { data, count * SECTOR_BYTES };
    }
    segs[n++] = (struct vq_seg) { (uintptr_t)&status, 1 };
    unsigned in = type == BLK_READ ? 2 : 1;
    if (!vq_add(&queue, segs, n - in, in, &header)) {
        return false;
    }
    if (vq_publish(&queue)) {
        virtio_notify(&dev, 0);
    }
    uint32_t start = virt_millis(), len;
    while (vq_pop(&queue, &len) == NULL) {
        if (queue.broken || virt_millis() - start > BLK_TIMEOUT_MS) {
            virtio_reset(&dev);
            dev.base = 0;
            return false;
        }
    }
    virtio_interrupt(&dev);
    return *(volatile uint8_t *)&status == 0;
}

bool virtio_blk_read(uint32_t sector, void *buf, uint32_t sectors) {
    return request(BLK_READ, sector, (uintptr_t)buf, sectors);
}

bool virtio_blk_write(uint32_t sector, const void *buf, uint32_t sectors) {
    return request(BLK_WRITE, sector, (uintptr_t)buf, sectors);
}

bool virtio_blk_flush(void) {
    return !can_flush || request(BLK_FLUSH, 0, 0, 0);
}
