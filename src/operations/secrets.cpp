#include "operations/secrets.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <map>
#include <string_view>
#include <utility>

#include "adapters/files.hpp"
#include "adapters/trigger/client.hpp"
#include "operations/events.hpp"
#include "operations/lock.hpp"
#include "operations/objects.hpp"
#include "operations/server_view.hpp"
#include "specs/placeholders.hpp"
#include "specs/text.hpp"

namespace left4me::operations {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t random_length = 32;
constexpr mode_t readable_for_left4me = 0400;

/// For example a key of the host's git remote, which version 0.1 kept among them.
bool belongs_to_the_host(const Context& context, const std::string& name) {
    const auto& reserved = context.config.limits.reserved_secrets;
    return std::find(reserved.begin(), reserved.end(), name) != reserved.end();
}

Result<void> check_name(const Context& context, const std::string& name) {
    if (belongs_to_the_host(context, name))
        return fail(ErrorKind::InvalidArgument,
                    fmt::format("{} is in use by the host itself: {} names it", name, context.config_path));
    if (is_valid_secret_file(name)) return {};
    return fail(ErrorKind::InvalidArgument,
                fmt::format("{} is not the name of a secret: letters, digits, '.', '_' and '-', at most 64, "
                            "the first no dot",
                            in_quotes(name)));
}

/// The Blueprints that name each secret.
std::map<std::string, std::vector<std::string>> uses(const ManifestSet& set) {
    std::map<std::string, std::vector<std::string>> users;
    for (const auto& [name, blueprint] : set.blueprints) {
        std::vector<std::string> named = secrets_in(blueprint.config);
        const auto& password = blueprint.rcon_secret;
        if (password && std::find(named.begin(), named.end(), *password) == named.end())
            named.push_back(*password);
        for (const std::string& secret : named) users[secret].push_back(name);
    }
    return users;
}

/// When the file was written; nullopt: it is not there.
std::optional<TimePoint> written_at(const fs::path& path) {
    std::error_code error;
    const auto time = fs::last_write_time(path, error);
    if (error) return std::nullopt;
    return std::chrono::time_point_cast<TimePoint::duration>(fs::file_time_type::clock::to_sys(time));
}

std::string random_text() {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    std::string text;
    while (text.size() < random_length) {
        std::array<unsigned char, random_length> bytes{};
        if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) continue;
        for (const unsigned char byte : bytes) {
            // Each letter equally often: bytes beyond the last whole round are left out.
            if (byte < 256 / letters.size() * letters.size() && text.size() < random_length)
                text += letters[byte % letters.size()];
        }
    }
    return text;
}

}  // namespace

Result<std::vector<SecretInfo>> list_secrets(const Context& context, const ManifestSet& set) {
    const fs::path directory = context.paths.secrets();
    std::error_code error;
    std::map<std::string, SecretInfo> found;
    for (auto entry = fs::directory_iterator(directory, error); !error && entry != fs::directory_iterator();
         entry.increment(error)) {
        const std::string name = entry->path().filename();
        if (is_valid_secret_file(name) && !belongs_to_the_host(context, name)) found[name].name = name;
    }
    if (error)
        return fail(ErrorKind::PermissionDenied, fmt::format("{}: {}", directory.string(), error.message()));
    for (auto& [name, blueprints] : uses(set)) {
        found[name].name = name;
        found[name].blueprints = std::move(blueprints);
    }
    store::Secrets secrets(context.paths);
    std::vector<SecretInfo> all;
    for (auto& [name, secret] : found) {
        secret.written = written_at(directory / name);
        if (const auto text = secrets.lookup(name); !text) secret.problem = text.error();
        all.push_back(std::move(secret));
    }
    return all;
}

Json secrets_json(const std::vector<SecretInfo>& secrets) {
    Json list = Json::array();
    for (const SecretInfo& secret : secrets)
        list.push_back({{"name", secret.name},
                        {"written", time_or_null(secret.written)},
                        {"blueprints", secret.blueprints},
                        {"problem", secret.problem.empty() ? Json(nullptr) : Json(secret.problem)}});
    return {{"secrets", std::move(list)}};
}

Result<std::vector<std::string>> set_secret(Context& context, const std::string& name, std::string text) {
    if (auto checked = check_name(context, name); !checked) return std::unexpected(checked.error());
    if (text.ends_with('\n')) text.pop_back();
    if (const char* const wrong = store::unusable_secret(text))
        return fail(ErrorKind::InvalidArgument, fmt::format("the secret {} {}", name, wrong));
    const auto lock = lock_edits(context);
    if (!lock) return std::unexpected(lock.error());
    const fs::path path = context.paths.secrets() / name;
    remove_leftovers(path.parent_path());
    if (auto written = write_file(path, text + "\n", readable_for_left4me); !written)
        return fail(ErrorKind::StateFailed, written.error());
    std::vector<std::string> servers;
    // Without manifests, nothing uses it yet.
    if (const auto in_force = read_source(context)) {
        const auto blueprints = uses(in_force->set)[name];
        for (const std::string& blueprint : blueprints) {
            const auto of_it = servers_using(in_force->set, blueprint);
            servers.insert(servers.end(), of_it.begin(), of_it.end());
        }
    }
    std::sort(servers.begin(), servers.end());
    if (!servers.empty())
        record_event(context, server_subjects(servers), "SecretChanged",
                     fmt::format("the secret {} was written", name));
    (void)left4me::trigger(context.paths);
    return servers;
}

Result<std::vector<std::string>> rotate_secret(Context& context, const std::string& name) {
    return set_secret(context, name, random_text());
}

Result<void> remove_secret(Context& context, const std::string& name) {
    if (auto checked = check_name(context, name); !checked) return std::unexpected(checked.error());
    const auto in_force = read_source(context);
    if (!in_force) return std::unexpected(in_force.error());
    if (const auto users = uses(in_force->set)[name]; !users.empty())
        return fail(ErrorKind::StillReferenced,
                    fmt::format("the secret {} is used by blueprint/{}; remove the reference first", name,
                                fmt::join(users, ", blueprint/")));
    const auto lock = lock_edits(context);
    if (!lock) return std::unexpected(lock.error());
    const fs::path path = context.paths.secrets() / name;
    if (::unlink(path.c_str()) == 0) return {};
    if (errno == ENOENT) return fail(ErrorKind::NotFound, fmt::format("there is no secret {}", name));
    return fail(ErrorKind::StateFailed, errno_message(path, errno));
}

}  // namespace left4me::operations
