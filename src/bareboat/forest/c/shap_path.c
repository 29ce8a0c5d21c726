/* Path-dependent SHAP values with the instructions that every CPU of this machine has. On x86_64 hardly one is left
 * without AVX2, so that small code is worth more than fast code there. */
#if defined(__x86_64__)
#define IS_SMALL 1
#else
#define IS_SMALL 0
#endif
#define EXPLAIN_TREE explain_tree
#include "shap_path.h"
