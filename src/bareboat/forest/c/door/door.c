/* One row from Python to the kernel and back without ctypes: an extension of CPython's stable ABI.
 *
 * It is not linked to the kernel: a Door is given addresses of the kernel's functions and of an open forest. Rows that
 * are no list, tuple, dict or buffer of float64, and those with anything wrong, go through the `read` that it is given,
 * which returns a list of numbers or raises. The interpreter's lock is kept: a row takes less than a microsecond.
 */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000 /* 3.11 declares the buffer protocol, which 3.10 has with the same layout */
#include <Python.h>

#include <stdint.h>
#include <string.h>

/* What this was built from, so that the build can tell whether it is up to date. */
#ifndef BAREBOAT_STAMP
#define BAREBOAT_STAMP "unstamped"
#endif

enum { ON_STACK = 256 };

typedef void (*score_row)(const void *forest, const double *row, double *out, void *scratch);

typedef struct {
    PyObject_HEAD
    const void *forest;
    score_row raw, predict;
    Py_ssize_t n_features, n_outputs;
    int binary;           /* 1 when one output stands for two classes, 2 when in float32 */
    void *memory;         /* scratch and out; used only while nothing else of Python can run */
    void *scratch;        /* 64-aligned within it */
    double *out;          /* (n_outputs) */
    PyObject *names;      /* tuple of feature names */
    PyObject *read;       /* any row -> list of numbers, or an error */
    PyObject *refuse;     /* called when one number is asked of several outputs: raises */
    PyObject *keep;       /* what owns the forest's memory */
} Door;

/* A number as float64; 1 when there is none. The object may run code, which may drop the row's own reference. */
static int number_of(PyObject *value, double *into) {
    if (!value) return 1;
    if (PyFloat_CheckExact(value)) {
        *into = PyFloat_AsDouble(value);
        return 0;
    }
    Py_INCREF(value);
    *into = PyFloat_AsDouble(value);
    Py_DECREF(value);
    return *into == -1.0 && PyErr_Occurred() != NULL;
}

static int read_list(Door *self, PyObject *row, double *into) {
    if (PyList_Size(row) != self->n_features) return 1;
    for (Py_ssize_t i = 0; i < self->n_features; i++)
        if (number_of(PyList_GetItem(row, i), into + i)) return 1;
    return 0;
}

static int read_tuple(Door *self, PyObject *row, double *into) {
    if (PyTuple_Size(row) != self->n_features) return 1;
    for (Py_ssize_t i = 0; i < self->n_features; i++)
        if (number_of(PyTuple_GetItem(row, i), into + i)) return 1;
    return 0;
}

static int read_dict(Door *self, PyObject *row, double *into) {
    if (PyDict_Size(row) != self->n_features) return 1;
    for (Py_ssize_t i = 0; i < self->n_features; i++)
        if (number_of(PyDict_GetItemWithError(row, PyTuple_GetItem(self->names, i)), into + i)) return 1;
    return 0;
}

static int read_buffer(Door *self, PyObject *row, double *into) {
    Py_buffer view;
    int fits;
    if (PyObject_GetBuffer(row, &view, PyBUF_ND | PyBUF_FORMAT)) return 1;
    fits = view.ndim == 1 && view.shape[0] == self->n_features && view.itemsize == 8 && view.format &&
           view.format[0] == 'd' && !view.format[1];
    if (fits) memcpy(into, view.buf, (size_t)self->n_features * sizeof *into);
    PyBuffer_Release(&view);
    return !fits;
}

/* Whatever could not be read directly, as the reader reads it; -1 with its error. */
static int read_slowly(Door *self, PyObject *row, double *into) {
    PyObject *list, *error = PyErr_Occurred();
    int failed;
    if (error && !PyErr_GivenExceptionMatches(error, PyExc_Exception)) return -1; /* an interrupt */
    PyErr_Clear();
    list = PyObject_CallFunctionObjArgs(self->read, row, NULL);
    if (!list) return -1;
    failed = !PyList_CheckExact(list) || read_list(self, list, into);
    Py_DECREF(list);
    if (failed && !PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "a reader returned no row");
    return failed ? -1 : 0;
}

static int read_row(Door *self, PyObject *row, double *into) {
    int failed;
    if (PyList_CheckExact(row))
        failed = read_list(self, row, into);
    else if (PyTuple_CheckExact(row))
        failed = read_tuple(self, row, into);
    else if (PyDict_CheckExact(row))
        failed = read_dict(self, row, into);
    else
        failed = read_buffer(self, row, into);
    return failed ? read_slowly(self, row, into) : 0;
}

/* Score a row into self->out; -1 with an error. Reading may call this again, scoring may not. */
static int score_into(Door *self, score_row function, PyObject *row) {
    double few[ON_STACK], *values = few;
    int failed;
    if (self->n_features > ON_STACK) {
        values = PyMem_Malloc((size_t)self->n_features * sizeof *values);
        if (!values) return PyErr_NoMemory(), -1;
    }
    failed = read_row(self, row, values);
    if (!failed) function(self->forest, values, self->out, self->scratch);
    if (values != few) PyMem_Free(values);
    return failed;
}

