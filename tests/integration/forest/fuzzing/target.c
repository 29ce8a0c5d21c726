/* A target of libFuzzer: any bytes as a forest and rows. Every path of this CPU must say of them, to the bit, what the
 * scalar path says row by row; the sanitizers see each step outside, since all memory is of the size that is asked for.
 *
 * An input is a .forest file, whose size and digest are repaired first, and then, where the header's size says so, bytes
 * that choose how the rows lie and what stands in them; a generator seeded by the digest takes over where these end. So
 * a .forest file is an input, and a folder of them a corpus. fuzz.py builds and runs this.
 */
#define _POSIX_C_SOURCE 200112L
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "kernel.h"

enum { MOST_VALUES = 6000, MOST_WORK = 1 << 18, MOST_SCRATCH = 1 << 26 };

/* --- the input, byte by byte */

static const uint8_t *rest;
static size_t n_rest;
static uint64_t state;

/* SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014. */
static uint64_t random_word(void) {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint32_t next_byte(void) {
    if (!n_rest) return random_word() & 0xff;
    n_rest--;
    return *rest++;
}

/* --- memory */

static void *take(size_t size) {
    void *memory = NULL;
    if (posix_memalign(&memory, 64, size ? size : 1)) abort();
    memset(memory, 0xa5, size); /* what is read before it is written is not 0 */
    return memory;
}

static void require(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "fuzz: %s\n", what);
    abort();
}

/* Equal to the bit; any NaN is equal to any other. */
static int same(const double *a, const double *b, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (memcmp(a + i, b + i, sizeof *a) && !(isnan(a[i]) && isnan(b[i]))) return 0;
    return 1;
}

/* --- rows */

static const double HARD[] = {NAN,  0.0,   -0.0,  1.0,   -1.0,    0.5,     -0.5,         INFINITY,     -INFINITY, 5e-324,
                              -5e-324, 1e-45, 1e-36, -1e-36, 1e-35, 1.0000000180025095e-35, 3e9, 1e300, -1e300, FLT_MAX,
                              DBL_MAX, 2147483647.0, 2147483647.5, 2147483648.0, -0.999, 4294967296.0, 7.0, 600.0, -3.0};

/* A hard number, one at or beside a threshold or a code of the forest, or any bits. */
static double value_for(const struct forest *forest, uint32_t feature) {
    const uint32_t *start = words(forest, THRESHOLD_START) + feature;
    uint32_t kind = next_byte(), n_codes = forest->count[CATEGORY_CODES], n = start[1] - start[0];
    double value;
    uint64_t word;
    if (kind < 64 || (kind < 160 && !n && !n_codes)) return HARD[kind % (sizeof HARD / sizeof *HARD)];
    if (kind < 160 && n && (kind < 128 || !n_codes)) {
        value = number_at(forest, THRESHOLDS, start[0] + (next_byte() | next_byte() << 8) % n);
        if (kind % 4 == 3) return (double)nextafterf((float)value, kind % 8 < 4 ? INFINITY : -INFINITY);
        return kind % 4 ? nextafter(value, kind % 4 == 1 ? INFINITY : -INFINITY) : value;
    }
    if (kind < 160) return (double)words(forest, CATEGORY_CODES)[next_byte() % n_codes] + (kind % 4 ? 0.0 : 0.5);
    if (kind < 200) return (double)(int8_t)next_byte() / 4.0;
    word = random_word();
    memcpy(&value, &word, sizeof value);
    return value;
}

struct matrix {
    char *memory;
    const char *at; /* of value 0 of row 0 */
    int64_t n_rows, row_stride, column_stride;
    uint32_t number;
    double *plain; /* the same numbers, (n_rows, n_features) contiguous */
};

static double read_number(const char *at, uint32_t number) {
    float single;
    double value;
    if (number == BAREBOAT_FLOAT32) return memcpy(&single, at, sizeof single), (double)single;
    return memcpy(&value, at, sizeof value), value;
}

