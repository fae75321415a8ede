// An emulated libcuda.so.1: the driver's functions that cudarc calls, on the memory of the computer, without a card.
//
//   EMULATED_GPU_DEVICES   number of cards [1]
//   EMULATED_GPU_MEMORY    bytes of a card's memory [1 GiB]; 2000,1000 are those of the first and of all others
//   EMULATED_GPU_ARCH      compute capability [90], in the same way
//   EMULATED_GPU_NAME      name [emulated], in the same way
//   EMULATED_GPU_DRIVER    version of the driver [13000]
//   EMULATED_GPU_FAIL      calls that fail, separated by commas: NAME=CODE, NAME#3=CODE for the third one only, NAME#3+=CODE from the
//                          third one on. NAME@1 counts those on card 1 only, and * is every call
//   EMULATED_GPU_CONTEXT   bytes of that memory that a context takes, which are not part of what is counted as the peak [0]
//   EMULATED_GPU_SHARED    file through which programs share the card's memory
//   EMULATED_GPU_LOG       file for what was counted, as JSON, written when the program ends
//
// All work is done at once in the order of the calls. Work in more than one stream of a card is counted, since a card would not
// order it. What belongs to one card and is used on another, or while another's context is current, fails. Counted are, too, copies from page-locked memory, which a card makes later: those that it could still be reading at a time, and those
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

constexpr int MOST_CARDS = 16;

std::mutex lock;
size_t uploaded, downloaded;
struct Card {
    size_t used, peak, launches;
    // Work that was given to its streams so far.
    size_t given;
    std::set<void *> streams;
    std::map<std::string, size_t> calls;
    size_t all_calls;
} cards[MOST_CARDS];
// The card whose context is current in a thread, and one more; 0 if none is.
thread_local int current;
int this_card() { return current > 0 ? current - 1 : 0; }
// Whose something is.
std::map<void *, int> owner_of_stream, owner_of_module;
// The card and the work on it that an event that was recorded waits for.
struct Mark {
    int card;
    size_t number;
};
std::map<void *, Mark> recorded;
// Page-locked memory.
std::map<uintptr_t, size_t> locked;
// Copies from it that the program has not waited for.
struct Reading {
    const unsigned char *from;
    size_t bytes, number;
    uint64_t digest;
    int card;
};
std::vector<Reading> reading;
size_t from_locked, most_at_once, torn;
std::map<std::string, size_t> calls, launched;
struct Block {
    size_t bytes;
    int card;
};
std::map<uint64_t, Block> blocks;
struct Function {
    std::string name;
    int card;
};
uintptr_t handles = 16;

const char *setting(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}
size_t number(const char *name, const char *otherwise) { return strtoull(setting(name, otherwise), nullptr, 10); }
int devices() { return int(number("EMULATED_GPU_DEVICES", "1")); }
// The part of a setting that is about a card: one of several with commas between, of which the last counts for all others.
std::string of_card(const char *name, const char *otherwise, int card) {
    std::string all = setting(name, otherwise);
    size_t start = 0;
    for (size_t comma; card-- > 0 && (comma = all.find(',', start)) != std::string::npos;) start = comma + 1;
    return all.substr(start, all.find(',', start) - start);
}
size_t memory(int card) { return strtoull(of_card("EMULATED_GPU_MEMORY", "1073741824", card).c_str(), nullptr, 10); }
int arch(int card) { return atoi(of_card("EMULATED_GPU_ARCH", "90", card).c_str()); }
int owner(const std::map<void *, int> &of, void *what) {
    auto found = of.find(what);
    return found == of.end() ? this_card() : found->second;
}
int of_stream(void *stream) {
    std::lock_guard<std::mutex> guard(lock);
    return owner(owner_of_stream, stream);
}

