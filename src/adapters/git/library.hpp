#pragma once

#include <git2.h>

#include <expected>
#include <filesystem>
#include <memory>
#include <string>

namespace left4me::git {

struct Free {
    void operator()(git_repository* object) const { git_repository_free(object); }
    void operator()(git_reference* object) const { git_reference_free(object); }
    void operator()(git_object* object) const { git_object_free(object); }
    void operator()(git_commit* object) const { git_commit_free(object); }
    void operator()(git_tree* object) const { git_tree_free(object); }
    void operator()(git_blob* object) const { git_blob_free(object); }
    void operator()(git_odb* object) const { git_odb_free(object); }
    void operator()(git_remote* object) const { git_remote_free(object); }
    void operator()(git_config* object) const { git_config_free(object); }
    void operator()(git_signature* object) const { git_signature_free(object); }
    void operator()(git_treebuilder* object) const { git_treebuilder_free(object); }
};

/// Owns an object of libgit2.
template <typename T>
using Owned = std::unique_ptr<T, Free>;

/// Takes what a libgit2 call writes into its first argument: `take(owned, [&](auto** out) { return call(out,
/// …); })`.
template <typename T, typename Call>
int take(Owned<T>& into, Call&& call) {
    T* raw = nullptr;
    const int result = call(&raw);
    into.reset(raw);
    return result;
}

/// Call it before any other function of libgit2; later calls do nothing. Configuration of the system and of
/// users is ignored: rewritten URLs or proxies there do not apply to us.
void use_library();

/// libgit2's message for its last failure in this thread.
std::string last_error();

/// Opens exactly this bare repository: does not search parent directories and does not check the owner. Git
/// checks the owner because it runs hooks and programs that a repository's configuration names. libgit2 runs
/// none, and on our hosts the operators' repository is owned by users other than its reader.
std::expected<Owned<git_repository>, std::string> open_repository(const std::filesystem::path& path);

/// All 40 digits.
std::string to_text(const git_oid& id);
/// The 12 digits used in messages.
std::string to_short_text(const git_oid& id);

}  // namespace left4me::git
