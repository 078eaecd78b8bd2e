#include "adapters/store/build_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "adapters/digest.hpp"
#include "adapters/file_time.hpp"
#include "adapters/store/json_field.hpp"
#include "adapters/store/pin_json.hpp"
#include "adapters/store/script_files.hpp"
#include "adapters/store/shared_files.hpp"
#include "adapters/store/state_files.hpp"
#include "adapters/store/steam_files.hpp"
#include "reconciler/pinning.hpp"

namespace left4me::store {

namespace {

using nlohmann::json;

constexpr std::size_t max_bytes = 256U << 10U;
/// Of a file with pins, of at most as many things as a build takes.
constexpr std::size_t max_pin_bytes = 4U << 20U;
constexpr const char* request_file = "request";
constexpr const char* check_file = "check";
constexpr const char* taken_file = "check.taken";
constexpr const char* upstream_file = "upstream";
constexpr const char* pin_file = "pin";
constexpr const char* record_file = "record";
constexpr const char* result_file = "result";
constexpr const char* progress_file = "progress";
constexpr const char* canceled_file = "canceled";

/// `fresh`: what it is called until it is whole.
Done replace(int directory, const std::string& name, const json& object, const std::string& fresh) {
    const Fd file(
        ::openat(directory, fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640));
    if (!file) return io_error(name);
    if (auto wrote = write_all(file.get(), object.dump() + "\n", name); !wrote) return wrote;
    if (::renameat(directory, fresh.c_str(), directory, name.c_str()) != 0) return io_error(name);
    return {};
}

Done replace(int directory, const std::string& name, const json& object) {
    return replace(directory, name, object, name + ".new");
}

/// Null if the file is missing or not JSON.
json read(int directory, const std::string& name, std::size_t limit = max_bytes) {
    const auto text = read_file(directory, name, limit);
    if (!text) return nullptr;
    return json::parse(*text, nullptr, false);
}

json limits_json(json object, const SourceLimits& limits) {
    object["maxBytes"] = limits.bytes;
    object["maxEntries"] = limits.entries;
    return object;
}

SourceLimits read_limits(const json& object) {
    SourceLimits limits;
    limits.bytes = read_field(object, "maxBytes", limits.bytes);
    limits.entries = read_field(object, "maxEntries", limits.entries);
    return limits;
}

/// Null for a source that is not built by a unit.
json request_of(const OverlaySource& source) {
    return std::visit(
        Overloaded{
            [](const DirectorySource& from) -> json {
                return {{"directory", limits_json({{"path", from.path}, {"root", from.root}}, from.limits)}};
            },
            [](const InlineSource&) -> json { return nullptr; },
            [](const ArchiveSource& from) -> json {
                json locations = json::array();
                for (const ArchiveLocation& location : from.locations)
                    locations.push_back({{"url", location.url}, {"root", location.root}});
                return {{"archive", limits_json({{"locations", locations},
                                                 {"sha256", from.sha256},
                                                 {"into", from.into},
                                                 {"stripComponents", from.strip_components},
                                                 {"exclude", from.exclude},
                                                 {"privateNetworks", from.private_networks}},
                                                from.limits)}};
            },
            [](const GitSource& from) -> json {
                return {{"git", limits_json({{"url", from.url},
                                             {"root", from.root},
                                             {"hostKeys", from.host_keys},
                                             {"ref", from.ref},
                                             {"path", from.path},
                                             {"into", from.into},
                                             {"exclude", from.exclude},
                                             {"privateNetworks", from.private_networks}},
                                            from.limits)}};
            },
            [](const WorkshopSource& from) -> json {
                return {{"workshop", limits_json({{"items", from.items},
                                                  {"collections", from.collections},
                                                  {"exclude", from.exclude},
                                                  {"privateNetworks", from.private_networks}},
                                                 from.limits)}};
            },
            [](const MapIndexSource& from) -> json {
                return {{"mapIndex", limits_json({{"url", from.url},
                                                  {"exclude", from.exclude},
                                                  {"privateNetworks", from.private_networks}},
                                                 from.limits)}};
            },
            [](const SteamSource& from) -> json {
                return {{"steam",
                         limits_json({{"build", from.build}, {"steamcmd", from.steamcmd}}, from.limits)}};
            },
            [](const ScriptSource& from) -> json {
                return {{"script", limits_json({{"run", from.run},
                                                {"network", to_string(from.network)},
                                                {"timeout", from.timeout.count()},
                                                {"memory", from.memory},
                                                {"disk", from.disk}},
                                               from.limits)}};
            },
        },
        source);
}

std::vector<std::string> read_texts(const json& object, const char* name) {
    std::vector<std::string> texts;
    const auto list = object.find(name);
    if (list == object.end() || !list->is_array()) return texts;
    for (const json& text : *list) {
        if (text.is_string()) texts.push_back(text.get<std::string>());
    }
    return texts;
}

std::expected<OverlaySource, std::string> read_directory(const json& from) {
    DirectorySource source{read_field<std::string>(from, "path"), read_field<std::string>(from, "root"),
                           read_limits(from)};
    if (!source.path.starts_with('/') || !source.root.starts_with('/'))
        return std::unexpected(std::string("the build request has no absolute path"));
    return source;
}

std::expected<OverlaySource, std::string> read_archive(const json& from) {
    ArchiveSource source;
    if (const auto locations = from.find("locations"); locations != from.end() && locations->is_array()) {
        for (const json& location : *locations) {
            if (location.is_object())
                source.locations.push_back(
                    {read_field<std::string>(location, "url"), read_field<std::string>(location, "root")});
        }
    }
    source.sha256 = read_field<std::string>(from, "sha256");
    source.into = read_field<std::string>(from, "into");
    source.strip_components = read_field<std::size_t>(from, "stripComponents");
    source.exclude = read_texts(from, "exclude");
    source.private_networks = read_texts(from, "privateNetworks");
    source.limits = read_limits(from);
    constexpr std::size_t digits = 64;
    if (source.locations.empty() || source.sha256.size() != digits)
        return std::unexpected(std::string("the build request has no archive"));
    return source;
}

std::expected<OverlaySource, std::string> read_git(const json& from) {
    GitSource source;
    source.url = read_field<std::string>(from, "url");
    source.root = read_field<std::string>(from, "root");
    source.host_keys = read_texts(from, "hostKeys");
    source.ref = read_field<std::string>(from, "ref");
    source.path = read_field<std::string>(from, "path");
    source.into = read_field<std::string>(from, "into");
    source.exclude = read_texts(from, "exclude");
    source.private_networks = read_texts(from, "privateNetworks");
    source.limits = read_limits(from);
    if (source.url.empty() || source.url.starts_with('/') != source.root.starts_with('/'))
        return std::unexpected(std::string("the build request has no repository"));
    return source;
}

std::expected<OverlaySource, std::string> read_map_index(const json& from) {
    MapIndexSource source{read_field<std::string>(from, "url"), read_texts(from, "exclude"),
                          read_limits(from), read_texts(from, "privateNetworks")};
    if (source.url.empty()) return std::unexpected(std::string("the build request has no map index"));
    return source;
}

std::expected<OverlaySource, std::string> read_workshop(const json& from) {
    WorkshopSource source{read_texts(from, "items"), read_texts(from, "collections"),
                          read_texts(from, "exclude"), read_limits(from),
                          read_texts(from, "privateNetworks")};
    if (source.items.empty() && source.collections.empty())
        return std::unexpected(std::string("the build request names no workshop item"));
    return source;
}

std::expected<OverlaySource, std::string> read_script(const json& from) {
    ScriptSource source;
    source.run = read_field<std::string>(from, "run");
    // Whatever else is written there reaches nothing.
    source.network = read_field<std::string>(from, "network") == to_string(ScriptNetwork::Public)
                         ? ScriptNetwork::Public
                         : ScriptNetwork::None;
    source.timeout = std::chrono::seconds(read_field<std::int64_t>(from, "timeout"));
    source.memory = read_field<std::uint64_t>(from, "memory");
    source.disk = read_field<std::uint64_t>(from, "disk");
    source.limits = read_limits(from);
    if (source.timeout <= source.timeout.zero() || source.memory == 0 || source.disk == 0)
        return std::unexpected(std::string("the build request has no script"));
    return source;
}

std::expected<OverlaySource, std::string> read_steam(const json& from) {
    SteamSource source{read_field<std::string>(from, "build"), read_field<std::string>(from, "steamcmd"),
                       read_limits(from)};
    if (!source.steamcmd.starts_with('/'))
        return std::unexpected(std::string("the build request names no steamcmd"));
    return source;
}

}  // namespace

Fd open_build_directory(const Paths& paths, const std::string& overlay) {
    return Fd(::open((paths.overlays() / overlay / build_directory).c_str(),
                     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

std::expected<Fd, std::string> make_build_directory(int overlay) {
    return make_directory(overlay, build_directory, 0750);
}

Done write_request(int directory, const OverlaySource& source) {
    json request = request_of(source);
    if (request.is_null()) return std::unexpected(std::string("this source is not built by a unit"));
    if (const auto pin = pin_of(source)) request["pin"] = to_json(*pin);
    if (::unlinkat(directory, canceled_file, 0) != 0 && errno != ENOENT) return io_error(canceled_file);
    if (runs_script(source)) {
        if (auto made = make_script_room(directory, std::get<ScriptSource>(source)); !made) return made;
    }
    if (auto made = settle_steam_room(directory, source); !made) return made;
    return replace(directory, request_file, request);
}

namespace {

std::expected<OverlaySource, std::string> read_source(const json& request) {
    const auto of_kind = [&request](const char* kind) -> const json* {
        const auto found = request.find(kind);
        return request.is_object() && found != request.end() && found->is_object() ? &*found : nullptr;
    };
    if (const json* const from = of_kind("directory")) return read_directory(*from);
    if (const json* const from = of_kind("archive")) return read_archive(*from);
    if (const json* const from = of_kind("git")) return read_git(*from);
    if (const json* const from = of_kind("mapIndex")) return read_map_index(*from);
    if (const json* const from = of_kind("workshop")) return read_workshop(*from);
    if (const json* const from = of_kind("script")) return read_script(*from);
    if (const json* const from = of_kind("steam")) return read_steam(*from);
    return std::unexpected(std::string("there is no build request"));
}

}  // namespace

std::expected<OverlaySource, std::string> read_request(int directory) {
    const json request = read(directory, request_file, max_pin_bytes);
    auto source = read_source(request);
    if (!source || !request.contains("pin")) return source;
    // What is asked for is this version and no other.
    const auto pin = to_pin(request["pin"]);
    auto pinned = pin ? with_pin(*source, *pin) : *source;
    if (!pin_of(pinned)) return std::unexpected(std::string("the build request has a pin of another source"));
    return pinned;
}

Done write_check(int directory, const CheckRequest& request) {
    json object = request_of(request.source);
    if (object.is_null()) return std::unexpected(std::string("this source is not built by a unit"));
    object["question"] = request.question;
    if (auto made = settle_steam_room(directory, request.source); !made) return made;
    // Several may ask at once; one of them is answered.
    return replace(directory, check_file, object, fmt::format("{}.{}.new", check_file, request.question));
}

std::optional<CheckRequest> take_check(int directory) {
    if (::renameat(directory, check_file, directory, taken_file) != 0) return std::nullopt;
    return read_taken_check(directory);
}

std::optional<CheckRequest> read_taken_check(int directory) {
    const json object = read(directory, taken_file);
    auto source = read_source(object);
    if (!source) return std::nullopt;
    return CheckRequest{std::move(*source), read_field<std::string>(object, "question")};
}

void end_check(int directory) { (void)::unlinkat(directory, taken_file, 0); }

bool is_check_waiting(int directory) {
    return ::faccessat(directory, check_file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Done write_upstream(int directory, const Upstream& upstream) {
    json object = {
        {"question", upstream.question}, {"source", upstream.source}, {"at", time_to_json(upstream.at)}};
    if (upstream.pin) {
        object["pin"] = to_json(*upstream.pin);
    } else {
        object["error"] = upstream.pin.error();
    }
    return replace(directory, upstream_file, object);
}

std::optional<Upstream> read_upstream(int directory) {
    const json object = read(directory, upstream_file, max_pin_bytes);
    if (!object.is_object()) return std::nullopt;
    Upstream upstream{read_field<std::string>(object, "question"), read_field<std::string>(object, "source"),
                      time_from_json(read_field<std::string>(object, "at")).value_or(TimePoint{}),
                      std::unexpected(read_field<std::string>(object, "error"))};
    if (const auto found = object.find("pin"); found != object.end()) {
        auto pin = to_pin(*found);
        if (!pin) return std::nullopt;
        upstream.pin = std::move(*pin);
    }
    return upstream;
}

Done write_built_pin(int directory, const Pin& pin) { return replace(directory, pin_file, to_json(pin)); }

std::optional<Pin> read_built_pin(int directory) { return to_pin(read(directory, pin_file, max_pin_bytes)); }

json to_json(const BuildRecord& record) {
    json object = {{"invocation", record.invocation},
                   {"ended", time_to_json(record.ended)},
                   {"milliseconds", record.took.count()}};
    if (record.kind != Kind::Overlay) object["kind"] = to_string(record.kind);
    if (record.artifact) {
        object["artifact"] = {{"digest", record.artifact->digest}, {"input", record.artifact->input}};
        if (!record.artifact->revision.empty()) object["artifact"]["revision"] = record.artifact->revision;
        if (!record.artifact->pinned.empty()) object["artifact"]["pinned"] = record.artifact->pinned;
    }
    if (record.failure) {
        const BuildFailure& failure = *record.failure;
        object["failure"] = {{"reason", to_string(failure.kind)},
                             {"message", failure.message},
                             {"failures", failure.failures},
                             {"at", time_to_json(failure.at)},
                             {"input", failure.input}};
    }
    return object;
}

BuildRecord to_build_record(const json& object) {
    BuildRecord record;
    if (!object.is_object()) return record;
    if (read_field<std::string>(object, "kind") == to_string(Kind::Installation))
        record.kind = Kind::Installation;
    record.invocation = read_field<std::string>(object, "invocation");
    record.ended = time_from_json(read_field<std::string>(object, "ended")).value_or(TimePoint{});
    record.took = std::chrono::milliseconds(read_field<std::int64_t>(object, "milliseconds"));
    if (const auto artifact = object.find("artifact"); artifact != object.end() && artifact->is_object()) {
        record.artifact = {read_field<std::string>(*artifact, "digest"),
                           read_field<std::string>(*artifact, "input"),
                           read_field<std::string>(*artifact, "revision"), read_texts(*artifact, "pinned")};
        if (!is_digest(record.artifact->digest)) record.artifact.reset();
    }
    if (const auto failure = object.find("failure"); failure != object.end() && failure->is_object()) {
        record.failure = {parse_build_failure(read_field<std::string>(*failure, "reason"))
                              .value_or(BuildFailureKind::IOError),
                          read_field<std::string>(*failure, "message"),
                          read_field<unsigned>(*failure, "failures", 1),
                          time_from_json(read_field<std::string>(*failure, "at")).value_or(TimePoint{}),
                          read_field<std::string>(*failure, "input")};
    }
    return record;
}

namespace {

/// nullopt: the file is not there.
std::optional<TimePoint> modified_at(int directory, const char* file) {
    struct stat status{};
    if (::fstatat(directory, file, &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
    return time_of(status.st_mtim);
}

}  // namespace

std::optional<TimePoint> time_of_request(int directory) { return modified_at(directory, request_file); }

std::optional<TimePoint> time_of_canceling(int directory) { return modified_at(directory, canceled_file); }

Done write_record(int directory, const BuildRecord& record) {
    return replace(directory, record_file, to_json(record));
}

Done write_result(int directory, const BuildRecord& record) {
    return replace(directory, result_file, to_json(record));
}

std::optional<BuildRecord> take_result(int directory) {
    (void)::unlinkat(directory, fresh_name, 0);
    const json result = read(directory, result_file);
    (void)::unlinkat(directory, result_file, 0);
    if (!result.is_object()) return std::nullopt;
    return to_build_record(result);
}

BuildRecord read_record(int directory) { return to_build_record(read(directory, record_file)); }

Done write_canceled(int directory, const std::string& input) {
    return replace(directory, canceled_file, {{"input", input}});
}

std::string read_canceled(int directory) {
    const json object = read(directory, canceled_file);
    return object.is_object() ? read_field<std::string>(object, "input") : std::string();
}

Done write_progress(int directory, const BuildProgress& progress) {
    return replace(directory, progress_file,
                   {{"bytes", progress.bytes},
                    {"totalBytes", progress.total_bytes},
                    {"files", progress.files},
                    {"totalFiles", progress.total_files},
                    {"input", progress.input},
                    {"phase", to_string(progress.phase)},
                    {"item", progress.item},
                    {"items", progress.items},
                    {"itemName", progress.item_name},
                    {"seconds", progress.elapsed.count()}});
}

std::optional<BuildProgress> read_progress(int directory) {
    const json object = read(directory, progress_file);
    if (!object.is_object()) return std::nullopt;
    return BuildProgress{
        read_field<std::uint64_t>(object, "bytes"),
        read_field<std::uint64_t>(object, "totalBytes"),
        read_field<std::uint64_t>(object, "files"),
        read_field<std::uint64_t>(object, "totalFiles"),
        read_field<std::string>(object, "input"),
        parse_build_phase(read_field<std::string>(object, "phase")).value_or(BuildPhase::Copying),
        read_field<std::uint64_t>(object, "item"),
        read_field<std::uint64_t>(object, "items"),
        read_field<std::string>(object, "itemName"),
        std::chrono::seconds(read_field<std::int64_t>(object, "seconds"))};
}

void remove_progress(int directory) { (void)::unlinkat(directory, progress_file, 0); }

}  // namespace left4me::store