/* Rows in one of the orders that callers have, forwards and backwards, aligned or not, overlapping or not. */
static struct matrix draw_rows(const struct forest *forest) {
    static const uint16_t COUNTS[] = {0, 1, 2, 3, 5, 8, 31, 33, 64, 100, 127, 129, 256, 300, 513, 700};
    const struct header *header = forest->header;
    struct matrix made = {.n_rows = COUNTS[next_byte() % 16], .number = next_byte() % 2};
    uint32_t order = next_byte(), slip = next_byte() % 16;
    int64_t n = header->n_features, size = made.number == BAREBOAT_FLOAT32 ? 4 : 8, last_row, last_column, low, high;
    while (made.n_rows * n > MOST_VALUES || made.n_rows * header->n_outputs > MOST_WORK ||
           made.n_rows * header->n_leaves > MOST_WORK)
        made.n_rows /= 2;
    made.row_stride = size * n, made.column_stride = size;
    if (order & 1) made.row_stride = size, made.column_stride = size * (made.n_rows ? made.n_rows : 1);
    if (order & 2) made.row_stride = -made.row_stride;
    if (order & 4) made.column_stride = -made.column_stride;
    if ((order & 24) == 24) made.row_stride += order & 32 ? 3 : size; /* gaps, or odd addresses */
    if ((order & 224) == 224) made.row_stride = order & 8 ? 0 : size;
    if ((order & 224) == 192) made.column_stride = 0;
    last_row = made.n_rows ? (made.n_rows - 1) * made.row_stride : 0, last_column = (n - 1) * made.column_stride;
    low = (last_row < 0 ? last_row : 0) + (last_column < 0 ? last_column : 0);
    high = (last_row > 0 ? last_row : 0) + (last_column > 0 ? last_column : 0) + size;
    slip = slip < 8 ? 0 : slip - 8;
    made.memory = take(made.n_rows ? (size_t)(high - low) + slip : 0);
    made.at = made.memory + slip - low;
    made.plain = take((size_t)(made.n_rows * n) * sizeof *made.plain);
    for (int64_t i = 0; i < made.n_rows; i++)
        for (int64_t j = 0; j < n; j++) {
            double value = value_for(forest, (uint32_t)j);
            float single = (float)value;
            char *to = (char *)made.at + i * made.row_stride + j * made.column_stride;
            memcpy(to, made.number == BAREBOAT_FLOAT32 ? (void *)&single : (void *)&value, (size_t)size);
        }
    for (int64_t i = 0; i < made.n_rows; i++)
        for (int64_t j = 0; j < n; j++)
            made.plain[i * n + j] = read_number(made.at + i * made.row_stride + j * made.column_stride, made.number);
    return made;
}

/* --- answers */

struct answers {
    double *raw, *outputs, *shap[2], *base[2]; /* of each row by itself; SHAP values without and with a background */
    uint32_t *leaves;
    int32_t shap_error[2];
};

static void explain(const void *forest, const struct header *header, const struct matrix *rows, struct answers *made) {
    size_t n_out = header->n_outputs, each = header->n_features * n_out;
    int64_t n_rows = rows->n_rows < 9 ? rows->n_rows : rows->n_rows % 4 ? 9 : 140 < rows->n_rows ? 140 : rows->n_rows;
    uint32_t n_known = rows->n_rows < 3 ? (uint32_t)rows->n_rows : 3;
    for (int which = 0; which < 2; which++) {
        made->shap[which] = made->base[which] = NULL;
        made->shap_error[which] = bareboat_shap_ready(forest, (uint32_t)which);
        if (made->shap_error[which] || (which && !n_known)) continue;
        while (n_rows && (uint64_t)n_rows * each > MOST_WORK) n_rows /= 2;
        uint64_t size = bareboat_shap_scratch(forest, which ? n_known : 0);
        if (size > MOST_SCRATCH) continue;
        void *scratch = take(size);
        made->shap[which] = take((size_t)n_rows * each * sizeof(double));
        made->base[which] = take(n_out * sizeof(double));
        made->shap_error[which] =
            which ? bareboat_shap_background(forest, rows->number, rows->at, n_rows, rows->row_stride,
                                             rows->column_stride, rows->plain, n_known, made->shap[1], made->base[1],
                                             scratch)
                  : bareboat_shap(forest, rows->number, rows->at, n_rows, rows->row_stride, rows->column_stride,
                                  made->shap[0], made->base[0], scratch);
        free(scratch);
    }
}

static void compare_explained(const struct answers *a, const struct answers *b, const struct header *header,
                              const struct matrix *rows) {
    size_t each = (size_t)header->n_features * header->n_outputs;
    int64_t n_rows = rows->n_rows < 9 ? rows->n_rows : rows->n_rows % 4 ? 9 : 140 < rows->n_rows ? 140 : rows->n_rows;
    for (int which = 0; which < 2; which++) {
        require(a->shap_error[which] == b->shap_error[which], "paths disagree whether there are SHAP values");
        require(!a->shap[which] == !b->shap[which], "paths take other scratch for SHAP values");
        if (!a->shap[which] || a->shap_error[which]) continue;
        while (n_rows && (uint64_t)n_rows * each > MOST_WORK) n_rows /= 2;
        require(same(a->shap[which], b->shap[which], (size_t)n_rows * each), "SHAP values differ between paths");
        require(same(a->base[which], b->base[which], header->n_outputs), "bases of SHAP values differ between paths");
    }
}

