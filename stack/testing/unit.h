/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What every unit test includes: cmocka with the headers it needs before it. */
#ifndef TESTING_UNIT_H
#define TESTING_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#endif
