/* upstream_memory: where libcurl and mbedTLS get their memory: a heap each, reserved once for the
 * process.
 *
 * Both libraries take process-wide functions, so this is process-wide too. Call it before anything
 * of theirs runs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/heap.h"

/* Reserves both heaps and hands them to the libraries; later calls change nothing. False when the
 * address space cannot be had or libcurl does not initialise. Any thread, but one at a time. */
CHECKED bool upstream_memory_setup(size_t curl_bytes, size_t tls_bytes);

/* For the ledger; NULL before the setup. */
struct heap *upstream_memory_curl(void);
struct heap *upstream_memory_tls(void);
