/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The byte ring against a flat array: random writes, writes beyond the end, reads, consumption, growth. */
#include "base/byte_ring.h"

#include "base/minmax.h"
#include "base/prng.h"
#include "testing/unit.h"

#define LIMIT 16384u

/* The model: the whole stream that was ever written; base = offset of the oldest byte. */
struct model {
    uint8_t stream[1u << 22];
    size_t base, len;
};

static void check_equal(const struct byte_ring *r, const struct model *m, struct prng *g)
{
    size_t at = prng_below(g, m->len + 2), want = prng_below(g, m->len + 10);
    size_t right = at < m->len ? min_size(want, m->len - at) : 0, seen = 0;
    struct byte_span span[2];
    static uint8_t out[LIMIT + 16];

    assert_int_equal(r->len, m->len);
    assert_int_equal(byte_ring_copy(r, at, out, want), right);
    assert_memory_equal(out, m->stream + m->base + at, right);
    for (unsigned i = 0, n = byte_ring_peek(r, at, want, span); i < n; i++) {
        assert_memory_equal(span[i].data, m->stream + m->base + at + seen, span[i].len);
        seen += span[i].len;
    }
    assert_int_equal(seen, right);
}

static void append(struct byte_ring *r, struct model *m, struct prng *g)
{
    size_t n = prng_below(g, prng_below(g, 8) ? 300 : 9000);
    size_t put = byte_ring_write(r, m->stream + m->base + m->len, n);

    assert_int_equal(put, min_size(n, LIMIT - m->len));
    m->len += put;
}

/* Stores a later piece first, then fills the hole before it. */
static void append_out_of_order(struct byte_ring *r, struct model *m, struct prng *g)
{
    size_t hole = prng_below(g, 3000), n = prng_below(g, 3000), room = LIMIT - m->len;
    const uint8_t *end = m->stream + m->base + m->len;
    size_t later = byte_ring_write_at(r, m->len + hole, end + hole, n);

    assert_int_equal(later, hole < room ? min_size(n, room - hole) : 0);
    assert_int_equal(r->len, m->len);
    hole = byte_ring_write(r, end, hole);
    m->len += hole;
    if (later) {
        assert_int_equal(byte_ring_extend(r, later), later);
        m->len += later;
    }
}

static void behaves_as_a_flat_array(void **state)
{
    struct prng g = {.state = 5};
    static struct model m;
    struct byte_ring r;

    (void)state;
    for (size_t i = 0; i < sizeof(m.stream); i++)
        m.stream[i] = (uint8_t)prng_next(&g);
    byte_ring_init(&r, LIMIT - 100);
    assert_int_equal(r.limit, LIMIT);
    while (m.base + 2 * LIMIT < sizeof(m.stream)) {
        size_t n;

        if (prng_below(&g, 2))
            append(&r, &m, &g);
        else
            append_out_of_order(&r, &m, &g);
        check_equal(&r, &m, &g);
        n = prng_below(&g, m.len + 100);
        assert_int_equal(byte_ring_consume(&r, n), min_size(n, m.len));
        n = min_size(n, m.len);
        m.base += n;
        m.len -= n;
        if (prng_below(&g, 16) == 0)
            byte_ring_release(&r);
        check_equal(&r, &m, &g);
    }
    byte_ring_fini(&r);
}

static void takes_memory_on_demand(void **state)
{
    struct byte_ring r;

    (void)state;
    byte_ring_init(&r, 1u << 20);
    assert_null(r.mem);
    assert_int_equal(byte_ring_write(&r, "abc", 3), 3);
    assert_int_equal(r.size, 1024);
    byte_ring_release(&r);
    assert_non_null(r.mem);
    byte_ring_consume(&r, 3);
    byte_ring_release(&r);
    assert_null(r.mem);
    assert_int_equal(byte_ring_write(&r, "abc", 0), 0);
    assert_int_equal(byte_ring_extend(&r, 5), 0);
    byte_ring_raise_limit(&r, 100);
    assert_int_equal(r.limit, 1u << 20);
    byte_ring_raise_limit(&r, (1u << 20) + 1);
    assert_int_equal(byte_ring_room(&r), 1u << 21);
    byte_ring_fini(&r);
}

static void small_memory_comes_back_from_the_cache(void **state)
{
    struct byte_ring_cache cache = {0};
    struct byte_ring a, b;
    uint8_t *mem;

    (void)state;
    byte_ring_init(&a, 1u << 20);
    byte_ring_init(&b, 1u << 20);
    a.cache = b.cache = &cache;
    byte_ring_write(&a, "abc", 3);
    mem = a.mem;
    byte_ring_fini(&a);
    assert_int_equal(cache.count, 1);
    byte_ring_write(&b, "abcd", 4);
    assert_ptr_equal(b.mem, mem);
    assert_int_equal(cache.count, 0);
    byte_ring_consume(&b, 3);
    byte_ring_rewind(&b);
    assert_int_equal(b.head, 3);
    byte_ring_consume(&b, 1);
    byte_ring_rewind(&b);
    assert_int_equal(b.head, 0);
    byte_ring_fini(&b);
    byte_ring_cache_fini(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behaves_as_a_flat_array),
        cmocka_unit_test(small_memory_comes_back_from_the_cache),
        cmocka_unit_test(takes_memory_on_demand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
