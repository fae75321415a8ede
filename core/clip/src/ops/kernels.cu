// The steps between the products of a transformer, each of which reads and writes its numbers once. They are kept in half
// precision and computed in single precision. Before them, pictures resized, to the bytes of the processor.
//
// The emulated GPU compiles this file, too, as one thread that does everything (scripts/cuda/emulator/own.cpp), so nothing here
// may depend on how work is divided but through the five functions below.
#ifdef __CUDACC__
#include <cstdint>
#include <cuda_fp16.h>

typedef __half Half;
#define KERNEL extern "C" __global__ void
#define INSIDE __device__ __forceinline__
constexpr uint32_t LANES = 32;
// Of all threads: this one, and how many there are.
INSIDE uint64_t thread() { return uint64_t(blockIdx.x) * blockDim.x + threadIdx.x; }
INSIDE uint64_t threads() { return uint64_t(gridDim.x) * blockDim.x; }
// Of its warp.
INSIDE uint32_t lane() { return threadIdx.x % LANES; }
INSIDE float sum_of_lanes(float x) {
    for (int step = LANES / 2; step > 0; step /= 2) x += __shfl_xor_sync(0xffffffff, x, step);
    return x;
}
INSIDE float most_of_lanes(float x) {
    for (int step = LANES / 2; step > 0; step /= 2) x = fmaxf(x, __shfl_xor_sync(0xffffffff, x, step));
    return x;
}
#endif

// Places of rows and pieces fit in 32 bits; those of numbers are 64 bits wide.

// Consecutive numbers, read and written at once.
template <int N> struct alignas(2 * N) Piece {
    Half at[N];
};

// A row for each warp.
INSIDE uint64_t first_row() { return thread() / LANES; }
INSIDE uint64_t rows_at_a_time() { return threads() / LANES; }

// A pass of a resampling, `core/compute/src/image/resample/plan.rs`: bytes [outer, length, inner] to `count` bytes [outer, positions,
// inner]. That of a position is the rounded sum of as many bytes as count from its start on, each times its weight.
KERNEL resample_u8(uint64_t count, const uint8_t *in, uint8_t *out, const uint32_t *starts, const uint32_t *counts,
                   const uint32_t *weights, uint32_t length, uint32_t positions, uint32_t inner, uint32_t longest, uint32_t bits) {
    for (uint64_t i = thread(); i < count; i += threads()) {
        uint32_t rest = uint32_t(i), at = rest % inner, position = (rest /= inner) % positions, outer = rest / positions;
        const uint8_t *from = in + (uint64_t(outer) * length + starts[position]) * inner + at;
        const uint32_t *weight = weights + uint64_t(position) * longest;
        // Without sign, so that it wraps around.
        uint32_t sum = uint32_t(1) << (bits - 1), seen = counts[position];
        for (uint32_t k = 0; k < seen; k++) sum += from[uint64_t(k) * inner] * weight[k];
        int32_t byte = int32_t(sum) >> bits;
        out[i] = uint8_t(byte < 0 ? 0 : byte > 255 ? 255 : byte);
    }
}

// A part of RGB rows of `stride` pixels, from column `left` and row `top` on, as three planes of `size` x `size`. It is `wide` x `high`
// from column `x` and row `y` of them on; the rest is black.
KERNEL planes_u8(uint64_t count, const uint8_t *in, uint8_t *out, uint32_t stride, uint32_t left, uint32_t top, uint32_t wide,
                 uint32_t high, uint32_t x, uint32_t y, uint32_t size) {
    for (uint64_t i = thread(); i < count; i += threads()) {
        uint32_t rest = uint32_t(i), column = rest % size - x, row = (rest /= size) % size - y, channel = rest / size;
        bool inside = column < wide && row < high;
        out[i] = inside ? in[((uint64_t(top) + row) * stride + left + column) * 3 + channel] : 0;
    }
}

// Bytes [images, 3, size, size] to normalized numbers [images, side * side, 3 * patch * patch]. `count` pieces of `piece` pixels of
// a row of a patch; pixels beyond the last complete patch are ignored.
KERNEL patches_f16(uint64_t count, const uint8_t *bytes, Half *out, uint32_t size, uint32_t side, uint32_t patch, uint32_t piece,
                   float factor0, float factor1, float factor2, float term0, float term1, float term2) {
    for (uint64_t i = thread(); i < count; i += threads()) {
        uint32_t rest = uint32_t(i), each = patch / piece, x = rest % each * piece;
        uint32_t y = (rest /= each) % patch, channel = (rest /= patch) % 3, column = (rest /= 3) % side;
        uint32_t row = (rest /= side) % side, image = rest / side;
        float factor = channel == 0 ? factor0 : channel == 1 ? factor1 : factor2;
        float term = channel == 0 ? term0 : channel == 1 ? term1 : term2;
        const uint8_t *from = bytes + ((uint64_t(image) * 3 + channel) * size + row * patch + y) * size + column * patch + x;
        for (uint32_t at = 0; at < piece; at++) out[i * piece + at] = Half(float(from[at]) * factor + term);
    }
}

