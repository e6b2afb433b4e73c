/* xvs-vswitchd: options, daemon, signals, and the loop. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include <config.h>
#include "vswitchd/command.h"

LOG_MODULE(main);

struct options {
    bool detach;
    char *pidfile, *log_file, *config_file;
    int workers;
    const char *levels;
};

static const char usage[] =
    "usage: xvs-vswitchd [OPTIONS]\n"
    "The switch: bridges, OpenFlow, tunnels. xvs-ctl configures it, xvs-ofctl talks OpenFlow to its bridges.\n"
    "\n"
    "  --config=FILE         configuration, read at the start and kept up to date; default: RUNDIR/xvs.yaml\n"
    "  --detach              go into the background once the sockets answer\n"
    "  --pidfile[=FILE]      write the process id; default: RUNDIR/xvs-vswitchd.pid\n"
    "  --log-file[=FILE]     log there instead of standard error; default: RUNDIR/xvs-vswitchd.log\n"
    "  --workers=N           threads that move packets; default: processors less one, at least one\n"
    "  -v, --verbose=[MODULE:]LEVEL   log level: off, err, warn, info, dbg\n"
    "  -h, --help            this text\n"
    "  -V, --version\n"
    "\n"
    "RUNDIR is $XVS_RUNDIR, or /run/xvs: the sockets and files of one daemon; several run side by side in several.\n";

/* The daemon leaves its directory when it detaches; what was named from there stays where it is. */
static char *absolute(const char *file)
{
    char *dir = *file == '/' ? NULL : getcwd(NULL, 0), *path = dir ? xasprintf("%s/%s", dir, file) : xstrdup(file);
    free(dir);
    return path;
}

static char *in_rundir(const char *name) { return xasprintf("%s/%s", xvs_rundir(), name); }

static bool parse_options(int argc, char *argv[], struct options *o)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'}, {"detach", no_argument, NULL, 'd'}, {"pidfile", optional_argument, NULL, 'p'},
        {"log-file", optional_argument, NULL, 'l'}, {"workers", required_argument, NULL, 'w'},
        {"verbose", required_argument, NULL, 'v'}, {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {0},
    };
    *o = (struct options){.workers = -1};
    for (int c; (c = getopt_long(argc, argv, "hVv:", longs, NULL)) != -1;) {
        char *end;
        switch (c) {
        case 'c': free(o->config_file); o->config_file = absolute(optarg); break;
        case 'd': o->detach = true; break;
        case 'p': free(o->pidfile); o->pidfile = optarg ? absolute(optarg) : in_rundir("xvs-vswitchd.pid"); break;
        case 'l': free(o->log_file); o->log_file = optarg ? absolute(optarg) : in_rundir("xvs-vswitchd.log"); break;
        case 'v': o->levels = optarg; break;
        case 'w':
            o->workers = strtol(optarg, &end, 10);
            if (*end || o->workers < 1 || o->workers > CONFIG_MAX_WORKERS) {
                fprintf(stderr, "xvs-vswitchd: --workers=%s: write a number from 1 to 64\n", optarg);
                return false;
            }
            break;
        case 'h': fputs(usage, stdout); exit(0);
        case 'V': puts("xvs-vswitchd " PACKAGE_VERSION); exit(0);
        default: fputs("xvs-vswitchd: see 'xvs-vswitchd --help'\n", stderr); return false;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "xvs-vswitchd: '%s': takes options only, see 'xvs-vswitchd --help'\n", argv[optind]);
        return false;
    }
    if (!o->config_file)
        o->config_file = in_rundir("xvs.yaml");
    return true;
}

static bool set_levels(const char *spec)
{
    const char *colon = spec ? strchr(spec, ':') : NULL;
    enum log_level level;
    if (!spec)
        return true;
    if (!log_level_parse(colon ? colon + 1 : spec, &level)) {
        fprintf(stderr, "xvs-vswitchd: --verbose=%s: write [MODULE:]LEVEL, LEVEL one of off, err, warn, info, dbg\n", spec);
        return false;
    }
    char *module = colon ? xasprintf("%.*s", (int)(colon - spec), spec) : NULL;
    if (module)
        log_preset_level(module, level);
    else
        log_set_level(NULL, level);
    free(module);
    return true;
}

