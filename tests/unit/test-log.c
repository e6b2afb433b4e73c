/* Log lines into a file. */
#include "unit.h"
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"

LOG_MODULE(tested);

static char file[] = "/tmp/xvs-test-log-XXXXXX";

static void open_log(void)
{
    int fd = mkstemp(file);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert(log_open(file));
}

static char *logged(void)
{
    static char text[10000];
    FILE *f = fopen(file, "r");
    ck_assert_ptr_nonnull(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return text;
}

START_TEST(levels_let_through)
{
    open_log();
    log_dbg("quiet");
    log_info("heard %d", 1);
    ck_assert(log_set_level("tested", LOG_DBG));
    log_dbg("heard 2");
    ck_assert(log_set_level(NULL, LOG_OFF));
    log_err("quiet");
    ck_assert(!log_set_level("no such module", LOG_DBG));
    char *text = logged();
    ck_assert_ptr_null(strstr(text, "quiet"));
    ck_assert_ptr_nonnull(strstr(text, "heard 1"));
    ck_assert_ptr_nonnull(strstr(text, "heard 2"));
    ck_assert_ptr_nonnull(strstr(text, "tested"));
    bool listed = false;
    for (const struct log_module *m = log_modules(); m; m = m->next)
        listed |= m == &log_this;
    ck_assert(listed);
    unlink(file);
}
END_TEST

START_TEST(names_of_levels)
{
    for (enum log_level l = LOG_OFF; l <= LOG_DBG; l++) {
        enum log_level back = 99;
        ck_assert(log_level_parse(log_level_name(l), &back));
        ck_assert_int_eq(back, l);
    }
    enum log_level none;
    ck_assert(!log_level_parse("loud", &none));
}
END_TEST

START_TEST(once_a_second_from_one_place)
{
    open_log();
    clock_fake(1000);
    for (int i = 0; i < 25; i++) {
        log_warn_rl("again");
        clock_advance(100);
    }
    char *text = logged();
    int n = 0;
    for (char *p = text; (p = strstr(p, "again")); p++)
        n++;
    ck_assert_int_eq(n, 3);
    unlink(file);
}
END_TEST

START_TEST(rotation)
{
    char moved[64];
    open_log();
    log_info("before");
    snprintf(moved, sizeof moved, "%s.1", file);
    ck_assert_int_eq(rename(file, moved), 0);
    ck_assert(log_reopen());
    log_info("after");
    ck_assert_ptr_null(strstr(logged(), "before"));
    ck_assert_ptr_nonnull(strstr(logged(), "after"));
    unlink(file);
    unlink(moved);
    ck_assert(!log_open("/nonexistent/folder/file"));
}
END_TEST

UNIT_TEST_MAIN("log", levels_let_through, names_of_levels, once_a_second_from_one_place, rotation)
