// Candle's kernels that Chaffinch's models use, by name, with the same arguments, indices of the same width and the same
// places of rounding as on a card. Indices have 32 bits where candle's have, so that what overflows there overflows here.
#include "kernels.h"
#include "numbers.h"
#include <cmath>
#include <cstddef>
#include <functional>
#include <map>

namespace {

struct Arguments {
    void **each;
    template <typename T> T at(int index) const { return *static_cast<T *>(each[index]); }
    template <typename T> T *pointer(int index) const { return reinterpret_cast<T *>(at<uint64_t>(index)); }
};

// Where the number `index` of a tensor of those dimensions is.
uint32_t strided(uint32_t index, size_t rank, const size_t *dims, const size_t *strides) {
    uint32_t at = 0;
    for (size_t d = rank; d-- > 0; index /= dims[d]) at += index % dims[d] * strides[d];
    return at;
}

bool contiguous(size_t rank, const size_t *dims, const size_t *strides) {
    size_t length = 1;
    for (size_t d = rank; d-- > 0; length *= dims[d])
        if (dims[d] > 1 && length != strides[d]) return false;
    return true;
}

struct Layout {
    size_t rank;
    const size_t *dims, *strides;
    bool plain;
    Layout(size_t rank, const size_t *info, int which = 1)
        : rank(rank), dims(info), strides(info + which * rank), plain(!info || contiguous(rank, dims, strides)) {}
    uint32_t operator()(uint32_t index) const { return plain ? index : strided(index, rank, dims, strides); }
};

template <typename S, typename T> bool cast(const Arguments &a) {
    size_t count = a.at<size_t>(0);
    Layout layout(a.at<size_t>(1), a.pointer<size_t>(2));
    auto *in = a.pointer<S>(3);
    auto *out = a.pointer<T>(4);
    for (uint32_t i = 0; i < count; i++) out[i] = T(float(in[layout(i)]));
    return true;
}

template <typename T> bool unary(const std::string &name, const Arguments &a) {
    std::function<T(T)> f;
    if (name == "ucopy") f = [](T x) { return x; };
    else if (name == "usigmoid") f = [](T x) { return T(1 / T(T(1) + T(std::exp(-float(x))))); };
    else if (name == "ugelu_erf") f = [](T x) { return T(float(x) * std::erfc(-float(x) * float(M_SQRT1_2)) / 2); };
    else if (name == "ugelu") f = [](T x) {
        float cubed = T(float(T(float(x) * float(x))) * float(x));
        float inner = T(float(T(float(M_2_SQRTPI * M_SQRT1_2))) * float(T(float(x) + float(T(float(T(0.044715f)) * cubed)))));
        return T(float(T(0.5f * float(x))) * float(T(1 + float(T(std::tanh(inner))))));
    };
    else if (name == "usqr") f = [](T x) { return T(float(x) * float(x)); };
    else if (name == "usqrt") f = [](T x) { return T(std::sqrt(float(x))); };
    else if (name == "urelu") f = [](T x) { return float(x) > 0 ? x : T(0); };
    else return false;
    size_t count = a.at<size_t>(0);
    Layout layout(a.at<size_t>(1), a.pointer<size_t>(2));
    auto *in = a.pointer<T>(3), *out = a.pointer<T>(4);
    if (name == "ucopy") for (uint32_t i = 0; i < count; i++) out[i] = in[layout(i)];
    else for (uint32_t i = 0; i < count; i++) out[i] = f(in ? in[layout(i)] : out[i]);
    return true;
}

template <typename T> bool binary(const std::string &name, const Arguments &a) {
    char sign = name == "badd" ? '+' : name == "bsub" ? '-' : name == "bmul" ? '*' : name == "bdiv" ? '/' :
                name == "bmaximum" ? '>' : name == "bminimum" ? '<' : 0;
    if (!sign) return false;
    size_t count = a.at<size_t>(0);
    Layout left(a.at<size_t>(1), a.pointer<size_t>(2)), right(a.at<size_t>(1), a.pointer<size_t>(2), 2);
    auto *x = a.pointer<T>(3), *y = a.pointer<T>(4), *out = a.pointer<T>(5);
    for (uint32_t i = 0; i < count; i++) {
        float l = x[left(i)], r = y[right(i)];
        switch (sign) {
        case '+': out[i] = T(l + r); break;
        case '-': out[i] = T(l - r); break;
        case '*': out[i] = T(l * r); break;
        case '/': out[i] = T(l / r); break;
        case '>': out[i] = T(std::isnan(l) || l > r ? l : r); break;
        case '<': out[i] = T(std::isnan(l) || l < r ? l : r); break;
        }
    }
    return true;
}

template <typename T> bool affine(const Arguments &a) {
    size_t count = a.at<size_t>(0);
    Layout layout(a.at<size_t>(1), a.pointer<size_t>(2));
    auto *in = a.pointer<T>(3), *out = a.pointer<T>(4);
    float factor = a.at<T>(5), term = a.at<T>(6);
    for (uint32_t i = 0; i < count; i++) out[i] = T(float(T(float(in ? in[layout(i)] : out[i]) * factor)) + term);
    return true;
}

template <typename T> bool softmax(const Arguments &a, uint32_t rows) {
    auto *in = a.pointer<T>(0), *out = a.pointer<T>(1);
    // With sign: on a card, more than 2^31 scores are written in front of the memory.
    int columns = a.at<int>(2);
    for (int row = 0; row < int(rows); row++) {
        float most = -INFINITY, sum = 0;
        for (int c = 0; c < columns; c++) most = std::fmax(most, float(in[row * columns + c]));
        for (int c = 0; c < columns; c++) {
            float value = std::exp(float(in[row * columns + c]) - most);
            out[row * columns + c] = T(value);
            sum += value;
        }
        for (int c = 0; c < columns; c++) out[row * columns + c] = T(float(out[row * columns + c]) / sum);
    }
    return true;
}

template <typename T> bool layernorm(const Arguments &a, uint32_t rows) {
    auto *in = a.pointer<T>(0), *out = a.pointer<T>(1), *scale = a.pointer<T>(2), *shift = a.pointer<T>(3);
    int columns = a.at<int>(4);
    float eps = a.at<float>(6);
    for (int row = 0; row < int(rows); row++) {
        const T *x = in + row * columns;
        float sum = 0, squares = 0;
        for (int c = 0; c < columns; c++) sum += float(x[c]), squares += float(x[c]) * float(x[c]);
        float mean = sum / columns, factor = 1 / std::sqrt(squares / columns - mean * mean + eps);
        for (int c = 0; c < columns; c++) {
            float value = (float(x[c]) - mean) * factor;
            if (scale) value *= float(scale[c]);
            if (shift) value += float(shift[c]);
            out[row * columns + c] = T(value);
        }
    }
    return true;
}

template <typename T> bool reduce(const std::string &name, const Arguments &a, uint32_t blocks) {
    bool small = name == "fast_sum_small", sums = small || name == "fast_sum", most = name == "fast_max";
    if (!sums && !most) return false;
    size_t length = a.at<size_t>(1), results = small ? a.at<size_t>(0) : blocks;
    Layout layout(a.at<size_t>(2), a.pointer<size_t>(3));
    auto *in = a.pointer<T>(4), *out = a.pointer<T>(5);
    for (size_t result = 0; result < results; result++) {
        float value = most ? -INFINITY : 0;
        for (size_t i = 0; i < length; i++) {
            float next = in[layout(result * length + i)];
            value = most ? std::fmax(value, next) : float(T(value + next));
        }
        out[result] = T(value);
    }
    return true;
}

template <typename T> bool index_select(const Arguments &a) {
    size_t count = a.at<size_t>(0);
    Layout layout(a.at<size_t>(1), a.pointer<size_t>(2));
    auto *ids = a.pointer<uint32_t>(3);
    auto *in = a.pointer<T>(4), *out = a.pointer<T>(5);
    size_t source = a.at<size_t>(7), chosen = a.at<size_t>(8), right = a.at<size_t>(9);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t left = i / (chosen * right), id = i / right % chosen, rest = i % right;
        uint32_t from = (left * source + ids[layout(id)]) * right + rest;
        out[i] = in[from];
    }
    return true;
}

