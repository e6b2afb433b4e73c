/* replay.c: main() of a fuzz target that is built without libFuzzer.
 *
 * Feeds every file given, and every file of every folder given, to LLVMFuzzerTestOneInput(). Without arguments it takes
 * the target's own corpus, $srcdir/tests/fuzz/corpus/NOUN for a program fuzz-NOUN. The name of the input is printed
 * before it runs, so that the last line before a crash is the one to look at.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int n_inputs;

static void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static void replay_file(const char *path, size_t size)
{
    /* Exactly the file's size, so that ASan sees a read past the input's end. */
    uint8_t *data = malloc(size ? size : 1);
    FILE *f = fopen(path, "rb");

    if (!data || !f || fread(data, 1, size, f) != size)
        die(path);
    fclose(f);
    printf("%s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    n_inputs++;
}

static void replay(const char *path)
{
    struct dirent **entries;
    struct stat st;

    if (stat(path, &st))
        die(path);
    if (!S_ISDIR(st.st_mode)) {
        replay_file(path, st.st_size);
        return;
    }
    int n = scandir(path, &entries, NULL, alphasort);
    if (n < 0)
        die(path);
    for (int i = 0; i < n; i++) {
        char *name;

        if (entries[i]->d_name[0] != '.') {
            if (asprintf(&name, "%s/%s", path, entries[i]->d_name) < 0)
                abort();
            replay(name);
            free(name);
        }
        free(entries[i]);
    }
    free(entries);
}

static void replay_own_corpus(const char *argv0)
{
    const char *srcdir = getenv("srcdir");
    const char *noun = strstr(argv0, "fuzz-");
    char *path;

    if (!noun) {
        fprintf(stderr, "%s: not called fuzz-NOUN, so name a corpus\n", argv0);
        exit(1);
    }
    if (asprintf(&path, "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".", noun + strlen("fuzz-")) < 0)
        abort();
    replay(path);
    free(path);
}

int main(int argc, char *argv[])
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    if (argc < 2)
        replay_own_corpus(argv[0]);
    printf("%d inputs\n", n_inputs);
    if (!n_inputs) {
        fprintf(stderr, "%s: an empty corpus tests nothing\n", argv[0]);
        return 1;
    }
    return 0;
}
