#include <stdlib.h>
#include <string.h>

#include "ceremony/prove.h"
#include "ceremony/ssh.h"
#include "ceremony/ustar.h"
#include "target.h"

static const char PLAN[] = "0000000000000000000000000000000000000000000000000000000000000000";

static bool take(void *context, const char *name, struct sg_slice bytes, struct sg_error *error)
{
    struct sg_buf *again = context;

    return sg_ustar_append(again, name, bytes, error);
}

/* An archive that is read is the one that its files make; an abort is a finding. */
static void read_archive(struct sg_slice bytes)
{
    sg_auto(sg_buf) struct sg_buf again = {0};
    struct sg_error error = {0};

    if (!sg_ustar_read(bytes, take, &again, &error))
        return;
    if (!sg_ustar_end(&again, &error) || !sg_slice_equal(sg_buf_slice(&again), bytes))
        abort();
}

/* A refusal of ceremony.yaml says where in the file. */
static void read_file(struct sg_slice bytes)
{
    sg_auto(sg_ceremony_file) struct sg_ceremony_file file = {0};
    struct sg_error error = {0};

    if (!sg_ceremony_file_parse("fuzz.yaml", bytes, &file, &error) &&
        (error.code != SG_INVALID || strncmp(error.text, "fuzz.yaml:", 10) != 0))
        abort();
}

/* A line that is read has a key in it, and no signature is both for something else and right. */
static void read_ssh(struct sg_slice bytes)
{
    static const char KEY[] =
        "ssh-ed25519 "
        "AAAAC3NzaC1lZDI1NTE5AAAAIIPc3YMhVyKphKnqC449YOZoY59Z5/6PKOxkMMrBeHCF";
    sg_auto(sg_public_key) struct sg_public_key key = {0}, read = {0};
    struct sg_error error = {0};

    if (sg_ssh_read_key(bytes, &read, &error) && read.pkey == NULL)
        abort();
    sg_error_clear(&error);
    if (!sg_ssh_read_key(sg_slice_text(KEY), &key, &error))
        abort();
    if (sg_ssh_verify(&key, SG_CEREMONY_NAMESPACE, sg_slice_text("the plan\n"), bytes, &error) &&
        !sg_ssh_check_namespace(bytes, SG_CEREMONY_NAMESPACE, &error))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sg_slice bytes = sg_slice_of(data, size);
    sg_auto(sg_ceremony_signers) struct sg_ceremony_signers signers = {0};
    sg_auto(sg_transcript) struct sg_transcript transcript = {.fd = -1};
    sg_auto(sg_ceremony) struct sg_ceremony ceremony = {0};
    struct sg_error error = {0};

    read_archive(bytes);
    read_ssh(bytes);
    read_file(bytes);
    if (sg_ceremony_signers_parse("fuzz", bytes, &signers, &error) && signers.num == 0)
        abort();
    sg_error_clear(&error);
    if (!sg_transcript_read(bytes, PLAN, &transcript, &error) && error.code != SG_INVALID)
        abort();
    sg_error_clear(&error);
    (void)!sg_ceremony_read("fuzz", bytes, SG_PLAN_ANY_WORDS, &ceremony, &error);
    return 0;
}
