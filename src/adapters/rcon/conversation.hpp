#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/rcon/packets.hpp"

namespace left4me::rcon {

/// Why a command has no answer.
enum class Failure {
    NotListening,  ///< nobody listens on the port, or not the game: nothing was sent
    Refused,       ///< the password is wrong
    Silent,        ///< no whole answer in time, or the game closed the connection
    Broken,        ///< what came is not RCON, or more than max_answer
};

/// For people, as the end of "its console ".
const char* describe(Failure failure);

/// The whole answer to one command.
inline constexpr std::size_t max_answer = std::size_t{1} << 20U;

using Answer = std::expected<std::string, Failure>;

/// One connection, without the connection: bytes in, bytes out. It sends the password once, then one command
/// after another. A wrong password is final.
class Conversation {
  public:
    explicit Conversation(const std::string& password);

    /// Call it again only after answer(). `command`: one line of at most max_sent_body bytes, no NUL.
    void execute(std::string command);
    /// What is to be sent now.
    std::string take_output();
    void received(std::string_view bytes);

    /// To the latest command; nullopt: not yet whole.
    const std::optional<Answer>& answer() const { return answer_; }

  private:
    void send_command();
    void take(const Packet& packet);
    void take_auth(const Packet& packet);

    PacketReader reader_;
    std::string output_;
    std::string command_;  ///< waits until the game has accepted the password
    bool is_accepted_ = false;
    std::int32_t id_ = 1;  ///< of the latest command; its mirror has the next number
    std::string text_;
    std::optional<Answer> answer_;
};

}  // namespace left4me::rcon
