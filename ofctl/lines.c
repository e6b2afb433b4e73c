#include <errno.h>
#include <stdlib.h>
#include "ofctl/lines.h"

struct line_reader line_reader_open(const char *file)
{
    if (!strcmp(file, "-"))
        return LINE_READER(stdin, "<stdin>");
    struct line_reader r = LINE_READER(fopen(file, "r"), file);
    if (!r.f)
        die("%s: %s", file, strerror(errno));
    return r;
}

char *line_next_raw(struct line_reader *r)
{
    ssize_t n = getline(&r->line, &r->size, r->f);
    if (n < 0)
        return NULL;
    r->number++;
    while (n && strchr("\r\n", r->line[n - 1]) && r->line[n - 1])
        r->line[--n] = '\0';
    return r->line;
}

char *line_next(struct line_reader *r)
{
    for (char *line; (line = line_next_raw(r));) {
        line += strspn(line, " \t");
        size_t n = strcspn(line, "#");
        while (n && strchr(" \t", line[n - 1]))
            n--;
        line[n] = '\0';
        if (n)
            return line;
    }
    return NULL;
}

void line_reader_end(struct line_reader *r)
{
    if (ferror(r->f))
        die("%s: %s", r->name, strerror(errno));
    if (r->f != stdin)
        fclose(r->f);
    free(r->line);
}

bool is_dump_header(const char *line)
{
    const char *name = line + strcspn(line, "_ ");
    return line[0] >= 'A' && line[0] <= 'Z' && name[0] == '_' && name > line + 3 && !memcmp(name - 2, "ST", 2) && strstr(name, " reply (") &&
           line[strlen(line) - 1] == ':';
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hex_parse(const char *p, struct buf *out)
{
    if (!strncmp(p, "0x", 2))
        p += 2;
    for (p += strspn(p, " \t"); *p; p += 2, p += strspn(p, " \t")) {
        int high = hex_digit(p[0]), low = high < 0 ? -1 : hex_digit(p[1]);
        if (low < 0)
            return false;
        buf_u8(out, (uint8_t)(high << 4 | low));
    }
    return true;
}

void line_hex(const struct line_reader *r, const char *line, struct buf *out)
{
    if (!hex_parse(line, out))
        die("%s:%zu: hexadecimal digits are wanted, two for each byte", r->name, r->number);
}

void read_bytes(const char *file, struct buf *out)
{
    enum { CHUNK = 1 << 16 };
    FILE *f = strcmp(file, "-") ? fopen(file, "rb") : stdin;
    if (!f)
        die("%s: %s", file, strerror(errno));
    for (size_t n = 1; n;) {
        buf_reserve(out, CHUNK);
        n = fread(out->data + out->len, 1, CHUNK, f);
        out->len += n;
    }
    if (ferror(f))
        die("%s: %s", file, strerror(errno));
    if (f != stdin)
        fclose(f);
}
