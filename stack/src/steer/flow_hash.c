/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The table of the flow hash, computed by the compiler from the key. */
#include "steer/flow_hash.h"

/* The key turned left by i: what bit i of a word, counted from the highest, adds. */
#define WINDOW(i) (uint16_t)(FLOW_HASH_KEY << (i) | FLOW_HASH_KEY >> ((16 - (i)) % 16))
#define BIT(byte, i) (((byte) >> (7 - (i)) & 1) ? WINDOW(i) : 0)
#define ROW_1(b) \
    (BIT(b, 0) ^ BIT(b, 1) ^ BIT(b, 2) ^ BIT(b, 3) ^ BIT(b, 4) ^ BIT(b, 5) ^ BIT(b, 6) ^ BIT(b, 7))
#define ROW_4(b) ROW_1(b), ROW_1((b) + 1), ROW_1((b) + 2), ROW_1((b) + 3)
#define ROW_16(b) ROW_4(b), ROW_4((b) + 4), ROW_4((b) + 8), ROW_4((b) + 12)
#define ROW_64(b) ROW_16(b), ROW_16((b) + 16), ROW_16((b) + 32), ROW_16((b) + 48)

const uint16_t flow_hash_table[256] = {ROW_64(0), ROW_64(64), ROW_64(128), ROW_64(192)};
