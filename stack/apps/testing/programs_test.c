/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the programs report about a whole run, seen from outside: on the kernel's sockets, in a network
 * namespace of the test's own. Their twins on libmtcp have the same source.
 * Usage: programs_test FOLDER, where the programs are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "testing/own_network.h"
#include "testing/program.h"

#define CONF \
    "io = tap\nport = t0\naddress = " OWN_ADDRESS "/8\nlog = error\nnum_cores = 2\nmax_concurrency = 100\n"
#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NEEDED(...) ARGS("-a", OWN_ADDRESS, __VA_ARGS__)

static struct program server, client;
static char conf[] = "/tmp/vnflab-programs-XXXXXX";

/** One run of rpc_client; its result is in client.line. */
static int ask(const char *const *args)
{
    program_start(&client, "rpc_client", args);
    program_await(&client, "result");
    return program_end(&client);
}

static void an_open_loop_beyond_what_is_possible_is_seen(void **state)
{
    double due, answers, unanswered, unsent;

    (void)state;
    program_start(&server, "rpc_server", ARGS("-N", "1"));
    program_await(&server, "listening");
    assert_int_equal(ask(NEEDED("-c", "2", "-r", "50000000", "-w", "0.01", "-d", "0.02")), 0);
    due = program_number(&client, "\"due\":");
    answers = program_number(&client, "\"requests\":");
    unanswered = program_number(&client, "\"unanswered\":");
    unsent = program_number(&client, "\"unsent\":");
    assert_true(program_number(&client, "\"rate\":") == 50000000);
    assert_true(due >= 999999 && due <= 1000001); /* of the window alone */
    assert_true(answers < due);
    assert_true(unsent <= unanswered && unanswered <= unsent + 2); /* one on each connection */
    assert_true(answers + unanswered >= due);
    /* What has not left has waited since it was due, warm-up included. */
    assert_true(program_number(&client, "\"p50\":") > 5e6);
    assert_true(program_number(&client, "\"max\":") <= 30e6);
    assert_int_equal(program_stop(&server), 0);
}

static void more_threads_than_connections_send_what_was_asked_for(void **state)
{
    double due;

    (void)state;
    program_start(&server, "rpc_server", ARGS("-N", "1"));
    program_await(&server, "listening");
    assert_int_equal(ask(NEEDED("-c", "1", "-N", "2", "-r", "1000", "-w", "0", "-d", "0.2")), 0);
    due = program_number(&client, "\"due\":");
    assert_true(due >= 199 && due <= 201);
    assert_true(program_number(&client, "\"requests\":") + program_number(&client, "\"unanswered\":") >= due);
    assert_true(program_number(&client, "\"requests\":") > 0);
    assert_int_equal(program_stop(&server), 0);
}

static void a_closed_loop_owes_nothing(void **state)
{
    (void)state;
    program_start(&server, "rpc_server", ARGS("-N", "2"));
    program_await(&server, "listening");
    assert_int_equal(ask(NEEDED("-c", "4", "-N", "2", "-w", "0", "-d", "0.05")), 0);
    assert_true(program_number(&client, "\"due\":") == 0);
    assert_true(program_number(&client, "\"unanswered\":") == 0);
    assert_true(program_number(&client, "\"p999\":") >= program_number(&client, "\"p99\":"));
    assert_true(program_number(&client, "\"p50\":") > 0);
    assert_int_equal(program_stop(&server), 0);
}

static const char *text_file(void)
{
    static char path[] = "/tmp/vnflab-text-XXXXXX";
    static const char text[] = "a file whose length is a multiple of nothing that is sent\n";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    close(fd);
    return path;
}

/** A listening tcp_source with these arguments and a tcp_sink that connects; their results are in `server`
 * and `client`. The sink's exit code. */
