/* A .pipeline file from anywhere -> a pipeline whose every index has been checked, or an error. */
#include <string.h>

#include "file.h"
#include "paths.h"
#include "pipeline.h"
#include "pipeline_file.h"

BEGIN_SMALL

enum {
    LEAST_BLOCK = 16,
    MOST_BLOCK = 256,          /* rows that a forest takes together */
    WORK_SIZE = 1 << 19,       /* bytes that the slots of a block may take, so that they stay in the second cache */
    MOST_READERS = 2,          /* steps that may read one forest, so that the work for a row is bounded by the file */
};

static const uint32_t ELEMENT_SIZE[PIPELINE_SECTIONS + 1] = {
    [STEPS] = 24, [INPUTS] = 4, [NUMBERS] = 8, [WHOLE] = 4, [OUTPUTS] = 4,
    [FORESTS] = 16, [FOREST_FILES] = 1, [PIPELINE_NAMES] = 1, [ABOUT] = 1};

static int32_t at_fault(int32_t error, enum pipeline_tag tag) { return error | (int32_t)tag << 8; }

static int32_t in_forest(int32_t error, uint64_t number) {
    return error | (int32_t)(number < 32766 ? number + 1 : 32767) << 16;
}

static int32_t check_pipeline_header(const void *file, uint64_t size) {
    const struct pipeline_header *header = file;
    uint32_t n_outputs, n_classes;
    int has_label, fits;
    if ((uintptr_t)file % FILE_ALIGNMENT) return BAREBOAT_MEMORY;
    if (size < sizeof *header + 8) return BAREBOAT_SHORT;
    if (memcmp(header->magic, "BBPIPELN", 8)) return BAREBOAT_MAGIC;
    if (header->version != PIPELINE_VERSION) return BAREBOAT_VERSION;
    if (header->size != size || size % 8) return BAREBOAT_SIZE;
    if (header->zero_1 || header->zero_2 || header->zero_3) return BAREBOAT_HEADER;
    /* A slot takes a byte or more, so that a small file cannot make its caller ask for much memory. */
    if (!header->n_features || header->n_features > header->n_slots || header->n_slots > size) return BAREBOAT_HEADER;
    n_outputs = header->n_outputs, n_classes = header->n_classes, has_label = header->label != NO_LABEL;
    if (has_label && (header->label >= header->n_slots || !n_classes)) return BAREBOAT_HEADER;
    switch (header->kind) {
    case KIND_PROBA: fits = n_classes && n_outputs == n_classes; break;
    case KIND_DECISION: fits = n_classes && n_outputs && (has_label || n_outputs == n_classes); break;
    case KIND_LABEL: fits = has_label && !n_outputs; break;
    case KIND_VALUE: fits = !n_classes && n_outputs; break;
    default: fits = 0;
    }
    return fits ? BAREBOAT_OK : BAREBOAT_HEADER;
}

/* Find every section; those that are absent have count 0 and the address of the header. Does not read them. */
static int32_t find_sections(struct pipeline *pipeline, uint64_t size) {
    const struct pipeline_header *header = pipeline->header;
    const struct pipeline_section *entry = (const void *)(header + 1);
    uint64_t end = sizeof *header + header->n_sections * sizeof *entry, last = size - 8;
    uint32_t previous = 0;
    if (end > last) return BAREBOAT_PLACE;
    for (uint32_t tag = 0; tag <= PIPELINE_SECTIONS; tag++) pipeline->at[tag] = header;
    for (uint32_t i = 0; i < header->n_sections; i++, entry++) {
        uint32_t tag = entry->tag, shown = tag & 0xff;
        int known = tag >= STEPS && tag <= PIPELINE_SECTIONS;
        uint64_t each = known ? ELEMENT_SIZE[tag] : 1, start = entry->offset;
        if (tag <= previous) return BAREBOAT_PLACE;
        previous = tag;
        if (!known && !(entry->flags & PIPELINE_SKIP)) return at_fault(BAREBOAT_UNKNOWN, (enum pipeline_tag)shown);
        if (start % FILE_ALIGNMENT || start < end || start > last || entry->count > (last - start) / each)
            return at_fault(BAREBOAT_PLACE, (enum pipeline_tag)shown);
        end = start + entry->count * each;
        if (!known) continue;
        pipeline->at[tag] = (const char *)header + start;
        pipeline->count[tag] = entry->count;
    }
    if (pipeline->count[STEPS] != header->n_steps) return at_fault(BAREBOAT_COUNT, STEPS);
    if (pipeline->count[OUTPUTS] != header->n_outputs) return at_fault(BAREBOAT_COUNT, OUTPUTS);
    if (pipeline->count[FORESTS] != header->n_forests) return at_fault(BAREBOAT_COUNT, FORESTS);
    return BAREBOAT_OK;
}

