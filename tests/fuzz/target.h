/* target: what a fuzz target defines, named as libFuzzer and others call it. */
#ifndef SG_TEST_FUZZ_TARGET_H
#define SG_TEST_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* Reads the bytes as an outside input. Always returns 0; finds by crashing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
