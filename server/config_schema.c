/* The configuration's JSON Schema, taken into the program as it is: so that the file that is
 * published and the one that is checked against cannot differ. CONFIG_SCHEMA_FILE is its path,
 * given by the build. */
#include "server/config_reader.h"

__asm__(".section .rodata\n"
        ".global config_schema_bytes\n"
        "config_schema_bytes:\n"
        ".incbin \"" CONFIG_SCHEMA_FILE "\"\n"
        ".global config_schema_end\n"
        "config_schema_end:\n"
        ".byte 0\n"
        ".previous\n");
