// An emulated libcublas.so.13: products as cuBLAS computes them, in single precision, rounded once at the end. How its sums
// are divided depends on the shape, as on a card.
//
//   EMULATED_GPU_WRONG     1: products are wrong, as on a broken card
#include "numbers.h"
#include "state.h"
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

struct Handle {
    int card;
    void *stream;
};

float read(const void *at, int type, size_t index) {
    switch (type) {
    case 0: return static_cast<const float *>(at)[index];
    case 2: return static_cast<const Half *>(at)[index];
    default: return static_cast<const Bf16 *>(at)[index];
    }
}

void write(void *at, int type, size_t index, float value) {
    switch (type) {
    case 0: static_cast<float *>(at)[index] = value; break;
    case 2: static_cast<Half *>(at)[index] = Half(value); break;
    default: static_cast<Bf16 *>(at)[index] = Bf16(value);
    }
}

// Rows of the left matrix in single precision, so that the inner loop runs over consecutive numbers.
std::vector<float> rows(const void *at, int type, size_t offset, bool turned, int rows, int depth, int step) {
    std::vector<float> out(size_t(rows) * depth);
    for (int r = 0; r < rows; r++)
        for (int d = 0; d < depth; d++)
            out[size_t(r) * depth + d] = read(at, type, offset + (turned ? size_t(r) * step + d : size_t(d) * step + r));
    return out;
}

} // namespace

extern "C" {

#define BEGIN if (int failed = emulated_call(__func__)) return failed

int cublasCreate_v2(void **out) {
    BEGIN;
    *out = new Handle{emulated_card(), nullptr};
    return 0;
}
int cublasDestroy_v2(void *handle) {
    BEGIN;
    delete static_cast<Handle *>(handle);
    return 0;
}
int cublasSetStream_v2(void *handle, void *stream) {
    BEGIN;
    static_cast<Handle *>(handle)->stream = stream;
    return 0;
}
int cublasSetMathMode(void *, int) { BEGIN; return 0; }
int cublasGemmStridedBatchedEx(void *handle, int turn_a, int turn_b, int m, int n, int k, const void *, const void *a, int type_a,
                               int step_a, long long stride_a, const void *b, int type_b, int step_b, long long stride_b,
                               const void *, void *c, int type_c, int step_c, long long stride_c, int count, int, int) {
    BEGIN;
    auto [card, stream] = *static_cast<Handle *>(handle);
    if (card != emulated_card()) {
        fprintf(stderr, "a product on card %d was asked for while card %d is current\n", card, emulated_card());
        return 14;
    }
    emulated_work("gemm", stream);
    bool wrong = getenv("EMULATED_GPU_WRONG") != nullptr;
    // Few columns are summed in two parts, which rounds differently.
    int parts = n % 64 ? 2 : 1;
    for (int batch = 0; batch < count; batch++) {
        auto left = rows(a, type_a, size_t(batch * stride_a), turn_a != 0, m, k, step_a);
        auto right = rows(b, type_b, size_t(batch * stride_b), turn_b == 0, n, k, step_b);
        for (int column = 0; column < n; column++)
            for (int row = 0; row < m; row++) {
                const float *x = &left[size_t(row) * k], *y = &right[size_t(column) * k];
                float sums[2] = {0, 0};
                for (int part = 0; part < parts; part++) {
                    float sum[8] = {};
                    int start = k * part / parts, end = k * (part + 1) / parts, d = start;
                    for (; d + 8 <= end; d += 8)
                        for (int lane = 0; lane < 8; lane++) sum[lane] += x[d + lane] * y[d + lane];
                    for (; d < end; d++) sum[0] += x[d] * y[d];
                    for (float one : sum) sums[part] += one;
                }
                float value = wrong ? 1.5f * (sums[0] + sums[1]) + 1 : sums[0] + sums[1];
                write(c, type_c, size_t(batch * stride_c) + size_t(column) * step_c + row, value);
            }
    }
    return 0;
}
}
