#include "adapters/rcon/packets.hpp"

namespace left4me::rcon {
namespace {

constexpr std::size_t number_size = 4;
/// The identifier, the type, and the two NULs after the body.
constexpr std::size_t smallest = 2 * number_size + 2;

std::string little_endian(std::uint32_t value) {
    std::string bytes;
    for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>((value >> shift) & 0xFFU);
    return bytes;
}

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < number_size; ++i)
        value |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[at + i])) << (8 * i);
    return value;
}

}  // namespace

std::string encode(const Packet& packet) {
    const std::string rest = little_endian(static_cast<std::uint32_t>(packet.id)) +
                             little_endian(static_cast<std::uint32_t>(packet.type)) + packet.body +
                             std::string(2, '\0');
    return little_endian(static_cast<std::uint32_t>(rest.size())) + rest;
}

std::optional<Packet> PacketReader::next() {
    if (is_broken_ || bytes_.size() < number_size) return std::nullopt;
    const std::size_t size = number_at(bytes_, 0);
    is_broken_ = size < smallest || size > max_packet;
    if (is_broken_ || bytes_.size() < number_size + size) return std::nullopt;
    const std::string_view body = std::string_view(bytes_).substr(3 * number_size, size - smallest);
    Packet packet{.id = static_cast<std::int32_t>(number_at(bytes_, number_size)),
                  .type = static_cast<std::int32_t>(number_at(bytes_, 2 * number_size)),
                  .body = std::string(body)};
    bytes_.erase(0, number_size + size);
    return packet;
}

}  // namespace left4me::rcon
