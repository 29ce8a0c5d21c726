/* Four threads that share an open forest, each with scratch of its own, under the thread sanitizer:
 *
 *   threads FOREST...
 *
 * Every thread must get what the first one got before there were others. */
#define _POSIX_C_SOURCE 200112L
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "kernel.h"

enum { N_THREADS = 4, N_ROUNDS = 3, N_ROWS = 300 };

static const double HARD[] = {NAN, 0.0, -0.0, 1.0, -1.0, 0.5, INFINITY, -INFINITY, 1e-36, 1e300, 3.0, 7.0, 2147483648.0};

struct work {
    const void *forest;
    const struct header *header;
    const double *rows;
    double *scores, *values[2]; /* (N_ROWS, n_outputs), (N_ROWS, n_features, n_outputs) or NULL */
    uint32_t *leaves;
};

static void *take(size_t size) {
    void *memory = NULL;
    if (posix_memalign(&memory, 64, size ? size : 1)) abort();
    memset(memory, 0, size);
    return memory;
}

static void *ask(void *given) {
    struct work *work = given;
    const struct header *header = work->header;
    size_t n_features = header->n_features, n_outputs = header->n_outputs;
    int64_t down = (int64_t)(8 * n_features);
    void *scratch = take(bareboat_scratch(work->forest));
    double *base = take(8 * n_outputs);
    bareboat_score(work->forest, BAREBOAT_PREDICT, BAREBOAT_FLOAT64, work->rows, N_ROWS, down, 8, work->scores, scratch);
    bareboat_leaves(work->forest, BAREBOAT_FLOAT64, work->rows, N_ROWS, down, 8, work->leaves, scratch);
    for (size_t i = 0; i < N_ROWS; i += 7)
        bareboat_predict_row(work->forest, work->rows + i * n_features, work->scores + i * n_outputs, scratch);
    free(scratch);
    for (uint32_t which = 0; which < 2; which++) {
        if (bareboat_shap_ready(work->forest, which)) continue;
        scratch = take(bareboat_shap_scratch(work->forest, which ? 5 : 0));
        if (which)
            bareboat_shap_background(work->forest, BAREBOAT_FLOAT64, work->rows, 20, down, 8, work->rows, 5,
                                     work->values[1], base, scratch);
        else
            bareboat_shap(work->forest, BAREBOAT_FLOAT64, work->rows, 20, down, 8, work->values[0], base, scratch);
        free(scratch);
    }
    free(base);
    return NULL;
}

static struct work work_for(const void *forest, const void *file, const double *rows) {
    const struct header *header = file;
    size_t n_outputs = header->n_outputs, n_values = 20 * (size_t)header->n_features * n_outputs;
    return (struct work){forest, header, rows, take(8 * N_ROWS * n_outputs), {take(8 * n_values), take(8 * n_values)},
                         take(4 * N_ROWS * (size_t)header->n_trees)};
}

static int equal(const double *a, const double *b, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (memcmp(a + i, b + i, 8) && !(isnan(a[i]) && isnan(b[i]))) return 0;
    return 1;
}

static int agree(const struct work *a, const struct work *b) {
    size_t n_outputs = a->header->n_outputs, n_values = 20 * (size_t)a->header->n_features * n_outputs;
    return equal(a->scores, b->scores, N_ROWS * n_outputs) && equal(a->values[0], b->values[0], n_values) &&
           equal(a->values[1], b->values[1], n_values) &&
           !memcmp(a->leaves, b->leaves, 4 * N_ROWS * (size_t)a->header->n_trees);
}

static void release(struct work *work) {
    free(work->scores), free(work->values[0]), free(work->values[1]), free(work->leaves);
}

static int try(const void *file, size_t size, uint32_t path) {
    int64_t memory_size = bareboat_memory(file, size);
    void *forest = take(memory_size < 0 ? 0 : (size_t)memory_size);
    int32_t error = memory_size < 0 ? (int32_t)-memory_size : bareboat_open(file, size, forest, (uint64_t)memory_size, path);
    if (error) return free(forest), error == BAREBOAT_PATH ? 0 : 3;
    size_t n = N_ROWS * (size_t)((const struct header *)file)->n_features;
    double *rows = take(8 * n);
    for (size_t i = 0; i < n; i++) rows[i] = HARD[(i + i / 29 * 5) % (sizeof HARD / sizeof *HARD)];
    struct work first = work_for(forest, file, rows), each[N_THREADS];
    int failed = 0;
    ask(&first);
    for (int i = 0; i < N_THREADS; i++) each[i] = work_for(forest, file, rows);
    for (int round = 0; round < N_ROUNDS; round++) {
        pthread_t threads[N_THREADS];
        for (int i = 0; i < N_THREADS; i++)
            if (pthread_create(threads + i, NULL, ask, each + i)) abort();
        for (int i = 0; i < N_THREADS; i++) pthread_join(threads[i], NULL);
        for (int i = 0; i < N_THREADS; i++) failed |= !agree(&first, each + i);
    }
    for (int i = 0; i < N_THREADS; i++) release(each + i);
    release(&first), free(rows), free(forest);
    if (failed) fprintf(stderr, "a thread got other numbers\n");
    return failed ? 4 : 0;
}

int main(int argc, char **argv) {
    int failed = 0;
    for (int i = 1; i < argc && !failed; i++) {
        FILE *file = fopen(argv[i], "rb");
        unsigned char *data = take(1 << 20);
        if (!file) return 2;
        size_t size = fread(data, 1, 1 << 20, file);
        fclose(file);
        for (uint32_t path = BAREBOAT_SCALAR; path <= BAREBOAT_AVX512 && !failed; path++) failed = try(data, size, path);
        free(data);
    }
    return failed;
}
