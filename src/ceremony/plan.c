#include "plan.h"

#include <string.h>

#include "base/file.h"

/* The version of the file's form. */
enum { PLAN_VERSION = 1 };

static bool set(json_t *object, const char *key, json_t *value, struct sg_error *error)
{
    return json_object_set_new(object, key, value) == 0 || sg_fail_memory(error);
}

/* Text as text, so that people can read it; anything else in hex. */
static json_t *bytes_json(const struct sg_buf *bytes)
{
    json_t *value = NULL;

    if (memchr(bytes->data, '\0', bytes->len) == NULL)
        value = json_pack("{s:o*}", "text", json_stringn((const char *)bytes->data, bytes->len));
    if (value != NULL && json_object_size(value) == 1)
        return value;
    json_decref(value);
    sg_auto(malloc) char *hex = malloc(2 * bytes->len + 1);
    return hex == NULL
               ? NULL
               : json_pack("{s:s}", "hex", sg_hex(sg_buf_slice(bytes), hex, 2 * bytes->len + 1));
}

static json_t *material_json(const struct sg_ceremony_material *material)
{
    char hex[SG_SHA256_HEX_SIZE];
    uint8_t digest[SG_SHA256_LEN];
    json_t *value = bytes_json(&material->bytes);

    sg_sha256(sg_buf_slice(&material->bytes), digest);
    if (value == NULL || json_object_set_new(value, "name", json_string(material->name)) != 0 ||
        json_object_set_new(
            value, "sha256",
            json_string(sg_hex(sg_slice_of(digest, sizeof digest), hex, sizeof hex))) != 0) {
        json_decref(value);
        return NULL;
    }
    return value;
}

static bool put_materials(const struct sg_ceremony *ceremony, json_t *plan, struct sg_error *error)
{
    json_t *list = json_array();

    for (size_t i = 0; i < ceremony->materials.num; i++)
        if (json_array_append_new(list, material_json(&ceremony->materials.items[i])) != 0) {
            json_decref(list);
            return sg_fail_memory(error);
        }
    return set(plan, "materials", list, error);
}

static bool put_drawn(const struct sg_ceremony *ceremony, json_t *plan, struct sg_error *error)
{
    json_t *list = json_array();
    char hex[2 * SG_CEREMONY_DRAWN_LEN + 1];

    for (size_t i = 0; i < ceremony->file.num_acts; i++)
        if (json_array_append_new(
                list, json_string(sg_hex(sg_slice_of(ceremony->drawn[i], SG_CEREMONY_DRAWN_LEN),
                                         hex, sizeof hex))) != 0) {
            json_decref(list);
            return sg_fail_memory(error);
        }
    return set(plan, "drawn", list, error);
}

static bool put_persons(const struct sg_ceremony *ceremony, json_t *plan, struct sg_error *error)
{
    json_t *list = json_array();
    char hex[SG_SHA256_HEX_SIZE];

    for (size_t i = 0; i < ceremony->file.num_persons; i++) {
        const struct sg_ceremony_person *person = &ceremony->file.persons[i];
        const struct sg_public_key *key = &ceremony->person_keys[i];
        const char *digest =
            key->pkey != NULL
                ? sg_hex(sg_slice_of(key->sha256, sizeof key->sha256), hex, sizeof hex)
                : NULL;
        json_t *value = json_pack("{s:s, s:s, s:s?}", "name", person->name, "role",
                                  sg_ceremony_role_word(person->role), "key_sha256", digest);

        if (json_array_append_new(list, value) != 0) {
            json_decref(list);
            return sg_fail_memory(error);
        }
    }
    return set(plan, "persons", list, error);
}

static bool put_acts(struct sg_ceremony *ceremony, json_t *plan, struct sg_error *error)
{
    sg_auto(sg_world) struct sg_world world = {0};
    const struct sg_ceremony_file *file = &ceremony->file;
    json_t *list = json_array();

    if (!set(plan, "acts", list, error) ||
        !sg_world_init(&world, file, &ceremony->materials,
                       (const uint8_t(*)[SG_CEREMONY_DRAWN_LEN])ceremony->drawn, error))
        return false;
    for (size_t i = 0; i < file->num_acts; i++) {
        struct sg_error why = {0};
        json_t *act = NULL;

        if (!sg_ceremony_act_json(&world, &file->acts[i], &act, &why)) {
            if (why.code == SG_FAILED || why.code == SG_INTERNAL)
                return sg_fail(error, why.code, why.rule, "%s", why.text);
            return sg_ceremony_fail_at(file, &file->acts[i], &why, error);
        }
        if (json_array_append_new(list, act) != 0)
            return sg_fail_memory(error);
    }
    return true;
}