/* Embedded files lie one behind the other within their section. */
static int32_t check_places_of_forests(const struct pipeline *pipeline) {
    const struct forest_place *place = pipeline->at[FORESTS];
    uint64_t end = (uint64_t)((const char *)pipeline->at[FOREST_FILES] - (const char *)pipeline->header);
    uint64_t last = end + pipeline->count[FOREST_FILES];
    for (uint64_t i = 0; i < pipeline->count[FORESTS]; i++) {
        uint64_t start = place[i].offset;
        if (start % FILE_ALIGNMENT || start < end || start > last || place[i].size > last - start)
            return at_fault(BAREBOAT_PLACE, FORESTS);
        end = start + place[i].size;
    }
    return BAREBOAT_OK;
}

static const void *forest_file(const struct pipeline *pipeline, uint64_t number, uint64_t *size) {
    const struct forest_place *place = pipeline->at[FORESTS];
    *size = place[number].size;
    return (const char *)pipeline->header + place[number].offset;
}

/* Lay out the caller's memory, whose address may be NULL: the pipeline, its steps, a byte for each slot, and the forests
 * from *total on. */
static void lay_out(struct pipeline *pipeline, char *memory, uint64_t *total) {
    uint64_t used = aligned(sizeof *pipeline);
    pipeline->steps = memory ? (void *)(memory + used) : 0;
    used += aligned(pipeline->header->n_steps * sizeof *pipeline->steps);
    pipeline->use = memory ? (void *)(memory + used) : 0;
    used += aligned(pipeline->header->n_slots);
    pipeline->forests = memory ? (void *)(memory + used) : 0;
    used += aligned(pipeline->header->n_forests * sizeof *pipeline->forests);
    pipeline->room = memory ? memory + used : 0;
    *total = used;
}

int64_t bareboat_pipeline_memory(const void *file, uint64_t size) {
    struct pipeline pipeline = {.header = file};
    int32_t error = check_pipeline_header(file, size);
    uint64_t total;
    if (!error) error = find_sections(&pipeline, size);
    if (!error) error = check_places_of_forests(&pipeline);
    if (error) return -error;
    lay_out(&pipeline, 0, &total);
    for (uint64_t i = 0; i < pipeline.count[FORESTS]; i++) {
        uint64_t forest_size;
        const void *forest = forest_file(&pipeline, i, &forest_size);
        int64_t needed = bareboat_memory(forest, forest_size);
        if (needed < 0) return -(int64_t)in_forest((int32_t)-needed, i);
        total += aligned((uint64_t)needed);
    }
    return (int64_t)total;
}

