cimport cython

cdef class Page:
    cdef int size

cpdef int past_the_end(bytes data, Py_ssize_t at) except -1

cpdef int before_the_beginning(bytes data, Py_ssize_t at) except -1

@cython.locals(memory="const unsigned char*")
cpdef int by_pointer(bytes data, Py_ssize_t at) except -1

@cython.locals(own=bytes, memory="const unsigned char*")
cpdef int after_release(bytes data, Py_ssize_t at) except -1

@cython.locals(table="int[4]")
cpdef int beyond_a_table(bytes data, Py_ssize_t at) except -1

@cython.locals(page=Page)
cpdef int of_nobody(bytes data, Py_ssize_t at) except -1

cpdef Py_ssize_t too_large(bytes data, Py_ssize_t at) except -1

@cython.locals(third=float)
cpdef Py_ssize_t differs(bytes data, Py_ssize_t at) except -1