static bool read_person_keys(struct sg_ceremony *ceremony, struct sg_error *error)
{
    const struct sg_ceremony_file *file = &ceremony->file;

    ceremony->person_keys = calloc(file->num_persons + 1, sizeof *ceremony->person_keys);
    if (ceremony->person_keys == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < file->num_persons; i++) {
        struct sg_public_key *key = &ceremony->person_keys[i];

        if (file->persons[i].key == NULL)
            continue;
        if (!sg_ceremony_public_key(&ceremony->materials, file->persons[i].key, key, error))
            return sg_error_prefix(error, "the key of %s", file->persons[i].name);
        for (size_t other = 0; other < i; other++)
            if (sg_public_key_equal(key, &ceremony->person_keys[other]))
                return sg_fail(error, SG_INVALID, NULL, "%s and %s have the same key",
                               file->persons[other].name, file->persons[i].name);
    }
    return true;
}

/* The plan's bytes, and their digest. */
static bool dump(struct sg_ceremony *ceremony, struct sg_error *error)
{
    sg_auto(malloc) char *text = json_dumps(ceremony->json, JSON_INDENT(1) | JSON_SORT_KEYS);
    uint8_t digest[SG_SHA256_LEN];

    if (text == NULL)
        return sg_fail_memory(error);
    if (!sg_buf_append(&ceremony->bytes, text, strlen(text), SG_LIMIT_CEREMONY_PLAN, error) ||
        !sg_buf_append(&ceremony->bytes, "\n", 1, SG_LIMIT_CEREMONY_PLAN, error))
        return sg_error_prefix(error, "the plan");
    sg_sha256(sg_buf_slice(&ceremony->bytes), digest);
    sg_hex(sg_slice_of(digest, sizeof digest), ceremony->sha256, sizeof ceremony->sha256);
    return true;
}

/* Works everything out from source, materials and what was drawn. */
static bool work_out(struct sg_ceremony *ceremony, struct sg_error *error)
{
    json_t *plan = ceremony->json = json_object();

    return read_person_keys(ceremony, error) &&
           set(plan, "signet_ceremony_plan", json_integer(PLAN_VERSION), error) &&
           set(plan, "ceremony.yaml",
               json_stringn((const char *)ceremony->source.data, ceremony->source.len), error) &&
           put_materials(ceremony, plan, error) && put_drawn(ceremony, plan, error) &&
           put_persons(ceremony, plan, error) && put_acts(ceremony, plan, error) &&
           dump(ceremony, error);
}

static bool make_room_for_drawn(struct sg_ceremony *ceremony, struct sg_error *error)
{
    ceremony->drawn = calloc(ceremony->file.num_acts, sizeof *ceremony->drawn);
    return ceremony->drawn != NULL || sg_fail_memory(error);
}

static bool draw(struct sg_ceremony *ceremony, struct sg_error *error)
{
    return make_room_for_drawn(ceremony, error) &&
           sg_random_fill(ceremony->drawn[0], ceremony->file.num_acts * sizeof *ceremony->drawn,
                          error);
}

static void move(struct sg_ceremony *from, struct sg_ceremony *to)
{
    *to = *from;
    *from = (struct sg_ceremony){0};
}

bool sg_ceremony_draft(const char *path, struct sg_ceremony *ceremony, struct sg_error *error)
{
    sg_auto(sg_ceremony) struct sg_ceremony fresh = {0};
    sg_auto(malloc) char *folder = strdup(path);
    char *slash;

    if (folder == NULL)
        return sg_fail_memory(error);
    slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[slash == folder ? 1 : 0] = '\0';
    if (!sg_file_read(path, SG_LIMIT_YAML, &fresh.source, error) ||
        !sg_ceremony_file_parse(path, sg_buf_slice(&fresh.source), &fresh.file, error) ||
        !sg_ceremony_materials_gather(&fresh.file, slash != NULL ? folder : ".", &fresh.materials,
                                      error) ||
        !draw(&fresh, error) || !work_out(&fresh, error))
        return false;
    move(&fresh, ceremony);
    return true;
}

