// Makes calls of a program to the C library fail, as a bad disk, a full one or a careless neighbor would. Loaded with
// LD_PRELOAD by the tests; does nothing unless the environment says what to do:
//
//   FAULT        what fails and how: write-EIO, write-short, fsync-EIO, rename-ENOSPC, create-EMFILE, read-short, read-hang,
//                kill-any, ...
//   FAULT_PATH   only calls about files with this text in their path
//   FAULT_AFTER  how many matching calls succeed before
//   FAULT_TIMES  how many fail then; all if it is 0
//   FAULT_LOG    where a line is written for each call that failed
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static const char *call, *how, *part, *record;
static long after, times;
static atomic_long seen;

static const struct { const char *name; int number; } numbers[] = {
    {"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EFBIG", EFBIG},   {"EINTR", EINTR},
    {"EROFS", EROFS},   {"EACCES", EACCES}, {"EMFILE", EMFILE}, {"ENFILE", ENFILE}, {"ENOENT", ENOENT},
    {"EXDEV", EXDEV},   {"ENOLCK", ENOLCK}, {"EBUSY", EBUSY},   {"ESTALE", ESTALE}, {"ENOMEM", ENOMEM},
    {"EINVAL", EINVAL},
};

__attribute__((constructor)) static void begin(void) {
    char *what = getenv("FAULT");
    if (!what) return;
    what = strdup(what);
    char *dash = strchr(what, '-');
    if (!dash) return;
    *dash = 0;
    call = what;
    how = dash + 1;
    part = getenv("FAULT_PATH");
    record = getenv("FAULT_LOG");
    after = getenv("FAULT_AFTER") ? atol(getenv("FAULT_AFTER")) : 0;
    times = getenv("FAULT_TIMES") ? atol(getenv("FAULT_TIMES")) : 1;
}

static void note(const char *name, const char *path) {
    if (!record) return;
    int file = syscall(SYS_openat, AT_FDCWD, record, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) return;
    char line[600];
    int length = snprintf(line, sizeof line, "%s %s\n", name, path);
    syscall(SYS_write, file, line, (size_t)length);
    syscall(SYS_close, file);
}

// Whether this call is to fail: 0 if not, or else 1. Ends the program if that is what is to happen.
static int fails(const char *name, const char *path) {
    int kills = call && !strcmp(call, "kill");
    if (!call || (!kills && strcmp(call, name))) return 0;
    if (kills && strcmp(how, "any") && strcmp(how, name)) return 0;
    if (part && !strstr(path, part)) return 0;
    long count = atomic_fetch_add(&seen, 1);
    if (count < after || (times && count >= after + times)) return 0;
    note(name, path);
    if (kills) syscall(SYS_kill, getpid(), SIGKILL);
    // As on a server that is gone: the call does not return.
    while (!strcmp(how, "hang")) pause();
    return 1;
}

static int number(void) {
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!strcmp(numbers[i].name, how)) return numbers[i].number;
    return EIO;
}

static int file_fails(const char *name, int file) {
    if (!call) return 0;
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    long length = syscall(SYS_readlink, link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    // Files only: no pipes, sockets, memory or devices.
    if (path[0] != '/' || !strncmp(path, "/dev/", 5) || !strncmp(path, "/memfd", 6) || !strncmp(path, "/proc/", 6)) return 0;
    return fails(name, path);
}

#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)
#define FAIL(result) do { errno = number(); return result; } while (0)

ssize_t write(int file, const void *bytes, size_t count) {
    REAL(ssize_t, "write", int, const void *, size_t);
    if (file_fails("write", file)) {
        if (strcmp(how, "short")) FAIL(-1);
        return real(file, bytes, count > 1 ? count / 2 : count);
    }
    return real(file, bytes, count);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    if (file_fails("write", file)) {
        if (strcmp(how, "short")) FAIL(-1);
        return real(file, bytes, count > 1 ? count / 2 : count, at);
    }
    return real(file, bytes, count, at);
}

ssize_t read(int file, void *bytes, size_t count) {
    REAL(ssize_t, "read", int, void *, size_t);
    if (file_fails("read", file)) {
        if (!strcmp(how, "short")) return real(file, bytes, count > 1 ? count / 2 : count);
        if (!strcmp(how, "end")) return 0;
        FAIL(-1);
    }
    return real(file, bytes, count);
}

ssize_t pread64(int file, void *bytes, size_t count, off64_t at) {
    REAL(ssize_t, "pread64", int, void *, size_t, off64_t);
    if (file_fails("read", file)) {
        if (!strcmp(how, "short")) return real(file, bytes, count > 1 ? count / 2 : count, at);
        if (!strcmp(how, "end")) return 0;
        FAIL(-1);
    }
    return real(file, bytes, count, at);
}

ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *there, size_t count, unsigned flags) {
    REAL(ssize_t, "copy_file_range", int, off64_t *, int, off64_t *, size_t, unsigned);
    if (file_fails("copy", to)) FAIL(-1);
    return real(from, at, to, there, count, flags);
}

int fsync(int file) {
    REAL(int, "fsync", int);
    if (file_fails("fsync", file)) FAIL(-1);
    return real(file);
}

int fdatasync(int file) {
    REAL(int, "fdatasync", int);
    if (file_fails("fsync", file)) FAIL(-1);
    return real(file);
}

int ftruncate64(int file, off64_t length) {
    REAL(int, "ftruncate64", int, off64_t);
    if (file_fails("cut", file)) FAIL(-1);
    return real(file, length);
}

int flock(int file, int operation) {
    REAL(int, "flock", int, int);
    if (file_fails("lock", file)) FAIL(-1);
    return real(file, operation);
}

int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *);
    if (fails("rename", to)) FAIL(-1);
    return real(from, to);
}

int mkdir(const char *path, mode_t mode) {
    REAL(int, "mkdir", const char *, mode_t);
    if (fails("mkdir", path)) FAIL(-1);
    return real(path, mode);
}

int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    if (fails("unlink", path)) FAIL(-1);
    return real(path);
}

int link(const char *from, const char *to) {
    REAL(int, "link", const char *, const char *);
    if (fails("link", to)) FAIL(-1);
    return real(from, to);
}

int open64(const char *path, int flags, ...) {
    REAL(int, "open64", const char *, int, ...);
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
    }
    if (fails(flags & O_CREAT ? "create" : "open", path)) FAIL(-1);
    return real(path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    REAL(int, "openat64", int, const char *, int, ...);
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
    }
    if (fails(flags & O_CREAT ? "create" : "open", path)) FAIL(-1);
    return real(folder, path, flags, mode);
}
