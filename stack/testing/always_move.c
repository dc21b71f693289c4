/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Linked into a trace test a second time: the host's connections move to another TCP before each step of the
 * script. Nothing that the traces see may differ. */
#include "testing/tcp_trace.h"

bool host_always_moves = true;
