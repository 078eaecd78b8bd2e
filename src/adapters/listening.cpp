#include "adapters/listening.hpp"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <optional>

#include "adapters/lines.hpp"

namespace left4me {
namespace {

// sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …
constexpr std::size_t local_address = 1;
constexpr std::size_t remote_address = 2;
constexpr std::size_t queues = 4;
constexpr std::size_t user_id = 7;
constexpr std::size_t inode = 9;
constexpr std::size_t fields = 10;

std::array<std::string_view, fields> split(std::string_view line) {
    std::array<std::string_view, fields> words;
    for (std::string_view& word : words) {
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        word = line.substr(0, line.find(' '));
        line.remove_prefix(word.size());
    }
    return words;
}

template <typename Number>
std::optional<Number> number(std::string_view text, int base = 10) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// "0100007F:6987"; the address is printed as a number in the processor's byte order.
std::optional<Endpoint> endpoint(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto address = number<std::uint32_t>(text.substr(0, colon), 16);
    const auto port = number<std::uint16_t>(text.substr(colon + 1), 16);
    if (!address || !port) return std::nullopt;
    return Endpoint{ntohl(*address), *port};
}

/// "00000000:00000A80": what is to be sent, and what was received and not read yet.
std::size_t received(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return 0;
    return number<std::size_t>(text.substr(colon + 1), 16).value_or(0);
}

}  // namespace

std::map<Listening, std::size_t> listening_sockets(std::string_view table, std::uint32_t user,
                                                   std::size_t limit) {
    std::map<Listening, std::size_t> sockets;
    for (const std::string_view line : lines_of(table)) {
        if (sockets.size() == limit) break;
        const auto words = split(line);
        const auto at = endpoint(words[local_address]);
        const auto peer = endpoint(words[remote_address]);
        const auto number_of = number<std::uint64_t>(words[inode]);
        if (!at || !peer || !number_of || at->port == 0 || peer->port != 0) continue;
        if (number<std::uint32_t>(words[user_id]) != user) continue;
        sockets.emplace(Listening{*at, *number_of}, received(words[queues]));
    }
    return sockets;
}

}  // namespace left4me
