#include "adapters/git/library.hpp"

#include <fmt/format.h>

#include <array>

#include "adapters/git/store.hpp"

namespace left4me::git {

namespace {

/// More than the largest permitted revision needs; libgit2 has no limit of its own.
constexpr std::size_t max_pack_objects = 2'000'000;
constexpr ssize_t object_cache_bytes = ssize_t{1} << 20;

}  // namespace

void use_library() {
    static const bool once = [] {
        git_libgit2_init();
        for (const int level : {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_XDG,
                                GIT_CONFIG_LEVEL_PROGRAMDATA}) {
            git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
        }
        git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
        git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
        git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, max_pack_objects);
        git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, object_cache_bytes);
        return true;
    }();
    (void)once;
}

std::string last_error() {
    const git_error* const error = git_error_last();
    return error == nullptr || error->message == nullptr ? "libgit2 gives no reason" : error->message;
}

std::expected<Owned<git_repository>, std::string> open_repository(const std::filesystem::path& path) {
    use_library();
    Owned<git_repository> repository;
    const int result =
        take(repository, [&](git_repository** out) { return git_repository_open_bare(out, path.c_str()); });
    if (result != 0 || use_checked_store(repository.get(), path / "objects") != 0) {
        return std::unexpected(fmt::format("{}: {}", path.string(), last_error()));
    }
    return repository;
}

std::string to_text(const git_oid& id) {
    std::array<char, GIT_OID_HEXSZ + 1> text{};
    git_oid_tostr(text.data(), text.size(), &id);
    return text.data();
}

std::string to_short_text(const git_oid& id) { return to_text(id).substr(0, 12); }

}  // namespace left4me::git