/* ---- reading a plan ---- */

static bool fail_as_no_plan(const char *name, const char *what, struct sg_error *error)
{
    return sg_fail(error, SG_INVALID, NULL,
                   "%s: %s; a plan is made by `signet ceremony plan FILE -o PLAN`", name, what);
}

static bool take_material(const json_t *value, struct sg_ceremony *ceremony, struct sg_error *error)
{
    const char *name = json_string_value(json_object_get(value, "name"));
    const json_t *text = json_object_get(value, "text");
    const char *hex = json_string_value(json_object_get(value, "hex"));
    sg_auto(malloc) uint8_t *bytes = NULL;
    size_t len = 0;

    if (name == NULL || (text == NULL) == (hex == NULL))
        return sg_fail(error, SG_INVALID, NULL, "a material without name or bytes");
    if (text != NULL)
        return sg_ceremony_materials_add(
            &ceremony->materials, name,
            sg_slice_of(json_string_value(text), json_string_length(text)), error);
    bytes = malloc(strlen(hex) / 2 + 1);
    if (bytes == NULL)
        return sg_fail_memory(error);
    return sg_hex_parse(hex, bytes, strlen(hex) / 2, &len, error) &&
           sg_ceremony_materials_add(&ceremony->materials, name, sg_slice_of(bytes, len), error);
}

static bool take_drawn(const json_t *list, struct sg_ceremony *ceremony, struct sg_error *error)
{
    size_t len = 0;

    if (json_array_size(list) != ceremony->file.num_acts)
        return sg_fail(error, SG_INVALID, NULL, "`drawn` is not one for each act");
    if (!make_room_for_drawn(ceremony, error))
        return false;
    for (size_t i = 0; i < ceremony->file.num_acts; i++) {
        const char *hex = json_string_value(json_array_get(list, i));

        if (hex == NULL ||
            !sg_hex_parse(hex, ceremony->drawn[i], SG_CEREMONY_DRAWN_LEN, &len, error) ||
            len != SG_CEREMONY_DRAWN_LEN)
            return sg_fail(error, SG_INVALID, NULL, "`drawn` holds something else");
    }
    return true;
}

static bool take_parts(const json_t *plan, struct sg_ceremony *ceremony, struct sg_error *error)
{
    const json_t *source = json_object_get(plan, "ceremony.yaml");
    const json_t *materials = json_object_get(plan, "materials");

    if (json_integer_value(json_object_get(plan, "signet_ceremony_plan")) != PLAN_VERSION)
        return sg_fail(error, SG_INVALID, NULL, "it is no plan of this version of Signet");
    if (!json_is_string(source) || !json_is_array(materials))
        return sg_fail(error, SG_INVALID, NULL, "a part of it is missing");
    if (!sg_buf_append(&ceremony->source, json_string_value(source), json_string_length(source),
                       SG_LIMIT_YAML, error) ||
        !sg_ceremony_file_parse("ceremony.yaml", sg_buf_slice(&ceremony->source), &ceremony->file,
                                error))
        return false;
    for (size_t i = 0; i < json_array_size(materials); i++)
        if (!take_material(json_array_get(materials, i), ceremony, error))
            return false;
    return take_drawn(json_object_get(plan, "drawn"), ceremony, error);
}

/* A copy without the words for people; NULL when memory ran out. */
static json_t *without_words(const json_t *plan)
{
    json_t *copy = json_deep_copy(plan);
    json_t *acts = json_object_get(copy, "acts");

    for (size_t i = 0; i < json_array_size(acts); i++) {
        json_object_del(json_array_get(acts, i), "title");
        json_object_del(json_array_get(acts, i), "lines");
    }
    return copy;
}

static bool is_same_but_for_words(const json_t *a, const json_t *b)
{
    json_t *one = without_words(a), *two = without_words(b);
    bool is_same = one != NULL && two != NULL && json_equal(one, two);

    json_decref(one);
    json_decref(two);
    return is_same;
}

/* The plan is the one that was read, words included, if it does what ours does. plan is taken over.
 */
