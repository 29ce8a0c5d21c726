/* Raw scores -> outputs: in float64, or in float32 where the forest sums in it. */
#include "transform.h"

#include <math.h>

#include "kernel.h"

static double softmax_power(double x, int single) { return single ? (double)expf((float)x) : exp(x); }

static void softmax(double *out, uint32_t n, int single) {
    double top = out[0], total = 0.0;
    for (uint32_t i = 1; i < n; i++) top = out[i] < top ? top : out[i];
    for (uint32_t i = 0; i < n; i++) total += out[i] = softmax_power(out[i] - top, single);
    if (single)
        for (uint32_t i = 0; i < n; i++) out[i] = (double)((float)out[i] / (float)total);
    else
        for (uint32_t i = 0; i < n; i++) out[i] /= total;
}

/* AdaBoost's probabilities: sklearn/ensemble/_weight_boosting.py, _compute_proba_from_decision. */
static void samme(double *out, uint32_t n, double total_weight, int single) {
    for (uint32_t i = 0; i < n; i++) out[i] /= total_weight;
    if (n == 2) {
        double difference = out[1] - out[0];
        out[0] = -difference / 2;
        out[1] = difference / 2;
    } else {
        for (uint32_t i = 0; i < n; i++) out[i] /= n - 1;
    }
    softmax(out, n, single);
}

static double in_double(const struct forest *forest, double p, double x) {
    switch ((enum transform)forest->header->transform) {
    case SIGMOID: return 1.0 / (1.0 + exp(-p * x));
    case EXP: return exp(x);
    case LOG1P_EXP: return log1p(exp(x));
    case SIGNED_SQUARE: return (double)((x > 0) - (x < 0)) * x * x;
    case STEP: return x > 0;
    case ISOLATION: return -pow(2.0, -x / p) - doubles(forest, PARAMETERS)[0];
    case LOGISTIC: {
        double side = 1.0 / (1.0 + exp(-fabs(x)));
        return x < 0 ? 1.0 - side : side;
    }
    default: return x;
    }
}

/* What is not written out here is done in float64 and rounded once. */
static float in_single(const struct forest *forest, double p, float x) {
    switch ((enum transform)forest->header->transform) {
    case SIGMOID: {
        float power = (float)(-p * (double)x);
        return 1.0f / (1.0f + expf(power > 88.7f ? 88.7f : power)); /* XGBoost's bound: src/common/math.h */
    }
    case EXP: return expf(x);
    case LOGISTIC: {
        float side = 1.0f / (1.0f + expf(-fabsf(x)));
        return x < 0 ? 1.0f - side : side;
    }
    default: return (float)in_double(forest, p, (double)x);
    }
}

void transform_row(const struct forest *forest, double rounds, double parameter, double *out) {
    const struct header *header = forest->header;
    int single = has_flag(forest, SINGLE_SUM);
    if (has_flag(forest, AVERAGE))
        for (uint32_t i = 0; i < header->n_outputs; i++) {
            out[i] /= rounds;
            if (single) out[i] = (double)(float)out[i];
        }
    if (header->transform == SOFTMAX)
        softmax(out, header->n_outputs, single);
    else if (header->transform == SAMME)
        samme(out, header->n_outputs, parameter, single);
    else if (single)
        for (uint32_t i = 0; i < header->n_outputs; i++) out[i] = (double)in_single(forest, parameter, (float)out[i]);
    else
        for (uint32_t i = 0; i < header->n_outputs; i++) out[i] = in_double(forest, parameter, out[i]);
}
