#include "packets.hpp"

namespace standin {
namespace {

constexpr std::size_t smallest_rcon = 10, largest_rcon = 4096;

/// Reads fields from the front of a packet; `good` becomes false at the first truncated one.
struct Reader {
    std::string_view rest;
    bool good = true;

    std::uint8_t byte() {
        if (rest.empty()) {
            good = false;
            return 0;
        }
        const auto value = static_cast<std::uint8_t>(rest.front());
        rest.remove_prefix(1);
        return value;
    }
    std::uint16_t word() {
        const auto low = byte();
        return static_cast<std::uint16_t>(low | (byte() << 8U));
    }
    std::string text() {
        const auto end = rest.find('\0');
        if (end == rest.npos) {
            good = false;
            return {};
        }
        std::string value(rest.substr(0, end));
        rest.remove_prefix(end + 1);
        return value;
    }
};

std::string word(std::uint16_t value) {
    return {static_cast<char>(value & 0xFFU), static_cast<char>(value >> 8U)};
}

}  // namespace

std::string little_endian(std::uint32_t value) {
    std::string bytes;
    for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>((value >> shift) & 0xFFU);
    return bytes;
}

std::uint32_t from_little_endian(std::string_view four_bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i)
        value |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(four_bytes[i])) << (8 * i);
    return value;
}

std::string encode(const Info& info) {
    const auto text = [](const std::string& value) { return value + '\0'; };
    std::string packet(info_header);
    packet += '\x11';  // protocol
    packet += text(info.name) + text(info.map) + text(info.folder) + text(info.game) + word(info.app);
    for (const auto count : {info.players, info.max_players, info.bots}) packet += static_cast<char>(count);
    packet += "dl";
    packet += info.password ? '\1' : '\0';
    packet += '\1';  // VAC
    packet += text(info.version);
    packet += '\x80';  // one extra field: the port
    return packet + word(info.port);
}

std::optional<Info> decode(std::string_view packet) {
    if (!packet.starts_with(info_header)) return std::nullopt;
    Reader reader{packet.substr(info_header.size())};
    Info info;
    reader.byte();  // protocol
    info.name = reader.text();
    info.map = reader.text();
    info.folder = reader.text();
    info.game = reader.text();
    info.app = reader.word();
    info.players = reader.byte();
    info.max_players = reader.byte();
    info.bots = reader.byte();
    reader.word();  // kind of server, operating system
    info.password = reader.byte() != 0;
    reader.byte();  // VAC
    info.version = reader.text();
    if (!reader.good) return std::nullopt;
    if ((reader.byte() & 0x80U) != 0) info.port = reader.word();
    return info;
}

std::string encode(const Rcon& packet) {
    const auto rest = little_endian(static_cast<std::uint32_t>(packet.id)) +
                      little_endian(static_cast<std::uint32_t>(packet.type)) + packet.body +
                      std::string(2, '\0');
    return little_endian(static_cast<std::uint32_t>(rest.size())) + rest;
}

std::optional<Rcon> take(std::string& buffer, bool& broken) {
    if (buffer.size() < 4) return std::nullopt;
    const std::size_t size = from_little_endian(buffer);
    broken = size < smallest_rcon || size > largest_rcon;
    if (broken || buffer.size() < 4 + size) return std::nullopt;
    const std::string_view view(buffer);
    Rcon packet{static_cast<std::int32_t>(from_little_endian(view.substr(4))),
                static_cast<std::int32_t>(from_little_endian(view.substr(8))),
                std::string(view.substr(12, size - smallest_rcon))};
    buffer.erase(0, 4 + size);
    return packet;
}

}  // namespace standin