static bool settle(json_t *plan, struct sg_slice bytes, enum sg_plan_words words,
                   struct sg_ceremony *fresh, struct sg_error *error)
{
    bool is_ours = sg_slice_equal(sg_buf_slice(&fresh->bytes), bytes);

    if (!is_ours && (words == SG_PLAN_OUR_WORDS || !is_same_but_for_words(plan, fresh->json))) {
        json_decref(plan);
        return sg_fail(error, SG_INVALID, NULL,
                       "it does not say what follows from its own parts: it was changed, or made "
                       "by another version of Signet; make it again");
    }
    json_decref(fresh->json);
    fresh->json = plan;
    if (is_ours)
        return true;
    sg_buf_free(&fresh->bytes);
    fresh->bytes = (struct sg_buf){0};
    if (!dump(fresh, error))
        return false;
    return sg_slice_equal(sg_buf_slice(&fresh->bytes), bytes) ||
           sg_fail(error, SG_INVALID, NULL, "it is not written as plans are");
}

bool sg_ceremony_read(const char *name, struct sg_slice bytes, enum sg_plan_words words,
                      struct sg_ceremony *ceremony, struct sg_error *error)
{
    sg_auto(sg_ceremony) struct sg_ceremony fresh = {0};
    struct sg_error why = {0};
    json_t *plan = json_loadb((const char *)bytes.data, bytes.len, JSON_REJECT_DUPLICATES, NULL);

    if (plan == NULL)
        return fail_as_no_plan(name, "it is no JSON", error);
    if (!take_parts(plan, &fresh, &why)) {
        json_decref(plan);
        return fail_as_no_plan(name, why.text, error);
    }
    if (!work_out(&fresh, error)) {
        json_decref(plan);
        return sg_error_prefix(error, "%s", name);
    }
    if (!settle(plan, bytes, words, &fresh, error))
        return sg_error_prefix(error, "%s", name);
    move(&fresh, ceremony);
    return true;
}

bool sg_ceremony_load(const char *path, struct sg_ceremony *ceremony, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf bytes = {0};

    return sg_file_read(path, SG_LIMIT_CEREMONY_PLAN, &bytes, error) &&
           sg_ceremony_read(path, sg_buf_slice(&bytes), SG_PLAN_OUR_WORDS, ceremony, error);
}

void sg_ceremony_done(struct sg_ceremony *ceremony)
{
    if (ceremony->person_keys != NULL)
        for (size_t i = 0; i < ceremony->file.num_persons; i++)
            sg_public_key_done(&ceremony->person_keys[i]);
    free(ceremony->person_keys);
    free(ceremony->drawn);
    json_decref(ceremony->json);
    sg_buf_free(&ceremony->bytes);
    sg_ceremony_materials_done(&ceremony->materials);
    sg_ceremony_file_done(&ceremony->file);
    sg_buf_free(&ceremony->source);
    *ceremony = (struct sg_ceremony){0};
}

/* ---- looking into it ---- */

static const json_t *act_of(const struct sg_ceremony *ceremony, size_t act)
{
    return json_array_get(json_object_get(ceremony->json, "acts"), act);
}

const char *sg_ceremony_act_title(const struct sg_ceremony *ceremony, size_t act)
{
    return json_string_value(json_object_get(act_of(ceremony, act), "title"));
}

const json_t *sg_ceremony_act_lines(const struct sg_ceremony *ceremony, size_t act)
{
    return json_object_get(act_of(ceremony, act), "lines");
}

const char *sg_ceremony_known(const struct sg_ceremony *ceremony, size_t act, size_t nth)
{
    const json_t *outputs = json_object_get(act_of(ceremony, act), "outputs");

    return json_string_value(json_object_get(json_array_get(outputs, nth), "known"));
}

const char *sg_ceremony_trial(const struct sg_ceremony *ceremony, size_t act,
                              char into[SG_CEREMONY_TRIAL_SIZE])
{
    const struct sg_ceremony_file *file = &ceremony->file;

    snprintf(into, SG_CEREMONY_TRIAL_SIZE, "The copy %s of the key %s signs, by the plan %s.\n",
             file->keys[file->acts[act].copy].name, file->keys[file->acts[act].key].name,
             ceremony->sha256);
    return into;
}
