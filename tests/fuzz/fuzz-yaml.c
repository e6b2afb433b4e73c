/* xvs.yaml: whatever is taken is written so that it is taken again, the same. */
#include <stdlib.h>
#include "vswitchd/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record *root, *again;
    struct diag d = DIAG_INIT;
    if (config_parse((const char *)data, size, "fuzz", &root, &d)) {
        char *text = config_emit(root);
        if (text && config_parse(text, strlen(text), "fuzz", &again, NULL)) {
            char *text2 = config_emit(again);
            if (!text2 || strcmp(text, text2))
                abort();
            free(text2);
            config_free(again);
        } else if (text)
            abort();
        free(text);
        config_free(root);
    } else if (!d.failed)
        abort();
    diag_free(&d);
    return 0;
}
