/* Read a small file with one call: `read(path)`; see `local.py`, which reads all files for which this returns None. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __APPLE__
#define st_mtim st_mtimespec
#define st_ctim st_ctimespec
#endif

#define MOST_BYTES (16 * 1024) /* they have to fit on the stack of a thread */

static int is_small_file(const struct stat *info)
{
    return S_ISREG(info->st_mode) && info->st_size <= MOST_BYTES;
}

static int is_same_time(struct timespec one, struct timespec other)
{
    return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

/* Return the size of a file, and its content in a buffer of MOST_BYTES + 1; or -1 if anything is unusual. */
static ssize_t read_small(const char *path, char *content)
{
    struct stat before, after;
    ssize_t size = -1;
    /* Opening anything else can have side effects, or block if it replaces the file in between. */
    if (stat(path, &before) != 0 || !is_small_file(&before))
        return -1;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
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
    char content[MOST_BYTES + 1];
    ssize_t size;
    PyObject *name;
    if (!PyUnicode_FSConverter(path, &name)) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    const char *characters = PyBytes_AsString(name);
    Py_BEGIN_ALLOW_THREADS
    size = read_small(characters, content);
    Py_END_ALLOW_THREADS
    Py_DECREF(name);
    if (size < 0)
        Py_RETURN_NONE;
    return PyBytes_FromStringAndSize(content, size);
}

static PyMethodDef methods[] = {
    {"read", read_path, METH_O, "Return the content of a small file, or None if anything is unusual."},
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
