/* Path-dependent SHAP values with AVX2: the same operations, four points at once. */
#if defined(__x86_64__) && !defined(BAREBOAT_EMULATED)
#if defined(__clang__)
#include <stdint.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif
#define IS_SMALL 0
#define EXPLAIN_TREE explain_tree_avx2
#include "shap_path.h"
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#else
#include "shap.h"

void explain_tree_avx2(struct cover_shap *shap, uint32_t tree, uint32_t n_rows, int adds_base) {
    explain_tree(shap, tree, n_rows, adds_base);
}
#endif
