cdef class Recent:
    cdef Py_ssize_t _size
    cdef dict _young, _old

    cpdef get(self, bytes key)
    cpdef keep(self, bytes key, value)
