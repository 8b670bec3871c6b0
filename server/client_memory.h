/* client_memory: where libmicrohttpd gets its memory: a heap of a fixed size, for its connections
 * with their pools, and for answers.
 *
 * libmicrohttpd calls malloc. The linker puts functions of ours in its place (--wrap, see
 * CMakeLists.txt; not in a sanitizer's build, which wants to see every malloc itself), which serve
 * all code of this program from the heap once it is there. What shared libraries and libc allocate
 * for themselves stays with malloc; what is freed goes back to where it came from. So a flood of
 * connections meets a bound, and connections that come and go leave no gaps that grow. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/heap.h"

/* Reserves the heap and serves malloc from it from now on; for the process's life, later calls
 * change nothing. Before any thread starts. False when the address space cannot be had. */
CHECKED bool client_memory_setup(size_t bytes);

/* For the ledger; NULL where malloc serves. */
struct heap *client_memory(void);
