/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See own_network.h. */
#define _GNU_SOURCE
#include "testing/own_network.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int own_network(void **state)
{
    struct ifreq req = {.ifr_name = "lo"};
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(OWN_ADDRESS)};
    int fd, rc;

    (void)state;
    if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
        return -1;
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    memcpy(&req.ifr_addr, &own, sizeof(own));
    rc = ioctl(fd, SIOCSIFADDR, &req);
    req.ifr_flags = IFF_UP | IFF_LOOPBACK;
    rc = rc ? rc : ioctl(fd, SIOCSIFFLAGS, &req);
    close(fd);
    return rc;
}
