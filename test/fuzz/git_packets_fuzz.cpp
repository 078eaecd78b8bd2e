// What a git server answers, in pieces of sizes that the input chooses.
#include <algorithm>

#include "builder/git/packets.hpp"
#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace left4me;
    std::string_view rest = fuzz::text_of(data, size);
    builder::PacketReader reader;
    while (!rest.empty()) {
        const std::size_t piece = std::min<std::size_t>(rest.size(), 1 + static_cast<unsigned char>(rest[0]));
        const auto look = [](const builder::Packet& packet) { return builder::text_of(packet) != "stop"; };
        if (!reader.add(rest.substr(0, piece), look)) break;
        rest.remove_prefix(piece);
    }
    return 0;
}
