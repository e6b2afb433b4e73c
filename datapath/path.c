/* path.c: what a walk leaves behind. */
#include "config.h"
#include "base/mem.h"
#include "datapath/private.h"

enum { NEAR = 16 };

void dp_path_init(struct dp_path *path) { *path = (struct dp_path){0}; }

void dp_path_clear(struct dp_path *path)
{
    buf_clear(&path->acts);
    memset(&path->consulted, 0, sizeof path->consulted);
    path->n_deps = path->n_tallies = 0;
    path->drop = DROP_NONE;
    path->uncacheable = false;
    path->packet = NULL;
}

void dp_path_free(struct dp_path *path)
{
    buf_free(&path->acts);
    free(path->deps);
    free(path->tallies);
    dp_path_init(path);
}

void dp_path_dep(struct dp_path *path, const struct dp_gen *gen)
{
    /* What is noted twice is mostly noted soon again; to look farther back would make a flood to many ports slow, and
     * a double does no harm. */
    for (uint32_t i = path->n_deps; i-- > 0 && i + NEAR >= path->n_deps;)
        if (path->deps[i].gen == gen)
            return;
    if (path->n_deps == path->a_deps) {
        path->a_deps = MAX(8, path->a_deps * 2);
        path->deps = xrealloc(path->deps, path->a_deps * sizeof *path->deps);
    }
    path->deps[path->n_deps++] = (struct dp_dep){gen, load_acquire(&gen->n)};
}

void dp_path_tally(struct dp_path *path, struct dp_tally *tally)
{
    if (path->n_tallies == path->a_tallies) {
        path->a_tallies = MAX(8, path->a_tallies * 2);
        path->tallies = xrealloc(path->tallies, path->a_tallies * sizeof *path->tallies);
    }
    path->tallies[path->n_tallies++] = tally;
}
