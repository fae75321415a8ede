// What the emulated driver and cuBLAS count, and which of their calls fail. Both libraries share libcuda's.
#pragma once

// The result of a call: 0, or the code that EMULATED_GPU_FAIL has for it. Counts it.
extern "C" int emulated_call(const char *name);
// Counts work that was given to a stream.
extern "C" void emulated_work(const char *what, void *stream);
// The card whose context is current in this thread.
extern "C" int emulated_card(void);
