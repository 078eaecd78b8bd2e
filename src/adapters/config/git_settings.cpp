#include "adapters/config/git_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "adapters/config/remote_url.hpp"
#include "adapters/paths.hpp"

namespace left4me {

namespace {

/// The rules of git-check-ref-format for the last part of refs/heads/NAME, and a little stricter.
bool is_branch_name(const std::string& name) {
    if (name.empty() || name.size() > 200 || name.front() == '/' || name.back() == '/' ||
        name.front() == '-' || name.ends_with(".lock") || name.back() == '.') {
        return false;
    }
    for (const char* const forbidden : {"..", "//", "/.", "@{", ".lock/"}) {
        if (name.find(forbidden) != std::string::npos) return false;
    }
    return name.front() != '.' && std::all_of(name.begin(), name.end(), [](char c) {
               return static_cast<unsigned char>(c) > ' ' && c != '\x7f' &&
                      std::string_view("~^:?*[\\").find(c) == std::string_view::npos;
           });
}

void read_branch(Reader& reader, const YAML::Node& node, std::string& into) {
    if (!node.IsScalar() || !is_branch_name(node.Scalar())) {
        return reader.error(node.Mark(), "must be the name of a branch");
    }
    into = node.Scalar();
}

void read_subdirectory(Reader& reader, const YAML::Node& node, std::string& into) {
    const std::string text = node.IsScalar() ? node.Scalar() : std::string();
    const std::filesystem::path path = std::filesystem::path(text).lexically_normal();
    const bool inside = !text.empty() && path.is_relative() &&
                        std::none_of(path.begin(), path.end(), [](const auto& part) { return part == ".."; });
    if (!inside) {
        return reader.error(node.Mark(),
                            "must be the path of a directory in the repository, as in hosts/eu1");
    }
    into = path.has_filename() ? path.string() : path.parent_path().string();
    if (into == ".") into.clear();
}

void read_remote(Reader& reader, const YAML::Node& node, std::string& into) {
    const auto url = node.IsScalar() ? parse_remote_url(node.Scalar()) : std::nullopt;
    if (!url) {
        return reader.error(node.Mark(),
                            "must be an https://, ssh:// or file:// address, or user@host:path, without a "
                            "password in it");
    }
    into = node.Scalar();
}

/// A file in /etc/left4me/secrets may end up in a server's config, if a Blueprint lists it. Hosts that keep
/// their key there, as version 0.1 advised, go on working; until it is moved, no Blueprint may use it.
void read_key(Reader& reader, const YAML::Node& node, Config& config) {
    std::filesystem::path& key = config.git->key;
    reader.file(node, key);
    const std::filesystem::path secrets = Paths{}.secrets();
    if (key.parent_path() != secrets) return;
    config.limits.reserved_secrets.push_back(key.filename().string());
    const std::filesystem::path there = Paths{}.git_keys() / key.filename();
    reader.warning(node.Mark(),
                   fmt::format("a git key does not belong in {0}, whose files Blueprints use; move it:\n"
                               "  sudo install -d -o left4me -g left4me -m 0700 {3}\n"
                               "  sudo mv {1} {2}\n"
                               "  and write `key: {2}`",
                               secrets.string(), key.string(), there.string(), there.parent_path().string()));
}

/// What would only show when the first fetch fails.
void check_together(Reader& reader, const YAML::Node& node, const GitSettings& git) {
    const auto url = parse_remote_url(git.remote);
    const bool ssh = url && url->scheme == RemoteUrl::Scheme::Ssh;
    if (ssh && git.known_hosts.empty()) {
        reader.error(node["remote"].Mark(),
                     "an ssh remote needs knownHosts: the file that says which host key is the right one "
                     "(ssh-keyscan HOST prints it; compare it with what the host's owner says)");
    }
    if (ssh && git.key.empty()) {
        reader.error(node["remote"].Mark(), "an ssh remote needs key: the private key to log in with");
    }
    if (git.remote.empty()) {
        for (const char* const name : {"interval", "key", "knownHosts"}) {
            if (node[name])
                reader.error(node[name].Mark(), "is for a remote; without one nothing is fetched");
        }
    }
}

}  // namespace

void read_git_settings(Reader& reader, const YAML::Node& node, Config& config) {
    using std::chrono::hours;
    using std::chrono::seconds;
    GitSettings& git = config.git.emplace();
    reader.map(
        node, "source.git",
        {{"repository", [&](const YAML::Node& value) { reader.directory(value, git.repository); }},
         {"branch", [&](const YAML::Node& value) { read_branch(reader, value, git.branch); }},
         {"directory", [&](const YAML::Node& value) { read_subdirectory(reader, value, git.directory); }},
         {"remote", [&](const YAML::Node& value) { read_remote(reader, value, git.remote); }},
         {"interval",
          [&](const YAML::Node& value) { reader.duration(value, seconds(10), hours(24), git.interval); }},
         {"key", [&](const YAML::Node& value) { read_key(reader, value, config); }},
         {"knownHosts", [&](const YAML::Node& value) { reader.file(value, git.known_hosts); }},
         {"allowedSigners", [&](const YAML::Node& value) { reader.file(value, git.allowed_signers); }}});
    if (node.IsMap()) check_together(reader, node, git);
}

}  // namespace left4me
