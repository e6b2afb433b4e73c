/* xvs-ctl: says to the daemon what its words say, and prints what comes back. What the commands are stands in
 * lib/ctl/command.def, what they do in vswitchd/. */
#include <config.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/mem.h"
#include "ctl/ctl.h"

static void print_usage(void)
{
    puts("usage: xvs-ctl [OPTIONS] COMMAND [ARG...] [-- COMMAND [ARG...]]...\n"
         "Configures a running xvs-vswitchd and shows its state. Commands chained with -- are one transaction.\n"
         "\nCommands:");
    for (int i = 0; i < N_CTL_COMMANDS; i++) {
        struct buf line = BUF_INIT;
        ctl_usage(i, &line);
        if (line.len <= 44)
            printf("  %-44s %s\n", buf_text(&line), ctl_commands[i].help);
        else
            printf("  %s\n  %-44s %s\n", buf_text(&line), "", ctl_commands[i].help);
        buf_free(&line);
    }
    puts("\nOptions:\n"
         "  -f, --format=text|json   how the answer is printed\n"
         "  -t, --timeout=SECONDS    give up after this time; default 30, 0: never\n"
         "  -h, --help               this text; behind a command: about that command\n"
         "  -V, --version            the version\n"
         "      --complete           the names of the commands, for a shell's completion\n"
         "\nThe daemon is the one whose run directory is $XVS_RUNDIR, or /run/xvs.");
}

static int help_about(const char *name)
{
    for (int i = 0; i < N_CTL_COMMANDS; i++)
        if (!strcmp(ctl_commands[i].name, name)) {
            struct buf line = BUF_INIT;
            ctl_usage(i, &line);
            printf("usage: xvs-ctl %s\n%s\n", buf_text(&line), ctl_commands[i].help);
            buf_free(&line);
            return 0;
        }
    print_usage();
    return 0;
}

static int connect_to(const char *file)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(file) >= sizeof a.sun_path) {
        fprintf(stderr, "xvs-ctl: %s: longer than a socket's name may be\n", file);
        return -1;
    }
    strcpy(a.sun_path, file);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && !connect(fd, (struct sockaddr *)&a, sizeof a))
        return fd;
    fprintf(stderr, "xvs-ctl: %s: %s; %s\n", file, strerror(errno),
            errno == EACCES ? "it takes root's rights"
                            : "is xvs-vswitchd running? (its run directory is $XVS_RUNDIR, or /run/xvs)");
    if (fd >= 0)
        close(fd);
    return -1;
}

/* One line out, one line in, before `deadline` (ms; INT64_MAX: never). */
static bool exchange(int fd, const struct buf *out, struct buf *in, msec_t deadline)
{
    size_t sent = 0;
    while (!in->len || !memchr(in->data, '\n', in->len)) {
        struct pollfd p = {fd, POLLIN | (sent < out->len ? POLLOUT : 0), 0};
        msec_t left = deadline == INT64_MAX ? -1 : deadline - clock_msec();
        if (deadline != INT64_MAX && left <= 0) {
            fputs("xvs-ctl: the daemon did not answer in time\n", stderr);
            return false;
        }
        if (poll(&p, 1, MIN(left, 1000000)) < 0 && errno != EINTR)
            break;
        ssize_t n = 0;
        if (p.revents & POLLOUT && (n = send(fd, out->data + sent, out->len - sent, MSG_NOSIGNAL | MSG_DONTWAIT)) > 0)
            sent += n;
        if (p.revents & (POLLIN | POLLHUP | POLLERR)) {
            buf_reserve(in, 65536);
            n = recv(fd, in->data + in->len, 65536, MSG_DONTWAIT);
            if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
                fputs("xvs-ctl: the daemon closed the connection\n", stderr);
                return false;
            }
            in->len += MAX(n, 0);
        }
    }
    return true;
}

