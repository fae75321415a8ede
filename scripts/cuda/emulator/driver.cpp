// An emulated libcuda.so.1: the driver's functions that cudarc calls, on the memory of the computer, without a card.
//
//   EMULATED_GPU_MEMORY    bytes of the card's memory [1 GiB]
//   EMULATED_GPU_DEVICES   number of cards [1]
//   EMULATED_GPU_DRIVER    version of the driver [13000]
//   EMULATED_GPU_ARCH      compute capability [90]
//   EMULATED_GPU_FAIL      calls that fail: NAME=CODE, or NAME#3=CODE for the third one only, separated by commas
//   EMULATED_GPU_CONTEXT   bytes of that memory that a context takes, which are not part of what is counted as the peak [0]
//   EMULATED_GPU_SHARED    file through which programs share the card's memory
//   EMULATED_GPU_LOG       file for what was counted, as JSON, written when the program ends
//
// All work is done at once in the order of the calls. Work in more than one stream is counted, since a card would not order
// it. So are copies from page-locked memory, which a card makes later: those that it could still be reading at a time, and those
// of which the source changed before the program waited for them.
#include "kernels.h"
#include "state.h"
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace {

std::mutex lock;
size_t used, peak, uploaded, downloaded;
// Work that was given to streams so far. What an event that was recorded waits for.
size_t given;
std::map<void *, size_t> recorded;
// Page-locked memory.
std::map<uintptr_t, size_t> locked;
// Copies from it that the program has not waited for.
struct Reading {
    const unsigned char *from;
    size_t bytes, number;
    uint64_t digest;
};
std::vector<Reading> reading;
size_t from_locked, most_at_once, torn;
std::map<std::string, size_t> calls, launched;
std::set<void *> streams;
std::map<uint64_t, size_t> blocks;
std::set<void *> functions;
uintptr_t handles = 16;

const char *setting(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}
size_t number(const char *name, const char *otherwise) { return strtoull(setting(name, otherwise), nullptr, 10); }
size_t memory() { return number("EMULATED_GPU_MEMORY", "1073741824"); }

void report() {
    const char *path = getenv("EMULATED_GPU_LOG");
    FILE *file = path && *path ? fopen(path, "w") : nullptr;
    if (!file) return;
    size_t all = 0;
    for (auto &[name, count] : launched) all += name == "upload" || name == "download" ? 0 : count;
    fprintf(file, "{\"launches\": %zu, \"uploaded\": %zu, \"downloaded\": %zu, \"peak\": %zu, \"left\": %zu, \"streams\": %zu",
            all, uploaded, downloaded, peak, used, streams.size());
    fprintf(file, ", \"from_locked\": %zu, \"most_at_once\": %zu, \"torn\": %zu", from_locked, most_at_once, torn);
    for (auto *counts : {&launched, &calls}) {
        fprintf(file, ", \"%s\": {", counts == &launched ? "kernels" : "calls");
        const char *between = "";
        for (auto &[name, count] : *counts) fprintf(file, "%s\"%s\": %zu", between, name.c_str(), count), between = ", ";
        fprintf(file, "}");
    }
    fprintf(file, "}\n");
    fclose(file);
}

// What all programs on the card use.
std::atomic<size_t> &used_by_all() {
    static std::atomic<size_t> alone;
    static auto *all = [] {
        const char *path = setting("EMULATED_GPU_SHARED", "");
        int file = *path ? open(path, O_RDWR | O_CREAT, 0600) : -1;
        if (file < 0 || ftruncate(file, sizeof alone)) return &alone;
        void *map = mmap(nullptr, sizeof alone, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        return map == MAP_FAILED ? &alone : static_cast<std::atomic<size_t> *>(map);
    }();
    return *all;
}

// How often the context of each card is held.
std::map<int, size_t> contexts;
size_t of_contexts() { return contexts.size() * number("EMULATED_GPU_CONTEXT", "0"); }

// A driver takes back what a program leaves.
void leave() { used_by_all() -= used + of_contexts(); }

struct AtExit {
    AtExit() {
        atexit(leave);
        atexit(report);
    }
} at_exit;

int allocate(uint64_t *out, size_t bytes) {
    std::lock_guard<std::mutex> guard(lock);
    if (used_by_all() += bytes; used_by_all() > memory()) {
        used_by_all() -= bytes;
        return 2;
    }
    void *made = nullptr;
    // Not zeroed, so that what is read before it is written shows.
    if (posix_memalign(&made, 256, bytes ? bytes : 1)) return 2;
    memset(made, 0xff, bytes);
    *out = reinterpret_cast<uint64_t>(made);
    blocks[*out] = bytes;
    used += bytes;
    if (used > peak) peak = used;
    return 0;
}

int release(uint64_t at) {
    std::lock_guard<std::mutex> guard(lock);
    auto found = blocks.find(at);
    if (found == blocks.end()) return 1;
    used -= found->second;
    used_by_all() -= found->second;
    blocks.erase(found);
    free(reinterpret_cast<void *>(at));
    return 0;
}

// Whether all of it is in one block of the card's memory.
bool inside(uint64_t at, size_t bytes) {
    std::lock_guard<std::mutex> guard(lock);
    auto next = blocks.upper_bound(at);
    if (next == blocks.begin()) return bytes == 0;
    --next;
    return at + bytes <= next->first + next->second;
}

uint64_t digest(const unsigned char *at, size_t bytes) {
    uint64_t value = 14695981039346656037u;
    for (size_t i = 0; i < bytes; i++) value = (value ^ at[i]) * 1099511628211u;
    return value;
}

bool is_locked(const void *at, size_t bytes) {
    auto next = locked.upper_bound(uintptr_t(at));
    if (next == locked.begin()) return false;
    --next;
    return uintptr_t(at) + bytes <= next->first + next->second;
}

// The program has waited for the work up to that number.
void waited(size_t number) {
    std::vector<Reading> left;
    for (auto &one : reading) {
        if (one.number > number) left.push_back(one);
        else torn += digest(one.from, one.bytes) != one.digest;
    }
    reading = left;
}

template <typename T> int give(T **out) {
    std::lock_guard<std::mutex> guard(lock);
    *out = reinterpret_cast<T *>(handles += 16);
    return 0;
}

} // namespace

extern "C" {

int emulated_call(const char *name) {
    std::lock_guard<std::mutex> guard(lock);
    size_t count = ++calls[name];
    std::string all = setting("EMULATED_GPU_FAIL", "");
    for (size_t start = 0; start < all.size();) {
        size_t end = all.find(',', start);
        if (end == std::string::npos) end = all.size();
        std::string one = all.substr(start, end - start);
        start = end + 1;
        size_t equals = one.find('='), hash = one.find('#');
        if (equals == std::string::npos) continue;
        std::string what = one.substr(0, hash < equals ? hash : equals);
        bool now = hash > equals || strtoull(one.c_str() + hash + 1, nullptr, 10) == count;
        if (what == name && now) return atoi(one.c_str() + equals + 1);
    }
    return 0;
}

void emulated_work(const char *what, void *stream) {
    std::lock_guard<std::mutex> guard(lock);
    launched[what]++;
    given++;
    streams.insert(stream);
}

#define BEGIN if (int failed = emulated_call(__func__)) return failed

int cuInit(unsigned) {
    BEGIN;
    return number("EMULATED_GPU_DEVICES", "1") ? 0 : 100;
}
int cuDriverGetVersion(int *out) {
    BEGIN;
    *out = int(number("EMULATED_GPU_DRIVER", "13000"));
    return 0;
}
int cuDeviceGetCount(int *out) {
    BEGIN;
    *out = int(number("EMULATED_GPU_DEVICES", "1"));
    return 0;
}
int cuDeviceGet(int *out, int ordinal) {
    BEGIN;
    if (ordinal < 0 || ordinal >= int(number("EMULATED_GPU_DEVICES", "1"))) return 101;
    *out = ordinal;
    return 0;
}
int cuDeviceGetName(char *out, int length, int) {
    BEGIN;
    snprintf(out, size_t(length), "emulated");
    return 0;
}
int cuDeviceGetAttribute(int *out, int attribute, int) {
    BEGIN;
    int arch = int(number("EMULATED_GPU_ARCH", "90"));
    // Memory pools; major and minor compute capability.
    *out = attribute == 115 ? 1 : attribute == 75 ? arch / 10 : attribute == 76 ? arch % 10 : 0;
    return 0;
}
int cuDeviceTotalMem_v2(size_t *out, int) {
    BEGIN;
    *out = memory();
    return 0;
}
int cuDevicePrimaryCtxRetain(void **out, int ordinal) {
    BEGIN;
    std::lock_guard<std::mutex> guard(lock);
    if (!contexts.count(ordinal)) {
        size_t bytes = number("EMULATED_GPU_CONTEXT", "0");
        if (used_by_all() += bytes; used_by_all() > memory()) {
            used_by_all() -= bytes;
            return 2;
        }
    }
    contexts[ordinal]++;
    *out = reinterpret_cast<void *>(uintptr_t(1 + ordinal));
    return 0;
}
int cuDevicePrimaryCtxRelease_v2(int ordinal) {
    BEGIN;
    std::lock_guard<std::mutex> guard(lock);
    auto found = contexts.find(ordinal);
    if (found == contexts.end()) return 201;
    if (--found->second) return 0;
    contexts.erase(found);
    used_by_all() -= number("EMULATED_GPU_CONTEXT", "0");
    return 0;
}
int cuCtxSetCurrent(void *) { BEGIN; return 0; }
int cuCtxGetCurrent(void **out) {
    BEGIN;
    *out = reinterpret_cast<void *>(1);
    return 0;
}
int cuCtxSynchronize(void) { BEGIN; return 0; }
int cuMemGetInfo_v2(size_t *unused, size_t *total) {
    BEGIN;
    *total = memory();
    size_t taken = used_by_all();
    *unused = taken < memory() ? memory() - taken : 0;
    return 0;
}
int cuDeviceGetDefaultMemPool(void **out, int) {
    BEGIN;
    *out = reinterpret_cast<void *>(1);
    return 0;
}
int cuMemPoolTrimTo(void *, size_t) { BEGIN; return 0; }
int cuMemPoolSetAttribute(void *, int, void *) { BEGIN; return 0; }
int cuMemAllocAsync(uint64_t *out, size_t bytes, void *) {
    BEGIN;
    return allocate(out, bytes);
}
int cuMemAlloc_v2(uint64_t *out, size_t bytes) {
    BEGIN;
    return allocate(out, bytes);
}
int cuMemFreeAsync(uint64_t at, void *) {
    BEGIN;
    return release(at);
}
int cuMemFree_v2(uint64_t at) {
    BEGIN;
    return release(at);
}
int cuMemHostAlloc(void **out, size_t bytes, unsigned) {
    BEGIN;
    *out = malloc(bytes);
    std::lock_guard<std::mutex> guard(lock);
    locked[uintptr_t(*out)] = bytes;
    return *out ? 0 : 2;
}
int cuMemFreeHost(void *at) {
    BEGIN;
    std::lock_guard<std::mutex> guard(lock);
    for (auto &one : reading) torn += is_locked(one.from, 1) && locked.upper_bound(uintptr_t(one.from)) == locked.upper_bound(uintptr_t(at));
    locked.erase(uintptr_t(at));
    free(at);
    return 0;
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream) {
    BEGIN;
    if (!inside(to, bytes)) return 700;
    emulated_work("upload", stream);
    {
        std::lock_guard<std::mutex> guard(lock);
        uploaded += bytes;
        if (is_locked(from, bytes)) {
            auto *start = static_cast<const unsigned char *>(from);
            reading.push_back({start, bytes, given, digest(start, bytes)});
            from_locked += bytes;
            if (reading.size() > most_at_once) most_at_once = reading.size();
        }
    }
    memcpy(reinterpret_cast<void *>(to), from, bytes);
    return 0;
}
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) {
    BEGIN;
    if (!inside(from, bytes)) return 700;
    emulated_work("download", stream);
    {
        // Into memory that is not page-locked: the driver returns when it is there.
        std::lock_guard<std::mutex> guard(lock);
        downloaded += bytes;
        if (!is_locked(to, bytes)) waited(given);
    }
    memcpy(to, reinterpret_cast<void *>(from), bytes);
    return 0;
}
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void *stream) {
    BEGIN;
    if (!inside(to, bytes) || !inside(from, bytes)) return 700;
    emulated_work("copy", stream);
    memmove(reinterpret_cast<void *>(to), reinterpret_cast<void *>(from), bytes);
    return 0;
}
int cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, void *stream) {
    BEGIN;
    if (!inside(to, bytes)) return 700;
    emulated_work("memset", stream);
    memset(reinterpret_cast<void *>(to), value, bytes);
    return 0;
}
int cuStreamCreate(void **out, unsigned) {
    BEGIN;
    return give(out);
}
int cuStreamDestroy_v2(void *) { BEGIN; return 0; }
int cuStreamSynchronize(void *) {
    BEGIN;
    std::lock_guard<std::mutex> guard(lock);
    waited(given);
    return 0;
}
int cuStreamWaitEvent(void *, void *, unsigned) { BEGIN; return 0; }
int cuStreamIsCapturing(void *, int *out) {
    BEGIN;
    *out = 0;
    return 0;
}
int cuEventCreate(void **out, unsigned) {
    BEGIN;
    return give(out);
}
int cuEventRecord(void *event, void *) {
    BEGIN;
    std::lock_guard<std::mutex> guard(lock);
    recorded[event] = given;
    return 0;
}
int cuEventSynchronize(void *event) {
    BEGIN;
    std::lock_guard<std::mutex> guard(lock);
    waited(recorded[event]);
    return 0;
}
int cuEventDestroy_v2(void *) { BEGIN; return 0; }
int cuModuleLoadData(void **out, const void *image) {
    BEGIN;
    // As a driver: code for a later or for one particular architecture does not load.
    const char *target = strstr(static_cast<const char *>(image), ".target sm_");
    if (target) {
        char *end;
        long wanted = strtol(target + 11, &end, 10), arch = long(number("EMULATED_GPU_ARCH", "90"));
        if (wanted > arch || (*end == 'a' && wanted != arch)) return 209;
    }
    return give(out);
}
int cuModuleUnload(void *) { BEGIN; return 0; }
int cuModuleGetFunction(void **out, void *, const char *name) {
    BEGIN;
    static std::map<std::string, std::string *> known;
    std::lock_guard<std::mutex> guard(lock);
    auto *&kept = known[name];
    if (!kept) kept = new std::string(name);
    *out = kept;
    return 0;
}
int cuFuncSetAttribute(void *, int, int) { BEGIN; return 0; }
int cuLaunchKernel(void *function, unsigned blocks, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *stream,
                   void **arguments, void **) {
    BEGIN;
    auto &name = *static_cast<std::string *>(function);
    emulated_work(name.c_str(), stream);
    if (launch(name, blocks, arguments)) return 0;
    fprintf(stderr, "the emulated GPU has no kernel %s\n", name.c_str());
    return 500;
}
int cuGetErrorName(int, const char **out) {
    *out = "emulated";
    return 0;
}
int cuGetErrorString(int code, const char **out) {
    static thread_local char text[64];
    snprintf(text, sizeof text, "emulated error %d", code);
    *out = text;
    return 0;
}
}
