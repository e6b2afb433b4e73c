/* The control socket's framing. */
#include "unit.h"
#include "ctl/ctl.h"

START_TEST(a_chain_arrives_as_it_was_typed)
{
    static const char *const argv[] = {"--", "--if-exists", "del-br", "s1", "--", "add-br", "s1", "--", "set", "bridge", "s1",
                                       "controller=[\"tcp:1\"]", "other_config:dp-desc=a \"b\"\n\té\x01"};
    struct buf line = BUF_INIT;
    struct ctl_request r;
    struct diag d = DIAG_INIT;
    ctl_request_format(argv, ARRAY_SIZE(argv), true, &line);
    ck_assert_msg(ctl_request_parse((char *)line.data, line.len, &r, &d), "%s", buf_text(&d.message));
    ck_assert_uint_eq(r.n, 3);
    ck_assert(r.json);
    ck_assert(r.commands[0].if_exists);
    ck_assert_uint_eq(r.commands[0].argc, 2);
    ck_assert_str_eq(r.commands[0].argv[1], "s1");
    ck_assert_uint_eq(r.commands[2].argc, 5);
    ck_assert_str_eq(r.commands[2].argv[3], "controller=[\"tcp:1\"]");
    ck_assert_str_eq(r.commands[2].argv[4], argv[12]);
    ctl_request_free(&r);
    buf_free(&line);
    diag_free(&d);
}
END_TEST

START_TEST(bad_requests_are_refused)
{
    static const struct { const char *line, *says; } bad[] = {
        {"", "a request is"},
        {"nonsense", "a request is"},
        {"{\"commands\": []}", "a request is"},
        {"{\"commands\": [[]]}", "missing"},
        {"{\"commands\": [5]}", "no list"},
        {"{\"commands\": [[{}]]}", "no string"},
        {"{\"commands\": [[\"shwo\"]]}", "did you mean 'show'"},
        {"{\"commands\": [[\"add-br\"]]}", "too few"},
        {"{\"commands\": [[\"add-br\", \"a\", \"b\"]]}", "too many"},
        {"{\"commands\": [[\"--if-exists\", \"add-br\", \"a\"]]}", "takes no --if-exists"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct ctl_request r;
        struct diag d = DIAG_INIT;
        ck_assert(!ctl_request_parse(bad[i].line, strlen(bad[i].line), &r, &d));
        ck_assert_msg(strstr(buf_text(&d.message), bad[i].says) != NULL, "%s: %s", bad[i].line, buf_text(&d.message));
        ctl_request_free(&r);
        diag_free(&d);
    }
}
END_TEST

START_TEST(a_reply_arrives_as_it_was_sent)
{
    struct buf line = BUF_INIT;
    struct ctl_reply r;
    ctl_reply_format(2, "two\nlines\n", "an \"error\" \\ with\ttabs\n", &line);
    ck_assert_ptr_eq(strchr(buf_text(&line), '\n'), strrchr(buf_text(&line), '\n'));
    ck_assert(ctl_reply_parse((char *)line.data, line.len, &r, NULL));
    ck_assert_int_eq(r.status, 2);
    ck_assert_str_eq(r.out, "two\nlines\n");
    ck_assert_str_eq(r.err, "an \"error\" \\ with\ttabs\n");
    ctl_reply_free(&r);
    ck_assert(!ctl_reply_parse("{\"status\": 0}", 13, &r, NULL));
    ctl_reply_free(&r);
    buf_free(&line);
}
END_TEST

UNIT_TEST_MAIN("ctl", a_chain_arrives_as_it_was_typed, bad_requests_are_refused, a_reply_arrives_as_it_was_sent)
