#include "packets.hpp"

#include <bzlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <stdexcept>

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
    void skip(std::size_t count) {
        good = good && count <= rest.size();
        rest.remove_prefix(std::min(count, rest.size()));
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

std::string text(const std::string& value) { return value + '\0'; }

std::string long_word(std::uint64_t value) {
    return little_endian(static_cast<std::uint32_t>(value)) +
           little_endian(static_cast<std::uint32_t>(value >> 32U));
}

/// What a real server was seen to send.
constexpr std::uint64_t steam_id = 0x0140'1133'051B'4807, game_id = 550;

/// Of zlib and everybody else.
std::uint32_t checksum(std::string_view bytes) {
    std::uint32_t sum = ~0U;
    for (const char byte : bytes) {
        sum ^= static_cast<std::uint8_t>(byte);
        for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1U) ^ ((sum & 1U) != 0 ? 0xEDB88320U : 0U);
    }
    return ~sum;
}

std::string compress(std::string bytes) {
    std::string packed(bytes.size() + bytes.size() / 50 + 700, '\0');
    auto length = static_cast<unsigned>(packed.size());
    if (BZ2_bzBuffToBuffCompress(packed.data(), &length, bytes.data(), static_cast<unsigned>(bytes.size()), 9,
                                 0, 0) != BZ_OK)
        throw std::runtime_error("bzip2 failed");
    packed.resize(length);
    return packed;
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
    std::string packet(info_header);
    packet += '\x11';  // protocol
    packet += text(info.name) + text(info.map) + text(info.folder) + text(info.game) + word(info.app);
    for (const auto count : {info.players, info.max_players, info.bots}) packet += static_cast<char>(count);
    packet += "dl";
    packet += info.password ? '\1' : '\0';
    packet += '\1';  // VAC
    packet += text(info.version);
    packet += '\xB1';
    return packet + word(info.port) + long_word(steam_id) + text(info.keywords) + long_word(game_id);
}

std::string encode(const std::vector<ListedPlayer>& players) {
    constexpr std::size_t most = 255;
    std::string packet("\xFF\xFF\xFF\xFF\x44", 5);
    packet += static_cast<char>(std::min(players.size(), most));
    for (std::size_t i = 0; i < std::min(players.size(), most); ++i)
        packet += '\0' + text(players[i].name) + little_endian(static_cast<std::uint32_t>(players[i].score)) +
                  little_endian(std::bit_cast<std::uint32_t>(players[i].seconds));
    return packet;
}

std::string encode(const std::vector<std::pair<std::string, std::string>>& rules) {
    std::string packet("\xFF\xFF\xFF\xFF\x45", 5);
    packet += word(static_cast<std::uint16_t>(rules.size()));
    for (const auto& [name, value] : rules) packet += text(name) + text(value);
    return packet;
}

std::vector<std::string> datagrams(const std::string& answer, std::uint32_t id, std::size_t size,
                                   bool compressed) {
    if (answer.size() <= size) return {answer};
    constexpr std::uint32_t compressed_bit = 0x8000'0000;
    const std::string all = compressed ? little_endian(static_cast<std::uint32_t>(answer.size())) +
                                             little_endian(checksum(answer)) + compress(answer)
                                       : answer;
    id = compressed ? id | compressed_bit : id & ~compressed_bit;
    const std::size_t count = (all.size() + size - 1) / size;
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < count; ++i)
        parts.push_back("\xFE\xFF\xFF\xFF" + little_endian(id) + static_cast<char>(count) +
                        static_cast<char>(i) + word(static_cast<std::uint16_t>(size)) +
                        all.substr(i * size, size));
    return parts;
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
    const unsigned extra = reader.byte();
    if ((extra & 0x80U) != 0) info.port = reader.word();
    if ((extra & 0x10U) != 0) reader.skip(8);
    if ((extra & 0x20U) != 0) info.keywords = reader.text();
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
