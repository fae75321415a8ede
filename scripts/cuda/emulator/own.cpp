// The program's own kernels, compiled from their source as one thread that does all the work.
#include "kernels.h"
#include "numbers.h"
#include <cmath>
#include <utility>

namespace {

#define KERNEL void
#define INSIDE inline
constexpr uint32_t LANES = 1;
uint64_t thread() { return 0; }
uint64_t threads() { return 1; }
uint32_t lane() { return 0; }
float sum_of_lanes(float x) { return x; }
float most_of_lanes(float x) { return x; }

#include "../../../core/clip/src/ops/kernels.cu"

template <typename... A, size_t... I> void call(void (*kernel)(A...), void **arguments, std::index_sequence<I...>) {
    kernel(*static_cast<A *>(arguments[I])...);
}
template <typename... A> bool call(void (*kernel)(A...), void **arguments) {
    call(kernel, arguments, std::index_sequence_for<A...>());
    return true;
}

} // namespace

bool launch_own(const std::string &name, void **arguments) {
#define OWN(kernel) if (name == #kernel) return call(kernel, arguments)
    OWN(resample_u8);
    OWN(planes_u8);
    OWN(patches_f16);
    OWN(tokens_f16);
    OWN(bias_1_f16);
    OWN(bias_8_f16);
    OWN(split_1_f16);
    OWN(split_8_f16);
    OWN(merge_1_f16);
    OWN(merge_8_f16);
    OWN(attention_f16);
    OWN(sum_norm_f16);
    return false;
}
