#pragma once

#include <filesystem>

#include "adapters/paths.hpp"
#include "support/scratch.hpp"

namespace left4me::test {

/// A state directory for one test.
struct Place : Scratch {
    Place() {
        paths.state = path();
        std::filesystem::create_directory(paths.status());
    }
    Paths paths;
};

}  // namespace left4me::test
