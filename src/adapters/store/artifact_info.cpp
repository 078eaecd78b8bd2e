#include "adapters/store/artifact_info.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>

#include "adapters/digest.hpp"
#include "adapters/file_time.hpp"
#include "adapters/store/json_field.hpp"
#include "adapters/store/shared_files.hpp"
#include "adapters/store/state_files.hpp"

namespace left4me::store {

namespace {

using nlohmann::json;

/// For 5000 titles.
constexpr std::size_t max_bytes = 4U << 20U;

/// Not the name of an artifact, and nothing that sweep() removes.
std::string file_of(const std::string& digest) { return digest + ".json"; }

timespec as_timespec(TimePoint time) {
    const auto since = time.time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    return {.tv_sec = seconds.count(), .tv_nsec = std::chrono::nanoseconds(since - seconds).count()};
}

}  // namespace

Done write_info(int overlay, const std::string& digest, const ArtifactInfo& info) {
    const std::string name = file_of(digest);
    const std::string fresh = "." + name;
    json object = {{"built", time_to_json(info.built)},
                   {"files", info.files},
                   {"bytes", info.bytes},
                   {"sharedBytes", info.shared_bytes}};
    if (!info.titles.empty()) object["titles"] = info.titles;
    const Fd file(
        ::openat(overlay, fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640));
    if (!file) return io_error(name);
    if (auto wrote =
            write_all(file.get(), object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n", name);
        !wrote)
        return wrote;
    const std::array<timespec, 2> times{as_timespec(info.built), as_timespec(info.built)};
    if (::futimens(file.get(), times.data()) != 0) return io_error(name);
    if (::renameat(overlay, fresh.c_str(), overlay, name.c_str()) != 0) return io_error(name);
    return {};
}

std::optional<ArtifactInfo> read_info(int overlay, const std::string& digest) {
    const auto text = read_file(overlay, file_of(digest), max_bytes);
    const json object = text ? json::parse(*text, nullptr, false) : json();
    if (!object.is_object()) return std::nullopt;
    const auto built = time_from_json(read_field<std::string>(object, "built"));
    if (!built) return std::nullopt;
    return ArtifactInfo{
        .built = *built,
        .files = read_field<std::uint64_t>(object, "files"),
        .bytes = read_field<std::uint64_t>(object, "bytes"),
        .shared_bytes =
            read_shared_bytes(overlay, digest).value_or(read_field<std::uint64_t>(object, "sharedBytes")),
        .titles = read_field<std::map<std::string, std::string>>(object, "titles")};
}

Done remove_info(int overlay, const std::string& digest) {
    for (const std::string& name : list(overlay)) {
        const std::string of = name.substr(0, name.find('.'));
        if (!is_digest(of) || (name != file_of(of) && name != shared_name(of))) continue;
        const bool orphan = ::faccessat(overlay, of.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0;
        if ((of == digest || orphan) && ::unlinkat(overlay, name.c_str(), 0) != 0 && errno != ENOENT)
            return io_error(name);
    }
    return {};
}

TimePoint time_built(int overlay, const std::string& digest) {
    struct stat status{};
    if (::fstatat(overlay, file_of(digest).c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 &&
        ::fstatat(overlay, digest.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
        return {};
    return time_of(status.st_mtim);
}

}  // namespace left4me::store
