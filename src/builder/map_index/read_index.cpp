#include "builder/map_index/read_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <climits>
#include <expected>
#include <set>
#include <string_view>

#include "builder/confined_reader.hpp"
#include "builder/map_index/parse_table.hpp"
#include "specs/text.hpp"
#include "specs/text_checks.hpp"
#include "specs/writable.hpp"

namespace left4me::builder {

namespace {

constexpr std::size_t columns = 4;
constexpr std::size_t max_url_bytes = 2048;

/// What is wrong with a line.
using Why = std::unexpected<std::string>;

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

bool is_header(const std::vector<std::string_view>& fields) {
    return fields.size() == columns && lower(fields[0]) == "name" && lower(fields[1]) == "size";
}

std::expected<std::string, std::string> read_name(std::string_view text) {
    constexpr std::string_view ending = ".vpk";
    const auto wrong = [&](std::string_view why) { return Why(fmt::format("{} {}", in_quotes(text), why)); };
    if (text.empty()) return Why("names no map");
    if (text.find_first_of("/\\") != std::string_view::npos)
        return wrong("is a path; a plain file name is needed");
    if (find_invalid_utf8(text) != std::string_view::npos) return wrong("is not UTF-8");
    const bool control =
        std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; });
    if (control || find_control_character(text) != std::string_view::npos)
        return wrong("has a control character");
    if (text.starts_with('.')) return wrong("begins with a dot");
    if (!text.ends_with(ending)) return wrong("does not end in .vpk");
    if (text.size() > NAME_MAX) return wrong(fmt::format("is longer than {} bytes", NAME_MAX));
    return std::string(text);
}

std::expected<std::uint64_t, std::string> read_size(std::string_view text) {
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(text.begin(), text.end(), size);
    if (error != std::errc() || end != text.end() || size == 0)
        return Why(fmt::format("{} is not the size of a file in bytes", in_quotes(text)));
    return size;
}

std::expected<std::string, std::string> read_md5(std::string_view text) {
    constexpr std::size_t digits = 32;
    std::string md5 = lower(text);
    if (md5.size() == digits && md5.find_first_not_of("0123456789abcdef") == std::string::npos) return md5;
    return Why(fmt::format("{} is not an MD5 of 32 digits 0-9 and a-f", in_quotes(text)));
}

/// Real indexes have names with blanks in their links.
std::expected<std::string, std::string> read_link(std::string_view text) {
    std::string url;
    for (const char c : text) {
        if (c == ' ') {
            url += "%20";
        } else {
            url += c;
        }
    }
    const bool control = std::any_of(
        url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
    if (control || url.size() > max_url_bytes)
        return Why(
            fmt::format("the link is longer than {} bytes, or has a control character", max_url_bytes));
    Violations violations;
    check_https_url(url, violations);
    if (!violations.empty()) return Why("the link " + violations.front().message);
    return url;
}

class Index {
  public:
    explicit Index(const MapIndexSource& source) : source_(source) {}

    Built<void> row(const Message& message) {
        const std::vector<std::string_view> fields = fields_of(message);
        if (first_ && is_header(fields)) {
            first_ = false;
            return {};
        }
        first_ = false;
        const auto refuse = [&](const std::string& why) {
            return source_failure(printable_line(fmt::format(
                "line {}: {}; if whoever publishes the index does not correct it, exclude the map",
                message.number, why)));
        };
        if (!fields.empty() && is_excluded(fields[0])) return {};
        if (fields.size() != columns) {
            return source_failure(fmt::format(
                "line {} has {} of the {} fields Name;Size;MD5;DownloadLink; is the URL that of an "
                "index of maps?",
                message.number, fields.size(), columns));
        }
        const auto name = read_name(fields[0]);
        if (!name) return refuse(name.error());
        const auto size = read_size(fields[1]);
        if (!size) return refuse(fmt::format("{}: {}", in_quotes(*name), size.error()));
        const auto md5 = read_md5(fields[2]);
        if (!md5) return refuse(fmt::format("{}: {}", in_quotes(*name), md5.error()));
        const auto url = read_link(fields[3]);
        if (!url) return refuse(fmt::format("{}: {}", in_quotes(*name), url.error()));
        if (!names_.insert(*name).second) return refuse(fmt::format("{} is there twice", in_quotes(*name)));
        maps_.push_back({*name, *size, *md5, *url});
        return check_limits(*size);
    }

    Built<std::vector<Map>> take() {
        if (maps_.empty())
            return source_failure("it names no map that is not excluded; correct the URL, or `exclude`");
        std::sort(maps_.begin(), maps_.end(), [](const Map& a, const Map& b) { return a.name < b.name; });
        return std::move(maps_);
    }

  private:
    bool is_excluded(std::string_view name) const {
        return std::any_of(source_.exclude.begin(), source_.exclude.end(),
                           [&](const std::string& pattern) { return matches_name(pattern, name); });
    }

    Built<void> check_limits(std::uint64_t size) {
        if (maps_.size() > max_maps)
            return source_failure(fmt::format("it names more than {} maps; exclude some", max_maps));
        if (maps_.size() > source_.limits.entries) {
            return source_failure(
                fmt::format("it names more than {} maps; exclude some, or raise "
                            "limits.overlayEntries in /etc/left4me/config.yaml",
                            source_.limits.entries));
        }
        if (size > source_.limits.bytes - bytes_) {
            return source_failure(
                fmt::format("its maps have more than {} bytes; exclude some, or raise "
                            "limits.overlayBytes in /etc/left4me/config.yaml",
                            source_.limits.bytes));
        }
        bytes_ += size;
        return {};
    }

    const MapIndexSource& source_;
    std::vector<Map> maps_;
    std::set<std::string> names_;
    std::uint64_t bytes_ = 0;
    bool first_ = true;
};

}  // namespace

Built<std::vector<Map>> read_index(int file, const MapIndexSource& source) {
    auto reader = ConfinedReader::start(file, parse_table);
    if (!reader) return std::unexpected(reader.error());
    Index index(source);
    Message message;
    while (true) {
        if (auto got = reader->next(message); !got) return std::unexpected(got.error());
        switch (message.kind) {
            case Message::Kind::Row:
                if (auto row = index.row(message); !row) return std::unexpected(row.error());
                break;
            case Message::Kind::End:
                return index.take();
            case Message::Kind::Failed:
                return source_failure(printable_line(message.text) +
                                      "; is the URL that of an index of maps?");
            default:
                return source_failure(
                    "the process that read it sent an entry of an archive: the index is hostile");
        }
    }
}

}  // namespace left4me::builder
