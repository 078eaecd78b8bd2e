// What is sent to the probe's socket, by a game or by somebody else.
#include <cstdlib>

#include "adapters/a2s/info.hpp"
#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace left4me;
    const auto answer = a2s::parse_answer(fuzz::text_of(data, size));
    if (!answer) return 0;
    const auto* const info = std::get_if<a2s::Info>(&*answer);
    // Players are never made up.
    if (info != nullptr && a2s::people(*info) > info->players) std::abort();
    return 0;
}