void report() {
    const char *path = getenv("EMULATED_GPU_LOG");
    FILE *file = path && *path ? fopen(path, "w") : nullptr;
    if (!file) return;
    size_t all = 0, peak = 0, used = 0, streams = 0;
    for (auto &[name, count] : launched) all += name == "upload" || name == "download" ? 0 : count;
    for (auto &card : cards) {
        used += card.used;
        if (card.peak > peak) peak = card.peak;
        if (card.streams.size() > streams) streams = card.streams.size();
    }
    // The peak and the streams are those of the card that has most.
    fprintf(file, "{\"launches\": %zu, \"uploaded\": %zu, \"downloaded\": %zu, \"peak\": %zu, \"left\": %zu, \"streams\": %zu",
            all, uploaded, downloaded, peak, used, streams);
    fprintf(file, ", \"cards\": [");
    for (int card = 0; card < devices() && card < MOST_CARDS; card++)
        fprintf(file, "%s{\"launches\": %zu, \"peak\": %zu, \"calls\": %zu}", card ? ", " : "", cards[card].launches,
                cards[card].peak, cards[card].all_calls);
    fprintf(file, "]");
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

// What all programs on a card use.
std::atomic<size_t> &used_by_all(int card) {
    static std::atomic<size_t> alone[MOST_CARDS];
    static auto *all = [] {
        const char *path = setting("EMULATED_GPU_SHARED", "");
        int file = *path ? open(path, O_RDWR | O_CREAT, 0600) : -1;
        if (file < 0 || ftruncate(file, sizeof alone)) return alone;
        void *map = mmap(nullptr, sizeof alone, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        return map == MAP_FAILED ? alone : static_cast<std::atomic<size_t> *>(map);
    }();
    return all[card];
}

// How often the context of each card is held.
std::map<int, size_t> contexts;
size_t of_context() { return number("EMULATED_GPU_CONTEXT", "0"); }

// A driver takes back what a program leaves.
void leave() {
    for (int card = 0; card < MOST_CARDS; card++)
        used_by_all(card) -= cards[card].used + (contexts.count(card) ? of_context() : 0);
}

struct AtExit {
    AtExit() {
        atexit(leave);
        atexit(report);
    }
} at_exit;

int allocate(uint64_t *out, size_t bytes, int on) {
    std::lock_guard<std::mutex> guard(lock);
    if (used_by_all(on) += bytes; used_by_all(on) > memory(on)) {
        used_by_all(on) -= bytes;
        return 2;
    }
    void *made = nullptr;
    // Not zeroed, so that what is read before it is written shows.
    if (posix_memalign(&made, 256, bytes ? bytes : 1)) return 2;
    memset(made, 0xff, bytes);
    *out = reinterpret_cast<uint64_t>(made);
    blocks[*out] = {bytes, on};
    auto &card = cards[on];
    card.used += bytes;
    if (card.used > card.peak) card.peak = card.used;
    return 0;
}

int release(uint64_t at) {
    std::lock_guard<std::mutex> guard(lock);
    auto found = blocks.find(at);
    if (found == blocks.end()) return 1;
    cards[found->second.card].used -= found->second.bytes;
    used_by_all(found->second.card) -= found->second.bytes;
    blocks.erase(found);
    free(reinterpret_cast<void *>(at));
    return 0;
}

// Whether all of it is in one block of the memory of that stream's card.
bool inside(uint64_t at, size_t bytes, void *stream) {
    std::lock_guard<std::mutex> guard(lock);
    auto next = blocks.upper_bound(at);
    if (next == blocks.begin()) return bytes == 0;
    --next;
    return at + bytes <= next->first + next->second.bytes && next->second.card == owner(owner_of_stream, stream);
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

// The program has waited for the work on a card up to that number.
void waited(Mark mark) {
    std::vector<Reading> left;
    for (auto &one : reading) {
        if (one.card != mark.card || one.number > mark.number) left.push_back(one);
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

int emulated_card(void) { return this_card(); }

int emulated_call_on(const char *name, int on) {
    std::lock_guard<std::mutex> guard(lock);
    if (on < 0 || on >= MOST_CARDS) return 101;
    size_t count = ++calls[name], here = ++cards[on].calls[name], any = ++cards[on].all_calls;
    std::string all = setting("EMULATED_GPU_FAIL", "");
    for (size_t start = 0; start < all.size();) {
        size_t end = all.find(',', start);
        if (end == std::string::npos) end = all.size();
        std::string one = all.substr(start, end - start);
        start = end + 1;
        size_t equals = one.find('=');
        if (equals == std::string::npos) continue;
        std::string what = one.substr(0, equals);
        int code = atoi(one.c_str() + equals + 1);
        bool onwards = !what.empty() && what.back() == '+';
        size_t wanted = 0;
        if (size_t hash = what.find('#'); hash != std::string::npos) {
            wanted = strtoull(what.c_str() + hash + 1, nullptr, 10);
            what.resize(hash);
        }
        bool of_one = false;
        if (size_t at = what.find('@'); at != std::string::npos) {
            of_one = true;
            if (atoi(what.c_str() + at + 1) != on) continue;
            what.resize(at);
        }
        if (what != "*" && what != name) continue;
        // It asks the thread and no card.
        if (what == "*" && !strcmp(name, "cuCtxGetCurrent")) continue;
        size_t number = what == "*" ? any : of_one ? here : count;
        if (wanted && (onwards ? number < wanted : number != wanted)) continue;
        // The other libraries have codes of their own.
        if (what == "*" && !strncmp(name, "cublas", 6)) return 14;
        if (what == "*" && !strncmp(name, "curand", 6)) return 999;
        return code;
    }
    return 0;
}

int emulated_call(const char *name) { return emulated_call_on(name, this_card()); }

void emulated_work(const char *what, void *stream) {
    std::lock_guard<std::mutex> guard(lock);
    auto &card = cards[owner(owner_of_stream, stream)];
    launched[what]++;
    card.given++;
    card.streams.insert(stream);
    if (strcmp(what, "upload") && strcmp(what, "download")) card.launches++;
}

#define BEGIN if (int failed = emulated_call(__func__)) return failed
// Of calls that are about a card, whatever is current.
#define BEGIN_ON(card) if (int failed = emulated_call_on(__func__, card)) return failed

int cuInit(unsigned) {
    BEGIN;
    return devices() ? 0 : 100;
}
int cuDriverGetVersion(int *out) {
    BEGIN;
    *out = int(number("EMULATED_GPU_DRIVER", "13000"));
    return 0;
}
int cuDeviceGetCount(int *out) {
    BEGIN;
    *out = devices();
    return 0;
}
int cuDeviceGet(int *out, int ordinal) {
    if (ordinal < 0 || ordinal >= devices()) return 101;
    BEGIN_ON(ordinal);
    *out = ordinal;
    return 0;
}
int cuDeviceGetName(char *out, int length, int card) {
    BEGIN_ON(card);
    snprintf(out, size_t(length), "%s", of_card("EMULATED_GPU_NAME", "emulated", card).c_str());
    return 0;
}
int cuDeviceGetAttribute(int *out, int attribute, int card) {
    BEGIN_ON(card);
    // Memory pools; major and minor compute capability.
    *out = attribute == 115 ? 1 : attribute == 75 ? arch(card) / 10 : attribute == 76 ? arch(card) % 10 : 0;
    return 0;
}
int cuDeviceTotalMem_v2(size_t *out, int card) {
    BEGIN_ON(card);
    *out = memory(card);
    return 0;
}
int cuDevicePrimaryCtxRetain(void **out, int ordinal) {
    BEGIN_ON(ordinal);
    std::lock_guard<std::mutex> guard(lock);
    if (!contexts.count(ordinal)) {
        size_t bytes = of_context();
        if (used_by_all(ordinal) += bytes; used_by_all(ordinal) > memory(ordinal)) {
            used_by_all(ordinal) -= bytes;
            return 2;
        }
    }
    contexts[ordinal]++;
    *out = reinterpret_cast<void *>(uintptr_t(1 + ordinal));
    return 0;
}
int cuDevicePrimaryCtxRelease_v2(int ordinal) {
    BEGIN_ON(ordinal);
    std::lock_guard<std::mutex> guard(lock);
    auto found = contexts.find(ordinal);
    if (found == contexts.end()) return 201;
    if (--found->second) return 0;
    contexts.erase(found);
    used_by_all(ordinal) -= of_context();
    return 0;
}
int cuCtxSetCurrent(void *context) {
    BEGIN_ON(context ? int(uintptr_t(context)) - 1 : this_card());
    current = int(uintptr_t(context));
    return 0;
}
int cuCtxGetCurrent(void **out) {
    BEGIN;
    *out = reinterpret_cast<void *>(uintptr_t(current));
    return 0;
}
int cuCtxSynchronize(void) { BEGIN; return 0; }
int cuMemGetInfo_v2(size_t *unused, size_t *total) {
    BEGIN;
    *total = memory(this_card());
    size_t taken = used_by_all(this_card());
    *unused = taken < *total ? *total - taken : 0;
    return 0;
}
int cuDeviceGetDefaultMemPool(void **out, int card) {
    BEGIN_ON(card);
    *out = reinterpret_cast<void *>(uintptr_t(1 + card));
    return 0;
}
int cuMemPoolTrimTo(void *pool, size_t) {
    BEGIN_ON(int(uintptr_t(pool)) - 1);
    return 0;
}
int cuMemPoolSetAttribute(void *pool, int, void *) {
    BEGIN_ON(int(uintptr_t(pool)) - 1);
    return 0;
}
int cuMemAllocAsync(uint64_t *out, size_t bytes, void *stream) {
    BEGIN_ON(of_stream(stream));
    return allocate(out, bytes, of_stream(stream));
}
int cuMemAlloc_v2(uint64_t *out, size_t bytes) {
    BEGIN;
    return allocate(out, bytes, this_card());
}
int cuMemFreeAsync(uint64_t at, void *stream) {
    BEGIN_ON(of_stream(stream));
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
    BEGIN_ON(of_stream(stream));
    if (!inside(to, bytes, stream)) return 700;
    emulated_work("upload", stream);
    {
        std::lock_guard<std::mutex> guard(lock);
        uploaded += bytes;
        if (is_locked(from, bytes)) {
            auto *start = static_cast<const unsigned char *>(from);
            int card = owner(owner_of_stream, stream);
            reading.push_back({start, bytes, cards[card].given, digest(start, bytes), card});
            from_locked += bytes;
            if (reading.size() > most_at_once) most_at_once = reading.size();
        }
    }
    memcpy(reinterpret_cast<void *>(to), from, bytes);
    return 0;
}
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) {
    BEGIN_ON(of_stream(stream));
    if (!inside(from, bytes, stream)) return 700;
    emulated_work("download", stream);
    {
        // Into memory that is not page-locked: the driver returns when it is there.
        std::lock_guard<std::mutex> guard(lock);
        downloaded += bytes;
        int card = owner(owner_of_stream, stream);
        if (!is_locked(to, bytes)) waited({card, cards[card].given});
    }
    memcpy(to, reinterpret_cast<void *>(from), bytes);
    return 0;
}
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void *stream) {
    BEGIN_ON(of_stream(stream));
    if (!inside(to, bytes, stream) || !inside(from, bytes, stream)) return 700;
    emulated_work("copy", stream);
    memmove(reinterpret_cast<void *>(to), reinterpret_cast<void *>(from), bytes);
    return 0;
}
int cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, void *stream) {
    BEGIN_ON(of_stream(stream));
    if (!inside(to, bytes, stream)) return 700;
    emulated_work("memset", stream);
    memset(reinterpret_cast<void *>(to), value, bytes);
    return 0;
}
int cuStreamCreate(void **out, unsigned) {
    BEGIN;
    int failed = give(out);
    std::lock_guard<std::mutex> guard(lock);
    owner_of_stream[*out] = this_card();
    return failed;
}
int cuStreamDestroy_v2(void *stream) {
    BEGIN_ON(of_stream(stream));
    return 0;
}
int cuStreamSynchronize(void *stream) {
    BEGIN_ON(of_stream(stream));
    std::lock_guard<std::mutex> guard(lock);
    int card = owner(owner_of_stream, stream);
    waited({card, cards[card].given});
    return 0;
}
int cuStreamWaitEvent(void *stream, void *, unsigned) {
    BEGIN_ON(of_stream(stream));
    return 0;
}
int cuStreamIsCapturing(void *stream, int *out) {
    BEGIN_ON(of_stream(stream));
    *out = 0;
    return 0;
}
int cuEventCreate(void **out, unsigned) {
    BEGIN;
    return give(out);
}
int cuEventRecord(void *event, void *stream) {
    BEGIN_ON(of_stream(stream));
    std::lock_guard<std::mutex> guard(lock);
    int card = owner(owner_of_stream, stream);
    recorded[event] = {card, cards[card].given};
    return 0;
}
int cuEventSynchronize(void *event) {
    Mark mark;
    {
        std::lock_guard<std::mutex> guard(lock);
        auto found = recorded.find(event);
        mark = found == recorded.end() ? Mark{this_card(), 0} : found->second;
    }
    BEGIN_ON(mark.card);
    std::lock_guard<std::mutex> guard(lock);
    waited(mark);
    return 0;
}
int cuEventDestroy_v2(void *) { BEGIN; return 0; }
int cuModuleLoadData(void **out, const void *image) {
    BEGIN;
    // As a driver: code for a later or for one particular architecture does not load.
    const char *target = strstr(static_cast<const char *>(image), ".target sm_");
    if (target) {
        char *end;
        long wanted = strtol(target + 11, &end, 10), here = arch(this_card());
        if (wanted > here || (*end == 'a' && wanted != here)) return 209;
    }
    int failed = give(out);
    std::lock_guard<std::mutex> guard(lock);
    owner_of_module[*out] = this_card();
    return failed;
}
int cuModuleUnload(void *) { BEGIN; return 0; }
int cuModuleGetFunction(void **out, void *module, const char *name) {
    BEGIN;
    static std::map<std::pair<int, std::string>, Function *> known;
    std::lock_guard<std::mutex> guard(lock);
    int card = owner(owner_of_module, module);
    auto *&kept = known[{card, name}];
    if (!kept) kept = new Function{name, card};
    *out = kept;
    return 0;
}
int cuFuncSetAttribute(void *, int, int) { BEGIN; return 0; }
int cuLaunchKernel(void *function, unsigned blocks, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *stream,
                   void **arguments, void **) {
    BEGIN_ON(of_stream(stream));
    auto &[name, card] = *static_cast<Function *>(function);
    if (card != of_stream(stream) || card != this_card()) {
        fprintf(stderr, "%s of card %d was launched on card %d while card %d is current\n", name.c_str(), card, of_stream(stream),
                this_card());
        return 400;
    }
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
