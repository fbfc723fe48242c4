cimport cython

@cython.locals(quantity=Py_ssize_t, slot=Py_ssize_t)
cpdef list decide(list wishes, dict taken, Py_ssize_t limit, Py_ssize_t free)
