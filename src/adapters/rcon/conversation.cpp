#include "adapters/rcon/conversation.hpp"

#include <utility>

namespace left4me::rcon {
namespace {

constexpr std::int32_t auth_id = 1;
/// What the game sends as the identifier when it does not accept the password.
constexpr std::int32_t refused_id = -1;

}  // namespace

const char* describe(Failure failure) {
    switch (failure) {
        case Failure::NotListening:
            return "cannot be reached";
        case Failure::Refused:
            return "refuses the password";
        case Failure::Silent:
            return "does not answer";
        case Failure::Broken:
            return "answers with something else than RCON";
    }
    return "";
}

Conversation::Conversation(const std::string& password) {
    output_ = encode({.id = auth_id, .type = Packet::auth, .body = password});
}

void Conversation::execute(std::string command) {
    if (answer_ && !answer_->has_value()) return;  // nothing more comes from there
    answer_.reset();
    text_.clear();
    command_ = std::move(command);
    if (is_accepted_) send_command();
}

/// How long the answer is, the game does not say. So an empty packet follows, which the game sends back after
/// it (and then another one, whose identifier is that of the mirror, too).
void Conversation::send_command() {
    id_ = id_ > 1'000'000'000 ? auth_id + 1 : id_ + 2;
    output_ += encode({.id = id_, .type = Packet::execute, .body = std::exchange(command_, {})});
    output_ += encode({.id = id_ + 1, .type = Packet::response, .body = {}});
}

std::string Conversation::take_output() { return std::exchange(output_, {}); }

void Conversation::received(std::string_view bytes) {
    if (answer_ && !answer_->has_value()) return;
    reader_.add(bytes);
    while (const auto packet = reader_.next()) {
        take(*packet);
        if (answer_ && !answer_->has_value()) return;
    }
    if (reader_.is_broken()) answer_ = std::unexpected(Failure::Broken);
}

void Conversation::take(const Packet& packet) {
    // The game forgets that a client has given the password when it changes.
    if (packet.type == Packet::auth_response && packet.id == refused_id) {
        answer_ = std::unexpected(Failure::Refused);
        return;
    }
    if (!is_accepted_) return take_auth(packet);
    if (answer_ || packet.type != Packet::response) return;
    if (packet.id == id_ + 1) {
        answer_ = std::move(text_);
        return;
    }
    if (packet.id != id_) return;  // the end of an earlier answer
    if (text_.size() + packet.body.size() > max_answer) {
        answer_ = std::unexpected(Failure::Broken);
        return;
    }
    text_ += packet.body;
}

/// Before it, the game sends an empty packet of type response, and some do not.
void Conversation::take_auth(const Packet& packet) {
    if (packet.type != Packet::auth_response || packet.id != auth_id) return;
    is_accepted_ = true;
    if (!command_.empty()) send_command();
}

}  // namespace left4me::rcon
