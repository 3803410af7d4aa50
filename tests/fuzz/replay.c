/* replay FOLDER: runs every file of a corpus through the fuzz target, and fails on an empty one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target.h"

/* A buffer of exactly the file's size, so that a sanitizer sees every byte that is read too far. */
static int replay(int folder, const char *name)
{
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
    struct stat status;
    uint8_t *data;
    size_t size;

    if (file < 0 || fstat(file, &status) != 0) {
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
        return 1;
    }
    size = (size_t)status.st_size;
    data = malloc(size > 0 ? size : 1);
    if (data == NULL || read(file, data, size) != (ssize_t)size) {
        fprintf(stderr, "%s: can't be read\n", name);
        free(data);
        close(file);
        return 1;
    }
    close(file);
    fprintf(stderr, "%s\n", name); /* the last name is the one that crashes */
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    const struct dirent *entry;
    int failures = 0, num_files = 0;

    if (folder == NULL) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        num_files++;
        failures += replay(dirfd(folder), entry->d_name);
    }
    closedir(folder);
    printf("%d files\n", num_files);
    return failures == 0 && num_files > 0 ? 0 : 1;
}
