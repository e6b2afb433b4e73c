/* The control socket: requests, and the words of `set`. */
#include "ctl/ctl.h"
#include "vswitchd/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctl_request r;
    struct ctl_reply reply;
    struct diag d = DIAG_INIT;
    if (ctl_request_parse((const char *)data, size, &r, &d)) {
        struct record *root = config_new(), *p = config_add(config_add(root, "br0"), "p1");
        for (size_t i = 0; i < r.n; i++)
            for (size_t j = 1; j < r.commands[i].argc; j++)
                config_set_word(j & 1 ? p : p->parent, r.commands[i].argv[j], j & 1, NULL);
        config_free(root);
    }
    ctl_request_free(&r);
    diag_free(&d);
    ctl_reply_parse((const char *)data, size, &reply, NULL);
    ctl_reply_free(&reply);
    return 0;
}
