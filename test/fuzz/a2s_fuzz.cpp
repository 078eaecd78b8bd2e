// What is sent to the probe's socket, by a game or by somebody else: answers, and parts of one. The first
// byte says how long the datagrams are.
#include <algorithm>
#include <cstdlib>

#include "adapters/a2s/answer.hpp"
#include "adapters/a2s/split.hpp"
#include "fuzz.hpp"

namespace {

using namespace left4me;

void check(std::string_view bytes) {
    const auto answer = a2s::parse_answer(bytes);
    if (!answer) return;
    const auto* const info = std::get_if<a2s::Info>(&*answer);
    // Players are never made up.
    if (info != nullptr && a2s::people(*info) > info->players) std::abort();
    const auto* const players = std::get_if<a2s::Players>(&*answer);
    if (players != nullptr && players->list.size() > players->count) std::abort();
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text = fuzz::text_of(data, size);
    check(text);
    if (text.empty()) return 0;
    const std::size_t step = data[0] + std::size_t{16};
    a2s::Parts parts;
    for (text.remove_prefix(1); !text.empty(); text.remove_prefix(std::min(step, text.size()))) {
        const auto whole = parts.add(text.substr(0, step));
        if (whole && whole->size() > a2s::largest_answer) std::abort();
        if (whole) check(*whole);
    }
    return 0;
}
