// Half precision and bf16 as cards have them: computed in single precision, rounded to nearest, ties to even.
#pragma once
#include <cstdint>
#include <cstring>
#ifdef __F16C__
#include <immintrin.h>
#endif

struct Half {
    uint16_t bits;
    Half() = default;
#ifdef __F16C__
    Half(float value) : bits(_cvtss_sh(value, _MM_FROUND_TO_NEAREST_INT)) {}
    operator float() const { return _cvtsh_ss(bits); }
#else
    Half(float value) {
        uint32_t x;
        memcpy(&x, &value, 4);
        uint32_t sign = x >> 16 & 0x8000, rest = x & 0x7fffffff;
        if (rest > 0x7f800000) {
            bits = sign | 0x7e00;
        } else if (rest >= 0x47800000) {
            bits = sign | 0x7c00;
        } else if (rest < 0x38800000) {
            // Subnormal: adding half of one aligns and rounds it.
            float small, magic = 0.5f;
            memcpy(&small, &rest, 4);
            small += magic;
            uint32_t sum, base;
            memcpy(&sum, &small, 4);
            memcpy(&base, &magic, 4);
            bits = sign | (sum - base);
        } else {
            uint32_t odd = rest >> 13 & 1;
            bits = sign | ((rest + 0xfff + odd - 0x38000000) >> 13);
        }
    }
    operator float() const {
        uint32_t sign = uint32_t(bits & 0x8000) << 16, rest = bits & 0x7fff;
        float value;
        if (rest >= 0x7c00) {
            uint32_t x = sign | 0x7f800000 | uint32_t(rest & 0x3ff) << 13;
            memcpy(&value, &x, 4);
        } else if (rest < 0x400) {
            value = float(rest) * 5.9604644775390625e-8f;
            if (sign) value = -value;
        } else {
            uint32_t x = sign | ((uint32_t(rest) << 13) + 0x38000000);
            memcpy(&value, &x, 4);
        }
        return value;
    }
#endif
};

struct Bf16 {
    uint16_t bits;
    Bf16() = default;
    Bf16(float value) {
        uint32_t x;
        memcpy(&x, &value, 4);
        bits = (x & 0x7fffffff) > 0x7f800000 ? x >> 16 | 0x40 : (x + 0x7fff + (x >> 16 & 1)) >> 16;
    }
    operator float() const {
        uint32_t x = uint32_t(bits) << 16;
        float value;
        memcpy(&value, &x, 4);
        return value;
    }
};