static bool check(const char *const *argv, int argc)
{
    struct diag d = DIAG_INIT;
    bool fresh = true;
    for (int i = 0; i < argc; i++) {
        if (!strcmp(argv[i], "--")) {
            fresh = true;
            continue;
        }
        if (!fresh || !strncmp(argv[i], "--", 2))
            continue;
        int n = 0; /* the command's words, its options taken out, as the daemon will count them */
        const char *words[argc];
        for (int j = i; j < argc && strcmp(argv[j], "--"); j++)
            if (strcmp(argv[j], "--may-exist") && strcmp(argv[j], "--if-exists"))
                words[n++] = argv[j];
        if (ctl_find(words, n, &d) < 0) {
            fprintf(stderr, "xvs-ctl: %s\n", buf_text(&d.message));
            diag_free(&d);
            return false;
        }
        fresh = false;
    }
    return true;
}

static int talk(const char *const *argv, int argc, bool json, int timeout)
{
    struct buf out = BUF_INIT, in = BUF_INIT;
    struct ctl_reply reply = {0};
    struct diag d = DIAG_INIT;
    char *file = xasprintf("%s/xvs.ctl", xvs_rundir());
    int status = 1, fd = connect_to(file);
    ctl_request_format(argv, argc, json, &out);
    if (fd >= 0 && exchange(fd, &out, &in, timeout ? clock_msec() + timeout * 1000 : INT64_MAX)) {
        if (ctl_reply_parse((char *)in.data, in.len, &reply, &d)) {
            fputs(reply.out, stdout);
            fputs(reply.err, stderr);
            status = reply.status;
        } else
            fprintf(stderr, "xvs-ctl: %s\n", buf_text(&d.message));
    }
    if (fd >= 0)
        close(fd);
    ctl_reply_free(&reply);
    diag_free(&d);
    buf_free(&out);
    buf_free(&in);
    free(file);
    return fflush(stdout) ? 1 : status;
}

/* The value of "--name=V", "--name V" or "-n V"; *i moves over a second word. NULL: it is another option. */
static const char *value_of(const char *const *argv, int argc, int *i, const char *name, char letter)
{
    const char *a = argv[*i];
    size_t n = strlen(name);
    if (!strncmp(a, "--", 2) && !strncmp(a + 2, name, n) && (a[2 + n] == '=' || !a[2 + n])) {
        if (a[2 + n] == '=')
            return a + 3 + n;
    } else if (a[0] != '-' || a[1] != letter)
        return NULL;
    else if (a[2])
        return a + 2;
    return *i + 1 < argc ? argv[++*i] : "";
}

int main(int argc, char *argv[])
{
    const char *const *words = (const char *const *)argv, *v;
    bool json = false;
    int timeout = 30, i;
    for (i = 1; i < argc && argv[i][0] == '-'; i++) {
        if (!strcmp(argv[i], "--") || !strcmp(argv[i], "--may-exist") || !strcmp(argv[i], "--if-exists"))
            break;
        if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help"))
            return i + 1 < argc ? help_about(argv[i + 1]) : (print_usage(), 0);
        if (!strcmp(argv[i], "-V") || !strcmp(argv[i], "--version"))
            return puts("xvs-ctl " PACKAGE_VERSION), 0;
        if (!strcmp(argv[i], "--complete")) {
            for (int k = 0; k < N_CTL_COMMANDS; k++)
                puts(ctl_commands[k].name);
            return 0;
        }
        if (!strcmp(argv[i], "--no-wait")) /* ovs-vsctl's; a command of ours is done when it returns */
            continue;
        if ((v = value_of(words, argc, &i, "format", 'f'))) {
            json = !strcmp(v, "json");
            if (!json && strcmp(v, "text")) {
                fprintf(stderr, "xvs-ctl: --format=%s: write text or json\n", v);
                return 1;
            }
        } else if ((v = value_of(words, argc, &i, "timeout", 't'))) {
            char *end;
            timeout = strtol(v, &end, 10);
            if (!*v || *end || timeout < 0 || timeout > 1000000) {
                fprintf(stderr, "xvs-ctl: --timeout=%s: write a number of seconds\n", v);
                return 1;
            }
        } else {
            fprintf(stderr, "xvs-ctl: no option '%s'; see 'xvs-ctl --help'\n", argv[i]);
            return 1;
        }
    }
    if (i == argc) {
        fputs("xvs-ctl: a command is missing; see 'xvs-ctl --help'\n", stderr);
        return 1;
    }
    for (int k = i; k < argc; k++)
        if (!strcmp(argv[k], "--help"))
            return help_about(argv[i]);
    return check(words + i, argc - i) ? talk(words + i, argc - i, json, timeout) : 1;
}
