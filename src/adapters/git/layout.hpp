#pragma once

#include <sys/types.h>

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

namespace left4me::git {

/// A bare repository that several people push to under their own names.
struct Layout {
    std::filesystem::path repository;
    std::string branch;
    uid_t reader = 0;             ///< left4me, to whom the stores of objects and references belong
    gid_t group = 0;              ///< whoever is in it may push
    std::filesystem::path hooks;  ///< where the programs are that the repository's hooks lead to
    std::filesystem::path git_configuration = "/etc/gitconfig";
};

/// Makes the repository, or makes one that is there fit; runs as root and returns a line for each thing that
/// it changed. Who may push may add to the repository but not exchange its hooks, which run under the names
/// of all the others: the directory itself, its hooks and its configuration are root's, and sticky. Nothing
/// that others may write is followed, and only directories change hands.
std::expected<std::vector<std::string>, std::string> lay_out(const Layout& layout);

}  // namespace left4me::git