/* Open the embedded forests one behind the other. */
static int32_t open_forests(struct pipeline *pipeline, uint32_t path) {
    char *at = pipeline->room;
    uint64_t n_trees = 0;
    for (uint64_t i = 0; i < pipeline->count[FORESTS]; i++) {
        uint64_t size, needed, scratch;
        const void *file = forest_file(pipeline, i, &size);
        int32_t error;
        needed = (uint64_t)bareboat_memory(file, size);
        error = bareboat_open(file, size, at, needed, path);
        if (error == BAREBOAT_PATH) return error;
        if (error) return in_forest(error, i);
        scratch = bareboat_scratch(at);
        if (scratch > pipeline->forest_scratch) pipeline->forest_scratch = scratch;
        pipeline->forests[i] = (struct forest_run){(const void *)at, 0};
        n_trees += pipeline->forests[i].forest->header->n_trees;
        at += aligned(needed);
    }
    return n_trees == pipeline->header->n_trees ? BAREBOAT_OK : BAREBOAT_HEADER;
}

/* The forest that a step reads, and whether its inputs and outputs fit. */
static int32_t check_forest_step(const struct pipeline *pipeline, struct step_run *step) {
    const struct forest *forest;
    uint32_t n_outputs;
    if (step->w[0] < 0 || (uint32_t)step->w[0] >= pipeline->header->n_forests) return BAREBOAT_INDEX;
    if (pipeline->forests[step->w[0]].n_readers++ == MOST_READERS) return BAREBOAT_COUNT;
    forest = pipeline->forests[step->w[0]].forest;
    n_outputs = forest->header->n_outputs;
    step->has_nan = step->w[1] && forest->header->n_classes > n_outputs;
    if (!step->is_run || step->n_in != forest->header->n_features) return BAREBOAT_COUNT;
    if (step->n_out != (step->has_nan ? 2 : n_outputs)) return BAREBOAT_COUNT;
    step->forest = forest;
    return BAREBOAT_OK;
}

/* A step's slots: inputs that are written, outputs that are not among them. */
static int32_t check_slots(const struct pipeline *pipeline, struct step_run *step) {
    uint32_t n_slots = pipeline->header->n_slots;
    step->is_run = 1;
    if (step->out < pipeline->header->n_features || step->out > n_slots || step->n_out > n_slots - step->out)
        return at_fault(BAREBOAT_INDEX, STEPS);
    for (uint32_t i = 0; i < step->n_in; i++) {
        uint32_t slot = step->in[i];
        if (slot >= n_slots || !pipeline->use[slot]) return at_fault(BAREBOAT_INDEX, INPUTS);
        if (slot >= step->out && slot - step->out < step->n_out) return at_fault(BAREBOAT_INDEX, INPUTS);
        if (slot != step->in[0] + i) step->is_run = 0;
        pipeline->use[slot] = SLOT_READ;
    }
    for (uint32_t i = 0; i < step->n_out; i++)
        if (!pipeline->use[step->out + i]) pipeline->use[step->out + i] = SLOT_WRITTEN;
    return BAREBOAT_OK;
}

/* What a step needs beside the slots. */
static void note_work(struct pipeline *pipeline, const struct step_run *step) {
    uint64_t work = 0;
    if (step->op == OP_FOREST) work = (uint64_t)pipeline->block * step->n_out;
    if (step->op == OP_VOTE) work = (uint32_t)step->w[0];
    if (work > pipeline->work) pipeline->work = work;
    if (step->n_in > pipeline->most_in) pipeline->most_in = step->n_in;
}

