/*
 * Runs a fuzz target on all files in a directory: fuzz_NAME [DIRECTORY]. The default is $FUZZ_CORPUS/NAME. With
 * libFuzzer, only the default is used this way, and arguments are those of libFuzzer. Each input is in a heap block of
 * exactly its size, so that AddressSanitizer detects reads beyond it. A missing or empty directory is a failure.
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

/* Returns the corpus directory of the program at this path, or NULL. */
static const char *find_corpus(const char *program)
{
    static char path[4096];
    const char *all = getenv("FUZZ_CORPUS"), *name = strrchr(program, '/');

    name = name ? name + 1 : program;
    if (!strncmp(name, "lt-", 3)) /* libtool's name for programs linked with libraries in the build directory */
        name += 3;
    if (!all || strncmp(name, "fuzz_", 5) || snprintf(path, sizeof path, "%s/%s", all, name + 5) >= (int)sizeof path)
        return NULL;
    return path;
}

/* @return the exit status */
static int replay(const char *corpus)
{
    DIR *directory = corpus ? opendir(corpus) : NULL;
    unsigned count = 0;
    struct dirent *entry;

    if (!directory) {
        fprintf(stderr, "no corpus: %s\n", corpus ? corpus : "specify its directory");
        return 1;
    }
    while ((entry = readdir(directory))) {
        char path[8192];

        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(path, sizeof path, "%s/%s", corpus, entry->d_name) >= (int)sizeof path)
            return 1;
        fprintf(stderr, "%s\n", path);
        run_file(path);
        count++;
    }
    closedir(directory);
    if (!count) {
        fprintf(stderr, "empty corpus: %s\n", corpus);
        return 1;
    }
    printf("%u inputs\n", count);
    return 0;
}

#ifdef FUZZERS

int LLVMFuzzerInitialize(int *argc, char ***argv);

/* libFuzzer's main function calls this first. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    if (*argc == 1 && getenv("FUZZ_CORPUS"))
        exit(replay(find_corpus((*argv)[0])));
    return 0;
}

#else

int main(int argc, char **argv)
{
    return replay(argc == 2 ? argv[1] : argc == 1 ? find_corpus(argv[0]) : NULL);
}

#endif
