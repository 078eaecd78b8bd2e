#include "builder/messages.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace left4me::builder {

namespace {

/// Longer paths are no paths; see PATH_MAX and the limits of formats.
constexpr std::size_t max_text_bytes = 1U << 18U;
static_assert(max_text_bytes >= max_data_bytes);

/// In native byte order: both processes are one program.
struct Header {
    Message::Kind kind = Message::Kind::End;
    std::uint32_t text_bytes = 0;
    std::uint64_t more_bytes = 0;
    std::uint64_t number = 0;
    std::uint64_t position = 0;
};

bool write_all(int pipe, const void* data, std::size_t bytes) {
    std::string_view rest(static_cast<const char*>(data), bytes);
    while (!rest.empty()) {
        const ssize_t wrote = ::write(pipe, rest.data(), rest.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return false;
        rest.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return true;
}

bool send(int pipe, const Header& header, std::string_view text, std::string_view more) {
    return write_all(pipe, &header, sizeof header) && write_all(pipe, text.data(), text.size()) &&
           write_all(pipe, more.data(), more.size());
}

/// False at the end of the pipe.
bool read_all(int pipe, void* data, std::size_t bytes) {
    auto* at = static_cast<char*>(data);
    while (bytes > 0) {
        const ssize_t got = ::read(pipe, at, bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        bytes -= static_cast<std::size_t>(got);
    }
    return true;
}

std::string_view cut(std::string_view text) { return text.substr(0, max_text_bytes); }

}  // namespace

bool send_message(int pipe, const Message& message) {
    const std::string_view text = cut(message.text);
    const std::string_view more = cut(message.more);
    return send(pipe,
                {message.kind, static_cast<std::uint32_t>(text.size()), more.size(), message.number,
                 message.position},
                text, more);
}

bool send_data(int pipe, std::uint64_t position, std::uint64_t offset, std::string_view data) {
    return send(pipe, {Message::Kind::Data, static_cast<std::uint32_t>(data.size()), 0, offset, position},
                data, {});
}

std::expected<void, NoMessage> next_message(int pipe, Message& message) {
    Header header;
    if (!read_all(pipe, &header, sizeof header)) return std::unexpected(NoMessage::Ended);
    if (header.kind > Message::Kind::Failed || header.text_bytes > max_text_bytes ||
        header.more_bytes > max_text_bytes)
        return std::unexpected(NoMessage::Invalid);
    message.kind = header.kind;
    message.number = header.number;
    message.position = header.position;
    message.text.resize(header.text_bytes);
    message.more.resize(header.more_bytes);
    if (!read_all(pipe, message.text.data(), message.text.size()) ||
        !read_all(pipe, message.more.data(), message.more.size()))
        return std::unexpected(NoMessage::Ended);
    return {};
}

std::vector<std::string_view> fields_of(const Message& row) {
    std::vector<std::string_view> fields;
    std::string_view text = row.text;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\0'), text.size());
        fields.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return fields;
}

}  // namespace left4me::builder
