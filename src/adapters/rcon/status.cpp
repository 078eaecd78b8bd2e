#include "adapters/rcon/status.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "adapters/lines.hpp"
#include "adapters/rcon/words.hpp"

namespace left4me::rcon {
namespace {

constexpr unsigned most = 255;  // more than any game has

/// Takes what is expected from the front; nothing more once something else was there.
class Expect {
  public:
    explicit Expect(std::string_view text) : rest_(text) {}

    bool good() const { return good_; }
    bool ended() const { return good_ && rest_.empty(); }

    void word(std::string_view expected) {
        if (!optional_word(expected)) good_ = false;
    }

    bool optional_word(std::string_view expected) {
        if (!good_ || !rest_.starts_with(expected)) return false;
        rest_.remove_prefix(expected.size());
        return true;
    }

    unsigned number() {
        unsigned value = 0;
        const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        if (!good_ || error != std::errc{} || value > most) {
            good_ = false;
            return 0;
        }
        rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
        return value;
    }

    void hexadecimal() {
        constexpr std::string_view digits = "0123456789abcdefABCDEF";
        const std::size_t end = std::min(rest_.find_first_not_of(digits), rest_.size());
        if (end == 0) good_ = false;
        rest_.remove_prefix(end);
    }

  private:
    std::string_view rest_;
    bool good_ = true;
};

/// "players : 0 humans, 0 bots (12 max) (not hibernating) (reserved 186000047cf0fd8)"
std::optional<GameStatus> parse_players(std::string_view line) {
    Expect expect(line);
    GameStatus status;
    expect.word("players : ");
    status.humans = expect.number();
    expect.word(" humans, ");
    status.bots = expect.number();
    expect.word(" bots (");
    status.max = expect.number();
    expect.word(" max) (");
    status.is_hibernating = !expect.optional_word("not ");
    expect.word("hibernating) (");
    status.is_reserved = !expect.optional_word("unreserved)");
    if (status.is_reserved) {
        expect.word("reserved ");
        expect.hexadecimal();
        expect.word(")");
    }
    if (!expect.ended()) return std::nullopt;
    return status;
}

/// One line of the list: `# 26 1 "name" STEAM_1:0:12345678 05:40 99 0 active 30000 1.2.3.4:44563`, of a bot
/// `#27 "Coach" BOT active`. The name may contain quotation marks; nothing after it does.
void count_player(std::string_view line, GameStatus& listed) {
    const std::size_t quote = line.rfind('"');
    if (quote == std::string_view::npos) return;  // the heading, the end
    const auto after = words_of(line.substr(quote + 1));
    if (!after.empty() && after.front() == "BOT") {
        ++listed.bots;
        return;
    }
    ++listed.humans;
    constexpr std::size_t state = 4;
    if (after.size() <= state || after[state] != "active") ++listed.connecting;
}

}  // namespace

std::optional<GameStatus> parse_status(std::string_view text) {
    std::optional<GameStatus> status;
    GameStatus listed;
    for (std::string_view line : lines_of(text)) {
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.starts_with('#')) count_player(line, listed);
        if (!line.starts_with("players")) continue;
        if (status) return std::nullopt;
        status = parse_players(line);
        if (!status) return std::nullopt;
    }
    if (!status) return std::nullopt;
    status->humans = std::max(status->humans, listed.humans);
    status->connecting = listed.connecting;
    return status;
}

}  // namespace left4me::rcon
