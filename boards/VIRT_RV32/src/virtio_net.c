// The network card between lwIP and the device.
//
// Receiving: RX_FRAMES buffers are lent to the device. A frame that arrives is copied into a block of the C heap, as an
// ESP32's Wi-Fi does, or dropped if that is full (TCP sends it again); its buffer goes back to the device at once.
// Sending: a frame's pbufs become the segments of one request; they are held (pbuf_ref) until the device has read them.
// ETH_PAD_SIZE is 2: two unused bytes before each frame put the IP header on a word boundary.
#include <string.h>

#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"

#include "virt_machine.h"
#include "virt_network.h"
#include "virtio_mmio.h"

#define RX_QUEUE (0)
#define TX_QUEUE (1)
#define RX_FRAMES (8)
#define RX_OVERHEAD (272) // of each block, so that a full segment takes 1.8 kB as on ESP32
#define RX_RING (16) // two descriptors a frame: the device's header, the frame
#define RX_A_POLL (2 * RX_FRAMES)
#define TX_RING (32)
#define TX_SEGS (6)
#define FRAME_BYTES (14 + 1500)
#define FRAME_ROOM (1520) // ETH_PAD_SIZE + FRAME_BYTES, a multiple of 8
#define HEADER_MODERN (12)
#define HEADER_LEGACY (10)

#define NET_F_MAC (1u << 5)
#define NET_F_STATUS (1u << 16)
#define NET_CONFIG_STATUS (6)
#define NET_STATUS_LINK (1)

struct rx_frame {
    uint8_t header[HEADER_MODERN];
    uint8_t room[FRAME_ROOM] __attribute__((aligned(8)));
};

VIRTIO_RING(rx, RX_RING);
VIRTIO_RING(tx, TX_RING);
static struct virtio_dev dev;
static struct virtqueue rx, tx;
static struct rx_frame rx_frames[RX_FRAMES];
static const uint8_t tx_header[HEADER_MODERN]; // no offloads: all zero for every frame
static uint32_t header_bytes;
static bool has_status;
static struct netif netif;
struct virtio_net_counters virtio_net_counters;

struct netif *virtio_netif(void) {
    return dev.base != 0 ? &netif : NULL;
}

// ---- receiving

static void rx_lend(struct rx_frame *f) {
    struct vq_seg segs[2] = {
        { (uintptr_t)f->header, header_bytes },
        { (uintptr_t)f->room + ETH_PAD_SIZE, FRAME_BYTES },
    };
    vq_add(&rx, segs, 0, 2, f);
}

static void rx_publish(void) {
    if (vq_publish(&rx)) {
        virtio_notify(&dev, RX_QUEUE);
    }
}

static struct pbuf *rx_pbuf(const struct rx_frame *f, uint16_t len) {
    struct pbuf *p = pbuf_alloc(PBUF_RAW, len + RX_OVERHEAD, PBUF_RAM);
    if (p != NULL) {
        p->len = p->tot_len = len;
        memcpy(p->payload, f->room, len);
    }
    return p;
}

static bool rx_one(void) {
    uint32_t len;
    struct rx_frame *f = vq_pop(&rx, &len);
    if (f == NULL) {
        return false;
    }
    struct pbuf *p = NULL;
    if (len >= header_bytes + SIZEOF_ETH_HDR - ETH_PAD_SIZE) {
        p = rx_pbuf(f, (uint16_t)(len - header_bytes + ETH_PAD_SIZE));
    }
    rx_lend(f);
    if (p == NULL) {
        virtio_net_counters.rx_dropped++;
        return true;
    }
    virtio_net_counters.rx_frames++;
    if (netif.input(p, &netif) != ERR_OK) {
        pbuf_free(p);
    }
    return true;
}

// ---- sending

static void tx_reclaim(void) {
    uint32_t len;
    struct pbuf *p;
    while ((p = vq_pop(&tx, &len)) != NULL) { // TX_RING entries at most: nothing is added here
        pbuf_free(p);
    }
}

