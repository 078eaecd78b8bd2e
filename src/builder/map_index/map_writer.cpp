#include "builder/map_index/map_writer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>

#include "adapters/store/files.hpp"
#include "specs/text.hpp"

namespace left4me::builder {

namespace {

/// Of one archive. More are no description of a map.
constexpr std::uint64_t max_entries = 10'000;

std::unexpected<BuildError> refusal(std::string_view path, std::string_view why) {
    return source_failure(fmt::format("its archive has an entry {}, which {}", in_quotes(path), why));
}

std::string_view last_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool is_vpk(std::string_view path) {
    constexpr std::string_view ending = ".vpk";
    if (path.size() < ending.size()) return false;
    path.remove_prefix(path.size() - ending.size());
    return std::equal(path.begin(), path.end(), ending.begin(), [](char a, char b) {
        return static_cast<char>(std::tolower(static_cast<unsigned char>(a))) == b;
    });
}

}  // namespace

Built<bool> MapWriter::enter(std::string_view path) {
    writing_ = false;
    if (const std::string why = why_not_a_path(path); !why.empty()) return refusal(path, why);
    if (++entries_ > max_entries)
        return source_failure(fmt::format("its archive has more than {} entries", max_entries));
    return is_vpk(path);
}

Built<void> MapWriter::directory(std::string_view path) {
    if (const auto vpk = enter(path); !vpk) return std::unexpected(vpk.error());
    return {};
}

Built<void> MapWriter::begin_file(std::string_view path, bool /*program*/) {
    const auto vpk = enter(path);
    if (!vpk) return std::unexpected(vpk.error());
    if (!*vpk) return {};
    if (last_name(path) != map_.name) return refusal(path, "is another VPK than the index names");
    if (found_) return refusal(path, "is there twice");
    found_ = true;
    writing_ = true;
    return {};
}

Built<void> MapWriter::write(std::uint64_t offset, std::string_view data) {
    if (!writing_) return {};
    if (offset > map_.size || data.size() > map_.size - offset)
        return source_failure(fmt::format("it has more than the {} bytes that the index says", map_.size));
    if (const auto wrote = store::write_at(file_, data, offset, map_.name); !wrote)
        return own_failure(errno, wrote.error());
    bytes_ += data.size();
    size_ = std::max(size_, offset + data.size());
    return {};
}

Built<void> MapWriter::end_file(std::uint64_t size) {
    if (!writing_) return {};
    writing_ = false;
    if (size <= size_ || size > map_.size) return {};
    if (::ftruncate(file_, static_cast<off_t>(size)) != 0)
        return own_failure(errno, store::io_error(map_.name).error());
    size_ = size;
    return {};
}

Built<void> MapWriter::link(std::string_view path, const std::string& /*target*/) {
    return refuse_vpk(path, "is a symlink");
}

Built<void> MapWriter::hard_link(std::string_view path, std::string_view /*original*/) {
    return refuse_vpk(path, "is a hard link");
}

Built<void> MapWriter::refuse(std::string_view path, const std::string& why) { return refuse_vpk(path, why); }

Built<void> MapWriter::refuse_vpk(std::string_view path, const std::string& why) {
    const auto vpk = enter(path);
    if (!vpk) return std::unexpected(vpk.error());
    if (*vpk) return refusal(path, why);
    return {};
}

Built<void> MapWriter::finish() const {
    if (!found_) return source_failure(fmt::format("its archive has no file {}", in_quotes(map_.name)));
    if (size_ != map_.size)
        return source_failure(
            fmt::format("it has {} bytes, not the {} that the index says", size_, map_.size));
    return {};
}

}  // namespace left4me::builder