/* All that a forest says of rows; what it says of them together must be what it says of each. */
static struct answers ask(const void *forest, const struct header *header, const struct matrix *rows) {
    size_t n_rows = (size_t)rows->n_rows, n_out = header->n_outputs, n_trees = header->n_trees;
    struct answers made = {.raw = take(n_rows * n_out * 8), .outputs = take(n_rows * n_out * 8)};
    double *many = take(n_rows * n_out * 8);
    void *scratch = take(bareboat_scratch(forest));
    made.leaves = take(n_rows * n_trees * sizeof *made.leaves);
    for (size_t i = 0; i < n_rows; i++) {
        bareboat_raw_row(forest, rows->plain + i * header->n_features, made.raw + i * n_out, scratch);
        bareboat_predict_row(forest, rows->plain + i * header->n_features, made.outputs + i * n_out, scratch);
    }
    bareboat_score(forest, BAREBOAT_RAW, rows->number, rows->at, rows->n_rows, rows->row_stride, rows->column_stride,
                   many, scratch);
    require(same(many, made.raw, n_rows * n_out), "raw scores of many rows differ from those of one");
    bareboat_score(forest, BAREBOAT_PREDICT, rows->number, rows->at, rows->n_rows, rows->row_stride,
                   rows->column_stride, many, scratch);
    require(same(many, made.outputs, n_rows * n_out), "outputs of many rows differ from those of one");
    bareboat_leaves(forest, rows->number, rows->at, rows->n_rows, rows->row_stride, rows->column_stride, made.leaves,
                    scratch);
    for (size_t i = 0; i < n_rows * n_trees; i++) {
        const uint32_t *start = words(forest, LEAF_START) + i % n_trees;
        require(made.leaves[i] < start[1] - start[0], "a leaf that the tree has not");
    }
    if (n_rows) {
        memcpy(many, made.raw, n_out * 8);
        bareboat_transform(forest, value_for(forest, 0), value_for(forest, 0), many, 1);
    }
    bareboat_transform(forest, 1.0, 1.0, many, 0);
    free(scratch), free(many);
    explain(forest, header, rows, &made);
    return made;
}

static void release(struct answers *made) {
    free(made->raw), free(made->outputs), free(made->leaves);
    for (int which = 0; which < 2; which++) free(made->shap[which]), free(made->base[which]);
}

static void compare(const struct answers *a, const struct answers *b, const struct header *header,
                    const struct matrix *rows) {
    size_t n_rows = (size_t)rows->n_rows, n_out = header->n_outputs;
    require(same(a->raw, b->raw, n_rows * n_out), "raw scores differ between paths");
    require(same(a->outputs, b->outputs, n_rows * n_out), "outputs differ between paths");
    require(!memcmp(a->leaves, b->leaves, n_rows * header->n_trees * sizeof *a->leaves), "leaves differ between paths");
    compare_explained(a, b, header, rows);
}

/* --- the target */

/* Open on each path; memory that is one byte short or not aligned, and paths that are none, are refused. */
static void open_and_ask(const void *file, size_t size) {
    int64_t memory_size = bareboat_memory(file, size);
    struct answers first = {0};
    struct matrix rows = {0};
    int32_t expected = 0;
    if (memory_size < 0) {
        require(-memory_size < 0x10000, "an error that is none");
        return;
    }
    require((uint64_t)memory_size < 16384 + 4096 * (uint64_t)size, "more memory than a file of this size should take");
    char *memory = take((size_t)memory_size);
    require(bareboat_open(file, size, memory, (uint64_t)memory_size - 1, 0) == BAREBOAT_MEMORY, "too little memory taken");
    require(bareboat_open(file, size, memory + 8, (uint64_t)memory_size, 0) == BAREBOAT_MEMORY, "bad alignment taken");
    require(bareboat_open(file, size, memory, (uint64_t)memory_size, 5) == BAREBOAT_PATH, "a fifth path");
    for (uint32_t path = BAREBOAT_SCALAR; path <= BAREBOAT_AVX512; path++) {
        memset(memory, 0xa5, (size_t)memory_size);
        int32_t error = bareboat_open(file, size, memory, (uint64_t)memory_size, path);
        if (path == BAREBOAT_SCALAR)
            expected = error;
        else if (error == BAREBOAT_PATH)
            continue;
        require(error == expected, "paths disagree whether a file is sound");
        if (error) break;
        require(bareboat_path(memory) == path, "a path that was not asked for");
        const struct header *header = file;
        if (path == BAREBOAT_SCALAR) rows = draw_rows((const struct forest *)(const void *)memory);
        struct answers here = ask(memory, header, &rows);
        if (path == BAREBOAT_SCALAR) {
            first = here;
            continue;
        }
        compare(&first, &here, header, &rows);
        release(&here);
    }
    release(&first);
    free(rows.memory), free(rows.plain), free(memory);
}