static int fetch(const char *const *source, const char *const *sink)
{
    int rc;

    program_start(&server, "tcp_source", source);
    program_await(&server, "listening");
    program_start(&client, "tcp_sink", sink);
    program_await(&client, "result");
    rc = program_end(&client);
    program_await(&server, "result");
    assert_int_equal(program_end(&server), 0);
    return rc;
}

static void a_file_goes_to_several_clients_again_and_again(void **state)
{
    const char *file = text_file();
    const char *const *source =
        ARGS("-l", "9999", "-c", "4", "-F", file, "-W", "1448", "-b", "100001", "-N", "2");

    (void)state;
    assert_int_equal(fetch(source, NEEDED("-p", "9999", "-n", "4", "-F", file, "-N", "2")), 0);
    assert_non_null(strstr(client.line, "\"verified\":true"));
    assert_true(program_number(&client, "\"connections\":") == 4);
    assert_true(program_number(&client, "\"counted_bytes\":") == 400004);
    assert_true(program_number(&server, "\"bytes\":") == 400004);
    assert_int_equal(fetch(source, NEEDED("-p", "9999", "-n", "4")), 1); /* expects a stream */
    assert_non_null(strstr(client.line, "\"verified\":false"));
    unlink(file);
}

static void only_what_arrives_in_the_window_counts(void **state)
{
    double counted, gbps;

    (void)state;
    assert_int_equal(fetch(ARGS("-l", "9999", "-c", "2", "-s", "0", "-t", "0.5"),
                           NEEDED("-p", "9999", "-n", "2", "-s", "0", "-w", "0.1", "-d", "0.25")),
                     0);
    counted = program_number(&client, "\"counted_bytes\":");
    gbps = program_number(&client, "\"gbps\":");
    assert_true(program_number(&client, "\"seconds\":") == 0.25);
    assert_true(counted > 0 && counted < program_number(&client, "\"bytes\":"));
    assert_true(fabs(gbps - counted * 8 / 0.25 / 1e9) < 1e-5);
    assert_true(fabs(program_number(&client, "\"gibps\":") - gbps * 1e9 / (1 << 30)) < 1e-5);
}

static void each_flow_is_accounted_for(void **state)
{
    (void)state;
    /* All fit into one socket's buffer: a slow machine loses none. */
    program_start(&server, "udp_sink", ARGS("-l", "9999", "-n", "211", "-N", "2"));
    program_await(&server, "listening");
    program_start(&client, "udp_source",
                  NEEDED("-p", "9999", "-n", "211", "-s", "64", "-c", "7", "-r", "20000", "-N", "2"));
    program_await(&client, "result");
    assert_int_equal(program_end(&client), 0);
    program_await(&server, "result");
    assert_int_equal(program_end(&server), 0);
    assert_true(program_number(&client, "\"sent\":") == 211);
    assert_true(program_number(&server, "\"flows\":") == 7);
    assert_true(program_number(&server, "\"received\":") == 211);
    assert_true(program_number(&server, "\"expected\":") == 211);
    assert_true(program_number(&server, "\"lost\":") == 0);
    assert_true(program_number(&server, "\"duplicates\":") == 0);
}

static int begin(void **state)
{
    int fd = mkstemp(conf);

    if (fd < 0 || write(fd, CONF, sizeof(CONF) - 1) != sizeof(CONF) - 1 || close(fd))
        return -1;
    return own_network(state);
}

static int end(void **state)
{
    (void)state;
    return unlink(conf);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_loop_beyond_what_is_possible_is_seen),
        cmocka_unit_test(more_threads_than_connections_send_what_was_asked_for),
        cmocka_unit_test(a_closed_loop_owes_nothing),
        cmocka_unit_test(a_file_goes_to_several_clients_again_and_again),
        cmocka_unit_test(only_what_arrives_in_the_window_counts),
        cmocka_unit_test(each_flow_is_accounted_for),
    };

    program_place(argc > 1 ? argv[1] : ".", conf);
    return cmocka_run_group_tests(tests, begin, end);
}
