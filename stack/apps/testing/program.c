/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See program.h. */
#include "testing/program.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define MAX_ARGS 32

static const char *folder, *conf;

void program_place(const char *programs, const char *stack_conf)
{
    folder = programs;
    conf = stack_conf;
}

static void become(const char *name, const char *const *args, int out)
{
    char path[4096];
    const char *argv[MAX_ARGS + 5] = {path, "-f", conf, "--json"};
    unsigned n = 4;

    snprintf(path, sizeof(path), "%s/%s-kernel", folder, name);
    while (*args && n < MAX_ARGS + 4)
        argv[n++] = *args++;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing */
    dup2(out, STDOUT_FILENO);
    execv(path, (char *const *)argv);
    perror(path);
    _exit(127);
}

void program_start(struct program *p, const char *name, const char *const *args)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    p->pid = fork();
    assert_true(p->pid >= 0);
    if (p->pid == 0)
        become(name, args, ends[1]);
    close(ends[1]);
    p->out = fdopen(ends[0], "r");
    assert_non_null(p->out);
}

void program_await(struct program *p, const char *event)
{
    char wanted[64];

    snprintf(wanted, sizeof(wanted), "\"event\":\"%s\"", event);
    do
        if (!fgets(p->line, sizeof(p->line), p->out))
            fail_msg("it ended without the event %s", event);
    while (!strstr(p->line, wanted));
}

double program_number(const struct program *p, const char *place)
{
    const char *at = strstr(p->line, place);

    if (!at)
        fail_msg("no %s in %s", place, p->line);
    return strtod(at + strlen(place), NULL);
}

int program_end(struct program *p)
{
    int status;

    assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
    fclose(p->out);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int program_stop(struct program *p)
{
    assert_int_equal(kill(p->pid, SIGTERM), 0);
    program_await(p, "result");
    return program_end(p);
}
