/* msg-tool: our codec for tests that compare it with other people's.
 *
 *   msg-tool samples SEED N    N random messages of every type: "ID HEX" a line
 *   msg-tool format            hex on standard input, one message a line; their texts, each ended by a NUL
 *   msg-tool corpus DIR SEED   one file per type, for the fuzz target
 */
#include "unit.h"
#include "msg-samples.h"

static const char *const ids[] = {
#define MSG(id, ...) #id,
#include "openflow/msg.def"
#undef MSG
};

static void samples(uint64_t rng, int n)
{
    for (enum ofp_msg_type t = 0; t < N_OFPMSGS; t++)
        for (int i = 0; ofp_msg_form(t, OFP13) && i < n; i++) {
            struct buf out = BUF_INIT;
            msg_sample(t, &rng, &out);
            printf("%s ", ids[t]);
            for (size_t j = 0; j < out.len; j++)
                printf("%02x", out.data[j]);
            printf("\n");
            buf_free(&out);
        }
}

static void corpus(const char *dir, uint64_t rng)
{
    for (enum ofp_msg_type t = 0; t < N_OFPMSGS; t++) {
        if (!ofp_msg_form(t, OFP13))
            continue;
        struct buf out = BUF_INIT;
        char path[4096];
        msg_sample(t, &rng, &out);
        snprintf(path, sizeof path, "%s/%s", dir, ids[t]);
        FILE *f = fopen(path, "wb");
        if (!f || fwrite(out.data, 1, out.len, f) != out.len)
            perror(path);
        if (f)
            fclose(f);
        buf_free(&out);
    }
}

static void format(void)
{
    char *line = NULL;
    size_t size = 0;
    for (ssize_t n; (n = getline(&line, &size, stdin)) > 0;) {
        struct buf msg = BUF_INIT, text = BUF_INIT;
        for (ssize_t i = 0; i + 1 < n; i += 2) {
            uint8_t byte;
            if (sscanf(line + i, "%2hhx", &byte) == 1)
                buf_u8(&msg, byte);
        }
        ofp_msg_format(msg.data, msg.len, NULL, 1, &text);
        fwrite(buf_text(&text), 1, text.len + 1, stdout);
        buf_free(&msg);
        buf_free(&text);
    }
    free(line);
}

int main(int argc, char *argv[])
{
    if (argc == 4 && !strcmp(argv[1], "samples"))
        samples(strtoull(argv[2], NULL, 0), atoi(argv[3]));
    else if (argc == 4 && !strcmp(argv[1], "corpus"))
        corpus(argv[2], strtoull(argv[3], NULL, 0));
    else if (argc == 2 && !strcmp(argv[1], "format"))
        format();
    else
        return 2;
    return 0;
}
