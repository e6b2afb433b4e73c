/* flow-samples.h: flows for the tests of lib/openflow: at least one action for each row of action.def and
 * instruction.def, and matches that hold what a field needs. */
#ifndef TESTS_FLOW_SAMPLES_H
#define TESTS_FLOW_SAMPLES_H 1

#include "openflow/flow.h"
#include "unit.h"

/* Each: row, the fields its actions need, the actions as they are printed. */
struct act_sample {
    enum act_type type;
    const char *match, *text;
};
extern const struct act_sample act_samples[];
extern const unsigned n_act_samples;

/* Sets in `m` what field f demands (OpenFlow 1.3.5, table 12), then f itself at random; masked where it may be. */
void random_field(struct match *m, enum field_id f, bool masked, uint64_t *rng);
void fulfil_prereq(struct match *m, enum field_id f, uint64_t *rng);
void random_value(enum field_id f, bool masked, uint64_t *rng, union field_value *value, union field_value *mask);

#endif
