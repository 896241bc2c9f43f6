/* Count the line feeds in a text: `count(text, feed)`; see `line_feeds.py`, which does the same without a compiler.

   Every comparison adds 0 or 1 to one of many small counters, so that the compiler turns the loops into vector
   instructions. They are added up before one of them could overflow. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

/* For x86-64 processors, GCC compiles further versions for those with wider vectors; the loader chooses one. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#if __GNUC__ >= 12
#define FOR_EACH_PROCESSOR __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define FOR_EACH_PROCESSOR __attribute__((target_clones("default", "avx2")))
#endif
#else
#define FOR_EACH_PROCESSOR
#endif

#define STEP_BYTES 256                       /* fills four vector registers of 512 bits */
#define RELEASE_LOCK_BYTES (64 * 1024)       /* below, counting takes less time than releasing the interpreter lock */

#define COUNT_UNITS(NAME, UNIT, MOST_STEPS)                                                                            \
    FOR_EACH_PROCESSOR static size_t NAME(const char *text, size_t units, const char *feed)                            \
    {                                                                                                                  \
        enum { LANES = STEP_BYTES / sizeof(UNIT) };                                                                    \
        size_t feeds = 0;                                                                                              \
        UNIT wanted, unit;                                                                                             \
        memcpy(&wanted, feed, sizeof wanted);                                                                          \
        while (units >= LANES) {                                                                                       \
            UNIT counters[LANES] = {0};                                                                                \
            size_t steps = units / LANES < MOST_STEPS ? units / LANES : MOST_STEPS;                                    \
            for (size_t step = 0; step < steps; step++, text += STEP_BYTES)                                            \
                for (size_t lane = 0; lane < LANES; lane++) {                                                          \
                    memcpy(&unit, text + lane * sizeof unit, sizeof unit); /* it may not be aligned */                 \
                    counters[lane] += unit == wanted;                                                                  \
                }                                                                                                      \
            for (size_t lane = 0; lane < LANES; lane++)                                                                \
                feeds += counters[lane];                                                                               \
            units -= steps * LANES;                                                                                    \
        }                                                                                                              \
        for (size_t at = 0; at < units; at++) {                                                                        \
            memcpy(&unit, text + at * sizeof unit, sizeof unit);                                                       \
            feeds += unit == wanted;                                                                                   \
        }                                                                                                              \
        return feeds;                                                                                                  \
    }

COUNT_UNITS(count_1, uint8_t, UINT8_MAX)
COUNT_UNITS(count_2, uint16_t, UINT16_MAX)
COUNT_UNITS(count_4, uint32_t, UINT16_MAX)

static PyObject *count(PyObject *module, PyObject *const *arguments, Py_ssize_t number)
{
    (void)module;
    char *feed;
    Py_ssize_t feed_bytes;
    Py_buffer text;
    if (number != 2) {
        PyErr_SetString(PyExc_TypeError, "count needs a text and a line feed");
        return NULL;
    }
    if (PyBytes_AsStringAndSize(arguments[1], &feed, &feed_bytes) < 0)
        return NULL;
    if (feed_bytes != 1 && feed_bytes != 2 && feed_bytes != 4) {
        PyErr_SetString(PyExc_ValueError, "a line feed has 1, 2 or 4 bytes");
        return NULL;
    }
    if (PyObject_GetBuffer(arguments[0], &text, PyBUF_SIMPLE) < 0)
        return NULL;
    size_t (*counting)(const char *, size_t, const char *) =
        feed_bytes == 1 ? count_1 : feed_bytes == 2 ? count_2 : count_4;
    size_t units = (size_t)text.len / (size_t)feed_bytes, feeds;
    if (text.len < RELEASE_LOCK_BYTES)
        feeds = counting(text.buf, units, feed);
    else {
        Py_BEGIN_ALLOW_THREADS
        feeds = counting(text.buf, units, feed);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&text);
    return PyLong_FromSize_t(feeds);
}

static PyMethodDef methods[] = {
    {"count", (PyCFunction)(void (*)(void))count, METH_FASTCALL, "Count the line feeds in a text."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_line_feeds",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__line_feeds(void)
{
    return PyModuleDef_Init(&definition);
}
