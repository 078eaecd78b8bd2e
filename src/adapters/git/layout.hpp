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
    std::string branch;           ///< without '/'
    uid_t reader = 0;             ///< left4me
    gid_t group = 0;              ///< whoever is in it may push
    std::filesystem::path hooks;  ///< where the programs are that the repository's hooks lead to
    std::filesystem::path git_configuration = "/etc/gitconfig";
};

/// Makes the repository, or makes one that is there fit; runs as root and returns a line for each thing that
/// it found or changed.
///
/// Who may push may add objects and move branches, and that is all. Git believes what is in a repository's
/// top directory: hooks and pagers run in the name of whoever uses it, and `commondir` leads it to another
/// directory for them. So everything is root's but for
///   objects/       sticky: a push makes its quarantine there, and nobody moves that of another
///   objects/00..ff sticky, left4me's: an object is removed by nobody but who pushed it
///   refs/heads, refs/tags  left4me's: whoever moves a branch replaces its file
/// The writable directories below objects/ and refs/ are not root's because git trusts a directory that
/// belongs to who runs it: root within one of them would use a repository that an operator made there.
/// objects/ must be root's, so it has an empty HEAD, with which git takes it for no repository.
///
/// A push locks what HEAD names, beside HEAD, where only root writes. HEAD therefore names refs/followed,
/// which names the branch: git looks through one link only. Packs are not made by pushes
/// (receive.unpackLimit), so objects/pack, whose indexes libgit2 maps into memory, is root's as well.
std::expected<std::vector<std::string>, std::string> lay_out(const Layout& layout);

/// Whether others than its owner can write into the repository's top directory, as they could in earlier
/// layouts.
bool is_open_to_others(const std::filesystem::path& repository);

}  // namespace left4me::git
