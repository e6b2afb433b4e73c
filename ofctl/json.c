#include <stdio.h>
#include "ofctl/ofctl.h"
#include "ctl/ctl.h"

static void item(struct json *j, const char *key)
{
    if (!j->first)
        buf_puts(j->out, ", ");
    j->first = false;
    if (key) {
        json_quote(key, j->out);
        buf_puts(j->out, ": ");
    }
}

void json_open(struct json *j, const char *key, char bracket)
{
    item(j, key);
    buf_printf(j->out, "%c", bracket);
    j->first = true;
}

void json_close(struct json *j, char bracket)
{
    buf_printf(j->out, "%c", bracket);
    j->first = false;
}

void json_string(struct json *j, const char *key, const char *value)
{
    item(j, key);
    json_quote(value, j->out);
}

void json_raw(struct json *j, const char *key, const char *literal)
{
    item(j, key);
    buf_puts(j->out, literal);
}

void json_u64(struct json *j, const char *key, uint64_t n)
{
    item(j, key);
    if (n == UINT64_MAX)
        buf_puts(j->out, "null");
    else
        buf_printf(j->out, "%llu", (unsigned long long)n);
}

void json_words(struct json *j, const char *key, const char *words)
{
    json_open(j, key, '[');
    for (const char *p = strcmp(words, "0") ? words : ""; *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");
        char word[64];
        snprintf(word, sizeof word, "%.*s", (int)n, p);
        json_string(j, NULL, word);
        p += n;
    }
    json_close(j, ']');
}

void json_mac(struct json *j, const char *key, const uint8_t m[6])
{
    char text[18];
    snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
    json_string(j, key, text);
}

void json_hex(struct json *j, const char *key, const void *data, size_t n)
{
    item(j, key);
    buf_puts(j->out, "\"");
    for (size_t i = 0; i < n; i++)
        buf_printf(j->out, "%02x", ((const uint8_t *)data)[i]);
    buf_puts(j->out, "\"");
}

void json_bool(struct json *j, const char *key, bool value) { json_raw(j, key, value ? "true" : "false"); }
