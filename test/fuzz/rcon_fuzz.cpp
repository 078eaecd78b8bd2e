// What a game sends over its console: packets, in segments that the first byte tells, and the answer to
// `status`, `stats` and `help`.
#include <algorithm>
#include <cstdlib>

#include "adapters/rcon/conversation.hpp"
#include "adapters/rcon/cvar_lines.hpp"
#include "adapters/rcon/stats.hpp"
#include "adapters/rcon/status.hpp"
#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace left4me;
    std::string_view text = fuzz::text_of(data, size);
    (void)rcon::parse_status(text);
    if (const auto stats = rcon::parse_stats(text); stats && !(stats->rate >= 0 && stats->rate <= 1e6))
        std::abort();
    for (const auto& [name, value] : rcon::parse_cvars(text)) {
        if (name.empty() || name.size() > size || (value && value->find('"') != std::string::npos))
            std::abort();
    }
    if (text.empty()) return 0;
    const std::size_t step = data[0] + std::size_t{1};
    rcon::Conversation conversation("password");
    conversation.execute("status");
    (void)conversation.take_output();
    for (text.remove_prefix(1); !text.empty(); text.remove_prefix(std::min(step, text.size())))
        conversation.received(text.substr(0, step));
    // Nothing that a game sends makes it send the password again.
    if (conversation.take_output().find("password") != std::string::npos) std::abort();
    const auto& answer = conversation.answer();
    if (answer && *answer && (*answer)->size() > size) std::abort();
    return 0;
}
