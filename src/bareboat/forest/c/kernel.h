/* The ABI of bareboat's kernel: a mapped .forest file and rows of numbers -> scores.
 *
 * The kernel allocates nothing, keeps nothing and does no I/O. Its caller owns three kinds of memory:
 *
 *   file     the whole .forest file, mapped or read, at an address that is a multiple of 8. It must stay as it is for
 *            as long as `forest` is used: open checks every index once, and nothing is checked again.
 *   forest   bareboat_memory() bytes, aligned to 64; bareboat_open() fills it. Read-only afterwards, so that any number
 *            of threads may share it.
 *   scratch  bareboat_scratch() bytes, aligned to 64, one for each thread.
 *
 * Shapes: n_features, n_outputs and n_trees are those of the file's header. A row is n_features numbers, NaN where a
 * value is missing. Outputs are n_outputs float64 a row.
 *
 * docs/forest-format.md describes the file. Raw scores are the sums of leaf values in the order of the trees, with no
 * fused multiply-add, so that they equal the training framework's on every CPU and on every path.
 */
#ifndef BAREBOAT_KERNEL_H
#define BAREBOAT_KERNEL_H

#include <stdint.h>

#define BAREBOAT_ABI 3

#if defined(_WIN32)
#define BAREBOAT_API __declspec(dllexport)
#else
#define BAREBOAT_API __attribute__((visibility("default")))
#endif

/* What may be wrong with a file. Open returns `error | section tag << 8`; the tag is 0 for the header. */
enum {
    BAREBOAT_OK = 0,
    BAREBOAT_SHORT = 1,     /* shorter than a header */
    BAREBOAT_MAGIC = 2,     /* not a .forest file */
    BAREBOAT_VERSION = 3,   /* a version that this kernel does not read */
    BAREBOAT_SIZE = 4,      /* cut off or extended: the header says another size */
    BAREBOAT_DIGEST = 5,    /* the digest does not fit the bytes */
    BAREBOAT_HEADER = 6,    /* a field of the header is out of its range */
    BAREBOAT_UNKNOWN = 7,   /* a section that this kernel does not know and may not skip */
    BAREBOAT_PLACE = 8,     /* a section lies outside the file, overlaps or is out of order */
    BAREBOAT_COUNT = 9,     /* a section is missing or has the wrong number of elements */
    BAREBOAT_ORDER = 10,    /* numbers that must rise do not */
    BAREBOAT_INDEX = 11,    /* an index points outside */
    BAREBOAT_NUMBER = 12,   /* a number is NaN, or infinite where it may not be */
    BAREBOAT_MEMORY = 13,   /* the caller's memory is too small, or it or the file is not aligned */
    BAREBOAT_PATH = 14      /* this CPU has not the instructions that the caller asks for */
};

/* Instructions to use. Every path gives the same bits. */
enum { BAREBOAT_BEST = 0, BAREBOAT_SCALAR = 1, BAREBOAT_NEON = 2, BAREBOAT_AVX2 = 3, BAREBOAT_AVX512 = 4 };

/* What scores are asked for: base and sums of leaf values, or these averaged and transformed. */
enum { BAREBOAT_RAW = 0, BAREBOAT_PREDICT = 1 };

/* The numbers of rows. float32 is widened, which rounds nothing. */
enum { BAREBOAT_FLOAT64 = 0, BAREBOAT_FLOAT32 = 1 };

/* Return BAREBOAT_ABI. A caller refuses a kernel of another ABI before it calls anything else. */
BAREBOAT_API uint32_t bareboat_abi(void);

/* Return the digest of the sources that this kernel was built from, as text. */
BAREBOAT_API const char *bareboat_stamp(void);

/* Return XXH64 with seed 0 of `size` bytes at any address. */
BAREBOAT_API uint64_t bareboat_digest(const void *data, uint64_t size);

/* Return how many bytes `forest` takes for this file on any path, or minus an error. Looks at the header and the
 * section table alone. */
BAREBOAT_API int64_t bareboat_memory(const void *file, uint64_t size);

/* Check the whole file and fill `forest` for one of the paths above. Return BAREBOAT_OK or an error. */
BAREBOAT_API int32_t bareboat_open(const void *file, uint64_t size, void *forest, uint64_t forest_size, uint32_t path);

/* Return the path that an open forest takes, never BAREBOAT_BEST. */
BAREBOAT_API uint32_t bareboat_path(const void *forest);

/* Return how many bytes of scratch one call of those below takes. */
BAREBOAT_API uint64_t bareboat_scratch(const void *forest);

/* One row: row (n_features) float64, out (n_outputs). */
BAREBOAT_API void bareboat_raw_row(const void *forest, const double *row, double *out, void *scratch);
BAREBOAT_API void bareboat_predict_row(const void *forest, const double *row, double *out, void *scratch);

/* Many rows: value j of row i is the number at rows + i * row_stride + j * column_stride, in bytes, at any address.
 * out is (n_rows, n_outputs), contiguous. */
BAREBOAT_API void bareboat_score(const void *forest, uint32_t what, uint32_t number, const void *rows, int64_t n_rows,
                                 int64_t row_stride, int64_t column_stride, double *out, void *scratch);

/* Raw scores -> outputs, in place: what bareboat_predict_row makes of them, had the forest had `rounds` rounds and
 * `parameter` as the first of its transform. For the scores of some of its rounds. scores is (n_rows, n_outputs). */
BAREBOAT_API void bareboat_transform(const void *forest, double rounds, double parameter, double *scores,
                                     int64_t n_rows);

/* The leaf that each tree sends each row to, counted from left to right within the tree: (n_rows, n_trees). */
BAREBOAT_API void bareboat_leaves(const void *forest, uint32_t number, const void *rows, int64_t n_rows,
                                  int64_t row_stride, int64_t column_stride, uint32_t *out, void *scratch);

/* Exact SHAP values of raw scores, averaged where outputs are averages (forest/c/shap_path.h and shap_background.c say
 * how). A forest with linear leaves has none; without a background, leaf_cover must be in the file. */

/* Return BAREBOAT_OK, or the error and section that stand in the way. */
BAREBOAT_API int32_t bareboat_shap_ready(const void *forest, uint32_t with_background);

/* Return how many bytes of scratch the two below take: without a background (0), or with one of so many rows. */
BAREBOAT_API uint64_t bareboat_shap_scratch(const void *forest, uint32_t n_background);

/* Path-dependent: what is unknown is weighed by the covers. rows as for bareboat_score; out is (n_rows, n_features,
 * n_outputs), base (n_outputs). base and the values of a row add up to its raw score. Return BAREBOAT_OK, or
 * BAREBOAT_HEADER when a tree is deeper than the file says. */
BAREBOAT_API int32_t bareboat_shap(const void *forest, uint32_t number, const void *rows, int64_t n_rows,
                                   int64_t row_stride, int64_t column_stride, double *out, double *base, void *scratch);

/* Interventional: what is unknown is what each row of a background has there, a contiguous float64 array
 * (n_background, n_features) of at least one row; base is the mean raw score of these. */
BAREBOAT_API int32_t bareboat_shap_background(const void *forest, uint32_t number, const void *rows, int64_t n_rows,
                                              int64_t row_stride, int64_t column_stride, const double *background,
                                              uint32_t n_background, double *out, double *base, void *scratch);

#endif
