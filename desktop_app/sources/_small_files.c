/* Read small files: `read(path)`, and `read_all(paths, place, seconds)` for many; see `local.py`. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifdef __APPLE__
#define st_mtim st_mtimespec
#define st_ctim st_ctimespec
#endif

#define MOST_BYTES (16 * 1024)
#define MOST_FILES 64

static int is_small_file(const struct stat *info)
{
    return S_ISREG(info->st_mode) && info->st_size <= MOST_BYTES;
}

static int is_same_time(struct timespec one, struct timespec other)
{
    return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

/* Return the size of a file, and its content in a buffer of MOST_BYTES + 1; or -1 if anything is unusual. */
static ssize_t read_small(const char *path, int follows_links, char *content)
{
    struct stat before, after;
    ssize_t size = -1;
    /* Opening anything else can have side effects, or block if it replaces the file in between. */
    if ((follows_links ? stat(path, &before) : lstat(path, &before)) != 0 || !is_small_file(&before))
        return -1;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (follows_links ? 0 : O_NOFOLLOW));
    if (file < 0)
        return -1;
    if (fstat(file, &before) == 0 && is_small_file(&before)) {
        size = read(file, content, MOST_BYTES + 1);
        if (size != before.st_size || fstat(file, &after) != 0 || after.st_size != before.st_size
            || !is_same_time(after.st_mtim, before.st_mtim) || !is_same_time(after.st_ctim, before.st_ctim))
            size = -1;
    }
    close(file);
    return size;
}

static PyObject *read_path(PyObject *module, PyObject *path)
{
    (void)module;
    char content[MOST_BYTES + 1]; /* fits on the stack of a thread */
    ssize_t size;
    PyObject *name;
    if (!PyUnicode_FSConverter(path, &name)) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    const char *characters = PyBytes_AsString(name);
    Py_BEGIN_ALLOW_THREADS
    size = read_small(characters, 1, content);
    Py_END_ALLOW_THREADS
    Py_DECREF(name);
    if (size < 0)
        Py_RETURN_NONE;
    return PyBytes_FromStringAndSize(content, size);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Read files into one buffer until the time is up, and store the index of the one that is being read. */
static void read_each(const char **paths, Py_ssize_t count, double seconds, char *contents, ssize_t *sizes,
                      int64_t *place)
{
    double end = now() + seconds;
    for (Py_ssize_t index = 0; index < count; index++) {
        sizes[index] = -1;
        if (paths[index] == NULL || (index > 0 && now() >= end))
            continue;
        __atomic_store_n(place, index, __ATOMIC_RELAXED);
        sizes[index] = read_small(paths[index], 0, contents);
        contents += sizes[index] > 0 ? sizes[index] : 0;
    }
}

static PyObject *as_list(Py_ssize_t count, const char *contents, const ssize_t *sizes)
{
    PyObject *list = PyList_New(count);
    for (Py_ssize_t index = 0; list != NULL && index < count; index++) {
        PyObject *content = Py_None;
        if (sizes[index] < 0)
            Py_INCREF(content);
        else
            content = PyBytes_FromStringAndSize(contents, sizes[index]);
        contents += sizes[index] > 0 ? sizes[index] : 0;
        if (content == NULL)
            Py_CLEAR(list);
        else
            PyList_SetItem(list, index, content);
    }
    return list;
}

static PyObject *read_paths(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *list, *names[MOST_FILES], *result = NULL;
    const char *paths[MOST_FILES];
    ssize_t sizes[MOST_FILES];
    char *contents;
    double seconds;
    Py_buffer place;
    if (!PyArg_ParseTuple(arguments, "O!w*d", &PyList_Type, &list, &place, &seconds))
        return NULL;
    Py_ssize_t count = PyList_Size(list);
    if (count > MOST_FILES || place.len != sizeof(int64_t)) {
        PyErr_SetString(PyExc_ValueError, "too many paths, or not one 64-bit number");
    } else if ((contents = malloc((size_t)count * MOST_BYTES + 1)) == NULL) { /* takes no memory until it is used */
        PyErr_NoMemory();
    } else {
        for (Py_ssize_t index = 0; index < count; index++) {
            if (!PyUnicode_FSConverter(PyList_GetItem(list, index), &names[index])) {
                PyErr_Clear();
                names[index] = NULL;
            }
            paths[index] = names[index] == NULL ? NULL : PyBytes_AsString(names[index]);
        }
        Py_BEGIN_ALLOW_THREADS
        read_each(paths, count, seconds, contents, sizes, place.buf);
        Py_END_ALLOW_THREADS
        result = as_list(count, contents, sizes);
        for (Py_ssize_t index = 0; index < count; index++)
            Py_XDECREF(names[index]);
        free(contents);
    }
    PyBuffer_Release(&place);
    return result;
}

static PyMethodDef methods[] = {
    {"read", read_path, METH_O, "Return the content of a small file, or None if anything is unusual."},
    {"read_all", read_paths, METH_VARARGS, "Return the contents of small files, with None for unusual ones."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_small_files",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__small_files(void)
{
    return PyModuleDef_Init(&definition);
}
