#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/mem.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_module *modules;
static enum log_level default_level = LOG_INFO;
static struct wanted { /* levels of modules that have not logged yet */
    char *module;
    enum log_level level;
    struct wanted *next;
} *wanted;
static char *path;
static int fd = STDERR_FILENO;
static const char *const names[] = {"off", "err", "warn", "info", "dbg"};

bool log_enabled(struct log_module *m, enum log_level level)
{
    if (unlikely(!__atomic_load_n(&m->listed, __ATOMIC_ACQUIRE))) {
        pthread_mutex_lock(&lock);
        if (!m->listed) {
            m->level = default_level;
            for (struct wanted *w = wanted; w; w = w->next)
                if (!strcmp(w->module, m->name))
                    m->level = w->level;
            m->next = modules;
            modules = m;
            __atomic_store_n(&m->listed, true, __ATOMIC_RELEASE);
        }
        pthread_mutex_unlock(&lock);
    }
    return level <= m->level;
}

bool log_may(struct log_limit *l, struct log_module *m, enum log_level level)
{
    msec_t now = clock_msec();
    if (now < l->next) {
        l->left_out++;
        return false;
    }
    l->next = now + 1000;
    if (l->left_out) {
        log_write(m, level, "(%u more like the next one, within a second)", l->left_out);
        l->left_out = 0;
    }
    return true;
}

void log_write(struct log_module *m, enum log_level level, const char *format, ...)
{
    char line[1024];
    int64_t now = clock_wall_msec();
    time_t seconds = now / 1000;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    int n = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &tm);
    n += snprintf(line + n, sizeof line - n, ".%03dZ %-4s %s: ", (int)(now % 1000), names[level], m->name);
    va_list args;
    va_start(args, format);
    n += vsnprintf(line + n, sizeof line - n - 1, format, args);
    va_end(args);
    n = MIN(n, (int)sizeof line - 2);
    for (int i = 0; i < n; i++) /* what a peer sent must not forge a line */
        if ((unsigned char)line[i] < ' ')
            line[i] = '?';
    line[n++] = '\n';
    ssize_t done = write(fd, line, n); /* one write a line: lines of several threads do not mix */
    (void)done;
}

bool log_open(const char *file)
{
    int to = file ? open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640) : STDERR_FILENO;
    if (to < 0)
        return false;
    int old = fd;
    fd = to;
    if (old != STDERR_FILENO)
        close(old);
    if (file != path) {
        free(path);
        path = file ? xstrdup(file) : NULL;
    }
    return true;
}

bool log_reopen(void) { return !path || log_open(path); }

bool log_set_level(const char *module, enum log_level level)
{
    bool found = !module;
    pthread_mutex_lock(&lock);
    if (!module)
        default_level = level;
    for (struct log_module *m = modules; m; m = m->next)
        if (!module || !strcmp(m->name, module)) {
            m->level = level;
            found = true;
        }
    pthread_mutex_unlock(&lock);
    return found;
}

void log_preset_level(const char *module, enum log_level level)
{
    struct wanted *w = xzalloc(sizeof *w), **end = &wanted;
    *w = (struct wanted){xstrdup(module), level, NULL};
    pthread_mutex_lock(&lock);
    while (*end)
        end = &(*end)->next;
    *end = w; /* the latest one counts */
    pthread_mutex_unlock(&lock);
}

bool log_level_parse(const char *text, enum log_level *level)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(text, names[i])) {
            *level = i;
            return true;
        }
    return false;
}

const char *log_level_name(enum log_level level) { return names[level]; }
const struct log_module *log_modules(void) { return modules; }
