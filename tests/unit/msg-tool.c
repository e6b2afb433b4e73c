/* msg-tool: our codec for tests that compare it with other people's.
 *
 *   msg-tool samples SEED N [VERSION]   N random messages of every type: "ID HEX" a line; VERSION 1, 4 (or left out), 5
 *   msg-tool format                     hex on standard input, one message a line; their texts, each ended by a NUL
 *   msg-tool corpus DIR SEED            one file per type and version, for the fuzz target
 */
#include "unit.h"
#include "msg-samples.h"

static const char *const ids[] = {
#define MSG(id, ...) #id,
#include "openflow/msg.def"
#undef MSG
};

static void samples(uint64_t rng, int n, uint8_t version)
{
    for (enum ofp_msg_type t = 0; t < N_OFPMSGS; t++)
        for (int i = 0; ofp_msg_form(t, version) && i < n; i++) {
            struct buf out = BUF_INIT;
            msg_sample_in(t, version, &rng, &out);
            printf("%s ", ids[t]);
            for (size_t j = 0; j < out.len; j++)
                printf("%02x", out.data[j]);
            printf("\n");
            buf_free(&out);
        }
}

static void corpus(const char *dir, uint64_t rng)
{
    static const struct {
        uint8_t version;
        const char *suffix;
    } versions[] = {{OFP10, "-10"}, {OFP13, ""}, {OFP14, "-14"}};
    for (unsigned i = 0; i < 3 * N_OFPMSGS; i++) {
        enum ofp_msg_type t = i / 3;
        struct buf out = BUF_INIT;
        char path[4096];
        if (!ofp_msg_form(t, versions[i % 3].version))
            continue;
        msg_sample_in(t, versions[i % 3].version, &rng, &out);
        snprintf(path, sizeof path, "%s/%s%s", dir, ids[t], versions[i % 3].suffix);
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
    if (argc >= 4 && !strcmp(argv[1], "samples"))
        samples(strtoull(argv[2], NULL, 0), atoi(argv[3]), argc == 5 ? (uint8_t)atoi(argv[4]) : OFP13);
    else if (argc == 4 && !strcmp(argv[1], "corpus"))
        corpus(argv[2], strtoull(argv[3], NULL, 0));
    else if (argc == 2 && !strcmp(argv[1], "format"))
        format();
    else
        return 2;
    return 0;
}