static int32_t check_steps(struct pipeline *pipeline) {
    const struct record *record = pipeline->at[STEPS];
    const uint32_t *in = pipeline->at[INPUTS];
    const double *p = pipeline->at[NUMBERS];
    const int32_t *w = pipeline->at[WHOLE];
    uint64_t n_in = pipeline->count[INPUTS], n_numbers = pipeline->count[NUMBERS], n_whole = pipeline->count[WHOLE];
    uint64_t n_out = pipeline->header->size; /* so that the work for a row is bounded by the file */
    for (uint32_t i = 0; i < pipeline->header->n_steps; i++, record++) {
        struct step_run *step = pipeline->steps + i;
        int32_t error;
        *step = (struct step_run){record->op, 0, 0, record->n_in, record->n_out, record->out,
                                  record->n_numbers, record->n_whole, in, p, w, 0};
        if (record->op >= N_OPS || record->zero) return at_fault(BAREBOAT_UNKNOWN, STEPS);
        if (step->n_in > n_in) return at_fault(BAREBOAT_COUNT, INPUTS);
        if (step->n_numbers > n_numbers) return at_fault(BAREBOAT_COUNT, NUMBERS);
        if (step->n_whole > n_whole) return at_fault(BAREBOAT_COUNT, WHOLE);
        if (step->n_out > n_out) return at_fault(BAREBOAT_COUNT, STEPS);
        if ((error = check_slots(pipeline, step))) return error;
        if ((error = check_step(step))) return at_fault(error, STEPS);
        if (step->op == OP_FOREST && (error = check_forest_step(pipeline, step))) return at_fault(error, STEPS);
        if (step->op == OP_FIND) step->has_nan = step->n_numbers && p[step->n_numbers - 1] != p[step->n_numbers - 1];
        note_work(pipeline, step);
        in += step->n_in, n_in -= step->n_in;
        p += step->n_numbers, n_numbers -= step->n_numbers;
        w += step->n_whole, n_whole -= step->n_whole;
        n_out -= step->n_out;
        if (step->op != OP_VOTE) continue;
        if ((uint32_t)step->w[0] > n_out) return at_fault(BAREBOAT_INDEX, STEPS);
        n_out -= (uint32_t)step->w[0];
    }
    if (n_in) return at_fault(BAREBOAT_COUNT, INPUTS);
    if (n_numbers) return at_fault(BAREBOAT_COUNT, NUMBERS);
    return n_whole ? at_fault(BAREBOAT_COUNT, WHOLE) : BAREBOAT_OK;
}

static int32_t check_outputs(const struct pipeline *pipeline) {
    const struct pipeline_header *header = pipeline->header;
    const uint32_t *output = pipeline->at[OUTPUTS];
    for (uint32_t i = 0; i < header->n_outputs; i++) {
        if (output[i] >= header->n_slots || !pipeline->use[output[i]]) return at_fault(BAREBOAT_INDEX, OUTPUTS);
        pipeline->use[output[i]] = SLOT_READ;
    }
    if (header->label == NO_LABEL) return BAREBOAT_OK;
    if (!pipeline->use[header->label]) return BAREBOAT_HEADER;
    pipeline->use[header->label] = SLOT_READ;
    return BAREBOAT_OK;
}

static uint32_t block_of(uint64_t n_slots) {
    uint32_t block = MOST_BLOCK;
    while (block > LEAST_BLOCK && n_slots * block * sizeof(double) > WORK_SIZE) block /= 2;
    return block;
}

int32_t bareboat_pipeline_open(const void *file, uint64_t size, void *memory, uint64_t memory_size, uint32_t path) {
    struct pipeline *pipeline = memory;
    int64_t needed = bareboat_pipeline_memory(file, size);
    uint64_t digest, total;
    int32_t error;
    if (needed < 0) return (int32_t)-needed;
    if ((uintptr_t)memory % 64 || memory_size < (uint64_t)needed) return BAREBOAT_MEMORY;
    memcpy(&digest, (const char *)file + size - 8, 8);
    if (digest != bareboat_digest(file, size - 8)) return BAREBOAT_DIGEST;
    if (!path_for(path)) return BAREBOAT_PATH;
    *pipeline = (struct pipeline){.header = file};
    if ((error = find_sections(pipeline, size))) return error;
    lay_out(pipeline, memory, &total);
    pipeline->block = block_of(pipeline->header->n_slots);
    memset(pipeline->use, 0, pipeline->header->n_slots);
    memset(pipeline->use, SLOT_WRITTEN, pipeline->header->n_features);
    if ((error = open_forests(pipeline, path))) return error;
    if ((error = check_steps(pipeline))) return error;
    return check_outputs(pipeline);
}

END_SMALL
