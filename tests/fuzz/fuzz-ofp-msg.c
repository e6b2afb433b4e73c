/* OpenFlow messages: type and text of any bytes, which takes them through every decoder, and again with the length of
 * the header made right, which gets deeper. */
#include <stdint.h>
#include <stdlib.h>
#include "openflow/msg.h"

static void take(const uint8_t *data, size_t size)
{
    struct buf text = BUF_INIT;
    ofp_msg_format(data, size, NULL, 3, &text);
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    take(data, size);
    if (size >= OFP_HEADER_LEN && size <= OFP_MAX_LEN) {
        uint8_t *copy = malloc(size);
        if (!copy)
            abort();
        memcpy(copy, data, size);
        copy[2] = size >> 8;
        copy[3] = size;
        take(copy, size);
        free(copy);
    }
    return 0;
}
