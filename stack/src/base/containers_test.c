/* SPDX-License-Identifier: BSD-3-Clause
 *
 * List, pool, hash table: the small containers. */
#include "base/hash_table.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/prng.h"
#include "testing/unit.h"

struct item {
    struct list link;
    struct hash_node node;
    unsigned value;
};

static struct item *item_of(struct list *l)
{
    return container_of(l, struct item, link);
}

static void list_keeps_order(void **state)
{
    struct list head, other;
    struct item item[6];
    unsigned seen = 0;

    (void)state;
    list_init(&head);
    list_init(&other);
    assert_null(list_pop_front(&head));
    for (unsigned i = 0; i < 6; i++) {
        item[i].value = i;
        list_push_back(i < 3 ? &head : &other, &item[i].link);
    }
    list_splice_back(&head, &other);
    list_splice_back(&head, &other);
    assert_true(list_empty(&other));
    list_for_each(l, &head)
        assert_int_equal(item_of(l)->value, seen++);
    assert_int_equal(seen, 6);
    list_remove(&item[2].link);
    list_remove(&item[2].link);
    assert_true(list_empty(&item[2].link));
    list_push_front(&head, &item[2].link);
    assert_int_equal(item_of(list_first(&head))->value, 2);
    list_for_each_safe(l, &head)
        list_remove(l);
    assert_true(list_empty(&head));
}

static void pool_has_a_limit_and_clears(void **state)
{
    unsigned char *obj[10];
    struct pool p;

    (void)state;
    pool_init(&p, 33, 4, 10);
    for (unsigned i = 0; i < 10; i++) {
        obj[i] = pool_get(&p);
        assert_non_null(obj[i]);
        assert_int_equal((uintptr_t)obj[i] % POOL_ALIGN, 0);
        for (unsigned j = 0; j < 33; j++)
            assert_int_equal(obj[i][j], 0);
        memset(obj[i], (int)i + 1, 33);
    }
    assert_null(pool_get(&p));
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(obj[i][32], i + 1);
    pool_put(&p, obj[3]);
    pool_put(&p, NULL);
    assert_int_equal(p.in_use, 9);
    assert_ptr_equal(pool_get(&p), obj[3]);
    assert_int_equal(obj[3][0], 0);
    pool_fini(&p);
    assert_int_equal(p.in_use, 0);
}

static void hash_table_finds_what_was_put_in(void **state)
{
    struct prng g = {.state = 6};
    static struct item item[500];
    static bool in[500];
    struct hash_table t;
    size_t count = 0;

    (void)state;
    assert_int_equal(hash_table_init(&t, 64), ST_OK);
    for (unsigned i = 0; i < 500; i++)
        item[i].value = i;
    for (unsigned round = 0; round < 20000; round++) {
        unsigned i = (unsigned)prng_below(&g, 500), found = 0;
        uint32_t hash = i % 100 * 0x10001u;

        if (!in[i])
            hash_table_insert(&t, &item[i].node, hash);
        else
            hash_table_remove(&t, &item[i].node);
        in[i] = !in[i];
        count += in[i] ? 1 : (size_t)-1;
        assert_int_equal(t.count, count);
        hash_table_for_each(n, &t, hash)
            found += container_of(n, struct item, node)->value == i;
        assert_int_equal(found, in[i]);
    }
    hash_table_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_keeps_order),
        cmocka_unit_test(pool_has_a_limit_and_clears),
        cmocka_unit_test(hash_table_finds_what_was_put_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
