// Runs a kernel at once; whether it is known.
#pragma once
#include <string>
bool launch(const std::string &name, unsigned blocks, void **arguments);
