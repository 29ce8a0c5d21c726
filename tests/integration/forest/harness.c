/* Runs the kernel without Python, on memory of exactly the size that it asks for, so that a sanitizer sees each step
 * outside. Rows are float64, n_features each, as bytes on stdin.
 *
 *   harness score FOREST    raw scores, then outputs, as bytes
 *   harness explain FOREST  SHAP values and base without a background, where it has covers, then with one, as bytes
 *   harness mutate FOREST   tries every byte with several values, digest repaired, and every length; prints counts
 *
 * A third argument is the number of a path; without it, it is the best.
 */
#define _POSIX_C_SOURCE 200112L
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "kernel.h"

static const double *rows;
static uint32_t path = BAREBOAT_BEST;
static FILE *explained; /* where SHAP values are written to, or NULL */
static size_t n_values;

/* Memory of exactly `size` bytes, aligned to 64 as the kernel asks for. */
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

/* Explain all rows, without a background and with the first of them as one. */
static void explain(const void *forest, const struct header *header) {
    size_t n_rows = n_values / header->n_features, n_background = n_rows < 3 ? n_rows : 3;
    size_t n_outputs = header->n_outputs, n_values_out = n_rows * header->n_features * n_outputs;
    int64_t stride = (int64_t)(header->n_features * sizeof *rows);
    if (!n_rows || n_values_out > 1 << 20) return;
    double *out = take(n_values_out * sizeof *out), *base = take(n_outputs * sizeof *base);
    for (int with_background = 0; with_background < 2; with_background++) {
        uint32_t n_known = with_background ? (uint32_t)n_background : 0;
        if (bareboat_shap_ready(forest, (uint32_t)with_background)) continue;
        void *scratch = take(bareboat_shap_scratch(forest, n_known));
        if (with_background)
            bareboat_shap_background(forest, BAREBOAT_FLOAT64, rows, (int64_t)n_rows, stride, sizeof *rows, rows, n_known,
                                     out, base, scratch);
        else
            bareboat_shap(forest, BAREBOAT_FLOAT64, rows, (int64_t)n_rows, stride, sizeof *rows, out, base, scratch);
        free(scratch);
        if (explained) fwrite(out, sizeof *out, n_values_out, explained), fwrite(base, sizeof *base, n_outputs, explained);
    }
    free(out), free(base);
}

/* Open a copy of exactly `size` bytes and score all rows; return the error, 0 when there are scores. */
static int32_t score(const unsigned char *data, size_t size, FILE *out) {
    unsigned char *file = take(size);
    int64_t memory_size;
    int32_t error;
    memcpy(file, data, size);
    memory_size = bareboat_memory(file, size);
    if (memory_size < 0) return free(file), (int32_t)-memory_size;
    void *forest = take((size_t)memory_size);
    error = bareboat_open(file, size, forest, (uint64_t)memory_size, path);
    if (!error) {
        const struct header *header = (const void *)file;
        void *scratch = take(bareboat_scratch(forest));
        size_t n_rows = n_values / header->n_features, n_outputs = header->n_outputs;
        double *many = take(n_rows * n_outputs * sizeof *many), *one = take(n_outputs * sizeof *one);
        int64_t stride = (int64_t)(header->n_features * sizeof *rows);
        bareboat_score(forest, BAREBOAT_RAW, BAREBOAT_FLOAT64, rows, (int64_t)n_rows, stride, sizeof *rows, many, scratch);
        for (size_t i = 0; i < n_rows; i++) {
            bareboat_raw_row(forest, rows + i * header->n_features, one, scratch);
            if (memcmp(one, many + i * n_outputs, n_outputs * sizeof *one)) exit(4);
        }
        if (out) fwrite(many, sizeof *many, n_rows * n_outputs, out);
        bareboat_score(forest, BAREBOAT_PREDICT, BAREBOAT_FLOAT64, rows, (int64_t)n_rows, stride, sizeof *rows, many, scratch);
        for (size_t i = 0; i < n_rows; i++) bareboat_predict_row(forest, rows + i * header->n_features, one, scratch);
        if (out) fwrite(many, sizeof *many, n_rows * n_outputs, out);
        uint32_t *leaves = take(n_rows * header->n_trees * sizeof *leaves);
        bareboat_leaves(forest, BAREBOAT_FLOAT64, rows, (int64_t)n_rows, stride, sizeof *rows, leaves, scratch);
        free(scratch), free(many), free(one), free(leaves);
        explain(forest, header);
    }
    free(forest), free(file);
    return error;
}

static void mutate(unsigned char *data, size_t size) {
    static const unsigned char VALUES[] = {0, 1, 2, 3, 5, 6, 0x7f, 0x80, 0xfe, 0xff};
    size_t n_errors = 0, n_valid = 0;
    for (size_t length = 0; length < size; length++)
        if (!score(data, length, NULL)) exit(5);
    for (size_t place = 0; place < size - 8; place++)
        for (size_t i = 0; i < sizeof VALUES + 2; i++) {
            unsigned char was = data[place];
            uint64_t digest;
            data[place] = i < sizeof VALUES ? VALUES[i] : (unsigned char)(was + (i % 2 ? 1 : -1));
            digest = bareboat_digest(data, size - 8);
            memcpy(data + size - 8, &digest, 8);
            *(score(data, size, NULL) ? &n_errors : &n_valid) += 1;
            data[place] = was;
        }
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
    else if (!strcmp(argv[1], "explain"))
        explained = stdout, error = score(data, size, NULL);
    else
        error = score(data, size, stdout);
    free(data), free(values);
    if (error) fprintf(stderr, "error %" PRId32 "\n", error);
    return error != 0;
}
