#include "backup/entry.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <climits>

#include "specs/text.hpp"

namespace left4me::backup {

namespace {

constexpr std::size_t fixed_fields = 7;
constexpr std::string_view heading = "# entries ";

/// Attributes may contain any byte, and a Row's fields end with a NUL.
std::string hexadecimal(std::string_view bytes) {
    std::string text;
    for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return text;
}

template <typename Number>
bool read_number(std::string_view text, Number& into, int base = 10) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into, base);
    return error == std::errc() && end == text.data() + text.size();
}

std::optional<std::string> from_hexadecimal(std::string_view text) {
    if (text.size() % 2 != 0 || text.size() / 2 > max_attribute_bytes) return std::nullopt;
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        unsigned char byte = 0;
        if (!read_number(text.substr(i, 2), byte, 16)) return std::nullopt;
        bytes += static_cast<char>(byte);
    }
    return bytes;
}

}  // namespace

bool is_kept_attribute(std::string_view name) {
    return name == "trusted.overlay.opaque" || name.starts_with("user.");
}

std::string why_not_a_path(std::string_view path) {
    if (path.empty() || path.starts_with('/')) return "is no path within the backup";
    if (path.size() >= PATH_MAX) return "is too long";
    if (find_invalid_utf8(path) != std::string_view::npos) return "is not UTF-8";
    if (std::any_of(path.begin(), path.end(),
                    [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; }))
        return "has a control character";
    std::size_t depth = 0;
    while (!path.empty()) {
        const std::size_t slash = std::min(path.find('/'), path.size());
        const std::string_view name = path.substr(0, slash);
        if (name.empty() || name == "." || name == "..") return "is no path within the backup";
        if (name.size() > NAME_MAX) return "is too long";
        if (++depth > max_depth) return "is nested too deeply";
        if (slash + 1 == path.size()) return "is no path within the backup";
        path.remove_prefix(std::min(slash + 1, path.size()));
    }
    return {};
}

std::string to_row(const Entry& entry) {
    std::string row;
    const auto add = [&row](std::string_view text) { row.append(text).push_back('\0'); };
    add(std::string(1, static_cast<char>(entry.type)));
    add(entry.path);
    add(fmt::format("{:o}", entry.mode));
    add(entry.user);
    add(entry.group);
    add(std::to_string(entry.modified));
    add(entry.target);
    for (const auto& [name, value] : entry.attributes) {
        add(name);
        add(hexadecimal(value));
    }
    return row;
}

std::optional<Entry> from_row(const std::vector<std::string_view>& fields) {
    if (fields.size() < fixed_fields || (fields.size() - fixed_fields) % 2 != 0 || fields[0].size() != 1)
        return std::nullopt;
    Entry entry;
    switch (fields[0][0]) {
        case 'd':
            entry.type = Type::Directory;
            break;
        case 'f':
            entry.type = Type::File;
            break;
        case 'l':
            entry.type = Type::Link;
            break;
        case 'w':
            entry.type = Type::Whiteout;
            break;
        default:
            return std::nullopt;
    }
    entry.path = fields[1];
    if (!read_number(fields[2], entry.mode, 8) || entry.mode > (S_ISUID | S_ISGID | S_ISVTX | 0777U))
        return std::nullopt;
    entry.user = fields[3];
    entry.group = fields[4];
    if (!read_number(fields[5], entry.modified)) return std::nullopt;
    entry.target = fields[6];
    for (std::size_t i = fixed_fields; i < fields.size(); i += 2) {
        auto value = from_hexadecimal(fields[i + 1]);
        if (!value) return std::nullopt;
        entry.attributes[std::string(fields[i])] = *std::move(value);
    }
    return entry;
}

void Sums::add(const Entry& entry, const std::string& content) {
    ++entries_;
    all_.field(to_row(entry)).field(content);
    if (entry.type == Type::File) files_.append(content).append("  ").append(entry.path).push_back('\n');
}

std::string Sums::text() { return files_ + std::string(heading) + all_.hex(Digest::all_digits) + "\n"; }

std::size_t Sums::text_bytes() const { return files_.size() + heading.size() + Digest::all_digits + 1; }

}  // namespace left4me::backup
