#include "adapters/a2s/info.hpp"

#include <algorithm>

#include "adapters/a2s/reader.hpp"

namespace left4me::a2s {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view question = "\xFF\xFF\xFF\xFF\x54Source Engine Query\0"sv;

constexpr char protocol = 17;

/// Which fields follow the version, in this order.
constexpr unsigned has_port = 0x80;
constexpr unsigned has_steam_id = 0x10;
constexpr unsigned has_television = 0x40;
constexpr unsigned has_keywords = 0x20;
constexpr unsigned has_game_id = 0x01;

void read_extra(Reader& reader, Info& info) {
    if (reader.at_end()) return;  // old servers have none
    const unsigned extra = reader.byte();
    if ((extra & has_port) != 0) info.port = reader.word();
    if ((extra & has_steam_id) != 0) reader.bytes(8);
    if ((extra & has_television) != 0) {
        reader.word();
        reader.text();
    }
    if ((extra & has_keywords) != 0) info.keywords = reader.text();
    if ((extra & has_game_id) != 0) reader.bytes(8);
}

bool has_keyword(const Info& info, std::string_view wanted) {
    std::string_view rest = info.keywords;
    for (;;) {
        const std::size_t end = rest.find(',');
        if (rest.substr(0, end) == wanted) return true;
        if (end == std::string_view::npos) return false;
        rest.remove_prefix(end + 1);
    }
}

std::string word(std::uint16_t value) {
    return {static_cast<char>(value & 0xFFU), static_cast<char>(value >> 8U)};
}

}  // namespace

std::string info_question(const std::optional<Challenge>& challenge) {
    std::string datagram(question);
    if (challenge) datagram.append(challenge->data(), challenge->size());
    return datagram;
}

std::optional<Info> parse_info(std::string_view bytes) {
    if (info_header.size() + bytes.size() > largest_datagram) return std::nullopt;
    Reader reader(bytes);
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
    info.type = static_cast<char>(reader.byte());
    info.system = static_cast<char>(reader.byte());
    info.password = reader.byte() != 0;
    info.secure = reader.byte() != 0;
    info.version = reader.text();
    read_extra(reader, info);
    if (!reader.good()) return std::nullopt;
    return info;
}

std::string encode(const Info& info) {
    const auto text = [](const std::string& value) { return value.substr(0, value.find('\0')) + '\0'; };
    std::string datagram(info_header);
    datagram += protocol;
    datagram += text(info.name) + text(info.map) + text(info.folder) + text(info.game) + word(info.app);
    for (const std::uint8_t count : {info.players, info.max_players, info.bots})
        datagram += static_cast<char>(count);
    datagram += info.type;
    datagram += info.system;
    datagram += static_cast<char>(info.password);
    datagram += static_cast<char>(info.secure);
    datagram += text(info.version);
    if (!info.port && info.keywords.empty()) return datagram;
    const unsigned extra = (info.port ? has_port : 0U) | (info.keywords.empty() ? 0U : has_keywords);
    datagram += static_cast<char>(extra);
    if (info.port) datagram += word(*info.port);
    if (!info.keywords.empty()) datagram += text(info.keywords);
    return datagram;
}

unsigned people(const Info& info, unsigned listed) {
    const unsigned there = std::max<unsigned>(info.players, listed);
    const bool only_bots = there <= info.bots && has_keyword(info, "empty");
    return only_bots ? 0U : there;
}

}  // namespace left4me::a2s
