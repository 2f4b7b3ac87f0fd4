/*
 * Runs a fuzz target over the files of a directory, without libFuzzer: replay [DIRECTORY], by default
 * FUZZ_NAME below the directory that the environment variable FUZZ_CORPUS names. Each input lies in a heap
 * block of exactly its size, so that AddressSanitizer sees a read of one byte too many. No directory, or an
 * empty one, is a failure: a corpus that got lost must not look like a pass.
 */
#include <dirent.h>
#include "fuzz.h"

#define INPUT_MAX (1 << 20)

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *whole = malloc(INPUT_MAX), *block;
    size_t size = 0;

    if (file == NULL || whole == NULL) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    size = fread(whole, 1, INPUT_MAX, file);
    if (ferror(file) || !feof(file)) {
        fprintf(stderr, "cannot read all of %s\n", path);
        exit(1);
    }
    fclose(file);
    block = malloc(size > 0 ? size : 1);
    CHECK(block != NULL);
    memcpy(block, whole, size);
    free(whole);
    LLVMFuzzerTestOneInput(size > 0 ? block : block + 1, size);
    free(block);
}

/* The directory of the corpus, or NULL. */
static const char *find_corpus(int argc, char **argv)
{
    static char path[4096];
    const char *all = getenv("FUZZ_CORPUS");

    if (argc == 2) {
        return argv[1];
    }
    if (argc != 1 || all == NULL || snprintf(path, sizeof path, "%s/%s", all, FUZZ_NAME) >= (int)sizeof path) {
        return NULL;
    }
    return path;
}

int main(int argc, char **argv)
{
    const char *corpus = find_corpus(argc, argv);
    unsigned count = 0;
    struct dirent *entry;
    DIR *directory;

    if (corpus == NULL || (directory = opendir(corpus)) == NULL) {
        fprintf(stderr, "no corpus: %s\n", corpus != NULL ? corpus : "name its directory");
        return 1;
    }
    while ((entry = readdir(directory)) != NULL) {
        char path[8192];

        if (entry->d_name[0] == '.') {
            continue;
        }
        if (snprintf(path, sizeof path, "%s/%s", corpus, entry->d_name) >= (int)sizeof path) {
            return 1;
        }
        fprintf(stderr, "%s\n", path);
        run_file(path);
        count++;
    }
    closedir(directory);
    if (count == 0) {
        fprintf(stderr, "empty corpus: %s\n", corpus);
        return 1;
    }
    printf("%u inputs\n", count);
    return 0;
}
