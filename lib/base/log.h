/* log.h: lines for whoever runs the daemon.
 *
 *     LOG_MODULE(gre);
 *     log_warn("port %s: no route to %s", …);            every time
 *     log_warn_rl("…");                                   at most once a second from this place, with how many it left out
 *
 * A line has time, level, module and text. Levels off, err, warn, info, dbg; one for all and one per module, changed
 * while running. Any thread may log, but workers never do: what they have to say they count, or punt to main. */
#ifndef BASE_LOG_H
#define BASE_LOG_H 1

#include <stdarg.h>
#include "base/types.h"

enum log_level { LOG_OFF, LOG_ERR, LOG_WARN, LOG_INFO, LOG_DBG };

struct log_module {
    const char *name;
    enum log_level level;
    bool listed;
    struct log_module *next;
};
#define LOG_MODULE(NAME) static struct log_module log_this = {#NAME, LOG_INFO, false, NULL}

#define log_at(LEVEL, ...)                                   \
    do {                                                     \
        if (log_enabled(&log_this, LEVEL))                   \
            log_write(&log_this, LEVEL, __VA_ARGS__);        \
    } while (0)
#define log_err(...) log_at(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_dbg(...) log_at(LOG_DBG, __VA_ARGS__)

struct log_limit {
    int64_t next; /* ms */
    unsigned left_out;
};
#define log_at_rl(LEVEL, ...)                                                                    \
    do {                                                                                         \
        static struct log_limit log_limit_;                                                      \
        if (log_enabled(&log_this, LEVEL) && log_may(&log_limit_, &log_this, LEVEL))             \
            log_write(&log_this, LEVEL, __VA_ARGS__);                                            \
    } while (0)
#define log_warn_rl(...) log_at_rl(LOG_WARN, __VA_ARGS__)
#define log_info_rl(...) log_at_rl(LOG_INFO, __VA_ARGS__)

bool log_enabled(struct log_module *, enum log_level);
bool log_may(struct log_limit *, struct log_module *, enum log_level);
void log_write(struct log_module *, enum log_level, const char *format, ...) PRINTF(3, 4);

bool log_open(const char *file); /* NULL: standard error (the start state). False and errno if it cannot be opened. */
bool log_reopen(void);           /* after rotation */
bool log_set_level(const char *module /* NULL: all */, enum log_level);
void log_preset_level(const char *module, enum log_level); /* of one that may not have logged yet; kept for ever */
bool log_level_parse(const char *text, enum log_level *);
const char *log_level_name(enum log_level);
const struct log_module *log_modules(void); /* those that have logged or asked, linked by next */

#endif
