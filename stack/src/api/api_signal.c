/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Signals: a handler of the application's is called after the waits of all contexts have been interrupted.
 * All that runs in the handler is async-signal-safe. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "api/api_priv.h"

#define SIGNALS 65
#define SECOND_SIGINT_AFTER_S 1

static _Atomic(mtcp_sighandler_t) handlers[SIGNALS];
static _Atomic(struct mtcp_stack *) interruptible;
static _Atomic(time_t) first_sigint;

void api_signal_set_stack(struct mtcp_stack *st)
{
    atomic_store(&interruptible, st);
}

/** The user is pressing ^C at a program that does not end: let the signal do what it does by default. */
static void escalate(int signum)
{
    struct timespec now;
    time_t first = atomic_load(&first_sigint);

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (first == 0) {
        atomic_store(&first_sigint, now.tv_sec);
    } else if (now.tv_sec - first > SECOND_SIGINT_AFTER_S) {
        signal(signum, SIG_DFL);
        raise(signum);
    }
}

static void on_signal(int signum)
{
    int saved = errno;
    struct mtcp_stack *st = atomic_load(&interruptible);
    mtcp_sighandler_t handler = atomic_load(&handlers[signum]);

    if (signum == SIGINT)
        escalate(signum);
    if (st)
        stack_interrupt(st);
    if (handler != SIG_DFL && handler != SIG_IGN && handler != SIG_ERR)
        handler(signum);
    errno = saved;
}

mtcp_sighandler_t mtcp_register_signal(int signum, mtcp_sighandler_t handler)
{
    bool ours = handler != SIG_DFL && handler != SIG_IGN;
    struct sigaction sa = {.sa_handler = ours ? on_signal : handler}, before;
    mtcp_sighandler_t old;

    if (signum < 1 || signum >= SIGNALS || handler == SIG_ERR) {
        errno = EINVAL;
        return SIG_ERR;
    }
    old = atomic_exchange(&handlers[signum], handler);
    sigemptyset(&sa.sa_mask);
    if (sigaction(signum, &sa, &before) != 0) {
        atomic_store(&handlers[signum], old);
        return SIG_ERR;
    }
    return before.sa_handler == on_signal ? old : before.sa_handler;
}
