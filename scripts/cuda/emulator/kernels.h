// Runs a kernel at once; whether it is known. Candle's are written anew here, ours are compiled from their source.
#pragma once
#include <string>
bool launch(const std::string &name, unsigned blocks, void **arguments);
bool launch_own(const std::string &name, void **arguments);