static PyObject *door_score(PyObject *object, PyObject *row) {
    Door *self = (Door *)object;
    if (self->n_outputs != 1) return PyObject_CallFunctionObjArgs(self->refuse, NULL);
    if (score_into(self, self->predict, row)) return NULL;
    return PyFloat_FromDouble(self->out[0]);
}

static double first_of_two(double second, int binary) {
    return binary == 2 ? (double)(1.0f - (float)second) : 1.0 - second;
}

/* The list is made first: making it may run the collector, and that any code, which may score another row. */
static PyObject *scores(Door *self, score_row function, PyObject *row, int binary) {
    Py_ssize_t n = binary ? 2 : self->n_outputs;
    PyObject *list = PyList_New(n);
    if (!list) return NULL;
    if (score_into(self, function, row)) goto failed;
    for (Py_ssize_t i = 0; i < n; i++) {
        double value = !binary ? self->out[i] : i ? self->out[0] : first_of_two(self->out[0], binary);
        PyObject *number = PyFloat_FromDouble(value);
        if (!number || PyList_SetItem(list, i, number)) goto failed;
    }
    return list;
failed:
    Py_DECREF(list);
    return NULL;
}

static PyObject *door_predict(PyObject *self, PyObject *row) {
    return scores((Door *)self, ((Door *)self)->predict, row, ((Door *)self)->binary);
}

static PyObject *door_raw_score(PyObject *self, PyObject *row) {
    return scores((Door *)self, ((Door *)self)->raw, row, 0);
}

static PyObject *door_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    unsigned long long forest, raw, predict, scratch_size;
    Py_ssize_t n_outputs;
    int binary;
    PyObject *names, *read, *refuse, *keep;
    Door *self;
    (void)keywords;
    if (!PyArg_ParseTuple(arguments, "KKKKniO!OOO", &forest, &raw, &predict, &scratch_size, &n_outputs, &binary,
                          &PyTuple_Type, &names, &read, &refuse, &keep))
        return NULL;
    self = (Door *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (!self) return NULL;
    self->forest = (const void *)(uintptr_t)forest;
    self->raw = (score_row)(uintptr_t)raw;
    self->predict = (score_row)(uintptr_t)predict;
    self->n_features = PyTuple_Size(names);
    self->n_outputs = n_outputs;
    self->binary = binary;
    self->names = Py_NewRef(names);
    self->read = Py_NewRef(read);
    self->refuse = Py_NewRef(refuse);
    self->keep = Py_NewRef(keep);
    self->memory = PyMem_Malloc((size_t)scratch_size + (size_t)n_outputs * sizeof(double) + 72);
    if (!self->memory) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    self->scratch = (void *)(((uintptr_t)self->memory + 63) & ~(uintptr_t)63);
    self->out = (double *)(void *)((char *)self->scratch + (scratch_size + 7) / 8 * 8);
    return (PyObject *)self;
}

static void door_dealloc(PyObject *object) {
    Door *self = (Door *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyMem_Free(self->memory);
    Py_XDECREF(self->names);
    Py_XDECREF(self->read);
    Py_XDECREF(self->refuse);
    Py_XDECREF(self->keep);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

static PyMethodDef METHODS[] = {
    {"score", door_score, METH_O,
     "score(row)\n--\n\nReturn the prediction of a model with one output; a binary classifier's is its second class's\n"
     "probability."},
    {"predict", door_predict, METH_O,
     "predict(row)\n--\n\nReturn a classifier's probability of each class, or else the prediction: a list."},
    {"raw_score", door_raw_score, METH_O, "raw_score(row)\n--\n\nReturn the sums of leaf values: (n_outputs,)."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot SLOTS[] = {
    {Py_tp_new, (void *)door_new}, {Py_tp_dealloc, (void *)door_dealloc}, {Py_tp_methods, METHODS}, {0, NULL}};

static PyType_Spec SPEC = {"bareboat.runtime._door.Door", sizeof(Door), 0, Py_TPFLAGS_DEFAULT, SLOTS};

static int add_door(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &SPEC, NULL);
    int failed = !type || PyModule_AddObjectRef(module, "Door", type);
    Py_XDECREF(type);
    if (!failed) failed = PyModule_AddStringConstant(module, "STAMP", BAREBOAT_STAMP);
    return failed ? -1 : 0;
}

static PyModuleDef_Slot MODULE_SLOTS[] = {{Py_mod_exec, (void *)add_door}, {0, NULL}};

static struct PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "_door", NULL, 0, NULL, MODULE_SLOTS, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__door(void);
PyMODINIT_FUNC PyInit__door(void) { return PyModuleDef_Init(&MODULE); }
