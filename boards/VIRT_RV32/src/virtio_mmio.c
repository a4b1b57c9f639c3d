// virtio over memory-mapped registers: see virtio_mmio.h.
#include "virtio_mmio.h"

#include "virt_machine.h"

enum {
    MAGIC = 0x000, VERSION = 0x004, DEVICE_ID = 0x008, DEVICE_FEATURES = 0x010, DEVICE_FEATURES_SEL = 0x014,
    DRIVER_FEATURES = 0x020, DRIVER_FEATURES_SEL = 0x024, GUEST_PAGE_SIZE = 0x028, QUEUE_SEL = 0x030,
    QUEUE_NUM_MAX = 0x034, QUEUE_NUM = 0x038, QUEUE_ALIGN = 0x03c, QUEUE_PFN = 0x040, QUEUE_READY = 0x044,
    QUEUE_NOTIFY = 0x050, INTERRUPT_STATUS = 0x060, INTERRUPT_ACK = 0x064, STATUS = 0x070, QUEUE_DESC = 0x080,
    QUEUE_DRIVER = 0x090, QUEUE_DEVICE = 0x0a0, CONFIG_GENERATION = 0x0fc, CONFIG = 0x100,
};

#define MAGIC_VALUE (0x74726976)
#define STATUS_ACKNOWLEDGE (1)
#define STATUS_DRIVER (2)
#define STATUS_DRIVER_OK (4)
#define STATUS_FEATURES_OK (8)
#define STATUS_FAILED (128)
#define FEATURE_VERSION_1_HIGH (1) // bit 32

#define RESET_POLLS (1000000)
#define CONFIG_READS (8)

static uint32_t get(const struct virtio_dev *dev, unsigned reg) {
    return mmio_read32(dev->base + reg);
}

static void set(const struct virtio_dev *dev, unsigned reg, uint32_t value) {
    mmio_write32(dev->base + reg, value);
}

static bool give_up(const struct virtio_dev *dev) {
    set(dev, STATUS, get(dev, STATUS) | STATUS_FAILED);
    return false;
}

bool virtio_find(struct virtio_dev *dev, uint32_t device_id) {
    for (unsigned i = 0; i < VIRTIO_SLOTS; i++) {
        dev->base = VIRTIO_BASE + i * VIRTIO_STRIDE;
        dev->irq = (uint8_t)(VIRTIO_IRQ + i);
        uint32_t version = get(dev, VERSION);
        dev->modern = version == 2;
        if (get(dev, MAGIC) == MAGIC_VALUE && (version == 1 || version == 2) && get(dev, DEVICE_ID) == device_id) {
            return true;
        }
    }
    dev->base = 0;
    return false;
}

void virtio_reset(struct virtio_dev *dev) {
    set(dev, STATUS, 0);
    for (unsigned i = 0; i < RESET_POLLS && get(dev, STATUS) != 0; i++) {
    }
}

bool virtio_begin(struct virtio_dev *dev, uint32_t wanted, uint32_t *agreed) {
    virtio_reset(dev);
    set(dev, STATUS, STATUS_ACKNOWLEDGE);
    set(dev, STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    set(dev, DEVICE_FEATURES_SEL, 0);
    *agreed = get(dev, DEVICE_FEATURES) & wanted;
    set(dev, DRIVER_FEATURES_SEL, 0);
    set(dev, DRIVER_FEATURES, *agreed);
    if (!dev->modern) {
        set(dev, GUEST_PAGE_SIZE, VIRTIO_RING_ALIGN);
        return true;
    }
    set(dev, DEVICE_FEATURES_SEL, 1);
    uint32_t high = get(dev, DEVICE_FEATURES) & FEATURE_VERSION_1_HIGH;
    set(dev, DRIVER_FEATURES_SEL, 1);
    set(dev, DRIVER_FEATURES, high);
    set(dev, STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
    if (high == 0 || !(get(dev, STATUS) & STATUS_FEATURES_OK)) {
        return give_up(dev);
    }
    return true;
}

bool virtio_queue(struct virtio_dev *dev, uint32_t index, struct virtqueue *vq, uint16_t size, void *ring,
    struct vq_note *note) {
    vq_init(vq, size, ring, VIRTIO_RING_ALIGN, note);
    set(dev, QUEUE_SEL, index);
    if (get(dev, QUEUE_NUM_MAX) < size || get(dev, dev->modern ? QUEUE_READY : QUEUE_PFN) != 0) {
        return give_up(dev);
    }
    set(dev, QUEUE_NUM, size);
    if (dev->modern) {
        set(dev, QUEUE_DESC, (uintptr_t)vq->desc);
        set(dev, QUEUE_DESC + 4, 0);
        set(dev, QUEUE_DRIVER, (uintptr_t)vq->avail);
        set(dev, QUEUE_DRIVER + 4, 0);
        set(dev, QUEUE_DEVICE, (uintptr_t)vq->used);
        set(dev, QUEUE_DEVICE + 4, 0);
        set(dev, QUEUE_READY, 1);
    } else {
        set(dev, QUEUE_ALIGN, VIRTIO_RING_ALIGN);
        set(dev, QUEUE_PFN, (uintptr_t)ring / VIRTIO_RING_ALIGN);
    }
    return true;
}

void virtio_ready(struct virtio_dev *dev) {
    set(dev, STATUS, get(dev, STATUS) | STATUS_DRIVER_OK);
}

void virtio_notify(struct virtio_dev *dev, uint32_t queue) {
    set(dev, QUEUE_NOTIFY, queue);
}

uint32_t virtio_interrupt(struct virtio_dev *dev) {
    uint32_t why = get(dev, INTERRUPT_STATUS);
    if (why != 0) {
        set(dev, INTERRUPT_ACK, why);
    }
    return why;
}

uint8_t virtio_config8(struct virtio_dev *dev, unsigned offset) {
    return mmio_read8(dev->base + CONFIG + offset);
}

uint16_t virtio_config16(struct virtio_dev *dev, unsigned offset) {
    return mmio_read16(dev->base + CONFIG + offset);
}

// Two reads: on the modern layout the generation says whether the device changed the value between them.
uint64_t virtio_config64(struct virtio_dev *dev, unsigned offset) {
    uint64_t value = 0;
    for (unsigned i = 0; i < CONFIG_READS; i++) {
        uint32_t before = dev->modern ? get(dev, CONFIG_GENERATION) : 0;
        value = get(dev, CONFIG + offset) | (uint64_t)get(dev, CONFIG + offset + 4) << 32;
        if (!dev->modern || get(dev, CONFIG_GENERATION) == before) {
            break;
        }
    }
    return value;
}
