#include "expect.h"

#include "base/hex.h"
#include "line/merkle.h"

/* The inputs and roots with which the Certificate Transparency implementations test RFC 6962 2.1,
 * which RFC 9162 2.1.1 leaves as it is: the root over the first n inputs. */
static const char *const INPUTS[] = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
};
static const char *const ROOTS[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static void add(struct sg_merkle *merkle, const char *hex)
{
    uint8_t bytes[32], leaf[SG_SHA256_LEN];
    struct sg_error error = {0};
    size_t len = 0;

    if (hex[0] != '\0')
        expect_success(hex, sg_hex_parse(hex, bytes, sizeof bytes, &len, &error), &error);
    sg_merkle_leaf(sg_slice_of(bytes, len), leaf);
    sg_merkle_add(merkle, leaf);
}

static void roots_are_those_of_the_standard(void **state)
{
    struct sg_merkle merkle = {0};

    (void)state;
    for (size_t i = 0; i < NUM(ROOTS); i++) {
        uint8_t root[SG_SHA256_LEN];
        char text[SG_SHA256_HEX_SIZE];

        sg_merkle_root(&merkle, root);
        assert_string_equal(sg_hex(sg_slice_of(root, sizeof root), text, sizeof text), ROOTS[i]);
        if (i < NUM(INPUTS))
            add(&merkle, INPUTS[i]);
    }
}

/* RFC 9162 2.1.1 as it is written, over ready leaves: two halves, the left one a power of two. */
static void root_of(uint8_t (*leaves)[SG_SHA256_LEN], size_t num, uint8_t root[SG_SHA256_LEN])
{
    uint8_t node[1 + 2 * SG_SHA256_LEN] = {1};
    size_t left = 1;

    if (num == 1) {
        memcpy(root, leaves[0], SG_SHA256_LEN);
        return;
    }
    while (left * 2 < num)
        left *= 2;
    root_of(leaves, left, node + 1);
    root_of(leaves + left, num - left, node + 1 + SG_SHA256_LEN);
    sg_sha256(sg_slice_of(node, sizeof node), root);
}

static void any_number_of_leaves(void **state)
{
    static uint8_t leaves[300][SG_SHA256_LEN];
    struct sg_merkle merkle = {0};

    (void)state;
    for (size_t i = 0; i < NUM(leaves); i++) {
        uint8_t found[SG_SHA256_LEN], wanted[SG_SHA256_LEN];

        sg_merkle_leaf(sg_slice_of(&i, sizeof i), leaves[i]);
        sg_merkle_add(&merkle, leaves[i]);
        sg_merkle_root(&merkle, found);
        root_of(leaves, i + 1, wanted);
        assert_memory_equal(found, wanted, sizeof found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_those_of_the_standard),
        cmocka_unit_test(any_number_of_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
