/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What every fuzzer includes: libFuzzer's entry point, an input that is consumed piece by piece, a check that
 * stays in every build. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(cond)                                                         \
    do {                                                                         \
        if (!(cond)) {                                                           \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
            abort();                                                             \
        }                                                                        \
    } while (0)

struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

/** Up to n bytes; *got = how many there were. */
static inline const uint8_t *fuzz_bytes(struct fuzz_input *in, size_t n, size_t *got)
{
    const uint8_t *p = in->at;

    *got = n < in->left ? n : in->left;
    in->at += *got;
    in->left -= *got;
    return p;
}

/** One byte, 0 at the end. */
static inline uint8_t fuzz_u8(struct fuzz_input *in)
{
    size_t got;
    const uint8_t *p = fuzz_bytes(in, 1, &got);

    return got ? *p : 0;
}

static inline uint16_t fuzz_u16(struct fuzz_input *in)
{
    unsigned high = fuzz_u8(in);

    return (uint16_t)(high << 8 | fuzz_u8(in));
}

#endif
