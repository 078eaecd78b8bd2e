#include "builder/git/packets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace left4me::builder {

namespace {

constexpr std::size_t head = 4;

std::optional<std::size_t> length_of(std::string_view text) {
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + head, length, 16);
    if (error != std::errc() || end != text.data() + head) return std::nullopt;
    return length;
}

}  // namespace

std::string packet(std::string_view data) { return fmt::format("{:04x}{}", data.size() + head, data); }

std::string_view text_of(const Packet& packet) {
    std::string_view text = packet.data;
    if (text.ends_with('\n')) text.remove_suffix(1);
    return text;
}

bool PacketReader::add(std::string_view bytes, const OnPacket& on_packet) {
    while (!bytes.empty()) {
        // The length first, then the rest.
        const auto take = [&](std::size_t wanted) {
            const std::size_t missing = std::min(wanted - std::min(wanted, begun_.size()), bytes.size());
            begun_ += bytes.substr(0, missing);
            bytes.remove_prefix(missing);
            return begun_.size() >= wanted;
        };
        if (!take(head)) return true;
        const auto length = length_of(begun_);
        Packet packet;
        if (length == 0U) packet.kind = Packet::Kind::Flush;
        if (length == 1U) packet.kind = Packet::Kind::Delimiter;
        if (length == 2U) packet.kind = Packet::Kind::End;
        if (!length || *length == 3) {
            invalid_ = true;
            return false;
        }
        if (*length >= head) {
            if (!take(*length)) return true;
            packet.data = std::string_view(begun_).substr(head);
        }
        const bool more = on_packet(packet);
        begun_.clear();
        if (!more) return false;
    }
    return true;
}

}  // namespace left4me::builder
