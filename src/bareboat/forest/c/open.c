/* A file from anywhere -> a forest whose every index has been checked, or an error. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "file.h"
#include "kernel.h"
#include "paths.h"

/* The elements that each section may have, by its kind; docs/forest-format.md has the same letters. */
static const char ELEMENTS[N_TAGS + 1][6] = {
    [THRESHOLDS] = "df",    [THRESHOLD_START] = "I",   [COLUMNS] = "I",
    [LEAF_START] = "I",     [NODES] = "BHI",           [LEAF_VALUES] = "df",
    [CATEGORY_CODES] = "I", [CATEGORY_START] = "I",    [SET_START] = "I",
    [SET_OFFSET] = "I",     [SETS] = "B",              [LINEAR_CONSTANT] = "d",
    [LINEAR_START] = "I",   [LINEAR_FEATURE] = "I",    [LINEAR_COEFFICIENT] = "d",
    [NAMES] = "B",          [CATEGORY_NAMES] = "B",    [BASE] = "d",
    [TREE_OUTPUT] = "I",    [PARAMETERS] = "d",        [LEAF_ROW] = "BHI",
    [CLASS_NAMES] = "B",    [LEAF_ID] = "BHI",         [LEAF_COVER] = "dfBHI",
    [SPLIT_COVER] = "dfBHI", [SPLIT_GAIN] = "df"};

uint32_t bareboat_abi(void) { return BAREBOAT_ABI; }

static int32_t check_fields(const struct header *header) {
    int is_first = header->version == 1, has_vectors = (header->flags & VECTOR_LEAVES) != 0;
    uint32_t n_outputs = header->n_outputs, n_classes = header->n_classes, given = header->trees_per_round;
    uint32_t a_round = given ? given : has_vectors ? 1 : n_outputs;
    uint32_t flags = is_first ? AVERAGE | TINY_IS_ZERO : AVERAGE | TINY_IS_ZERO | SINGLE_INPUT | SINGLE_SUM | VECTOR_LEAVES;
    int classes_fit = n_classes == 0 || (n_classes == 2 && n_outputs == 1) || (n_classes >= 2 && n_classes == n_outputs);
    int fields_fit = header->transform <= (is_first ? SIGNED_SQUARE : LOGISTIC) && !(header->flags & ~flags) &&
                     !(is_first && given) && !(has_vectors && n_outputs < 2);
    int counts_fit = header->n_features && header->n_features < 1u << MODE_SHIFT && n_outputs && header->n_trees &&
                     header->n_trees % a_round == 0;
    int divides = header->transform == ISOLATION || header->transform == SAMME;
    int parameter_fits = isfinite(header->parameter) && !(divides && header->parameter == 0.0) &&
                         !(header->transform == SAMME && n_outputs < 2);
    return classes_fit && fields_fit && counts_fit && parameter_fits ? BAREBOAT_OK : BAREBOAT_HEADER;
}

/* What can be said before any section is looked at. A leaf takes 4 bytes or more (a node, or the start of its tree), and
 * so does a feature. So that a small file cannot make its caller ask for much memory, this is said here. */
static int32_t check_header(const void *file, uint64_t size) {
    const struct header *header = file;
    if ((uintptr_t)file % 8) return BAREBOAT_MEMORY;
    if (size < sizeof *header + 8) return BAREBOAT_SHORT;
    if (memcmp(header->magic, "BBFOREST", 8)) return BAREBOAT_MAGIC;
    if (!header->version || header->version > VERSION) return BAREBOAT_VERSION;
    if (header->size != size || size % 8) return BAREBOAT_SIZE;
    if (header->n_leaves > size / 4 || header->depth >= header->n_leaves) return BAREBOAT_HEADER;
    if (header->n_trees > header->n_leaves || header->n_features > size / 4) return BAREBOAT_HEADER;
    if (header->n_outputs > size) return BAREBOAT_HEADER;
    return check_fields(header);
}

/* Bytes of one element, or 0 when a section has no such kind. */
static uint64_t element_size(uint32_t version, uint32_t tag, uint32_t kind) {
    uint64_t size;
    if (kind >= strlen(ELEMENTS[tag]) || (version == 1 && kind && tag != NODES)) return 0;
    switch (ELEMENTS[tag][kind]) {
    case 'd': size = 8; break;
    case 'f':
    case 'I': size = 4; break;
    case 'H': size = 2; break;
    default: size = 1;
    }
    return tag == NODES ? 4 * size : size;
}

