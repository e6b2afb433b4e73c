/* Configuration records: the words of xvs-ctl, xvs.yaml there and back, what is refused and how. */
#include "unit.h"
#include "base/buf.h"
#include "vswitchd/config.h"

static struct record *port_with(struct record **root, const char *const words[], size_t n, struct diag *d)
{
    *root = config_new();
    struct record *p = config_add(config_add(*root, "br0"), "gre1");
    for (size_t i = 0; i < n; i++)
        if (!config_set_word(p, words[i], true, d))
            return NULL;
    return p;
}

START_TEST(words_in_every_form_mean_the_same)
{
    static const char *const forms[][3] = {
        {"type=gre", "remote_ip=192.168.5.238", "key=flow"},
        {"type=gre", "options:remote_ip=192.168.5.238", "options:key=flow"},
        {"type=gre", "option:remote_ip=192.168.5.238", "option:key=flow"},
        {"type=\"gre\"", "remote-ip=192.168.5.238", "key=\"flow\""},
        {"TYPE=gre", "options={remote_ip=192.168.5.238, key=flow}", "key=flow"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        struct record *root, *p = port_with(&root, forms[i], 3, NULL);
        ck_assert_ptr_nonnull(p);
        ck_assert_str_eq(config_text(p, "type"), "gre");
        ck_assert_str_eq(config_get(p, "options", "remote_ip"), "192.168.5.238");
        ck_assert_str_eq(config_get(p, "options", "key"), "flow");
        ck_assert_uint_eq(p->n_values, 3);
        config_free(root);
    }
}
END_TEST

START_TEST(bad_words_are_refused_with_the_mend)
{
    static const struct { const char *word, *says; } bad[] = {
        {"type=gree", "did you mean 'gre'"},       {"type=zzz", "there are system"},
        {"ofport_request=0", "1 to 65279"},        {"ofport_request=abc", "1 to 65279"},
        {"ofport=70000", "1 to 65279"},            {"mac=12:34", "no Ethernet address"},
        {"options:remote_ip", "no COLUMN=VALUE"},  {"optoins:key=5", "did you mean 'options'"},
        {"options:a=b\nc", "control character"}, {"options:a\xc2\x85=b", "control character"},
        {"type:x=5", "no keys"},                   {"options={a}", "no KEY=VALUE"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct diag d = DIAG_INIT;
        struct record *root;
        ck_assert_msg(!port_with(&root, &bad[i].word, 1, &d), "%s", bad[i].word);
        ck_assert_msg(strstr(buf_text(&d.message), bad[i].says) != NULL, "%s: %s", bad[i].word, buf_text(&d.message));
        diag_free(&d);
        config_free(root);
    }
}
END_TEST

START_TEST(bridge_columns)
{
    struct record *root = config_new(), *b = config_add(root, "s1");
    /* The words that Mininet writes. */
    ck_assert(config_set_word(b, "controller=[\"tcp:127.0.0.1:6653\",ptcp:6654]", false, NULL));
    ck_assert(config_set_word(b, "other_config:datapath-id=0000000000000001", false, NULL));
    ck_assert(config_set_word(b, "fail_mode=secure", false, NULL));
    ck_assert(config_set_word(b, "other-config:disable-in-band=true", false, NULL));
    ck_assert(config_set_word(b, "datapath_type=netdev", false, NULL));
    ck_assert_ptr_nonnull(config_get(b, "controller", "ptcp:6654"));
    ck_assert_ptr_nonnull(config_get(b, "controller", "tcp:127.0.0.1:6653"));
    ck_assert_str_eq(config_get(b, "other_config", "datapath-id"), "0000000000000001");
    ck_assert(config_set_word(b, "controller=tcp:1.2.3.4", false, NULL)); /* the whole column: others go */
    ck_assert_ptr_null(config_get(b, "controller", "ptcp:6654"));
    ck_assert(!config_set_word(b, "controller=udp:1.2.3.4", false, NULL));
    ck_assert(!config_set_word(b, "fail_mode=sure", false, NULL));
    ck_assert(!config_set_word(b, "other_config:hwaddr=1:2", false, NULL));
    config_free(root);
}
END_TEST

/* Strings that YAML might take for something else. */
static const char *const awkward[] = {"", "true", "null", "~", "0x0a", "1e5", "a: b", "# no", "- x", "'", "\"", "{a}", "[b]",
                                      "&c", "*d", "!e", "|", ">", "%f", "@", "`", " lead", "trail ", "é", "yes", "::1",
                                      "192.168.5.238", "1:30", "null: null", "<<", "=", "\\n", "100 %"};

START_TEST(yaml_gives_back_what_it_was_given)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 200; round++) {
        struct record *root = config_new(), *again;
        for (unsigned i = unit_below(&rng, 4); i--;) {
            char name[16];
            snprintf(name, sizeof name, "br%u", i);
            struct record *b = config_add(root, name);
            if (unit_below(&rng, 2))
                ck_assert(config_set_word(b, "fail_mode=secure", false, NULL));
            if (unit_below(&rng, 2))
                ck_assert(config_set_word(b, "controller=tcp:[::1]:6653,ptcp:", false, NULL));
            for (unsigned j = unit_below(&rng, 4); j--;) {
                snprintf(name, sizeof name, "p%u.%u", i, j);
                struct record *p = config_add(b, name);
                for (unsigned k = unit_below(&rng, 5); k--;)
                    ck_assert(config_set(p, column_find(PORT, "options", 7, NULL), awkward[unit_below(&rng, ARRAY_SIZE(awkward))],
                                         awkward[unit_below(&rng, ARRAY_SIZE(awkward))], NULL));
            }
        }
        char *text = config_emit(root), *text2;
        struct diag d = DIAG_INIT;
        ck_assert_msg(config_parse(text, strlen(text), "test", &again, &d), "%s\n%s", buf_text(&d.message), text);
        text2 = config_emit(again);
        ck_assert_str_eq(text, text2);
        for (size_t i = 0; i < root->n_children; i++)
            for (size_t j = 0; j < root->children[i]->n_children; j++) {
                const struct record *p = root->children[i]->children[j], *q = config_find_port(again, p->name);
                ck_assert_ptr_nonnull(q);
                ck_assert_uint_eq(p->n_values, q->n_values);
                for (size_t k = 0; k < p->n_values; k++)
                    ck_assert_str_eq(config_get(q, "options", p->values[k].key), p->values[k].value);
            }
        free(text);
        free(text2);
        config_free(root);
        config_free(again);
    }
}
END_TEST

