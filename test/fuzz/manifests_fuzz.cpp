// A file that somebody pushes.
#include "fuzz.hpp"
#include "specs/load.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace left4me;
    const SourceFile file{.name = "fuzz.yaml", .text = std::string(fuzz::text_of(data, size))};
    (void)load(std::span(&file, 1));
    return 0;
}