/* Find every section; those that are absent have count 0 and the address of the header, which is never read as
 * theirs. Does not read the sections. */
static int32_t find_sections(struct forest *forest, uint64_t size) {
    const struct header *header = forest->header;
    const struct section *entry = (const void *)(header + 1);
    uint64_t end = sizeof *header + header->n_sections * sizeof *entry, last = size - 8;
    uint32_t previous = 0, last_tag = header->version == 1 ? FIRST_VERSION_TAGS : N_TAGS;
    if (end > last) return BAREBOAT_PLACE;
    for (uint32_t tag = 0; tag <= N_TAGS; tag++) forest->at[tag] = header;
    for (uint32_t i = 0; i < header->n_sections; i++, entry++) {
        uint32_t tag = entry->tag, known = tag >= THRESHOLDS && tag <= last_tag;
        uint64_t start = (uint64_t)entry->offset * 8;
        uint64_t each = known ? element_size(header->version, tag, entry->kind) : 1;
        if (tag <= previous) return BAREBOAT_PLACE;
        previous = tag;
        if (!each || (!known && !(entry->flags & MAY_BE_SKIPPED)))
            return wrong(BAREBOAT_UNKNOWN, (enum tag)(tag & 0xff));
        if (start < end || start > last || entry->count > (last - start) / each)
            return wrong(BAREBOAT_PLACE, (enum tag)(tag & 0xff));
        end = start + entry->count * each;
        if (!known) continue;
        forest->at[tag] = (const char *)header + start;
        forest->count[tag] = entry->count;
        forest->kind[tag] = entry->kind;
    }
    return BAREBOAT_OK;
}

/* Behind the forest lies what the checks write to, and once they are done the tables. */
static const uint64_t OWN_SIZE = (sizeof(struct forest) + 63) & ~63ull;

int64_t bareboat_memory(const void *file, uint64_t size) {
    struct forest forest = {.header = file};
    int32_t error = check_header(file, size);
    uint64_t total = 0, for_checks = 0;
    if (error) return -error;
    /* A file whose sections are wrong needs no tables: open says what is wrong with it. */
    if (find_sections(&forest, size)) return (int64_t)OWN_SIZE;
    for_checks = aligned(((uint64_t)forest.count[COLUMNS] + forest.header->n_leaves) * sizeof(uint32_t));
    for (int table = 0; table < N_TABLES; table++)
        if (MAKERS[table].room) total += aligned(MAKERS[table].room(&forest));
    return (int64_t)(OWN_SIZE + (total < for_checks ? for_checks : total));
}

/* Each where the one before it ends, so that as few pages as can be are touched. */
static void build_tables(struct forest *forest, char *room) {
    for (int table = 0; table < N_TABLES; table++) {
        if (!MAKERS[table].room || !MAKERS[table].room(forest)) continue;
        forest->table[table] = room;
        room += aligned(MAKERS[table].build(forest, room));
    }
}

int32_t bareboat_open(const void *file, uint64_t size, void *memory, uint64_t memory_size, uint32_t path) {
    struct forest *forest = memory;
    const struct header *header = file;
    int32_t error = check_header(file, size);
    uint64_t digest;
    if (error) return error;
    if ((uintptr_t)memory % 64 || memory_size < (uint64_t)bareboat_memory(file, size)) return BAREBOAT_MEMORY;
    memcpy(&digest, (const char *)file + size - 8, 8);
    if (digest != bareboat_digest(file, size - 8)) return BAREBOAT_DIGEST;
    *forest = (struct forest){.header = header, .path = path_for(path)};
    if (!forest->path) return BAREBOAT_PATH;
    if ((error = find_sections(forest, size))) return error;
    forest->leaf_width = has_flag(forest, VECTOR_LEAVES) ? header->n_outputs : 1;
    forest->trees_per_round = header->trees_per_round;
    if (!forest->trees_per_round) forest->trees_per_round = forest->leaf_width > 1 ? 1 : header->n_outputs;
    forest->rounds = header->n_trees / forest->trees_per_round;
    if ((error = check_columns(forest)) || (error = check_leaves(forest))) return error;
    if ((error = check_trees(forest, (uint32_t *)((char *)memory + OWN_SIZE)))) return error;
    build_tables(forest, (char *)memory + OWN_SIZE);
    return BAREBOAT_OK;
}

uint32_t bareboat_path(const void *forest) { return ((const struct forest *)forest)->path; }
