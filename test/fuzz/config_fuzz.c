/* Input: a configuration file. It is taken or refused in words; nothing crashes, leaks or waits. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct config_error error;
    clearenv();
    struct config *config = config_parse("fuzz.yaml", (const char *)data, size, &error);
    if (!config) {
        if (strncmp(error.text, "fuzz.yaml:", 10) != 0) {
            abort();
        }
        return 0;
    }
    for (size_t i = 0; i < config->tool_count; i++) {
        const struct config_tool *tool = &config->tools[i];
        if (config_tool(config, tool->name, strlen(tool->name)) != tool) {
            abort();
        }
    }
    config_free(config);
    return 0;
}
