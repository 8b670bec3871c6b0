/* replay: runs a fuzz target over files, without a fuzzer: each argument is a file or a folder of
 * them. The empty input is always tried, so that a target without a corpus is tried too. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *what, const char *path) {
    fprintf(stderr, "replay: cannot %s %s\n", what, path);
    exit(1);
}

/* The copy is exactly as long as the file: a read past its end is seen by AddressSanitizer. */
static void replay_file(const char *path, size_t size) {
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size ? size : 1);
    if (!file || !data || fread(data, 1, size, file) != size) {
        fail("read", path);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static unsigned replay(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0) {
        fail("find", path);
    }
    if (!S_ISDIR(status.st_mode)) {
        replay_file(path, (size_t)status.st_size);
        return 1;
    }
    DIR *folder = opendir(path);
    if (!folder) {
        fail("open", path);
    }
    unsigned count = 0;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        char child[4096];
        int length = snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        if (length < 0 || (size_t)length >= sizeof child) {
            fail("name", path);
        }
        if (entry->d_name[0] != '.') {
            count += replay(child);
        }
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv) {
    unsigned count = 0;
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        count += replay(argv[i]);
    }
    printf("replayed %u files\n", count);
    return 0;
}
