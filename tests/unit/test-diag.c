/* Refusals: the first one sticks, the caret stands under its word, and near names are found. */
#include "unit.h"
#include "base/diag.h"

static void prints(const struct diag *d, const char *prefix, const char *text, const char *want)
{
    struct buf out = BUF_INIT;
    diag_print(d, prefix, text, &out);
    ck_assert_str_eq(buf_text(&out), want);
    buf_free(&out);
}

START_TEST(caret_stands_under_the_word)
{
    struct diag d = DIAG_INIT;
    ck_assert(!diag_fail(&d, 4, 5, "no field '%s'", "tpdst"));
    ck_assert(!diag_fail(&d, 0, 1, "a later one"));
    prints(&d, "xvs: ", "tcp,tpdst=80", "xvs: tcp,tpdst=80\n         ^~~~~ no field 'tpdst'\n");
    prints(&d, "", "tcp,tpdst=80\nnext line", "tcp,tpdst=80\n    ^~~~~ no field 'tpdst'\n");
    prints(&d, "xvs: ", NULL, "xvs: no field 'tpdst'\n");
    diag_free(&d);
    ck_assert(!d.failed);
    diag_fail(&d, 0, 0, "nowhere");
    prints(&d, "xvs: ", "text", "xvs: nowhere\n");
    diag_free(&d);
    ck_assert(!diag_fail(NULL, 0, 0, "nobody listens"));
    diag_warn(NULL, "nobody listens");
}
END_TEST

/* Whatever the place, the caret's line is well formed and stands under the right letter. */
START_TEST(long_texts_are_cut_around_the_place)
{
    char text[1001];
    for (int i = 0; i < 1000; i++)
        text[i] = 'a' + i % 26;
    text[1000] = 0;
    for (size_t at = 0; at <= 1000; at += 7) {
        struct diag d = DIAG_INIT;
        struct buf out = BUF_INIT;
        diag_fail(&d, at, 3, "here");
        diag_print(&d, "p: ", text, &out);
        const char *first = buf_text(&out), *second = strchr(first, '\n') + 1;
        size_t column = strchr(second, '^') - second;
        ck_assert(second - first < 200);
        if (at < 1000)
            ck_assert_int_eq(first[column], text[at]);
        buf_free(&out);
        diag_free(&d);
    }
}
END_TEST

START_TEST(warnings_are_lines)
{
    struct diag d = DIAG_INIT;
    diag_warn(&d, "one %d", 1);
    diag_warn(&d, "two");
    ck_assert_str_eq(buf_text(&d.warnings), "one 1\ntwo\n");
    ck_assert(!d.failed);
    diag_free(&d);
}
END_TEST

START_TEST(near_names)
{
    static const char *const names[] = {"tcp_dst", NULL, "udp_dst", "nw_src", "remote_ip", "key"};
    static const struct {
        const char *word, *want;
    } cases[] = {{"tcp_dts", "tcp_dst"}, {"tcp-dst", "tcp_dst"}, {"TCP_DST", "tcp_dst"}, {"nw_scr", "nw_src"},
                 {"remoteip", "remote_ip"}, {"kye", "key"}, {"zzz", NULL}, {"", NULL}, {"completely", NULL}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *got = nearest_name(cases[i].word, strlen(cases[i].word), names, ARRAY_SIZE(names));
        if (cases[i].want)
            ck_assert_str_eq(got ? got : "nothing", cases[i].want);
        else
            ck_assert_ptr_null(got);
    }
    char longer[300];
    memset(longer, 'k', sizeof longer);
    ck_assert_ptr_null(nearest_name(longer, sizeof longer, names, ARRAY_SIZE(names)));
}
END_TEST

UNIT_TEST_MAIN("diag", caret_stands_under_the_word, long_texts_are_cut_around_the_place, warnings_are_lines, near_names)
