/* Text in colours: names of values in one, headings and the word actions bold, drops red. What is there stays as it is: without
 * the colours it is the text. */
#include <stdio.h>
#include "ofctl/ofctl.h"

#define BOLD "\033[1m"
#define RED "\033[31m"
#define CYAN "\033[36m"
#define PLAIN "\033[m"

static void put(const char *on, const char *p, size_t n) { printf("%s%.*s%s", on, (int)n, p, *on ? PLAIN : ""); }

/* From "actions=" on, to the line's end. */
static void put_actions(const char *p, size_t n)
{
    const size_t head = strlen("actions");
    put(BOLD, p, head);
    putchar('=');
    p += head + 1;
    n -= head + 1;
    put(n == 4 && !memcmp(p, "drop", 4) ? RED : "", p, n);
}

static void put_line(const char *p, size_t n)
{
    const char *actions = memmem(p, n, "actions=", strlen("actions=")), *end = p + n;
    if (n && *p != ' ' && end[-1] == ':') { /* "OFPST_FLOW reply (OF1.3) (xid=0x2):" */
        put(BOLD, p, n);
        return;
    }
    while (p < end && p != actions) {
        const char *stop = actions ? actions : end;
        size_t len = 0;
        while (p + len < stop && !strchr("=:, ", p[len]))
            len++;
        bool name = p + len < stop && (p[len] == '=' || (p[len] == ':' && (p + len + 1 == end || p[len + 1] == ' ')));
        put(name ? CYAN : "", p, len);
        for (p += len; p < stop && strchr("=:, ", *p); p++)
            putchar(*p);
    }
    if (actions)
        put_actions(actions, (size_t)(end - actions));
}

void print_coloured(const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        put_line(text, n);
        text += n;
        if (*text)
            putchar(*text++);
    }
}

void print_text(const char *text)
{
    if (options.color)
        print_coloured(text);
    else
        fputs(text, stdout);
}
