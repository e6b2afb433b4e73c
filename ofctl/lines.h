/* lines.h: what people give as lines and as hexadecimal digits. */
#ifndef OFCTL_LINES_H
#define OFCTL_LINES_H 1

#include <stdio.h>
#include "ofctl/ofctl.h"

struct line_reader {
    FILE *f;
    const char *name; /* for complaints */
    size_t number;    /* of the line that was given last */
    char *line;
    size_t size;
};
#define LINE_READER(F, NAME) ((struct line_reader){.f = (F), .name = (NAME)})
struct line_reader line_reader_open(const char *file); /* "-": standard input; or dies */
char *line_next_raw(struct line_reader *); /* without its end; NULL: there is none */
char *line_next(struct line_reader *);     /* likewise, without comment and blanks; empty ones are left out */
void line_reader_end(struct line_reader *);

/* The first line of a dump, "OFPST_FLOW reply (OF1.3) (xid=0x2):", which whoever reads a dump again leaves out. */
bool is_dump_header(const char *line);

/* Digits, two for each byte, blanks between bytes. False if it is not that. */
bool hex_parse(const char *text, struct buf *out);
void line_hex(const struct line_reader *, const char *line, struct buf *out); /* or dies */

/* A whole file, or standard input ("-"); or dies. */
void read_bytes(const char *file, struct buf *out);

#endif