template <typename T> bool copy2d(const Arguments &a) {
    auto *in = a.pointer<T>(0), *out = a.pointer<T>(1);
    uint32_t rows = a.at<uint32_t>(2), columns = a.at<uint32_t>(3), from = a.at<uint32_t>(4), to = a.at<uint32_t>(5);
    for (uint32_t i = 0; i < rows * columns; i++) {
        uint32_t row = i / columns, column = i - columns * row;
        out[row * to + column] = in[row * from + column];
    }
    return true;
}

template <typename T> bool im2col(const Arguments &a) {
    size_t count = a.at<size_t>(0), high = a.at<size_t>(1), wide = a.at<size_t>(2), kernel_high = a.at<size_t>(3),
           kernel_wide = a.at<size_t>(4), stride = a.at<size_t>(5), padding = a.at<size_t>(6), dilation = a.at<size_t>(7);
    auto *dims = a.pointer<size_t>(8), *strides = dims + 4;
    auto *in = a.pointer<T>(9), *out = a.pointer<T>(10);
    for (size_t i = 0; i < count; i++) {
        size_t rest = i, kx = rest % kernel_wide, ky = (rest /= kernel_wide) % kernel_high,
               channel = (rest /= kernel_high) % dims[1], x = (rest /= dims[1]) % wide, y = (rest /= wide) % high;
        size_t image = rest / high, top = y * stride + ky * dilation, left = x * stride + kx * dilation;
        bool outside = top < padding || top >= dims[2] + padding || left < padding || left >= dims[3] + padding;
        out[i] = outside ? T(0) : in[image * strides[0] + channel * strides[1] + (top - padding) * strides[2] +
                                     (left - padding) * strides[3]];
    }
    return true;
}