/* How many bytes of an input are the file. */
static size_t file_size(const uint8_t *data, size_t size) {
    uint64_t told = 0;
    if (size >= sizeof(struct header)) memcpy(&told, data + offsetof(struct header, size), sizeof told);
    if (told % 8 == 0 && told >= sizeof(struct header) + 8 && told <= size) return told;
    return size & ~(size_t)7;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t whole = file_size(data, size);
    uint64_t digest, told = whole;
    unsigned char *file;
    if (whole < sizeof(struct header) + 8) return 0;
    file = take(whole);
    memcpy(file, data, whole);
    memcpy(file + offsetof(struct header, size), &told, sizeof told);
    digest = bareboat_digest(file, whole - 8);
    memcpy(file + whole - 8, &digest, sizeof digest);
    rest = data + whole, n_rest = size - whole, state = digest;
    open_and_ask(file, whole);
    free(file);
    return 0;
}

#ifdef REPLAY
/* Without libFuzzer: try each file that is named. */
int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        static uint8_t data[1 << 20];
        FILE *file = fopen(argv[i], "rb");
        if (!file) return 2;
        size_t size = fread(data, 1, sizeof data, file);
        fclose(file);
        uint8_t *exact = take(size);
        memcpy(exact, data, size);
        LLVMFuzzerTestOneInput(exact, size);
        free(exact);
    }
    return 0;
}
#else
/* --- mutations that leave the file's parts where they are */

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static void change_number(uint8_t *at, size_t width, const uint8_t *other) {
    static const double DOUBLES[] = {0.0, -0.0, 1.0, -1.0, 1e-36, 1e300, -1e300, 3.5e38, 0.1, NAN, INFINITY, 5e-324};
    static const float FLOATS[] = {0.0f, -0.0f, 1.0f, -1.0f, 1e-36f, FLT_MAX, -FLT_MAX, 0.1f, NAN, INFINITY, 1e-45f};
    uint64_t word = 0;
    memcpy(&word, at, width);
    switch (random_word() % 8) {
    case 0: word = 0; break;
    case 1: word++; break;
    case 2: word--; break;
    case 3: word = UINT64_MAX >> random_word() % 64; break;
    case 4: word = random_word() % 300; break;
    case 5:
        if (width == 8) memcpy(&word, DOUBLES + random_word() % (sizeof DOUBLES / sizeof *DOUBLES), 8);
        if (width == 4) memcpy(&word, FLOATS + random_word() % (sizeof FLOATS / sizeof *FLOATS), 4);
        break;
    case 6: memcpy(&word, other, width); break;
    default: word ^= 1ull << random_word() % (8 * width);
    }
    memcpy(at, &word, width);
}

static void change_section(uint8_t *data, size_t whole) {
    struct header header;
    struct section entry;
    size_t place, start, n, width;
    memcpy(&header, data, sizeof header);
    if (!header.n_sections) return;
    place = sizeof header + random_word() % header.n_sections * sizeof entry;
    if (place + sizeof entry > whole) return;
    if (random_word() % 16 == 0) {
        change_number(data + place + random_word() % 3 * 4, 4, data + sizeof header);
        return;
    }
    memcpy(&entry, data + place, sizeof entry);
    start = (size_t)entry.offset * 8;
    if (start >= whole || !entry.count) return;
    width = (size_t)1 << random_word() % 4;
    n = (whole - start) / width < entry.count ? (whole - start) / width : entry.count;
    if (n) change_number(data + start + random_word() % n * width, width, data + start + random_word() % n * width);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    size_t whole = file_size(data, size);
    uint64_t told = whole;
    state = seed;
    if (whole < sizeof(struct header) + 8 || random_word() % 16 == 0) return LLVMFuzzerMutate(data, size, max_size);
    memcpy(data + offsetof(struct header, size), &told, sizeof told); /* so that what follows stays apart */
    if (random_word() % 4 == 0) {
        if (size == whole && max_size >= whole + 8) memset(data + size, 0, 8), size += 8;
        if (max_size > whole) return whole + LLVMFuzzerMutate(data + whole, size - whole, max_size - whole);
    }
    if (random_word() % 8 == 0) {
        size_t at = 8 + random_word() % 12 * 4;
        change_number(data + at, random_word() % 2 ? 4 : 1, data + 8);
        return size;
    }
    for (uint64_t n = 1 + random_word() % 3; n; n--) change_section(data, whole);
    return size;
}
#endif
