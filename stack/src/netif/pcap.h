/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Wrapper that writes all frames of an interface to a capture file (libpcap's format, microsecond stamps of
 * the wall clock, Ethernet). Each burst is one write(), so a crash leaves a file that every reader takes.
 * Several queues share the file. A full disk ends the capture, not the traffic. */
#ifndef NETIF_PCAP_H
#define NETIF_PCAP_H

#include "netif/netif.h"

/** Takes inner over: closing the wrapper closes it. On failure inner stays the caller's. */
enum status pcap_wrap(struct netif *inner, const char *path, struct log *log, struct netif **out);

#endif
