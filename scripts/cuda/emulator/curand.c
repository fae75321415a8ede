// An emulated libcurand.so.10: candle makes a generator with every device, which Chaffinch never asks for a number.
int emulated_call(const char *name);
#define BEGIN { int failed = emulated_call(__func__); if (failed) return failed; }
int curandCreateGenerator(void **out, int kind) {
    BEGIN;
    (void)kind;
    *out = (void *)48;
    return 0;
}
int curandDestroyGenerator(void *generator) { BEGIN; (void)generator; return 0; }
int curandSetStream(void *generator, void *stream) { BEGIN; (void)generator; (void)stream; return 0; }
int curandSetPseudoRandomGeneratorSeed(void *generator, unsigned long long seed) { BEGIN; (void)generator; (void)seed; return 0; }
