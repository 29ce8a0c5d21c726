/* Functions of one number, as numpy has them: exact where the C library's are. */
#include "functions.h"

#include <math.h>

#include "file.h"
#include "pipeline_file.h"

#define PI 3.14159265358979323846

static double square(double x) { return x * x; }
static double reciprocal(double x) { return 1.0 / x; }
static double negative(double x) { return -x; }
static double sign(double x) { return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x == 0.0 ? 0.0 : x; }
static double expit(double x) { return 1.0 / (1.0 + exp(-x)); }
static double radians(double x) { return x * (PI / 180.0); }
static double degrees(double x) { return x * (180.0 / PI); }

BEGIN_SMALL

void apply(uint32_t function, const double *x, double *y, uint64_t n) {
    double (*f)(double);
    switch ((enum function)function) {
    case F_ABSOLUTE: f = fabs; break;
    case F_SQRT: f = sqrt; break;
    case F_EXP: f = exp; break;
    case F_EXPM1: f = expm1; break;
    case F_LOG: f = log; break;
    case F_LOG1P: f = log1p; break;
    case F_LOG2: f = log2; break;
    case F_LOG10: f = log10; break;
    case F_SQUARE: f = square; break;
    case F_RECIPROCAL: f = reciprocal; break;
    case F_NEGATIVE: f = negative; break;
    case F_SIGN: f = sign; break;
    case F_FLOOR: f = floor; break;
    case F_CEIL: f = ceil; break;
    case F_RINT: f = rint; break;
    case F_TRUNC: f = trunc; break;
    case F_SIN: f = sin; break;
    case F_COS: f = cos; break;
    case F_TAN: f = tan; break;
    case F_ARCSIN: f = asin; break;
    case F_ARCCOS: f = acos; break;
    case F_ARCTAN: f = atan; break;
    case F_SINH: f = sinh; break;
    case F_COSH: f = cosh; break;
    case F_TANH: f = tanh; break;
    case F_ARCSINH: f = asinh; break;
    case F_ARCCOSH: f = acosh; break;
    case F_ARCTANH: f = atanh; break;
    case F_CBRT: f = cbrt; break;
    case F_EXP2: f = exp2; break;
    case F_DEG2RAD: f = radians; break;
    case F_RAD2DEG: f = degrees; break;
    default: f = expit;
    }
    for (uint64_t i = 0; i < n; i++) y[i] = f(x[i]);
}

END_SMALL
