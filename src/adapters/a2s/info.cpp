#include "adapters/a2s/info.hpp"

#include <algorithm>

namespace left4me::a2s {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view question = "\xFF\xFF\xFF\xFF\x54Source Engine Query\0"sv;
constexpr std::string_view challenge_header = "\xFF\xFF\xFF\xFF\x41"sv;
constexpr std::string_view info_header = "\xFF\xFF\xFF\xFF\x49"sv;

constexpr char protocol = 17;

/// Which fields follow the version, in this order.
constexpr unsigned has_port = 0x80;
constexpr unsigned has_steam_id = 0x10;
constexpr unsigned has_television = 0x40;
constexpr unsigned has_keywords = 0x20;
constexpr unsigned has_game_id = 0x01;

/// Takes fields from the front; everything after the first one that is truncated is empty.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    bool good() const { return good_; }
    bool at_end() const { return rest_.empty(); }

    std::string_view bytes(std::size_t count) {
        if (rest_.size() < count) {
            fail();
            return {};
        }
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }

    std::uint8_t byte() {
        const std::string_view one = bytes(1);
        return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one.front());
    }

    std::uint16_t word() {
        const unsigned low = byte();
        return static_cast<std::uint16_t>(low | (static_cast<unsigned>(byte()) << 8U));
    }

    std::string text() {
        const std::size_t end = rest_.find('\0');
        if (end == std::string_view::npos) {
            fail();
            return {};
        }
        return std::string(bytes(end + 1).substr(0, end));
    }

  private:
    void fail() {
        good_ = false;
        rest_ = {};
    }

    std::string_view rest_;
    bool good_ = true;
};

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

std::optional<Answer> parse_info(std::string_view bytes) {
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

std::optional<Answer> parse_answer(std::string_view datagram) {
    if (datagram.size() > largest_datagram) return std::nullopt;
    if (datagram.starts_with(info_header)) return parse_info(datagram.substr(info_header.size()));
    if (!datagram.starts_with(challenge_header)) return std::nullopt;
    const std::string_view value = datagram.substr(challenge_header.size());
    Challenge challenge{};
    if (value.size() != challenge.size()) return std::nullopt;
    std::copy(value.begin(), value.end(), challenge.begin());
    return challenge;
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

std::string encode(const Challenge& challenge) {
    return std::string(challenge_header) + std::string(challenge.data(), challenge.size());
}

unsigned people(const Info& info) {
    const bool only_bots = info.players <= info.bots && has_keyword(info, "empty");
    return only_bots ? 0U : info.players;
}

}  // namespace left4me::a2s