/* The parent waits until the child says that its sockets answer, or is gone. Gives the pipe's end to say it on. */
static int detach(void)
{
    int p[2];
    if (pipe2(p, O_CLOEXEC)) {
        perror("xvs-vswitchd: pipe");
        exit(1);
    }
    pid_t child = fork();
    if (child < 0) {
        perror("xvs-vswitchd: fork");
        exit(1);
    }
    if (!child) {
        close(p[0]);
        setsid();
        return p[1];
    }
    char ready;
    int status = 0;
    close(p[1]);
    ssize_t n;
    while ((n = read(p[0], &ready, 1)) < 0 && errno == EINTR)
        ;
    if (n == 1)
        _exit(0); /* the child has what stdio holds */
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) /* the pipe closed: the child's end tells why */
        ;
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void say_ready(int fd, bool log_file)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    if (log_file)
        dup2(null, STDERR_FILENO);
    close(null);
    if (chdir("/"))
        log_warn("chdir: %s", strerror(errno));
    if (write(fd, "", 1) != 1)
        log_warn("the process that started this one is gone");
    close(fd);
}

static bool write_pidfile(const char *file)
{
    FILE *f = fopen(file, "we");
    bool ok = f && fprintf(f, "%ld\n", (long)getpid()) > 0;
    if (f && fclose(f))
        ok = false;
    if (!ok)
        fprintf(stderr, "xvs-vswitchd: %s: %s\n", file, strerror(errno));
    return ok;
}

static void on_stop(uv_signal_t *s, int number)
{
    log_info("signal %d: stopping", number);
    uv_stop(s->loop);
}

static void on_hup(uv_signal_t *s UNUSED, int number UNUSED) { log_reopen(); }

/* What is still open at the end: streams that have something to send get a moment, then the process goes. */
static void drain(uv_loop_t *loop)
{
    for (int i = 0; i < 50 && uv_run(loop, UV_RUN_NOWAIT); i++)
        usleep(2000);
    uv_loop_close(loop);
}

static bool run(const struct options *o, int ready)
{
    uv_loop_t loop;
    uv_signal_t term, interrupt, hup;
    struct sw sw = {0};
    struct control *control = NULL;
    struct diag d = DIAG_INIT;
    char *socket = in_rundir("xvs.ctl");
    uv_loop_init(&loop);
    /* The socket first: it is also what keeps a second daemon out of this run directory. */
    control = control_open(&sw, &loop, socket, &d);
    bool ok = control && switch_start(&sw, &loop, o->config_file, o->workers, &d);
    if (ok && (!o->pidfile || (ok = write_pidfile(o->pidfile)))) {
        uv_signal_t *signals[] = {&term, &interrupt, &hup};
        const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
        for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
            uv_signal_init(&loop, signals[i]);
            uv_signal_start(signals[i], i == 2 ? on_hup : on_stop, numbers[i]);
        }
        log_info("xvs-vswitchd %s runs, process %ld, %d worker%s", PACKAGE_VERSION, (long)getpid(),
                 dp_worker_count(sw.dp), dp_worker_count(sw.dp) == 1 ? "" : "s");
        for (const char *p = buf_text(&d.warnings); *p; p += strcspn(p, "\n") + 1)
            log_warn("%s: %.*s", o->config_file, (int)strcspn(p, "\n"), p);
        if (ready >= 0)
            say_ready(ready, o->log_file != NULL);
        uv_run(&loop, UV_RUN_DEFAULT);
        for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
            uv_close((uv_handle_t *)signals[i], NULL);
        signal(SIGTERM, SIG_IGN); /* a second one must not cut the clean end short */
        signal(SIGINT, SIG_IGN);
    } else if (d.failed) {
        fprintf(stderr, "xvs-vswitchd: %s\n", buf_text(&d.message));
        log_err("%s", buf_text(&d.message));
    }
    switch_stop(&sw);
    if (control)
        control_close(control);
    drain(&loop);
    if (ok && o->pidfile)
        unlink(o->pidfile);
    log_info("xvs-vswitchd has stopped");
    free(socket);
    diag_free(&d);
    return ok;
}

int main(int argc, char *argv[])
{
    static char name[] = "xvs-vswitchd";
    struct options o;
    int ready = -1;
    argv[0] = name; /* what getopt's messages begin with, wherever the program lies */
    char *rundir = absolute(xvs_rundir());
    setenv("XVS_RUNDIR", rundir, 1);
    free(rundir);
    if (!parse_options(argc, argv, &o) || !set_levels(o.levels))
        return 1;
    if (mkdir(xvs_rundir(), 0755) && errno != EEXIST) {
        fprintf(stderr, "xvs-vswitchd: run directory %s: %s\n", xvs_rundir(), strerror(errno));
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    if (o.detach)
        ready = detach();
    if (o.log_file && !log_open(o.log_file)) {
        fprintf(stderr, "xvs-vswitchd: %s: %s\n", o.log_file, strerror(errno));
        return 1;
    }
    bool ok = run(&o, ready);
    free(o.pidfile);
    free(o.log_file);
    free(o.config_file);
    return ok ? 0 : 1;
}
