// What the `network` and `virt` modules need of the driver in virtio_net.c.
#ifndef COPEPOD_VIRT_NETWORK_H
#define COPEPOD_VIRT_NETWORK_H

#include <stdint.h>

struct netif;

struct virtio_net_counters {
    uint32_t rx_frames;
    uint32_t rx_dropped; // malformed, or no room in the C heap
    uint32_t tx_frames;
    uint32_t tx_full;    // refused to lwIP, which tries again
};
extern struct virtio_net_counters virtio_net_counters;

// NULL without a network card.
struct netif *virtio_netif(void);

#endif