// Rows of tokens from rows of patches: token t of an image is row t of `table`, plus the image's patch if t is at least `before`.
// Normalized if there is a `norm`: weights and then biases. A warp does a row.
INSIDE float token(const Half *patches, const Half *table, uint64_t row, uint32_t tokens, uint32_t before, uint32_t width, uint32_t at) {
    uint32_t number = uint32_t(row) % tokens;
    float x = float(table[uint64_t(number) * width + at]);
    if (number < before) return x;
    uint64_t patch = uint64_t(uint32_t(row) / tokens) * (tokens - before) + (number - before);
    return x + float(patches[patch * width + at]);
}
KERNEL tokens_f16(uint64_t rows, const Half *patches, const Half *table, const Half *norm, Half *out, uint32_t tokens,
                  uint32_t before, uint32_t width, float eps) {
    for (uint64_t row = first_row(); row < rows; row += rows_at_a_time()) {
        float sum = 0, squares = 0;
        if (norm) {
            for (uint32_t c = lane(); c < width; c += LANES) sum += token(patches, table, row, tokens, before, width, c);
            sum = sum_of_lanes(sum) / width;
            for (uint32_t c = lane(); c < width; c += LANES) {
                float apart = token(patches, table, row, tokens, before, width, c) - sum;
                squares += apart * apart;
            }
            squares = 1 / sqrtf(sum_of_lanes(squares) / width + eps);
        }
        for (uint32_t c = lane(); c < width; c += LANES) {
            float x = token(patches, table, row, tokens, before, width, c);
            if (norm) x = (x - sum) * squares * float(norm[c]) + float(norm[width + c]);
            out[row * width + c] = Half(x);
        }
    }
}

// x + bias for each row, activated: 0 nothing, 1 x * sigmoid(1.702 x), 2 x * Phi(x), 3 the same by tanh. `count` pieces.
INSIDE float activated(float x, uint32_t activation) {
    if (activation == 1) return x / (1 + expf(-1.702f * x));
    if (activation == 2) return 0.5f * x * (1 + erff(x * 0.70710678f));
    if (activation == 3) return x / (1 + expf(-1.5957691f * (x + 0.044715f * x * x * x)));
    return x;
}
template <int N> INSIDE void bias(uint64_t count, Half *x, const Half *bias, uint32_t width, uint32_t activation) {
    auto *pieces = reinterpret_cast<Piece<N> *>(x);
    auto *biases = reinterpret_cast<const Piece<N> *>(bias);
    for (uint64_t i = thread(); i < count; i += threads()) {
        Piece<N> piece = pieces[i], added = biases[uint32_t(i) % (width / N)];
        for (int at = 0; at < N; at++) piece.at[at] = Half(activated(float(piece.at[at]) + float(added.at[at]), activation));
        pieces[i] = piece;
    }
}
KERNEL bias_1_f16(uint64_t count, Half *x, const Half *added, uint32_t width, uint32_t activation) {
    bias<1>(count, x, added, width, activation);
}
KERNEL bias_8_f16(uint64_t count, Half *x, const Half *added, uint32_t width, uint32_t activation) {
    bias<8>(count, x, added, width, activation);
}

