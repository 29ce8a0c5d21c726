/* Runs pipelines without Python, on memory of exactly the size that the kernel asks for, so that a sanitizer sees each
 * step outside. Rows are float64, n_features each, as bytes on stdin.
 *
 *   harness score PIPELINE    answers as bytes, or nothing where a row is refused
 *   harness mutate PIPELINE   tries every byte with several values, digests repaired, and every length; prints counts
 *
 * A third argument is the number of a path; without it, it is the best.
 */
#define _POSIX_C_SOURCE 200112L
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline.h"
#include "pipeline_file.h"

static const double *rows;
static size_t n_values;
static uint32_t path = BAREBOAT_BEST;

static void *take(size_t size) {
    void *memory = NULL;
    if (posix_memalign(&memory, 64, size ? size : 1)) exit(3);
    return memory;
}

static unsigned char *slurp(FILE *stream, size_t *size) {
    size_t room = 1 << 16, used = 0, got;
    unsigned char *data = take(room);
    while ((got = fread(data + used, 1, room - used, stream)) > 0)
        if ((used += got) == room) data = realloc(data, room *= 2);
    *size = used;
    return realloc(data, used ? used : 1);
}

/* Compute all rows at once and one after the other, which must agree. */
static void compute(const void *pipeline, const struct pipeline_header *header, FILE *out) {
    size_t n_rows = n_values / header->n_features, width = header->n_outputs + (size_t)(header->label != NO_LABEL);
    double *many = take(n_rows * width * sizeof *many), *one = take(width * sizeof *one);
    void *scratch = take(bareboat_pipeline_scratch(pipeline, 1));
    void *row_scratch = take(bareboat_pipeline_scratch(pipeline, 0));
    int64_t stride = (int64_t)(header->n_features * sizeof *rows);
    int64_t refused = bareboat_pipeline_score(pipeline, BAREBOAT_FLOAT64, rows, (int64_t)n_rows, stride, sizeof *rows,
                                              many, scratch);
    if (refused >= (int64_t)n_rows) exit(6);
    for (size_t i = 0; i < n_rows; i++) {
        uint32_t step = bareboat_pipeline_row(pipeline, rows + i * header->n_features, one, row_scratch);
        if (step > header->n_steps + 1) exit(6);
        if (refused >= 0 ? (int64_t)i == refused && !step : step != 0) exit(7);
        if (refused < 0)
            for (size_t j = 0; j < width; j++)
                if (memcmp(one + j, many + i * width + j, sizeof *one) && (one[j] == one[j] || many[i * width + j] == many[i * width + j]))
                    exit(4);
    }
    if (out && refused < 0) fwrite(many, sizeof *many, n_rows * width, out);
    free(many), free(one), free(scratch), free(row_scratch);
}

/* Open a copy of exactly `size` bytes and compute all rows; return the error. */
static int32_t attempt(const unsigned char *data, size_t size, FILE *out) {
    unsigned char *file = take(size);
    int64_t memory_size;
    int32_t error;
    void *pipeline;
    memcpy(file, data, size);
    memory_size = bareboat_pipeline_memory(file, size);
    if (memory_size < 0) return free(file), (int32_t)-memory_size;
    if ((uint64_t)memory_size > (64ull << 20)) exit(8);
    pipeline = take((size_t)memory_size);
    error = bareboat_pipeline_open(file, size, pipeline, (uint64_t)memory_size, path);
    if (!error) compute(pipeline, (const void *)file, out);
    free(pipeline), free(file);
    return error;
}

static void repair(unsigned char *data, size_t size) {
    uint64_t digest = bareboat_digest(data, size - 8);
    memcpy(data + size - 8, &digest, 8);
}

/* The embedded forest in which a byte lies, its digest repaired too. */
static void repair_forests(unsigned char *data, const struct forest_place *places, size_t n, size_t at) {
    for (size_t i = 0; i < n; i++)
        if (at >= places[i].offset && at < places[i].offset + places[i].size - 8)
            repair(data + places[i].offset, places[i].size);
}

static void mutate(unsigned char *data, size_t size) {
    static const unsigned char VALUES[] = {0, 1, 2, 3, 5, 0x7f, 0x80, 0xfe, 0xff};
    const struct pipeline_header *header = (const void *)data;
    const struct pipeline_section *section = (const void *)(header + 1);
    size_t n_errors = 0, n_valid = 0, n_forests = header->n_forests;
    struct forest_place *places = take((n_forests + 1) * sizeof *places);
    for (size_t i = 0; i < header->n_sections; i++)
        if (section[i].tag == FORESTS) memcpy(places, data + section[i].offset, n_forests * sizeof *places);
    for (size_t length = 0; length < size; length++)
        if (!attempt(data, length, NULL)) exit(5);
    for (size_t at = 0; at < size - 8; at++)
        for (size_t i = 0; i < sizeof VALUES + 2; i++) {
            unsigned char was = data[at];
            data[at] = i < sizeof VALUES ? VALUES[i] : (unsigned char)(was + (i % 2 ? 1 : -1));
            if (data[at] == was) continue;
            repair_forests(data, places, n_forests, at);
            repair(data, size);
            *(attempt(data, size, NULL) ? &n_errors : &n_valid) += 1;
            data[at] = was;
            repair_forests(data, places, n_forests, at);
        }
    free(places);
    printf("%zu errors, %zu valid\n", n_errors, n_valid);
}

int main(int argc, char **argv) {
    size_t size, rows_size;
    FILE *file = argc >= 3 ? fopen(argv[2], "rb") : NULL;
    unsigned char *data;
    double *values;
    int32_t error = 0;
    if (!file) return 2;
    if (argc > 3) path = (uint32_t)atoi(argv[3]);
    data = slurp(file, &size);
    fclose(file);
    values = (double *)(void *)slurp(stdin, &rows_size);
    rows = values;
    n_values = rows_size / sizeof *rows;
    if (!strcmp(argv[1], "mutate"))
        mutate(data, size);
    else
        error = attempt(data, size, stdout);
    free(data), free(values);
    if (error) fprintf(stderr, "error %" PRId32 "\n", error);
    return error != 0;
}
