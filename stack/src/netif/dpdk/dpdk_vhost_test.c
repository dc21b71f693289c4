/* SPDX-License-Identifier: BSD-3-Clause
 *
 * virtio_user over vhost-user against a switch in another process (dpdk-testpmd, which joins two ports),
 * both without hugepages; two processes of ours drive the two ports. Skipped when dpdk-testpmd is not
 * installed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "netif/dpdk/dpdk_netif.h"
#include "netif/netif_testkit.h"

#define FRAMES 2000u
#define DEADLINE_S 60

static char dir[] = "/tmp/netif-vhost-XXXXXX";
static pid_t switch_pid;
static int switch_stdin;

static bool expired(const struct timespec *begin)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec - begin->tv_sec > DEADLINE_S;
}

static void exec_switch(int stdin_fd)
{
    char vdev[2][128];
    int null_fd = open("/dev/null", O_WRONLY);

    for (unsigned i = 0; i < 2; i++)
        snprintf(vdev[i], sizeof(vdev[i]), "--vdev=net_vhost%u,iface=%s/v%u.sock,queues=1", i, dir, i);
    setenv("RUNTIME_DIRECTORY", dir, 1);
    dup2(stdin_fd, 0);
    dup2(null_fd, 1);
    dup2(null_fd, 2);
    execlp("dpdk-testpmd", "dpdk-testpmd", "--lcores=(0,1)@(0-1)", "--no-huge", "--no-shconf", "-m", "128",
           "--file-prefix=netif-test", "--no-telemetry", "--no-pci", vdev[0], vdev[1], "--",
           "--forward-mode=io", "--stats-period=5", "--nb-cores=1", "--total-num-mbufs=4096", (char *)NULL);
    _exit(127);
}

static bool socket_is_there(unsigned i)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof(path), "%s/v%u.sock", dir, i);
    return !stat(path, &st) && S_ISSOCK(st.st_mode);
}

static int start_switch(void **state)
{
    struct timespec begin;
    int fd[2];

    (void)state;
    if (system("command -v dpdk-testpmd >/dev/null"))
        return 0;
    if (!mkdtemp(dir) || pipe2(fd, O_CLOEXEC))
        return 1;
    switch_pid = fork();
    if (switch_pid == 0)
        exec_switch(fd[0]);
    close(fd[0]);
    switch_stdin = fd[1];
    clock_gettime(CLOCK_MONOTONIC, &begin);
    while (!socket_is_there(0) || !socket_is_there(1)) {
        if (expired(&begin) || waitpid(switch_pid, NULL, WNOHANG))
            return 1;
        usleep(20000);
    }
    return 0;
}

static int stop_switch(void **state)
{
    char command[96];

    (void)state;
    if (!switch_pid)
        return 0;
    kill(switch_pid, SIGTERM);
    close(switch_stdin);
    waitpid(switch_pid, NULL, 0);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
    (void)sig;
    stopped = 1;
}

static struct netif *open_machine(unsigned i)
{
    char port[128];
    struct log log = {.level = LOG_WARN, .sink = log_stderr};
    struct netif_params params = {.port = port, .hugepages = 0, .num_queues = 1, .mtu = 1500, .log = &log};
    struct netif *nif;

    snprintf(port, sizeof(port), "vdev:net_virtio_user0,path=%s/v%u.sock,queues=1,mac=02:00:00:00:00:0%u",
             dir, i, i);
    if (dpdk_open(&params, &nif) != ST_OK || netif_attach_thread(nif) != ST_OK)
        _exit(2);
    if (nif->mac.b[5] != i || !nif->ops->link_up(nif))
        _exit(3);
    return nif;
}

/* Sends back what comes until it is told to stop. */
static int echo_machine(void)
{
    struct netif *nif = open_machine(1);
    struct pkt *p;

    signal(SIGTERM, stop);
    while (!stopped) {
        if (!netif_rx_burst(nif, 0, &p, 1))
            sched_yield();
        else if (!netif_tx_burst(nif, 0, &p, 1))
            pkt_free(p);
    }
    nif->ops->close(nif);
    return 0;
}

/* Frame 1 again and again until its echo proves that both sides are connected; the switch drops before
 * that. */
static bool say_hello(struct netif *nif)
{
    struct timespec begin;
    uint32_t got = 0;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    while (!got && !expired(&begin)) {
        kit_send(nif, 0, 1, 60);
        usleep(5000);
        got = kit_receive(nif, 0);
    }
    return got == 1;
}

static int asking_machine(void)
{
    struct netif *nif = open_machine(0);
    uint32_t sent = 1, received = 1, bad = 0;
    struct timespec begin;
    struct pkt *p;

    if (!say_hello(nif))
        return 5;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    while (received < FRAMES && !expired(&begin)) {
        if (sent < FRAMES && sent < received + 64) {
            kit_send(nif, 0, sent + 1, sent % 2 ? 60 : 1514);
            sent++;
        }
        if (!netif_rx_burst(nif, 0, &p, 1)) {
            sched_yield();
            continue;
        }
        if (kit_number(p) > 1) { /* else a late echo of the hello */
            bad += kit_number(p) != received + 1 || p->len != (received % 2 ? 60 : 1514);
            received++;
        }
        pkt_free(p);
    }
    nif->ops->close(nif);
    fprintf(stderr, "%u sent, %u received, %u bad\n", sent, received, bad);
    return received == FRAMES && bad == 0 ? 0 : 4;
}

static int exit_code(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void two_machines_through_a_switch(void **state)
{
    pid_t pid[2];

    (void)state;
    if (!switch_pid) {
        print_message("skipped: dpdk-testpmd is not installed\n");
        skip();
    }
    for (unsigned i = 0; i < 2; i++) {
        pid[i] = fork();
        if (pid[i] == 0)
            _exit(i ? echo_machine() : asking_machine());
    }
    assert_int_equal(exit_code(pid[0]), 0);
    kill(pid[1], SIGTERM);
    assert_int_equal(exit_code(pid[1]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(two_machines_through_a_switch)};

    return cmocka_run_group_tests(tests, start_switch, stop_switch);
}
