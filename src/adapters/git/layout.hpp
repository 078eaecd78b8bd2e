#pragma once

#include <sys/types.h>

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

namespace left4me::git {

/// A bare repository that several people push to under their own user names.
struct Layout {
    std::filesystem::path repository;
    std::string branch;           ///< without '/'
    uid_t reader = 0;             ///< left4me
    gid_t group = 0;              ///< its members may push
    std::filesystem::path hooks;  ///< the programs that the repository's hooks link to
    std::filesystem::path git_configuration = "/etc/gitconfig";
};

/// Creates the repository, or repairs an existing one. Runs as root and returns a line for each thing that it
/// found or changed.
///
/// People who may push may add objects and move branches, and nothing else. Git trusts the files in a
/// repository's top directory: hooks and pagers run as the user who runs git, and `commondir` makes git look
/// for them elsewhere. Root therefore owns everything except
///   objects/       sticky: a push creates its quarantine there, and nobody can move another user's
///   objects/00..ff sticky, owned by left4me: only the user who pushed an object can remove it
///   refs/heads, refs/tags  owned by left4me: moving a branch replaces its file
/// Root does not own the writable directories below objects/ and refs/, because git trusts a directory of the
/// user who runs it: root in one of them would use a repository that an operator planted there. Root must own
/// objects/ itself, so it has an empty HEAD, which makes git reject it as a repository.
///
/// A push locks the file that HEAD names, next to HEAD, where only root writes. HEAD therefore names
/// refs/followed, which names the branch: git follows only one such link. Pushes create no packs
/// (receive.unpackLimit), so root also owns objects/pack, whose indexes libgit2 maps into memory.
std::expected<std::vector<std::string>, std::string> lay_out(const Layout& layout);

/// Whether users other than its owner can write into the repository's top directory, as in earlier layouts.
bool is_open_to_others(const std::filesystem::path& repository);

}  // namespace left4me::git
