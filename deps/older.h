/* older: what the sources use and older libraries have under another name or not at all. The build
 * includes it before every file where -DPLATEAU_DEPS=system finds such a library, and defines which
 * (deps/libraries.cmake); with the libraries of deps/versions nobody sees it. */
#pragma once

#include <stdint.h>

#ifdef OLDER_MICROHTTPD /* before 0.9.77 */
#define MHD_create_response_from_buffer_static(size, bytes)                                        \
    MHD_create_response_from_buffer((size), (void *)(uintptr_t)(bytes), MHD_RESPMEM_PERSISTENT)
#define MHD_create_response_from_buffer_copy(size, bytes)                                          \
    MHD_create_response_from_buffer((size), (void *)(uintptr_t)(bytes), MHD_RESPMEM_MUST_COPY)
#define MHD_OPTION_CLIENT_DISCIPLINE_LVL MHD_OPTION_STRICT_FOR_CLIENT
#endif

#ifdef OLDER_MBEDTLS /* before 3.0 */
#define MBEDTLS_PRIVATE(member) member
#endif

#ifdef UNCOUNTED_MBEDTLS /* built without MBEDTLS_PLATFORM_MEMORY: it goes on using malloc */
#define mbedtls_platform_set_calloc_free(allocate, release) ((void)(allocate), (void)(release), 0)
#endif
