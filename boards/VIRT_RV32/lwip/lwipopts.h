// lwIP for a chip with 400 KB: everything that varies is allocated from the C heap, nothing is set aside.
#ifndef COPEPOD_LWIPOPTS_H
#define COPEPOD_LWIPOPTS_H

#include <stddef.h>
#include <stdint.h>

#include "c_heap.h"

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0 // one thread, no interrupt handlers
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_STATS 0

// Memory: the C heap for buffers and for control blocks alike.
#define MEM_ALIGNMENT 4
#define MEM_CUSTOM_ALLOCATOR 1
#define MEM_CUSTOM_MALLOC c_malloc
#define MEM_CUSTOM_CALLOC c_calloc
#define MEM_CUSTOM_FREE c_free
#define MEMP_MEM_MALLOC 1
#define ETH_PAD_SIZE 2             // IP headers on word boundaries
#define PBUF_POOL_SIZE 0

#define LWIP_IPV4 1
#define LWIP_IPV6 0
#define LWIP_ARP 1
#define LWIP_ETHERNET 1
#define LWIP_RAW 1
#define LWIP_ICMP 1
#define LWIP_IGMP 1 // extmod/modlwip.c offers multicast to sockets
#define IP_REASSEMBLY 0
#define LWIP_DHCP 1
#define LWIP_DHCP_DOES_ACD_CHECK 0
#define LWIP_DNS 1
#define LWIP_NETIF_HOSTNAME 1
#define LWIP_NETIF_LINK_CALLBACK 1
#define SO_REUSE 1
#define TCP_LISTEN_BACKLOG 1
#define LWIP_CHKSUM_ALGORITHM 3
#define LWIP_RAND() virt_random()

// TCP: windows of four segments, as ESP32's default (5,760 B).
#define TCP_MSS 1460
#define TCP_WND (4 * TCP_MSS)
#define TCP_SND_BUF (4 * TCP_MSS)
#define TCP_SND_QUEUELEN 16
#define MEMP_NUM_TCP_SEG 32
#define TCP_QUEUE_OOSEQ 1 // a lost frame costs one frame
#define TCP_OOSEQ_MAX_PBUFS 4
#define LWIP_TCP_RTO_TIME 1000
#define TCP_MSL 5000 // closed connections are forgotten, and their memory is back, after 10 s

typedef uint32_t sys_prot_t; // of extmod/modlwip.c
uint32_t virt_random(void);

#endif
