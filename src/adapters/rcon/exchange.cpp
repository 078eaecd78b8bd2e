#include "adapters/rcon/exchange.hpp"

#include <utility>

namespace left4me::rcon {

Exchange::Exchange(const Consoles& consoles, Game game, std::vector<std::string> lines, std::size_t unheard)
    : game_(std::move(game)),
      session_(consoles.connect(game_)),
      lines_(std::move(lines)),
      unheard_(unheard) {}

std::optional<std::expected<std::string, std::string>> Exchange::advance(Consoles& consoles) {
    if (!session_) return std::unexpected(session_.error());
    for (;;) {
        if (sent_ > 0) {
            const auto answer = session_->advance();
            if (!answer) return std::nullopt;
            if (!*answer) {
                if (answer->error() == Failure::Refused) consoles.note_refusal(game_);
                return std::unexpected(describe(answer->error()));
            }
            if (sent_ > unheard_) printed_ += **answer;
        }
        if (sent_ == lines_.size()) return std::move(printed_);
        session_->execute(lines_[sent_++], Consoles::longest_question);
    }
}

Readiness Exchange::readiness() const {
    if (session_) return session_->readiness();
    Readiness now;
    now.timeout = std::chrono::milliseconds(0);
    return now;
}

}  // namespace left4me::rcon
