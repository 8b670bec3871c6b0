# The libraries, as targets deps_NAME. Their headers count as the system's: no warnings from them.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(deps_from_package name module)
    pkg_check_modules(${name} QUIET IMPORTED_TARGET ${module})
    if(NOT ${name}_FOUND)
        message(FATAL_ERROR "pkg-config knows no ${module}: install its development package "
            "(./dev build installs what deps/packages.txt lists).")
    endif()
    add_library(${name} ALIAS PkgConfig::${name})
    message(STATUS "${module} ${${name}_VERSION}")
    set(${name}_VERSION ${${name}_VERSION} PARENT_SCOPE)
endfunction()

deps_from_package(deps_cjson libcjson)
deps_from_package(deps_pcre2 libpcre2-8)
deps_from_package(deps_yaml yaml-0.1)
deps_from_package(deps_cmocka cmocka)

# Static libraries below the folder that deps/build.sh printed.
function(deps_built)
    set(arguments)
    foreach(want IN LISTS PLATEAU_WANT)
        list(APPEND arguments --want ${want})
    endforeach()
    if(PLATEAU_SANITIZE STREQUAL "thread")
        # Without it every hand-over inside a library would look like a race.
        list(APPEND arguments --sanitize thread)
    endif()
    execute_process(
        COMMAND ${PROJECT_SOURCE_DIR}/deps/build.sh ${arguments}
        OUTPUT_VARIABLE prefix OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
    if(failed)
        message(FATAL_ERROR "deps/build.sh failed, see above")
    endif()
    file(READ ${prefix}/versions versions)
    string(STRIP "${versions}" versions)
    string(REPLACE "\n" ", " versions "${versions}")
    message(STATUS "Libraries in ${prefix}: ${versions}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
        deps/build.sh deps/versions deps/curl.options deps/mbedtls.options
        deps/libmicrohttpd.options)

    deps_from_package(deps_nghttp2 libnghttp2)
    deps_from_package(deps_cares libcares)
    foreach(name mbedcrypto mbedx509 mbedtls curl microhttpd)
        add_library(deps_${name} STATIC IMPORTED GLOBAL)
        set_target_properties(deps_${name} PROPERTIES
            IMPORTED_LOCATION ${prefix}/lib/lib${name}.a
            INTERFACE_INCLUDE_DIRECTORIES ${prefix}/include)
    endforeach()
    target_link_libraries(deps_mbedcrypto INTERFACE Threads::Threads)
    target_link_libraries(deps_mbedx509 INTERFACE deps_mbedcrypto)
    target_link_libraries(deps_mbedtls INTERFACE deps_mbedx509)
    target_compile_definitions(deps_curl INTERFACE CURL_STATICLIB)
    target_link_libraries(deps_curl INTERFACE deps_mbedtls deps_nghttp2 deps_cares)
    target_link_libraries(deps_microhttpd INTERFACE Threads::Threads)
endfunction()

# Tells whether a piece of mbedTLS's configuration is there, by the installed header.
function(deps_mbedtls_has option result)
    include(CheckCSourceCompiles)
    set(CMAKE_REQUIRED_INCLUDES ${MBEDTLS_INCLUDE})
    check_c_source_compiles("
        #include <mbedtls/version.h>
        #ifndef ${option}
        #error missing
        #endif
        int main(void) { return 0; }" ${option}_FOUND)
    set(${result} ${${option}_FOUND} PARENT_SCOPE)
endfunction()

# What is installed, and what is lost by it.
function(deps_system)
    deps_from_package(deps_microhttpd libmicrohttpd)
    deps_from_package(deps_curl libcurl)
    find_path(MBEDTLS_INCLUDE mbedtls/ssl.h)
    find_library(MBEDTLS_LIBRARY mbedtls)
    find_library(MBEDX509_LIBRARY mbedx509)
    find_library(MBEDCRYPTO_LIBRARY mbedcrypto)
    if(NOT MBEDTLS_INCLUDE OR NOT MBEDTLS_LIBRARY OR NOT MBEDCRYPTO_LIBRARY)
        message(FATAL_ERROR "PLATEAU_DEPS=system needs mbedTLS with its headers "
            "(Debian: libmbedtls-dev). Without -DPLATEAU_DEPS=system it is built for you.")
    endif()
    add_library(deps_mbedtls INTERFACE)
    target_include_directories(deps_mbedtls SYSTEM INTERFACE ${MBEDTLS_INCLUDE})
    target_link_libraries(deps_mbedtls INTERFACE
        ${MBEDTLS_LIBRARY} ${MBEDX509_LIBRARY} ${MBEDCRYPTO_LIBRARY})

    target_compile_options(deps_mbedtls INTERFACE -include ${PROJECT_SOURCE_DIR}/deps/older.h)

    if(deps_microhttpd_VERSION VERSION_LESS 0.9.77)
        target_compile_definitions(deps_mbedtls INTERFACE OLDER_MICROHTTPD)
    endif()
    if(deps_microhttpd_VERSION VERSION_LESS 1.0.5)
        message(WARNING "libmicrohttpd ${deps_microhttpd_VERSION} is older than 1.0.5: requests "
            "that a proxy and plateau read differently (smuggling) are not all refused.")
    endif()
    if(deps_curl_VERSION VERSION_LESS 8.14)
        message(WARNING "libcurl ${deps_curl_VERSION} is older than 8.14: each HTTPS call in "
            "flight takes some 80 KiB more; over HTTP/2 a burst opens a connection a call, and "
            "after a broken connection calls end as unknown (set http: \"1.1\").")
    endif()
    execute_process(COMMAND curl-config --ssl-backends
        OUTPUT_VARIABLE backend OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(NOT backend STREQUAL "mbedTLS")
        message(WARNING "libcurl's TLS is '${backend}', not mbedTLS: its memory is not accounted "
            "for, and certificate authorities are read again for each connection.")
    endif()
    if(NOT EXISTS ${MBEDTLS_INCLUDE}/mbedtls/build_info.h)
        target_compile_definitions(deps_mbedtls INTERFACE OLDER_MBEDTLS)
        set(PLATEAU_MESSAGING OFF PARENT_SCOPE)
        message(WARNING "mbedTLS is older than 3.0: there is no TLS 1.3, and the messaging service "
            "and the tests that need it are not built.")
    endif()
    deps_mbedtls_has(MBEDTLS_PLATFORM_MEMORY counted)
    if(NOT counted)
        target_compile_definitions(deps_mbedtls INTERFACE UNCOUNTED_MBEDTLS)
        message(WARNING "mbedTLS is installed without MBEDTLS_PLATFORM_MEMORY: its memory has no "
            "bound, and the plan and the ledger know nothing of it.")
    endif()
    deps_mbedtls_has(MBEDTLS_THREADING_C threading)
    if(NOT threading)
        message(WARNING "mbedTLS is installed without MBEDTLS_THREADING_C.")
    endif()
endfunction()

set(PLATEAU_MESSAGING ON)
if(PLATEAU_DEPS STREQUAL "built")
    deps_built()
elseif(PLATEAU_DEPS STREQUAL "system")
    deps_system()
else()
    message(FATAL_ERROR "PLATEAU_DEPS is built or system, not ${PLATEAU_DEPS}")
endif()