START_TEST(bad_yaml_is_refused_with_its_place)
{
    static const struct { const char *yaml, *says; } bad[] = {
        {"bridges: [", "f:"},
        {"bridges:\n  br0:\n    fail_mode: sure\n", "f:3: bridge br0: fail_mode is"},
        {"bridges:\n  br0:\n    ports:\n      p1:\n        tpye: gre\n", "f:5: port p1 of bridge br0: a port has no column 'tpye'; did you mean 'type'"},
        {"bridges:\n  br0:\n    ports: [p1]\n", "mapping of names"},
        {"bridges:\n  br0: 5\n", "a mapping is wanted"},
        {"bridges:\n  br0:\n    other_config: 5\n", "KEY: VALUE"},
        {"bridges:\n  br0:\n    controller: [{a: b}]\n", "plain value"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct diag d = DIAG_INIT;
        struct record *root;
        ck_assert_msg(!config_parse(bad[i].yaml, strlen(bad[i].yaml), "f", &root, &d), "%s", bad[i].yaml);
        ck_assert_ptr_null(root);
        ck_assert_msg(strstr(buf_text(&d.message), bad[i].says) != NULL, "%s: %s", bad[i].yaml, buf_text(&d.message));
        diag_free(&d);
    }
    struct record *root;
    ck_assert(config_parse("", 0, "f", &root, NULL));
    config_free(root);
    ck_assert(config_parse("# nothing\n", 10, "f", &root, NULL));
    config_free(root);
}
END_TEST

UNIT_TEST_MAIN("config", words_in_every_form_mean_the_same, bad_words_are_refused_with_the_mend, bridge_columns,
               yaml_gives_back_what_it_was_given, bad_yaml_is_refused_with_its_place)
