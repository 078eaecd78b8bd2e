#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// RCON, the console of a game over TCP: developer.valvesoftware.com/wiki/Source_RCON_Protocol.
namespace left4me::rcon {

struct Packet {
    static constexpr std::int32_t auth = 3;
    static constexpr std::int32_t execute = 2;
    static constexpr std::int32_t auth_response = 2;
    static constexpr std::int32_t response = 0;

    std::int32_t id = 0;
    std::int32_t type = response;
    std::string body;

    bool operator==(const Packet&) const = default;
};

/// What a client may send: a packet's size (without its own four bytes) is at most 4096.
inline constexpr std::size_t max_sent_body = 4086;
/// What is read of one packet. Games send up to 4096 bytes; some count differently.
inline constexpr std::size_t max_packet = std::size_t{16} * 1024;

/// `body` must not be longer than max_sent_body, and contain no NUL.
std::string encode(const Packet& packet);

/// Cuts a stream into packets. TCP splits and joins them as it likes.
class PacketReader {
  public:
    void add(std::string_view bytes) { bytes_ += bytes; }
    /// The first whole packet; nullopt: it has not come yet, or is_broken(): these bytes are not RCON, or a
    /// packet is larger than max_packet.
    std::optional<Packet> next();
    bool is_broken() const { return is_broken_; }

  private:
    std::string bytes_;
    bool is_broken_ = false;
};

}  // namespace left4me::rcon
