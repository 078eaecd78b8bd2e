// A lock file that somebody pushes. What is read is written, and read again, as it was.
#include <cstdlib>

#include "fuzz.hpp"
#include "specs/load.hpp"
#include "specs/lock.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace left4me;
    const auto read = [](std::string text) {
        const SourceFile file{.name = std::string(lock_file_name), .text = std::move(text)};
        return load(std::span(&file, 1));
    };
    const auto set = read(std::string(fuzz::text_of(data, size)));
    if (!set) return 0;
    const auto again = read(write_lock(set->lock));
    if (!again || again->lock.size() != set->lock.size()) std::abort();
    for (const auto& [name, input] : set->lock) {
        const auto found = again->lock.find(name);
        if (found == again->lock.end() || found->second.source != input.source ||
            found->second.pin != input.pin)
            std::abort();
    }
    return 0;
}