// [images, tokens, parts, heads, size] plus bias [parts, heads, size] to [parts, images, heads, tokens, size]. `count` pieces.
template <int N>
INSIDE void split(uint64_t count, const Half *x, const Half *bias, Half *out, uint32_t images, uint32_t tokens, uint32_t parts,
                  uint32_t heads, uint32_t size) {
    auto *from = reinterpret_cast<const Piece<N> *>(x);
    auto *biases = reinterpret_cast<const Piece<N> *>(bias);
    auto *to = reinterpret_cast<Piece<N> *>(out);
    uint32_t each = size / N;
    for (uint64_t i = thread(); i < count; i += threads()) {
        uint32_t rest = uint32_t(i), at = rest % each, number = (rest /= each) % tokens, head = (rest /= tokens) % heads;
        uint32_t image = (rest /= heads) % images, part = rest / images, column = (part * heads + head) * each + at;
        Piece<N> piece = from[(uint64_t(image) * tokens + number) * parts * heads * each + column], added = biases[column];
        for (int n = 0; n < N; n++) piece.at[n] = Half(float(piece.at[n]) + float(added.at[n]));
        to[i] = piece;
    }
}
KERNEL split_1_f16(uint64_t count, const Half *x, const Half *bias, Half *out, uint32_t images, uint32_t tokens, uint32_t parts,
                   uint32_t heads, uint32_t size) {
    split<1>(count, x, bias, out, images, tokens, parts, heads, size);
}
KERNEL split_8_f16(uint64_t count, const Half *x, const Half *bias, Half *out, uint32_t images, uint32_t tokens, uint32_t parts,
                   uint32_t heads, uint32_t size) {
    split<8>(count, x, bias, out, images, tokens, parts, heads, size);
}

// [images, heads, tokens, size] to [images, tokens, heads, size]. `count` pieces.
template <int N> INSIDE void merge(uint64_t count, const Half *x, Half *out, uint32_t tokens, uint32_t heads, uint32_t size) {
    auto *from = reinterpret_cast<const Piece<N> *>(x);
    auto *to = reinterpret_cast<Piece<N> *>(out);
    uint32_t each = size / N;
    for (uint64_t i = thread(); i < count; i += threads()) {
        uint32_t rest = uint32_t(i), at = rest % each, head = (rest /= each) % heads, number = (rest /= heads) % tokens;
        uint64_t image = rest / tokens;
        to[i] = from[((image * heads + head) * tokens + number) * each + at];
    }
}
KERNEL merge_1_f16(uint64_t count, const Half *x, Half *out, uint32_t tokens, uint32_t heads, uint32_t size) {
    merge<1>(count, x, out, tokens, heads, size);
}
KERNEL merge_8_f16(uint64_t count, const Half *x, Half *out, uint32_t tokens, uint32_t heads, uint32_t size) {
    merge<8>(count, x, out, tokens, heads, size);
}

// Shares of attention in place: rows of `keys` scores. With `causal`, query q of `queries` sees the keys up to its own position.
KERNEL attention_f16(uint64_t rows, Half *x, uint32_t queries, uint32_t keys, uint32_t causal) {
    for (uint64_t row = first_row(); row < rows; row += rows_at_a_time()) {
        Half *scores = x + row * keys;
        uint32_t query = uint32_t(row) % queries, seen = causal && query + 1 < keys ? query + 1 : keys;
        float most = -INFINITY, sum = 0;
        for (uint32_t c = lane(); c < seen; c += LANES) most = fmaxf(most, float(scores[c]));
        most = most_of_lanes(most);
        for (uint32_t c = lane(); c < seen; c += LANES) sum += expf(float(scores[c]) - most);
        float factor = 1 / sum_of_lanes(sum);
        for (uint32_t c = lane(); c < keys; c += LANES) scores[c] = Half(c < seen ? expf(float(scores[c]) - most) * factor : 0.0f);
    }
}

// Row r of the sum is row r * every of product + bias + residual; behind all of them come the same rows, normalized. `with` has the
// bias, and the norm's weights and biases. A warp does a row.
KERNEL sum_norm_f16(uint64_t rows, const Half *product, const Half *residual, const Half *with, Half *out, uint32_t every,
                    uint32_t width, float eps) {
    for (uint64_t row = first_row(); row < rows; row += rows_at_a_time()) {
        const Half *left = product + row * every * width, *right = residual + row * every * width;
        Half *sums = out + row * width, *normed = out + (rows + row) * width;
        float mean = 0, squares = 0;
        for (uint32_t c = lane(); c < width; c += LANES) {
            Half x = Half(float(left[c]) + float(with[c]) + float(right[c]));
            sums[c] = x;
            mean += float(x);
        }
        mean = sum_of_lanes(mean) / width;
        for (uint32_t c = lane(); c < width; c += LANES) {
            float apart = float(sums[c]) - mean;
            squares += apart * apart;
        }
        float factor = 1 / sqrtf(sum_of_lanes(squares) / width + eps);
        for (uint32_t c = lane(); c < width; c += LANES)
            normed[c] = Half((float(sums[c]) - mean) * factor * float(with[width + c]) + float(with[2 * width + c]));
    }
}
