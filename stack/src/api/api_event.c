/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Names of events. */
#include <stdio.h>
#include <string.h>

#include "mtcp_epoll.h"

char *EventToString(uint32_t event)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = {
        {MTCP_EPOLLIN, "MTCP_EPOLLIN"},           {MTCP_EPOLLPRI, "MTCP_EPOLLPRI"},
        {MTCP_EPOLLOUT, "MTCP_EPOLLOUT"},         {MTCP_EPOLLERR, "MTCP_EPOLLERR"},
        {MTCP_EPOLLHUP, "MTCP_EPOLLHUP"},         {MTCP_EPOLLRDNORM, "MTCP_EPOLLRDNORM"},
        {MTCP_EPOLLRDBAND, "MTCP_EPOLLRDBAND"},   {MTCP_EPOLLWRNORM, "MTCP_EPOLLWRNORM"},
        {MTCP_EPOLLWRBAND, "MTCP_EPOLLWRBAND"},   {MTCP_EPOLLMSG, "MTCP_EPOLLMSG"},
        {MTCP_EPOLLRDHUP, "MTCP_EPOLLRDHUP"},     {MTCP_EPOLLMOVED, "MTCP_EPOLLMOVED"},
        {MTCP_EPOLLONESHOT, "MTCP_EPOLLONESHOT"}, {(uint32_t)MTCP_EPOLLET, "MTCP_EPOLLET"},
    };
    static _Thread_local char text[256];

    text[0] = '\0';
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t used = strlen(text);

        if (event & names[i].bit)
            snprintf(text + used, sizeof(text) - used, "%s%s", used ? "|" : "", names[i].name);
    }
    if (text[0] == '\0')
        snprintf(text, sizeof(text), "MTCP_EPOLLNONE");
    return text;
}