static err_t tx_send(struct netif *unused, struct pbuf *p) {
    (void)unused;
    struct vq_seg segs[1 + TX_SEGS] = { { (uintptr_t)tx_header, header_bytes } };
    tx_reclaim();
    unsigned n = 1;
    struct pbuf *q = p;
    for (; q != NULL && n <= TX_SEGS; q = q->next) {
        uint16_t skip = q == p ? ETH_PAD_SIZE : 0;
        segs[n++] = (struct vq_seg) { (uintptr_t)q->payload + skip, (uint32_t)q->len - skip };
    }
    struct pbuf *sent = p;
    if (q != NULL) { // more pieces than a request has room for: one copy
        sent = pbuf_clone(PBUF_RAW, PBUF_RAM, p);
        if (sent == NULL) {
            return ERR_MEM;
        }
        segs[1] = (struct vq_seg) { (uintptr_t)sent->payload + ETH_PAD_SIZE, (uint32_t)sent->len - ETH_PAD_SIZE };
        n = 2;
    } else {
        pbuf_ref(sent);
    }
    if (!vq_add(&tx, segs, n, 0, sent)) {
        pbuf_free(sent);
        virtio_net_counters.tx_full++;
        return ERR_MEM; // TCP tries again by its timer
    }
    if (vq_publish(&tx)) {
        virtio_notify(&dev, TX_QUEUE);
    }
    virtio_net_counters.tx_frames++;
    return ERR_OK;
}

// ---- the interface

static void link_update(void) {
    bool up = !has_status || (virtio_config16(&dev, NET_CONFIG_STATUS) & NET_STATUS_LINK);
    if (up == (bool)netif_is_link_up(&netif)) {
        return;
    }
    if (up) {
        netif_set_link_up(&netif); // asks for an address again, and says hello by ARP
    } else {
        netif_set_link_down(&netif);
    }
    virt_note();
}

static err_t interface_init(struct netif *n) {
    n->name[0] = 'v';
    n->name[1] = 'n';
    n->mtu = 1500;
    n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    n->output = etharp_output;
    n->linkoutput = tx_send;
    n->hwaddr_len = 6;
    return ERR_OK;
}

bool virtio_net_init(void) {
    uint32_t agreed;
    lwip_init();
    if (!virtio_find(&dev, VIRTIO_ID_NET)) {
        return false;
    }
    if (!virtio_begin(&dev, NET_F_MAC | NET_F_STATUS, &agreed)
        || !virtio_queue(&dev, RX_QUEUE, &rx, RX_RING, rx_ring, rx_note)
        || !virtio_queue(&dev, TX_QUEUE, &tx, TX_RING, tx_ring, tx_note)) {
        dev.base = 0;
        return false;
    }
    header_bytes = dev.modern ? HEADER_MODERN : HEADER_LEGACY;
    has_status = agreed & NET_F_STATUS;
    if (agreed & NET_F_MAC) {
        for (unsigned i = 0; i < sizeof(netif.hwaddr); i++) {
            netif.hwaddr[i] = virtio_config8(&dev, i);
        }
    } else {
        uint32_t r = virt_random();
        uint8_t mac[6] = { 0x52, 0x54, 0x00, (uint8_t)r, (uint8_t)(r >> 8), (uint8_t)(r >> 16) };
        memcpy(netif.hwaddr, mac, sizeof(mac));
    }
    vq_interrupts(&tx, false);
    virtio_ready(&dev);
    for (unsigned i = 0; i < RX_FRAMES; i++) {
        rx_lend(&rx_frames[i]);
    }
    rx_publish();
    virt_irq_enable(dev.irq);
    if (netif_add(&netif, IP4_ADDR_ANY4, IP4_ADDR_ANY4, IP4_ADDR_ANY4, NULL, interface_init, ethernet_input) == NULL) {
        dev.base = 0;
        return false;
    }
    netif_set_default(&netif);
    link_update();
    return true;
}

void virtio_net_poll(void) {
    if (dev.base != 0) {
        if (virtio_interrupt(&dev) & VIRTIO_ISR_CONFIG) {
            link_update();
        }
        tx_reclaim();
        unsigned n = 0;
        while (n < RX_A_POLL && rx_one()) {
            n++;
        }
        if (n > 0) {
            rx_publish();
            virt_note(); // and a flood is taken up again at the next poll
        }
        if (rx.broken || tx.broken) {
            virt_panic("the network card answers nonsense", rx.broken ? &rx : &tx);
        }
    }
    sys_check_timeouts();
}

uint32_t virtio_net_next_timer(uint32_t limit_ms) {
    uint32_t next = sys_timeouts_sleeptime();
    return next < limit_ms ? next : limit_ms;
}

u32_t sys_now(void) {
    return virt_millis();
}
