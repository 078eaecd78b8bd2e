#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace left4me::builder {

/// A packet of git's protocols, gitprotocol-common(5).
struct Packet {
    enum class Kind { Data, Flush, Delimiter, End };
    Kind kind = Kind::Data;
    std::string_view data;  ///< of Data
};

/// `data` as a packet. At most 65516 bytes.
std::string packet(std::string_view data);
inline constexpr std::string_view flush_packet = "0000";
inline constexpr std::string_view delimiter_packet = "0001";

/// Takes a stream of packets apart, in whatever pieces it arrives.
class PacketReader {
  public:
    /// False: go no further.
    using OnPacket = std::function<bool(const Packet&)>;

    /// False if `on_packet` returned false, or this is no packet: is_invalid().
    bool add(std::string_view bytes, const OnPacket& on_packet);
    bool is_invalid() const { return invalid_; }
    /// Whether the last packet is complete.
    bool is_complete() const { return begun_.empty(); }

  private:
    std::string begun_;  ///< a part of a packet
    bool invalid_ = false;
};

/// A packet's text without the line feed at its end.
std::string_view text_of(const Packet& packet);

}  // namespace left4me::builder
