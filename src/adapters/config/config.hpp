#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>

#include "specs/diagnostic.hpp"
#include "specs/load.hpp"

namespace left4me {

/// source.git: a branch of a bare repository on this host, or of a remote that is fetched into it.
struct GitSettings {
    std::filesystem::path repository = "/var/lib/left4me/manifests.git";
    std::string branch = "main";
    std::string directory;  ///< within the tree; empty: the whole tree
    std::string remote;     ///< empty: operators push to the repository itself
    std::chrono::seconds interval{60};
    std::filesystem::path key;              ///< empty: none
    std::filesystem::path known_hosts;      ///< empty: none
    std::filesystem::path allowed_signers;  ///< empty: commits need no signature
};

/// /etc/left4me/config.yaml: every setting is optional; a missing file means the defaults.
struct Config {
    std::filesystem::path source_directory = "/etc/left4me/manifests";
    std::optional<GitSettings> git;  ///< instead of the directory
    Limits limits{.overlay_roots = {"/srv/left4dead2", "/srv/left4me"}, .source = {}};
    std::size_t keep_artifacts = 3;          ///< of each overlay, the present one included
    std::filesystem::path metrics_textfile;  ///< empty: none
    std::uint16_t metrics_port = 0;          ///< on 127.0.0.1, by the daemon; 0: none
    Diagnostics warnings;                    ///< settings that work but should be changed
};

inline constexpr const char* config_file = "/etc/left4me/config.yaml";

/// Strict: an unknown key, a wrong type or a value out of range is an error with its position.
std::expected<Config, Diagnostics> parse_config(const std::string& name, const std::string& text);

}  // namespace left4me
