# Every test is found by the name of its file: a new file needs no line here.
#   test/unit/**/*_test.c   an executable linked to plateau_core and cmocka     label unit
#   test/unit/*_test.py     a check of the sources themselves                   label unit
#   test/fuzz/NAME_fuzz.c   replays test/fuzz/corpus/NAME; fuzzes in that preset label fuzz
#   test/bench/NAME_bench.c a measurement, run by hand
#   test/flow/*_test.py     drives whole processes, by PLATEAU_BIN and so on     label flow
#   test/bench/*_test.py    tries the measuring tools on known behaviour         label bench
# test/messaging is the embedded messaging service.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

if(PLATEAU_MESSAGING)
    file(GLOB messaging_sources CONFIGURE_DEPENDS test/messaging/*.c)
    list(REMOVE_ITEM messaging_sources ${PROJECT_SOURCE_DIR}/test/messaging/main.c)
    add_library(messaging_parts STATIC ${messaging_sources})
    target_link_libraries(messaging_parts PUBLIC plateau_lib)
    add_executable(messaging test/messaging/main.c)
    target_link_libraries(messaging PRIVATE messaging_parts)
endif()

# test/bench/loader.c and what it is made of is bench_loader, the load generator.
file(GLOB loader_sources CONFIGURE_DEPENDS test/bench/load/*.c)
add_executable(bench_loader test/bench/loader.c ${loader_sources})
target_link_libraries(bench_loader PRIVATE plateau_options m)

# test/unit/lib/arena_test.c becomes the test unit.lib.arena.
function(test_name source result)
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${PROJECT_SOURCE_DIR}/test)
    string(REGEX REPLACE "(_test|_fuzz)\\.(c|py)$" "" name ${source})
    string(REPLACE "/" "." name ${name})
    set(${result} ${name} PARENT_SCOPE)
endfunction()

function(add_c_test source label)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "LINK;ARGUMENTS")
    test_name(${source} name)
    add_executable(${name} ${source})
    set_target_properties(${name} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test)
    target_link_libraries(${name} PRIVATE plateau_core ${arg_LINK})
    add_test(NAME ${name} COMMAND ${name} ${arg_ARGUMENTS}
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT 120)
endfunction()

function(add_python_test source label)
    test_name(${source} name)
    add_test(NAME ${name} COMMAND ${Python3_EXECUTABLE} -B ${source}
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT 300
        ENVIRONMENT "PLATEAU_BIN=${PROJECT_BINARY_DIR}/plateau;\
MESSAGING_BIN=${PROJECT_BINARY_DIR}/messaging")
endfunction()

file(GLOB_RECURSE unit_sources CONFIGURE_DEPENDS test/unit/*_test.c)
if(NOT PLATEAU_MESSAGING)
    list(FILTER unit_sources EXCLUDE REGEX "/test/unit/messaging/")
endif()
foreach(source IN LISTS unit_sources)
    set(tested)
    if(source MATCHES "/test/unit/messaging/")
        set(tested messaging_parts)
    endif()
    add_c_test(${source} unit LINK ${tested} deps_cmocka)
endforeach()

file(GLOB unit_scripts CONFIGURE_DEPENDS test/unit/*_test.py)
foreach(source IN LISTS unit_scripts)
    add_python_test(${source} unit)
endforeach()

# In the fuzz preset the fuzzer's own main also replays: -runs=0 reads the corpus and stops.
if(PLATEAU_SANITIZE STREQUAL "fuzzer")
    add_library(fuzz_main INTERFACE)
    target_link_options(fuzz_main INTERFACE -fsanitize=fuzzer)
    set(replay -runs=0)
else()
    add_library(fuzz_main OBJECT test/fuzz/replay.c)
    target_link_libraries(fuzz_main PUBLIC plateau_options)
    set(replay)
endif()
file(GLOB fuzz_sources CONFIGURE_DEPENDS test/fuzz/*_fuzz.c)
foreach(source IN LISTS fuzz_sources)
    cmake_path(GET source STEM stem)
    string(REGEX REPLACE "_fuzz$" "" stem ${stem})
    set(corpus ${PROJECT_SOURCE_DIR}/test/fuzz/corpus/${stem})
    if(NOT EXISTS ${corpus})
        set(corpus)
    endif()
    add_c_test(${source} fuzz LINK fuzz_main ARGUMENTS ${replay} ${corpus})
endforeach()

file(GLOB flow_scripts CONFIGURE_DEPENDS test/flow/*_test.py)
if(NOT PLATEAU_MESSAGING)
    set(flow_scripts)
endif()
foreach(source IN LISTS flow_scripts)
    add_python_test(${source} flow)
endforeach()

add_test(NAME bench.loader COMMAND ${Python3_EXECUTABLE} -B test/bench/loader_test.py
    $<TARGET_FILE:bench_loader> WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(bench.loader PROPERTIES LABELS bench TIMEOUT 300)

# Measurements are built with the rest, so that they keep compiling, and run by hand.
file(GLOB bench_sources CONFIGURE_DEPENDS test/bench/*_bench.c)
foreach(source IN LISTS bench_sources)
    cmake_path(GET source STEM name)
    add_executable(${name} ${source})
    set_target_properties(${name} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
    target_link_libraries(${name} PRIVATE plateau_lib)
    if(TARGET deps_cjson)
        target_link_libraries(${name} PRIVATE deps_cjson)
        target_compile_definitions(${name} PRIVATE HAVE_CJSON)
    endif()
endforeach()