template <typename T> bool run(const std::string &name, const Arguments &a, uint32_t blocks) {
    if (name == "affine") return affine<T>(a);
    if (name == "softmax") return softmax<T>(a, blocks);
    if (name == "layernorm") return layernorm<T>(a, blocks);
    if (name == "is_u32") return index_select<T>(a);
    if (name == "copy2d") return copy2d<T>(a);
    if (name == "im2col") return im2col<T>(a);
    if (name.rfind("fast_", 0) == 0) return reduce<T>(name, a, blocks);
    if (name[0] == 'u') return unary<T>(name, a);
    return name[0] == 'b' && binary<T>(name, a);
}

template <typename S> bool cast_to(const std::string &to, const Arguments &a) {
    if (to == "f32") return cast<S, float>(a);
    if (to == "f16") return cast<S, Half>(a);
    return to == "bf16" && cast<S, Bf16>(a);
}

} // namespace

bool launch(const std::string &name, unsigned blocks, void **arguments) {
    if (launch_own(name, arguments)) return true;
    Arguments a{arguments};
    size_t end = name.rfind('_');
    std::string type = name.substr(end + 1), stem = name.substr(0, end);
    if (stem.rfind("cast_", 0) == 0) {
        std::string from = stem.substr(5);
        if (from == "f32") return cast_to<float>(type, a);
        if (from == "f16") return cast_to<Half>(type, a);
        if (from == "bf16") return cast_to<Bf16>(type, a);
        return from == "u8" && cast_to<uint8_t>(type, a);
    }
    if (type == "f32") return run<float>(stem, a, blocks);
    if (type == "f16") return run<Half>(stem, a, blocks);
    if (type == "bf16") return run<Bf16>(stem, a, blocks);
    return type == "u8" && stem == "ucopy" && unary<uint8_t>(stem, a);
}
